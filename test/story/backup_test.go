package story

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// backup is what a tool such as Velero has kept of a namespace.
type backup struct {
	role    *v1alpha1.AIAgentRole
	keys    []*v1alpha1.AgentAPIKey
	secrets []*corev1.Secret
}

// TestRestore brings the objects of a namespace back under new UIDs while an operator is
// at work, in every order, with and without owners: nothing is minted, the Secrets keep
// their bytes, and no agent is without access at any moment.
func TestRestore(t *testing.T) {
	const roles, keys, secrets = "roles", "keys", "secrets"
	tests := map[string]struct {
		reason   string
		order    []string
		dangling bool
	}{
		"SecretsFirst":     {"as most tools do", []string{secrets, roles, keys}, false},
		"SecretsLast":      {"a key without its Secrets waits for them", []string{roles, keys, secrets}, false},
		"RolesLast":        {"a key without its role keeps the access it has", []string{secrets, keys, roles}, false},
		"RolesFirst":       {"a role without its keys takes nothing away at once", []string{roles, secrets, keys}, false},
		"DanglingOwners":   {"owners that are gone are no owners", []string{secrets, roles, keys}, true},
		"DanglingLast":     {"also when the Secrets come last", []string{keys, roles, secrets}, true},
		"KeysBeforeAnyone": {"whatever comes first", []string{keys, secrets, roles}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{Limits: oktasim.LimitsUnlimited})
			saved := w.backedUp()
			before, calls, old := w.secretBytes(), len(w.org.Operations()), w.ours()
			w.wipeOut()
			minters := []*minters{w.mintFrom(saved, "bot"), w.mintFrom(saved, "old")}
			w.start(impatient)
			for _, what := range tc.order {
				w.restore(saved, what, tc.dangling)
				w.quiet()
				w.pass(time.Minute)
			}
			w.pass(5 * time.Minute) // after which what was in the way is looked at again
			for _, key := range saved.keys {
				readyKey(w, key.Name)
			}
			readyRole(w, "chat")
			w.quiet()
			for _, m := range minters {
				m.stop()
				asked, failed := m.count()
				t.Logf("%d tokens asked for, %d refused", asked, len(failed))
				if len(failed) > 0 {
					t.Errorf("%s: tokens were refused: %s", tc.reason, failed[0])
				}
			}
			if diff := cmp.Diff(before, w.secretBytes()); diff != "" {
				t.Errorf("%s: the Secrets have changed", tc.reason)
			}
			w.mustHaveMadeNothing(calls)
			w.mustBeOf(saved, old)
			for _, name := range []string{"bot", "old"} {
				w.mustWork(w.agent(name+"-okta"), []string{"a"}, "b")
			}
			w.mustBeActive("bot", true, w.agent("token-okta").files["access_token"])
		})
	}
}

// backedUp brings keys of each delivery to work, ends the operator and gives what a
// backup would hold.
func (w *world) backedUp() backup {
	w.Helper()
	p := w.start(impatient)
	saved := backup{role: w.role("chat", "a"), keys: []*v1alpha1.AgentAPIKey{
		w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT), w.key("old", "chat", v1alpha1.DeliveryClientSecret),
		w.key("token", "chat", v1alpha1.DeliveryAccessToken),
	}}
	w.create(saved.role)
	for _, key := range saved.keys {
		w.create(key)
	}
	for _, key := range saved.keys {
		readyKey(w, key.Name)
	}
	readyRole(w, "chat")
	w.quiet() // a restored object must be younger, by a second at least
	w.stop(p)
	saved.secrets = w.allSecrets()
	return saved
}

func (w *world) allSecrets() []*corev1.Secret {
	w.Helper()
	var list corev1.SecretList
	if err := cluster.admin.List(context.Background(), &list, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	all := make([]*corev1.Secret, 0, len(list.Items))
	for i := range list.Items {
		all = append(all, &list.Items[i])
	}
	return all
}

// wipeOut is the loss of a cluster: no finalizer has its say.
func (w *world) wipeOut() {
	w.Helper()
	for _, list := range []client.ObjectList{&v1alpha1.AIAgentRoleList{}, &v1alpha1.AgentAPIKeyList{}, &corev1.SecretList{}} {
		if err := cluster.admin.List(context.Background(), list, client.InNamespace(w.namespace)); err != nil {
			w.Fatal(err)
		}
		for _, obj := range itemsOf(w, list) {
			w.vanish(obj)
		}
	}
}

// vanish takes the finalizers off an object and deletes it.
func (w *world) vanish(obj client.Object) {
	w.Helper()
	if len(obj.GetFinalizers()) > 0 {
		obj.SetFinalizers(nil)
		w.update(obj)
	}
	w.delete(obj)
	w.waitGone(obj)
}

func (w *world) restore(saved backup, what string, dangling bool) {
	w.Helper()
	switch what {
	case "roles":
		w.create(anew(saved.role.DeepCopy(), false))
	case "keys":
		for _, key := range saved.keys {
			w.create(anew(key.DeepCopy(), false))
		}
	case "secrets":
		for _, secret := range saved.secrets {
			w.create(anew(secret.DeepCopy(), dangling))
		}
	}
}

// anew is the object as a tool creates it again.
func anew(obj client.Object, dangling bool) client.Object {
	obj.SetResourceVersion("")
	obj.SetUID("")
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetManagedFields(nil)
	obj.SetGeneration(0)
	if !dangling {
		obj.SetOwnerReferences(nil)
	}
	return obj
}

// mintFrom asks for tokens without pause with what a Secret of the backup holds, as the
// pods do that go on running.
func (w *world) mintFrom(saved backup, key string) *minters {
	w.Helper()
	at := slices.IndexFunc(saved.secrets, func(s *corev1.Secret) bool { return s.Name == key+"-okta" })
	return w.mintWith(agent{files: filesOf(saved.secrets[at]), now: w.now})
}

// mustHaveMadeNothing holds that no app, no key and no secret was made since.
func (w *world) mustHaveMadeNothing(since int) {
	w.Helper()
	made := 0
	calls := count(w.org.Operations()[since:])
	for line, n := range calls.lines {
		if strings.HasPrefix(line, "POST /api/v1/apps 2") || strings.HasPrefix(line, "POST /api/v1/apps/{appId}/credentials/") {
			made += n
		}
	}
	w.Logf("%d apps and credentials made, %d writes", made, calls.writes)
	if made > 0 {
		w.Errorf("%d apps and credentials were made: %s", made, calls.summary())
	}
}

// mustBeOf holds that Okta has the same apps, and that they are marked for the new keys.
func (w *world) mustBeOf(saved backup, old oktasim.State) {
	w.Helper()
	state := w.ours()
	if len(state.Apps) != len(old.Apps) || len(state.Groups)+len(state.Policies)+len(state.Rules) != 3 {
		w.Errorf("in Okta: %+v", state)
	}
	for i, app := range state.Apps {
		if app.ID != old.Apps[i].ID || !cmp.Equal(app.Keys, old.Apps[i].Keys) || !cmp.Equal(app.Secrets, old.Apps[i].Secrets) {
			w.Errorf("app %s is not what it was: %+v", old.Apps[i].ID, app)
		}
	}
	for _, key := range saved.keys {
		restored := &v1alpha1.AgentAPIKey{}
		w.get(key.Name, restored)
		at := slices.IndexFunc(state.Apps, func(a oktasim.App) bool { return a.ID == restored.Status.AppID })
		if at < 0 || !strings.Contains(fmt.Sprint(state.Apps[at].Profile), string(restored.UID)) {
			w.Errorf("no app carries the mark of the new key %s", key.Name)
		}
	}
}
