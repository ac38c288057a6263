package story

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestRotationRequests: one request is one rotation, and one that comes while an earlier
// credential still lives waits for its end.
func TestRotationRequests(t *testing.T) {
	for _, delivery := range deliveries {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{})
			seen := w.countCredentials()
			w.start(impatient)
			w.create(w.role("chat", "a"), w.key("bot", "chat", delivery))
			readyKey(w, "bot")
			w.requestRotation("bot", "one")
			w.waitRotation("bot", "one")
			w.requestRotation("bot", "two")
			w.quiet()
			key := readyKey(w, "bot")
			if all, _ := seen.made(); all != 2 || key.Status.RotateRequest != "one" {
				t.Errorf("the second request did not wait: %d credentials, the last made for %q", all, key.Status.RotateRequest)
			}
			w.pass(time.Hour)
			w.waitRotation("bot", "two")
			w.pass(time.Hour)
			w.rotated("bot", "two")
			w.requestRotation("bot", "")
			w.quiet()
			w.requestRotation("bot", "two")
			w.quiet()
			if all, most := seen.made(); all != 3 || most != 2 {
				t.Errorf("two requests, one of them made twice: %d credentials, %d at once; want 3 and 2", all, most)
			}
			w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
		})
	}
}

// TestRotationByAge: a credential of ten days is replaced in the window after that, by
// the clocks of Berlin, which change in between; one missed window is no permission.
func TestRotationByAge(t *testing.T) {
	w := newStandingWorld(t, time.Date(2026, time.March, 18, 12, 0, 0, 0, time.UTC), oktasim.Options{})
	seen := w.countCredentials()
	w.start(impatient)
	key := w.key("bot", "chat", "")
	key.Spec.Rotation = &v1alpha1.Rotation{
		Every:   &metav1.Duration{Duration: 240 * time.Hour},
		Windows: []v1alpha1.RotationWindow{{Start: "0 4 * * 0", Duration: metav1.Duration{Duration: 2 * time.Hour}, TimeZone: "Europe/Berlin"}},
	}
	w.create(w.role("chat", "a"), key)
	readyKey(w, "bot")
	for _, step := range []struct {
		reason string
		at     time.Time
		made   int
		next   time.Time
	}{
		{"nine days are not ten", at("2026-03-22T02:30:00Z"), 1, at("2026-03-29T02:00:00Z")},
		{"it is old enough, and the window opens in a second", at("2026-03-29T01:59:59Z"), 1, at("2026-03-29T02:00:00Z")},
		{"4 o'clock of Berlin's summer is 2 o'clock UTC", at("2026-03-29T02:00:00Z"), 2, at("2026-04-12T02:00:00Z")},
		{"the window was missed", at("2026-04-12T04:00:00Z"), 2, at("2026-04-19T02:00:00Z")},
		{"a week later there is the next", at("2026-04-19T03:59:00Z"), 3, at("2026-05-03T02:00:00Z")},
	} {
		w.pass(step.at.Sub(w.now()))
		w.waitFor("bot", key, "due at "+step.next.String()+": "+step.reason, func() bool {
			return ready(key) && key.Status.NextRotationAt != nil && key.Status.NextRotationAt.Time.Equal(step.next)
		})
		w.quiet()
		if all, _ := seen.made(); all != step.made {
			t.Errorf("%s: %d credentials were made, want %d", step.reason, all, step.made)
		}
		w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestPodsHoldCredentials: a pod that has the earlier credential in its environment is
// told of, and keeps that alive until it is restarted, or until maxOverlap.
func TestPodsHoldCredentials(t *testing.T) {
	tests := map[string]struct {
		reason  string
		restart bool
		pass    time.Duration // from the moment that the condition is there
	}{
		"Restarted":  {reason: "nobody needs it any more", restart: true, pass: time.Minute},
		"MaxOverlap": {reason: "a day is enough", pass: 23 * time.Hour},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{})
			w.start(impatient)
			key := w.key("bot", "chat", "")
			w.create(w.role("chat", "a"), key)
			readyKey(w, "bot")
			w.create(w.environmentPod("env", "bot-okta"))
			w.podStarted("env")
			w.outrun()
			old := w.agent("bot-okta")
			w.requestRotation("bot", "now")
			w.waitRotation("bot", "now")
			w.pass(time.Hour)
			w.waitFor("bot", key, "ready with a pod that holds the old credential", func() bool {
				return ready(key) && strings.Contains(messageOf(key, v1alpha1.ConditionOldCredentialInUse), "env")
			})
			w.quiet()
			w.mustWork(old, []string{"a"}, "b")
			if tc.restart {
				w.podStarted("env")
			}
			w.pass(tc.pass)
			if key := w.rotated("bot", "now"); messageOf(key, v1alpha1.ConditionOldCredentialInUse) != "" {
				t.Errorf("%s: the condition is still there: %s", tc.reason, conditionsOf(key))
			}
			if _, refused, err := old.ask("a"); err != nil || refused == "" {
				t.Errorf("%s: the old credential still works (%v)", tc.reason, err)
			}
			w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
		})
	}
}

