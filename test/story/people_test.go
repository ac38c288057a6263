package story

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// TestPeopleInOkta: what a person does to the app in Okta's console, seen after a
// restart, and what becomes of the key when it is deleted then.
func TestPeopleInOkta(t *testing.T) {
	tests := map[string]struct {
		reason string
		do     func(w *world, app string) error
		want   string // reason of Ready after a restart
		works  bool   // whether the agent still gets tokens
		left   int    // apps left when the key has been deleted
		told   string // reason of the event that tells of it
		slow   bool   // Okta's lag must be waited out before the absence of the app is believed
	}{
		"Renamed": {
			reason: "a name for people changes nothing, and does not hide the app from its deletion",
			do: func(w *world, app string) error {
				return w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Label = "Customer chatbot" })
			},
			want: v1alpha1.ReasonReady, works: true,
		},
		"Deactivated": {
			reason: "a person's deactivation is respected",
			do:     func(w *world, app string) error { return w.org.AdminDeactivateApp(app) },
			want:   v1alpha1.ReasonDeactivatedInDirectory,
		},
		"Deleted": {
			reason: "a person's deletion is respected: the credential was out already",
			do:     func(w *world, app string) error { return w.org.AdminDeleteApp(app) },
			want:   v1alpha1.ReasonDeletedInDirectory, slow: true,
		},
		"KeyRemoved": {
			reason: "a credential that somebody removed is replaced",
			do: func(w *world, app string) error {
				return w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Keys = nil })
			},
			want: v1alpha1.ReasonReady, works: true,
		},
		"MarkTakenOff": {
			reason: "an app without our mark is not ours any more; what stays is told",
			do: func(w *world, app string) error {
				return w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Profile = nil })
			},
			want: v1alpha1.ReasonDirectoryConflict, left: 1, told: "LeftBehind",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			first := w.start()
			w.create(w.role("chat", "a"), w.key("bot", "chat", ""))
			key := readyKey(w, "bot")
			w.stop(first)
			if err := tc.do(w, key.Status.AppID); err != nil {
				t.Fatal(err)
			}
			clock := w.startWithClock()
			w.waitReason("bot", key, tc.want)
			readyRole(w, "chat")
			w.quiet()
			if _, refused, err := w.agent("bot-okta").token("a"); err != nil || (refused == "") != tc.works {
				t.Errorf("%s: a token is refused with %q (%v), works should be %v", tc.reason, refused, err, tc.works)
			}
			w.delete(key)
			if tc.slow {
				w.waitReason("bot", key, v1alpha1.ReasonWaitingForDirectory)
				clock.Step(2 * time.Minute)
				w.nudge(key)
			}
			w.waitGone(key)
			if apps := w.ours().Apps; len(apps) != tc.left {
				t.Errorf("%s: after deleting the key %d apps are left, want %d", tc.reason, len(apps), tc.left)
			}
			if tc.told != "" {
				w.waitEvent(tc.told)
			}
		})
	}
}

// TestMended: a person does what a condition says, and it is seen within five
// minutes, here of a clock that is moved on.
func TestMended(t *testing.T) {
	t.Run("GroupTaken", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, oktasim.Options{})
		w.somebodysGroup("k8s/" + w.namespace + "/" + w.namespace + "/chat")
		clock := w.startWithClock()
		role := w.role("chat", "a")
		w.create(role)
		w.waitReason("chat", role, v1alpha1.ReasonDirectoryConflict)
		if err := w.org.AdminDeleteGroup(w.ours().Groups[0].ID); err != nil {
			t.Fatal(err)
		}
		clock.Step(5 * time.Minute)
		w.nudge(role)
		readyRole(w, "chat")
	})
	t.Run("Deactivated", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, oktasim.Options{})
		first := w.start()
		w.create(w.role("chat", "a"), w.key("bot", "chat", ""))
		key := readyKey(w, "bot")
		w.stop(first)
		if err := w.org.AdminDeactivateApp(key.Status.AppID); err != nil {
			t.Fatal(err)
		}
		clock := w.startWithClock()
		w.waitReason("bot", key, v1alpha1.ReasonDeactivatedInDirectory)
		if err := w.org.AdminActivateApp(key.Status.AppID); err != nil {
			t.Fatal(err)
		}
		clock.Step(5 * time.Minute)
		w.nudge(key)
		readyKey(w, "bot")
		w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
	})
}

