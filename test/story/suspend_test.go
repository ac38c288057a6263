package story

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestSuspended: access ends by a word or by a time, and whoever starts the app again or
// takes the status away gives none; then it comes back with the same bytes.
func TestSuspended(t *testing.T) {
	ways := map[string]struct {
		end, resume func(*v1alpha1.AgentAPIKeySpec, time.Time)
		reason      string
	}{
		"State": {
			end:    func(s *v1alpha1.AgentAPIKeySpec, _ time.Time) { s.State = v1alpha1.StateSuspended },
			resume: func(s *v1alpha1.AgentAPIKeySpec, _ time.Time) { s.State = v1alpha1.StateActive },
			reason: v1alpha1.ReasonSuspended,
		},
		"Expiry": {
			end: func(s *v1alpha1.AgentAPIKeySpec, now time.Time) {
				s.ExpiresAt = &metav1.Time{Time: now.Add(-time.Hour)}
			},
			resume: func(s *v1alpha1.AgentAPIKeySpec, now time.Time) {
				s.ExpiresAt = &metav1.Time{Time: now.AddDate(1, 0, 0)}
			},
			reason: v1alpha1.ReasonExpired,
		},
	}
	for name, way := range ways {
		for _, delivery := range deliveries {
			t.Run(name+string(delivery), func(t *testing.T) {
				t.Parallel()
				w := newStandingWorld(t, time.Now(), oktasim.Options{})
				first := w.start(impatient)
				key := w.key("bot", "chat", delivery)
				w.create(w.role("chat", "a"), key)
				readyKey(w, "bot")
				before := w.secretBytes()

				w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { way.end(s, w.now()) })
				w.waitReason("bot", key, way.reason)
				w.mustBeSuspended(before)
				w.stop(first)
				w.wipeStatus(key)
				w.start(impatient)
				w.waitReason("bot", key, way.reason)
				w.quiet()
				w.mustBeSuspended(before)

				w.must(nil, w.org.AdminActivateApp(key.Status.AppID))
				w.pass(5 * time.Minute)
				w.eventually("the app is inactive again", func() bool { return w.ours().Apps[0].Status == "INACTIVE" })
				w.mustBeSuspended(before)

				w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { way.resume(s, w.now()) })
				readyKey(w, "bot")
				if diff := cmp.Diff(before, w.secretBytes()); diff != "" {
					t.Error("the Secrets have changed")
				}
				w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
			})
		}
	}
}

// mustBeSuspended holds that no token is issued, and that the Secrets are as they were.
func (w *world) mustBeSuspended(before map[string]map[string][]byte) {
	w.Helper()
	if app := w.ours().Apps[0]; app.Status != "INACTIVE" {
		w.Errorf("app %s is %s, want INACTIVE", app.ClientID, app.Status)
	}
	if diff := cmp.Diff(before, w.secretBytes()); diff != "" {
		w.Error("the Secrets have changed")
	}
	if _, refused, err := w.agent("bot-okta").ask("a"); err != nil || refused == "" {
		w.Errorf("a token is issued (%v)", err)
	}
}

// wipeStatus takes the status of objects away.
func (w *world) wipeStatus(objects ...client.Object) {
	w.Helper()
	for _, obj := range objects {
		wipe := client.RawPatch(types.MergePatchType, []byte(`{"status":null}`))
		if err := cluster.admin.Status().Patch(context.Background(), obj, wipe); err != nil {
			w.Fatal(err)
		}
	}
}

// TestExpiring: a fortnight before, people are warned, with the owners' names.
func TestExpiring(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	key := w.key("bot", "chat", "")
	key.Spec.ExpiresAt = &metav1.Time{Time: w.now().AddDate(0, 0, 20)}
	key.Spec.Agent.Owners = []string{"chatbots@example.com"}
	w.create(w.role("chat", "a"), key)
	key = readyKey(w, "bot")
	if message := messageOf(key, v1alpha1.ConditionExpiring); message != "" {
		t.Errorf("people are warned 20 days before: %s", message)
	}
	w.pass(7 * 24 * time.Hour)
	w.waitFor("bot", key, "ready, with a warning", func() bool {
		return ready(key) && strings.Contains(messageOf(key, v1alpha1.ConditionExpiring), "chatbots@example.com")
	})
	w.waitEvent("ExpiresSoon")
	w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
	w.pass(14 * 24 * time.Hour)
	w.waitReason("bot", key, v1alpha1.ReasonExpired)
	w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.ExpiresAt = &metav1.Time{Time: w.now().AddDate(0, 0, 30)} })
	key = readyKey(w, "bot")
	if message := messageOf(key, v1alpha1.ConditionExpiring); message != "" {
		t.Errorf("people are warned 30 days before: %s", message)
	}
	w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
}

// TestSuspendedToken: access tokens that the operator obtained, the one in the Secret
// and the one before it, are good for nothing any more, also when the key is resumed.
func TestSuspendedToken(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	key := w.key("bot", "chat", v1alpha1.DeliveryAccessToken)
	w.create(w.role("chat", "a"), key, w.key("api", "chat", ""))
	readyKey(w, "bot")
	readyKey(w, "api")
	first := w.agent("bot-okta").files["access_token"]
	w.pass(11 * time.Minute)
	w.eventually("the token is renewed", func() bool { return w.agent("bot-okta").files["access_token"] != first })
	tokens := []string{first, w.agent("bot-okta").files["access_token"]}
	w.mustBeActive("api", true, tokens...)

	w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.State = v1alpha1.StateSuspended })
	w.waitReason("bot", key, v1alpha1.ReasonSuspended)
	w.mustBeActive("api", false, tokens...)
	if data := w.secretBytes()["bot-okta"]; len(data) != 0 {
		t.Errorf("the Secret still says %v", slices.Sorted(maps.Keys(data)))
	}
	w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.State = v1alpha1.StateActive })
	readyKey(w, "bot")
	w.mustBeActive("api", false, tokens...)
	w.mustBeActive("api", true, w.agent("bot-okta").files["access_token"])
}

// mustBeActive asks as the agent what tokens, its own or others', are worth.
func (w *world) mustBeActive(as string, want bool, tokens ...string) {
	w.Helper()
	for i, token := range tokens {
		if active, err := w.agent(as + "-okta").active(token); err != nil || active != want {
			w.Errorf("token %d is active: %t, want %t (%v)", i, active, want, err)
		}
	}
}
