package story

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// TestLeaderChanges: of two processes one works. When it ends, or can reach nothing any
// more, the other goes on, makes nothing anew, and serves what comes then.
func TestLeaderChanges(t *testing.T) {
	for name, end := range map[string]func(w *world, first *process, cut *atomic.Bool){
		"Ended": func(w *world, first *process, _ *atomic.Bool) { w.stop(first) },
		"CutOff": func(_ *world, first *process, cut *atomic.Bool) {
			first.cut = true
			cut.Store(true) // the other waits until the lease has run out
		},
		"Waiting": func(*world, *process, *atomic.Bool) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			w.bindRole("leader_election_role.yaml")
			cut := &atomic.Bool{}
			first := w.start(impatient, w.electing, cuttable(cut))
			w.create(w.role("chat", "a"), w.key("bot", "chat", ""), w.key("old", "chat", v1alpha1.DeliveryClientSecret))
			readyKey(w, "bot")
			readyKey(w, "old")
			watched := newSeam(point{})
			w.start(impatient, w.electing, watched.into)
			w.quiet()
			before, calls := w.secretBytes(), len(w.org.Operations())
			if n := watched.toOkta(); n != 0 {
				t.Errorf("the process that waits has called Okta %d times", n)
			}
			end(w, first, cut)
			if name == "Waiting" {
				return
			}
			w.create(w.key("late", "chat", ""))
			readyKey(w, "late")
			w.quiet()
			after := w.secretBytes()
			delete(after, "late-okta")
			delete(after, "late.staged-credential")
			if diff := cmp.Diff(before, after); diff != "" {
				t.Error("the Secrets have changed")
			}
			made := count(w.org.Operations()[calls:])
			t.Logf("after the change: %s", made.summary())
			if made.lines["POST /api/v1/apps 200"] != 1 || len(w.ours().Apps) != 3 || liveIn(w.ours().Apps) != 3 {
				t.Errorf("more than the new key was made: %s", made.summary())
			}
			for _, secret := range []string{"bot-okta", "old-okta", "late-okta"} {
				w.mustWork(w.agent(secret), []string{"a"}, "b")
			}
		})
	}
}

// electing lets processes agree on a leader by a lease in the world's namespace.
func (w *world) electing(o *operator.Options) {
	o.Config.Manager.LeaderElection, o.Config.Manager.LeaderElectionNamespace = "Enabled", w.namespace
}

// cuttable ends every call that a process makes as soon as cut says so.
func cuttable(cut *atomic.Bool) func(*operator.Options) {
	severed := func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if cut.Load() {
				return nil, errors.New("no route to host")
			}
			return base.RoundTrip(r)
		})
	}
	return func(o *operator.Options) {
		o.OktaTransport = severed(http.DefaultTransport.(*http.Transport).Clone())
		o.REST.Wrap(severed)
	}
}

// bindRole gives the operator, in the world's namespace, a Role that config/ ships.
func (w *world) bindRole(file string) {
	w.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", file))
	if err != nil {
		w.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		role := &rbacv1.Role{}
		if err := yaml.Unmarshal([]byte(document), role); err != nil {
			w.Fatal(err)
		}
		if role.Kind != "Role" {
			continue
		}
		role.Namespace = w.namespace
		w.create(role, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: role.Name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: operatorUser}},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		})
	}
}

// TestSecretsOfBefore: a cluster, or only its Secrets, comes back as it was before a
// rotation. What it holds is worth nothing then, so a new credential is made, and what
// nobody has any more ends.
func TestSecretsOfBefore(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		ended  bool // whether the credential of the backup has ended meanwhile
		anew   bool // whether all objects are new ones
	}{
		"Ended":          {"the credential of the backup is dead", true, false},
		"Overlapping":    {"it still lives, and the later one is nobody's", false, false},
		"EndedAnew":      {"as of a restored namespace", true, true},
		"OverlappingNew": {"likewise", false, true},
	} {
		for _, delivery := range deliveries {
			t.Run(name+string(delivery), func(t *testing.T) {
				t.Parallel()
				w := newStandingWorld(t, time.Now(), oktasim.Options{})
				seen := w.countCredentials()
				p := w.start(impatient)
				w.create(w.role("chat", "a"), w.key("bot", "chat", delivery))
				old := readyKey(w, "bot").Status.KeyID
				w.quiet()
				saved := backup{role: w.role("chat", "a"), keys: []*v1alpha1.AgentAPIKey{w.key("bot", "chat", delivery)}, secrets: w.allSecrets()}
				w.requestRotation("bot", "now")
				later := w.waitRotation("bot", "now").Status.KeyID
				if tc.ended {
					w.pass(time.Hour)
					w.rotated("bot", "now")
				}
				w.stop(p)
				w.bringBack(saved, tc.anew)

				w.start(impatient)
				w.eventually("the key has a credential that is neither the old one nor the later one", func() bool {
					key := w.currentKey("bot")
					return ready(key) && key.Status.KeyID != old && key.Status.KeyID != later && len(w.ours().Apps) == 1
				})
				w.quiet()
				w.pass(time.Hour)
				w.eventually("one credential is left", func() bool { return liveIn(w.ours().Apps) == 1 })
				w.quiet()
				readyKey(w, "bot")
				w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
				all, _ := seen.made()
				if state := w.ours(); len(state.Apps) != 1 || liveIn(state.Apps) != 1 || all != 3 {
					t.Errorf("%s: %d credentials were made, want 3; in Okta: %+v", tc.reason, all, state.Apps)
				}
			})
		}
	}
}

// currentKey is the key as it is now.
func (w *world) currentKey(name string) *v1alpha1.AgentAPIKey {
	w.Helper()
	key := &v1alpha1.AgentAPIKey{}
	w.get(name, key)
	return key
}

// bringBack puts a backup in the place of what there is: into the objects that exist, or
// as new ones.
func (w *world) bringBack(saved backup, anew bool) {
	w.Helper()
	if anew {
		w.wipeOut()
		for _, what := range []string{"secrets", "roles", "keys"} {
			w.restore(saved, what, false)
		}
		return
	}
	w.requestRotation("bot", "")
	for _, secret := range saved.secrets {
		w.harm(secret.Name, func(now *corev1.Secret) { now.Data, now.Annotations = secret.Data, secret.Annotations })
	}
}
