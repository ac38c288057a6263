package orphan

import (
	"maps"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// TestLeftAlone: what must not be touched, whatever the policy, hours after the first sweep.
func TestLeftAlone(t *testing.T) {
	tests := map[string]struct {
		reason string
		before func(w *world)
		// meanwhile happens between the first sweep and the second.
		meanwhile func(w *world)
		want      string
	}{
		"KeyIsBack": {
			reason:    "a restore from a backup brought the key back",
			meanwhile: func(w *world) { w.restore("lost", "uid-lost") }, want: "ACTIVE",
		},
		"Namesake": {
			reason:    "a key of the name was created again, and takes the client over",
			meanwhile: func(w *world) { w.restore("lost", "uid-9") }, want: "ACTIVE",
		},
		"LateList": {
			reason: "the list lacks an object that the API server has: it is asked once more before anything is done",
			before: func(w *world) {
				w.restore("lost", "uid-lost")
				w.between = func(verb string, obj runtime.Object) error {
					if list, ok := obj.(*metav1.PartialObjectMetadataList); ok && verb == "list" {
						list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("AIAgentRoleList"))
					}
					return nil
				}
			},
			want: "ACTIVE",
		},
		"Unserved": {
			reason: "another operator may serve that namespace",
			before: func(w *world) {
				w.namespaces = []string{"team-b"}
				w.start()
			},
			want: "ACTIVE",
		},
		"Inactive": {
			reason: "a key with deletionPolicy Deactivate left its client so, for whoever looks into what it did",
			before: func(w *world) { w.admin(w.org.AdminDeactivateApp) }, want: "INACTIVE",
		},
		"MarkTakenOff": {
			reason:    "a person took the mark off in Okta: it is theirs now",
			meanwhile: func(w *world) { w.unmark() }, want: "ACTIVE",
		},
		"OtherCluster": {
			reason: "it is not ours", want: "ACTIVE",
			before: func(w *world) { w.profile("cluster", "another") },
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, plan.OrphanDelete)
			w.orphans("lost")
			if tc.before != nil {
				tc.before(w)
				w.start()
			}
			w.sweep()
			if tc.meanwhile != nil {
				tc.meanwhile(w)
			}
			for range 4 {
				w.clock.Step(61 * time.Minute)
				if _, err := w.sweeper.Sweep(t.Context()); err != nil && identity.KindOf(err) != identity.Conflict {
					t.Fatal(err)
				}
			}
			if got := w.app("lost"); got != tc.want {
				t.Errorf("%s: the app is %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// restore creates a key without touching the directory.
func (w *world) restore(name, uid string) {
	w.Helper()
	key := &v1alpha1.AgentAPIKey{ObjectMeta: w.meta(name)}
	key.SetUID(types.UID(uid))
	if err := w.kube.Create(w.Context(), key); err != nil {
		w.Fatal(err)
	}
}

// admin does something to the app of key lost, as a person would in Okta's console.
func (w *world) admin(do func(id string) error) {
	w.Helper()
	if err := do(desired.ClientID(cluster, team, "lost")); err != nil {
		w.Fatal(err)
	}
}

func (w *world) unmark() {
	w.Helper()
	w.admin(func(id string) error {
		return w.org.AdminUpdateApp(id, func(a *oktasim.App) { a.Profile = map[string]any{} })
	})
}

// profile changes what the operator wrote into the profile of the app of key lost.
func (w *world) profile(field string, value any) {
	w.Helper()
	w.admin(func(id string) error {
		return w.org.AdminUpdateApp(id, func(a *oktasim.App) {
			ours, ok := a.Profile["agentidentity.dev"].(map[string]any)
			if !ok {
				w.Fatalf("the profile is %v", a.Profile)
			}
			ours = maps.Clone(ours)
			ours[field] = value
			a.Profile = map[string]any{"agentidentity.dev": ours}
		})
	})
}

// TestActivatedAgain: a person's deed is respected, also by the sweeps after it.
func TestActivatedAgain(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	w.orphans("lost")
	w.sweep()
	w.hours(1)
	w.mustBe("lost", "INACTIVE")
	w.admin(w.org.AdminActivateApp)
	w.start()
	w.hours(3)
	w.mustBe("lost", "ACTIVE")
}
