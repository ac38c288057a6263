package okta_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestReadLog reads the log of the simulated org to its end and beyond.
func TestReadLog(t *testing.T) {
	w, ctx := newWorld(t, oktasim.Options{}), t.Context()
	credentials := w.elliptic(okta.RequiredScopes()...)
	d := w.open(func(c *okta.Config) { c.Credentials = fixed(credentials) })
	_, err := d.ReadLog(ctx, identity.LogPlace{Since: w.clock.Now().Add(-time.Hour)})
	mustBeDenied(t, err, okta.LogScopes()...)
	w.org.SetScopes(operatorID, append(okta.RequiredScopes(), okta.LogScopes()...)...)
	w.clock.Step(2 * time.Minute)
	if err := w.org.AddLogEvents(2100, oktasim.LogBatch{Type: "user.session.start"}); err != nil {
		t.Fatal(err)
	}
	place, got := identity.LogPlace{Since: w.clock.Now().Add(-24 * time.Hour)}, map[string]bool{}
	for {
		page, err := d.ReadLog(ctx, place)
		if err != nil {
			t.Fatal(err)
		}
		if page.Next.Next == "" || page.Next == place && len(page.Events) > 0 {
			t.Fatalf("the page leads to %+v", page.Next)
		}
		for _, raw := range page.Events {
			var e struct{ UUID string }
			if err := json.Unmarshal(raw, &e); err != nil || got[e.UUID] {
				t.Fatalf("event %q is broken or comes twice: %v", e.UUID, err)
			}
			got[e.UUID] = true
		}
		place = page.Next
		if len(page.Events) == 0 {
			break
		}
	}
	for _, entry := range w.org.LogLedger() {
		if !got[entry.UUID] {
			t.Errorf("event %s was not read", entry.UUID)
		}
	}
	if err := w.org.AddLogEvents(1, oktasim.LogBatch{Type: "user.session.end"}); err != nil {
		t.Fatal(err)
	}
	if page, err := d.ReadLog(ctx, place); err != nil || len(page.Events) == 0 {
		t.Errorf("after the end there are %d events: %v", len(page.Events), err)
	}
}

// TestPlaceLost holds which answers mean that a place is not known any more.
func TestPlaceLost(t *testing.T) {
	tests := map[string]struct {
		status int
		place  identity.LogPlace
		lost   bool
		reason string
	}{
		"rejected":     {400, identity.LogPlace{Next: "/api/v1/logs?after=x&limit=1000"}, true, "Okta gave the link itself"},
		"gone":         {410, identity.LogPlace{Next: "/api/v1/logs?after=x&limit=1000"}, true, "it says so"},
		"not found":    {404, identity.LogPlace{Next: "/api/v1/logs?after=x&limit=1000"}, true, "the log itself is always there"},
		"a bad time":   {400, identity.LogPlace{Since: time.Unix(1.7e9, 0)}, false, "a time is no place of Okta's"},
		"forbidden":    {403, identity.LogPlace{Next: "/api/v1/logs?after=x&limit=1000"}, false, "the scope may be given again"},
		"out of order": {500, identity.LogPlace{Next: "/api/v1/logs?after=x&limit=1000"}, false, "it passes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			w.org.Inject(oktasim.Fault{Path: "/api/v1/logs", Action: oktasim.Status(tt.status, "E0000001")})
			_, err := w.open().ReadLog(t.Context(), tt.place)
			if err == nil || identity.PlaceLost(err) != tt.lost {
				t.Errorf("lost: %t, want %t (%s): %v", identity.PlaceLost(err), tt.lost, tt.reason, err)
			}
		})
	}
}
