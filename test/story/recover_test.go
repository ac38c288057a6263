package story

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// TestAnswersGoWrong breaks the answer to every kind of call the operator makes,
// each the first two times, while it goes on running: what Okta did and what the
// operator knows then differ. The end is the same as without.
func TestAnswersGoWrong(t *testing.T) {
	tests := map[string]struct {
		reason string
		phase  oktasim.Phase
		action oktasim.Action
	}{
		"LostAfterCommit": {"Okta did it, and nobody heard", oktasim.AfterCommit, oktasim.Drop()},
		"LostBefore":      {"Okta never heard of it", oktasim.Before, oktasim.Drop()},
		"ErrorAfter":      {"Okta did it and says that it has failed", oktasim.AfterCommit, oktasim.Status(500, "E0000009")},
		"Truncated":       {"half an answer", oktasim.Body, oktasim.TruncatedBody()},
		"HTML":            {"a proxy answers in Okta's place", oktasim.Before, oktasim.HTML502()},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			for _, call := range []struct{ method, path string }{
				{"GET", `/clientPrivilegesSetting$`},
				{"GET", `/authorizationServers$`},
				{"GET", `/groups$`},
				{"GET", `/apps$`},
				// Not the server: whether there is one is waited for, for a minute (okta.TestTwinOfLostAnswer).
				{"POST", `/scopes$`},
				{"POST", `/groups$`},
				{"POST", `/apps$`},
				{"POST", `/policies$`},
				{"POST", `/rules$`},
				{"POST", `/oauth2/[^/]+/v1/token$`},
			} {
				w.org.Inject(oktasim.Fault{
					Method: call.method, Path: call.path, Nth: 1, Times: 2, Phase: tc.phase, Action: tc.action,
				})
			}
			w.start(impatient)
			w.create(w.role("chat", "a", "b"), w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT), w.key("old", "chat", v1alpha1.DeliveryClientSecret))
			for _, name := range []string{"bot", "old"} {
				readyKey(w, name)
				w.mustWork(w.agent(name+"-okta"), []string{"a", "b"}, "c")
			}
			state := w.ours()
			got := map[string]int{
				"apps": len(state.Apps), "groups": len(state.Groups), "servers": len(state.Servers),
				"scopes": len(state.Scopes), "policies": len(state.Policies), "rules": len(state.Rules),
			}
			want := map[string]int{"apps": 2, "groups": 1, "servers": 1, "scopes": 2, "policies": 1, "rules": 1}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: in Okta (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// impatient shortens the waits between tries, which double with every error.
func impatient(o *operator.Options) { o.FirstRetry = time.Millisecond }

// TestSecretsComeBack holds that a Secret that is deleted or edited is restored
// byte for byte, without a new credential and without a call to Okta.
func TestSecretsComeBack(t *testing.T) {
	for name, harm := range map[string]func(w *world){
		"PublishedDeleted": func(w *world) { w.harm("bot-okta", nil) },
		"StagedDeleted":    func(w *world) { w.harm("bot.staged-credential", nil) },
		"PublishedEdited": func(w *world) {
			w.harm("bot-okta", func(s *corev1.Secret) { s.Data["private_key.pem"] = []byte("x") })
		},
		"PublishedEmptied": func(w *world) { w.harm("bot-okta", func(s *corev1.Secret) { s.Data = nil }) },
		"StagedEdited": func(w *world) {
			w.harm("bot.staged-credential", func(s *corev1.Secret) { s.Data["private_key.pem"] = []byte("x") })
		},
		"StagedEditedOfASecret": func(w *world) {
			w.harm("old.staged-credential", func(s *corev1.Secret) { s.Data["client_secret"] = []byte("edited-by-a-person") })
		},
		"PublishedEditedOfASecret": func(w *world) {
			w.harm("old-okta", func(s *corev1.Secret) { s.Data["client_secret"] = []byte("edited-by-a-person") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			w.start()
			w.create(w.role("chat", "a"), w.key("bot", "chat", ""), w.key("old", "chat", v1alpha1.DeliveryClientSecret))
			readyKey(w, "bot")
			readyKey(w, "old")
			w.quiet()
			before, calls := w.secretBytes(), count(w.org.Operations())
			harm(w)
			w.waitForBytes(before)
			w.quiet()
			if after := count(w.org.Operations()); after.management != calls.management {
				t.Errorf("%d calls to Okta to restore a Secret", after.management-calls.management)
			}
			w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
			w.mustWork(w.agent("old-okta"), []string{"a"}, "b")
		})
	}
}

// TestStatusIsNoMemory wipes every status and restarts: nothing is minted, nothing
// is written to Okta, and the Secrets keep their bytes.
func TestStatusIsNoMemory(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	first := w.start()
	role, key := w.role("chat", "a"), w.key("bot", "chat", "")
	w.create(role, key)
	readyKey(w, "bot")
	w.quiet()
	w.stop(first)
	before, calls := w.secretBytes(), count(w.org.Operations())
	w.wipeStatus(role, key)
	w.start()
	readyKey(w, "bot")
	readyRole(w, "chat")
	w.quiet()
	if diff := cmp.Diff(before, w.secretBytes()); diff != "" {
		t.Error("the Secrets have changed")
	}
	if after := count(w.org.Operations()); after.writes != calls.writes {
		t.Errorf("%d writes to Okta", after.writes-calls.writes)
	}
}

// harm changes a Secret as a person might; a nil change deletes it.
func (w *world) harm(name string, change func(*corev1.Secret)) {
	w.Helper()
	var secret corev1.Secret
	w.get(name, &secret)
	if change == nil {
		if err := cluster.admin.Delete(context.Background(), &secret); err != nil {
			w.Fatal(err)
		}
		return
	}
	change(&secret)
	w.update(&secret)
}

// secretBytes is the data of every Secret of the namespace.
func (w *world) secretBytes() map[string]map[string][]byte {
	w.Helper()
	var secrets corev1.SecretList
	if err := cluster.admin.List(context.Background(), &secrets, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	bytes := map[string]map[string][]byte{}
	for _, s := range secrets.Items {
		bytes[s.Name] = s.Data
	}
	return bytes
}
