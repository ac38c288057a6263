package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestFirsts(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(1_800_000_000+second, 0) }
	op := func(second int64, method, app string, status int) oktasim.Operation {
		return oktasim.Operation{Time: at(second), Method: method, Path: "/api/v1/apps/" + app, Status: status}
	}
	seen, mended := firsts([]oktasim.Operation{
		op(1, "GET", "a", 200), // before it was changed
		op(3, "GET", "a", 200),
		op(4, "PUT", "a", 429), // not done
		op(5, "GET", "a", 200),
		op(6, "PUT", "a", 200),
		op(7, "PUT", "a", 200),
		op(8, "GET", "other", 200),
		op(9, "DELETE", "b", 204),
	}, map[string]time.Time{"a": at(2), "b": at(2)})
	if diff := cmp.Diff(map[string]time.Time{"a": at(3)}, seen); diff != "" {
		t.Errorf("first reads (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]time.Time{"a": at(6)}, mended); diff != "" {
		t.Errorf("first writes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{time.Second}, later(map[string]time.Time{"a": at(2), "b": at(2)}, seen)); diff != "" {
		t.Errorf("lags (-want +got):\n%s", diff)
	}
}
