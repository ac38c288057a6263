package audit_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestOwnEventsAreShapedLikeOktas holds that what reads the one can read the other: by the names
// of fields, and by what was made of them.
func TestOwnEventsAreShapedLikeOktas(t *testing.T) {
	var got event.Event
	journal := audit.NewJournal(func(e *event.Event) { got = *e })
	journal.Record(identity.Action{
		At: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), Call: "POST /api/v1/apps", RequestID: "r1",
		Caller: identity.Caller{Kind: "AgentAPIKey", Namespace: "team", Name: "bot"},
		Err:    &identity.Error{Reason: "PermissionDenied", Message: "no"},
	})
	var raw map[string]any
	if err := json.Unmarshal(got.Raw, &raw); err != nil {
		t.Fatal(err)
	}
	delete(raw, "uuid")
	party := func(id, kind, alternate, name string) map[string]any {
		return map[string]any{"id": id, "type": kind, "alternateId": alternate, "displayName": name}
	}
	want := map[string]any{
		"published": "2026-11-28T12:00:00.000Z", "eventType": audit.TypeCall, "severity": "WARN",
		"displayMessage": "The operator asked the directory to change something",
		"actor":          party("agent-identity-operator", "Operator", "agent-identity-operator", "agent-identity-operator"),
		"outcome":        map[string]any{"result": "FAILURE", "reason": "PermissionDenied: no"},
		"target":         []any{party("AgentAPIKey/team/bot", "AgentAPIKey", "team/bot", "bot")},
		"debugContext":   map[string]any{"debugData": map[string]any{"call": "POST /api/v1/apps", "requestId": "r1"}},
	}
	if diff := cmp.Diff(want, raw); diff != "" {
		t.Errorf("as it is sent (-want +got):\n%s", diff)
	}
	if got.Outcome != (event.Outcome{Result: "FAILURE", Reason: "PermissionDenied: no"}) || !got.Operator || got.Actor.Type != "Operator" {
		t.Errorf("as it is read: %+v", got)
	}
}