// startWithClock starts the operator with a clock that stands until it is moved.
func (w *world) startWithClock() *clocktesting.FakeClock {
	w.Helper()
	clock := clocktesting.NewFakeClock(time.Now())
	w.start(impatient, func(o *operator.Options) { o.Clock = clock })
	return clock
}

// TestDeletionIsNotHeldUp: whatever happened to the key's surroundings, deleting it
// ends and leaves no app.
func TestDeletionIsNotHeldUp(t *testing.T) {
	tests := map[string]struct {
		reason string
		do     func(w *world, key *v1alpha1.AgentAPIKey)
	}{
		"UnsafeSetting": {
			reason: "a setting that forbids new clients must not protect old ones",
			do: func(w *world, _ *v1alpha1.AgentAPIKey) {
				w.asPerson("PUT", "/api/v1/org/settings/clientPrivilegesSetting", `{"clientPrivilegesSetting":true}`)
			},
		},
		"SecretsRelabelled": {
			reason: "labels are not what a Secret is known by",
			do: func(w *world, _ *v1alpha1.AgentAPIKey) {
				for _, name := range []string{"bot-okta", "bot.staged-credential"} {
					w.harm(name, func(s *corev1.Secret) { s.Labels = map[string]string{"app.kubernetes.io/managed-by": "Helm"} })
				}
			},
		},
		"DeactivatedAndActivated": {
			reason: "what the operator remembers of the app is old",
			do: func(w *world, key *v1alpha1.AgentAPIKey) {
				if err := w.org.AdminDeactivateApp(key.Status.AppID); err != nil {
					w.Fatal(err)
				}
				w.start(impatient)
				w.waitReason("bot", key, v1alpha1.ReasonDeactivatedInDirectory)
				if err := w.org.AdminActivateApp(key.Status.AppID); err != nil {
					w.Fatal(err)
				}
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			first := w.start()
			w.create(w.role("chat", "a"), w.key("bot", "chat", ""))
			key := readyKey(w, "bot")
			w.stop(first)
			tc.do(w, key)
			if name != "DeactivatedAndActivated" {
				w.start(impatient)
			}
			w.deleteAndWait(key)
			if apps := w.ours().Apps; len(apps) != 0 {
				t.Errorf("%s: left in Okta: %+v", tc.reason, apps)
			}
			w.mustHaveNoSecrets()
		})
	}
}

// TestNamespaceLabelTaken: sharing by label ends with the label.
func TestNamespaceLabelTaken(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	home := w.namespace
	team := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home + "-team", Labels: map[string]string{"ai": "yes"}}}
	w.create(team)
	w.start(func(o *operator.Options) { o.Config.Namespaces = append(o.Config.Namespaces, team.Name) })
	role, key := w.role("chat", "a"), w.key("bot", "chat", "")
	role.Spec.ShareWith = &v1alpha1.Sharing{
		From: v1alpha1.ShareSelected, NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"ai": "yes"}},
	}
	key.Namespace, key.Spec.RoleRef.Namespace = team.Name, v1alpha1.NamespaceName(home)
	w.create(role, key)
	w.namespace = team.Name
	readyKey(w, "bot")
	a := w.agent("bot-okta")
	if err := cluster.admin.Get(context.Background(), client.ObjectKeyFromObject(team), team); err != nil {
		t.Fatal(err)
	}
	delete(team.Labels, "ai")
	w.update(team)
	w.waitReason("bot", key, v1alpha1.ReasonRoleNotShared)
	w.quiet()
	if _, refused, err := a.token("a"); err != nil || refused == "" {
		t.Errorf("a namespace that lost its label still gets tokens (%v)", err)
	}
}

// waitEvent waits until the namespace has an event of the reason.
func (w *world) waitEvent(reason string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	watcher, err := cluster.admin.Watch(ctx, &eventsv1.EventList{}, client.InNamespace(w.namespace))
	if err != nil {
		w.Fatal(err)
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		if e, ok := event.Object.(*eventsv1.Event); ok && e.Reason == reason && strings.TrimSpace(e.Note) != "" {
			return
		}
	}
	w.Errorf("no event %s", reason)
}