// messageOf is the message of a condition that is true; "" while it is not.
func messageOf(obj settled, condition string) string {
	if c := meta.FindStatusCondition(*obj.StatusConditions(), condition); c != nil && c.Status == metav1.ConditionTrue {
		return c.Message
	}
	return ""
}

// TestRestartTargets: keys that are rotated together restart their workload once, and
// one that does not exist is told of without a word against the key.
func TestRestartTargets(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	names := []string{"one", "two"}
	w.create(w.role("chat", "a"), w.deployment("app"))
	for _, name := range names {
		key := w.key(name, "chat", "")
		key.Spec.RestartTargets = []v1alpha1.RestartTarget{{Kind: "Deployment", Name: "app"}}
		w.create(key)
	}
	lonely := w.key("lonely", "chat", "")
	lonely.Spec.RestartTargets = []v1alpha1.RestartTarget{{Kind: "StatefulSet", Name: "absent"}}
	w.create(lonely)
	for _, name := range append(names, "lonely") {
		readyKey(w, name)
	}
	w.quiet()
	w.waitRestarts("app", 0)
	w.outrun()
	for _, name := range append(names, "lonely") {
		w.requestRotation(name, "now")
	}
	for _, name := range append(names, "lonely") {
		w.waitRotation(name, "now")
	}
	w.pass(11 * time.Second)
	w.waitRestarts("app", 1)
	w.waitFor("lonely", lonely, "ready, with a restart that is pending", func() bool {
		return ready(lonely) && strings.Contains(messageOf(lonely, v1alpha1.ConditionRestartPending), "StatefulSet "+w.namespace+"/absent")
	})
	w.pass(time.Hour)
	for _, name := range append(names, "lonely") {
		w.rotated(name, "now")
	}
	w.quiet()
	w.waitRestarts("app", 1)
	w.waitEvent("Restarted")
}

// TestRotationThatFails: whatever stands in the way of a rotation, the agent goes on with
// the credential it has, and the rotation ends when the way is free.
func TestRotationThatFails(t *testing.T) {
	const another = "another-secret-of-an-administrator-0001"
	tests := map[string]struct {
		reason   string
		delivery v1alpha1.Delivery
		harm     func(w *world, app string)
		mend     func(w *world, app string)
		want     string
		deaf     bool // whether agents get no token either
	}{
		"KeyRefused": {
			reason: "Okta does not let the operator add a key",
			harm: func(w *world, _ string) {
				w.org.Inject(oktasim.Fault{Method: "PUT", Path: `/api/v1/apps/[^/]+$`, Action: oktasim.Status(403, "E0000006")})
			},
			mend: func(w *world, _ string) { w.org.ClearFaults() },
			want: v1alpha1.ReasonPermissionDenied,
		},
		"SecretRefused": {
			reason: "nor a secret", delivery: v1alpha1.DeliveryClientSecret,
			harm: func(w *world, _ string) {
				w.org.Inject(oktasim.Fault{Method: "POST", Path: `/credentials/secrets$`, Action: oktasim.Status(403, "E0000006")})
			},
			mend: func(w *world, _ string) { w.org.ClearFaults() },
			want: v1alpha1.ReasonPermissionDenied,
		},
		"NoRoom": {
			reason: "a person's secret takes the second of two places, and is not ours to remove", delivery: v1alpha1.DeliveryClientSecret,
			harm: func(w *world, app string) { w.must(w.org.AdminAddSecret(app, another)) },
			mend: func(w *world, app string) {
				w.must(nil, w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Secrets = a.Secrets[:1] }))
			},
			want: v1alpha1.ReasonCredentialLimit,
		},
		"TokenRefused": {
			reason: "a credential with which no token is granted is not published",
			harm: func(w *world, _ string) {
				w.org.Inject(oktasim.Fault{Method: "POST", Path: `/oauth2/aus[^/]+/v1/token$`, Action: oktasim.Status(400, "E0000001")})
			},
			mend: func(w *world, _ string) { w.org.ClearFaults() },
			want: v1alpha1.ReasonTokenRefused, deaf: true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{})
			w.start(impatient)
			w.create(w.role("chat", "a"), w.key("bot", "chat", tc.delivery))
			key := readyKey(w, "bot")
			w.quiet()
			before, old := w.secretBytes()["bot-okta"], w.agent("bot-okta")
			tc.harm(w, key.Status.AppID)
			w.requestRotation("bot", "now")
			w.waitReason("bot", key, tc.want)
			if diff := cmp.Diff(before, w.secretBytes()["bot-okta"]); diff != "" {
				t.Errorf("%s: the Secret has changed", tc.reason)
			}
			if tc.deaf {
				tc.mend(w, key.Status.AppID)
			}
			w.mustWork(old, []string{"a"}, "b")
			if !tc.deaf {
				tc.mend(w, key.Status.AppID)
			}
			w.pass(5 * time.Minute)
			w.waitRotation("bot", "now")
			w.pass(time.Hour)
			w.rotated("bot", "now")
			w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
			if live := liveIn(w.ours().Apps); live != 1 {
				t.Errorf("%s: %d live credentials at the end, want 1", tc.reason, live)
			}
		})
	}
}

// must ends the story with the error, if there is one.
func (w *world) must(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}
