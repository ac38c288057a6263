package directorytest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// testRenamed holds that a client whose label a person changed is still seen, by a
// process that has only the hint to go by, and can be deleted.
func testRenamed(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "renamed", identity.PrivateKeyJWT)
	by := identity.ClientHint{Label: r.client.Label, ID: mustSeeClient(t, h.Directory, r).ID}
	h.Hand.Rename(r.client.ClientID, "by another name")
	fresh := h.Reopen()
	seen, err := fresh.ObserveClient(t.Context(), r.client.ClientID, by)
	if err != nil || seen == nil {
		t.Fatalf("observing a client that was renamed: got %v, %v", seen, err)
	}
	r.client.Label = "by another name"
	if !seen.Touched {
		t.Error("a client that somebody renamed is not told as touched")
	}
	seen.Touched = false
	mustSeeAsRegistered(t, *seen, r)
	mustBeKind(t, "confirming that it is gone", fresh.ConfirmNoClient(t.Context(), r.client.ClientID, by), identity.Waiting)
	until(t, h, "deactivating", func() error { return fresh.DeactivateClient(t.Context(), *seen) })
	until(t, h, "deleting", func() error { return fresh.DeleteClient(t.Context(), *seen) })
	mustBeAbsent(t, h, fresh, r, by)
}

// mustBeAbsent holds that a client is gone, for all who ask, in the end.
func mustBeAbsent(t *testing.T, h Harness, d identity.Directory, r role, by identity.ClientHint) {
	t.Helper()
	for what, d := range map[string]identity.Directory{"same process": d, "fresh process": h.Reopen()} {
		until(t, h, "confirming in the "+what, func() error {
			return d.ConfirmNoClient(t.Context(), r.client.ClientID, by)
		})
		if seen, err := d.ObserveClient(t.Context(), r.client.ClientID, by); err != nil || seen != nil {
			t.Errorf("%s: after the deletion there is %v, %v", what, seen, err)
		}
	}
}

// testAbsent holds that a client is not taken for gone while a registration whose
// answer was lost may still show, and that a clear answer is believed at once.
func testAbsent(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		t.Run(when.String(), func(t *testing.T) {
			h := newHarness(t)
			r := newRole(h, "absent", identity.PrivateKeyJWT)
			by := identity.ClientHint{Label: r.client.Label}
			before := h.Objects()
			h.Lag(30 * time.Second)
			h.Lose(when, 1)
			mustBeKind(t, "losing a registration", h.Directory.RegisterClient(t.Context(), r.client), identity.Unavailable)
			mustBeKind(t, "confirming in doubt", h.Directory.ConfirmNoClient(t.Context(), r.client.ClientID, by), identity.Waiting)
			until(t, h, "taking it away", func() error { return r.raze(t.Context(), h.Directory) })
			if diff := cmp.Diff(before, h.Objects()); diff != "" {
				t.Errorf("a client outlives its deletion (-want +got):\n%s", diff)
			}
			if err := h.Directory.ConfirmNoClient(t.Context(), r.client.ClientID, by); err != nil {
				t.Errorf("confirming again: %v", err)
			}
		})
	}
}
