package story

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestAccessTokens: the Secret holds a good token at every moment of two hours and never
// a key; a token is obtained when it is needed and not when the operator starts.
func TestAccessTokens(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	p := w.start(impatient)
	role := w.role("chat", "a", "b")
	w.create(role, w.key("bot", "chat", v1alpha1.DeliveryAccessToken), w.key("api", "chat", ""))
	readyKey(w, "bot")
	readyKey(w, "api")
	seen := map[string]bool{}
	for range 24 {
		w.pass(5 * time.Minute)
		w.mustBeActive("api", true, w.tokenOnly(seen)) // before the operator can have looked
		w.eventually("a third of the token's life is left", func() bool {
			return at(w.agent("bot-okta").files["expires_at"]).Sub(w.now()) > 5*time.Minute
		})
		w.mustBeActive("api", true, w.tokenOnly(seen))
	}
	t.Logf("%d tokens of 15 minutes in two hours", len(seen))
	if len(seen) < 9 || len(seen) > 13 {
		t.Errorf("%d tokens in two hours, want one for every ten minutes", len(seen))
	}

	w.get("chat", role)
	role.Spec.Permissions = []v1alpha1.Permission{{Name: "b"}, {Name: "c"}}
	w.update(role)
	w.eventually("the token holds what the role says now", func() bool {
		claims, err := w.agent("bot-okta").verified(w.tokenOnly(seen))
		return err == nil && cmp.Equal([]any{"b", "c"}, claims["scp"])
	})
	readyKey(w, "bot")
	w.quiet()
	w.stop(p)
	before, calls := w.secretBytes(), count(w.org.Operations())
	w.start(impatient)
	readyKey(w, "bot")
	w.quiet()
	if diff := cmp.Diff(before, w.secretBytes()); diff != "" || count(w.org.Operations()).tokens != calls.tokens {
		t.Error("a new process obtains a new token")
	}
}

// tokenOnly gives the access token in the Secret, which must hold nothing that proves
// who the agent is.
func (w *world) tokenOnly(seen map[string]bool) string {
	w.Helper()
	files := w.agent("bot-okta").files
	want := []string{"access_token", "audience", "client_id", "expires_at", "issuer", "scopes", "token_url"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		w.Errorf("the keys of the Secret (-want +got):\n%s", diff)
	}
	seen[files["access_token"]] = true
	return files["access_token"]
}
