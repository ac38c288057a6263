package auditsink

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/agents"
	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
	"github.com/agentidentity/agent-identity-operator/internal/workload"
)

// known is what is asked of the key team/bot, and the cluster it is in.
type known struct {
	*Facts
	cluster client.Client
	clock   *clocktesting.FakeClock
	index   func(*v1alpha1.AgentAPIKey)
}

func newKnown(t *testing.T, key *v1alpha1.AgentAPIKey, there ...client.Object) *known {
	t.Helper()
	s := scheme()
	utilruntime.Must(corev1.AddToScheme(s))
	cluster := fake.NewClientBuilder().WithScheme(s).WithObjects(append(there, key)...).Build()
	c := clocktesting.NewFakeClock(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	index := agents.New("prod", c)
	handler := index.Handler()
	handler.OnAdd(key, true)
	return &known{
		Facts: &Facts{
			Index: index, Restraints: restraint.Rules{Reader: cluster, Incident: "incident"}, Pods: workload.Pods{Live: cluster}, Clock: c,
		},
		cluster: cluster, clock: c, index: func(k *v1alpha1.AgentAPIKey) { handler.OnUpdate(nil, k) },
	}
}

// cut is the key team/bot, which is cut off for that reason.
func cut(reason string) *v1alpha1.AgentAPIKey {
	return &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "bot", UID: "u1", Generation: 2},
		Spec:       v1alpha1.AgentAPIKeySpec{Secret: v1alpha1.SecretTarget{Name: "bot-okta"}},
		Status: v1alpha1.AgentAPIKeyStatus{Conditions: []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, ObservedGeneration: 2,
		}}},
	}
}

// TestCutOff holds that an agent counts as cut off only while what cut it off is there: what the
// status says may be from before it was let in again.
func TestCutOff(t *testing.T) {
	quarantine := restraint.QuarantineOf(types.NamespacedName{Namespace: "team", Name: "bot"},
		types.NamespacedName{Namespace: "incident", Name: "q"}, "reason")
	changed := func(reason string, change func(*v1alpha1.AgentAPIKey)) *v1alpha1.AgentAPIKey {
		key := cut(reason)
		change(key)
		return key
	}
	suspended := func(k *v1alpha1.AgentAPIKey) { k.Spec.State = v1alpha1.StateSuspended }
	for name, tt := range map[string]struct {
		key   *v1alpha1.AgentAPIKey
		there []client.Object
		want  bool
	}{
		"suspended": {changed(v1alpha1.ReasonSuspended, suspended), nil, true},
		"let in, which the operator has not seen": {
			changed(v1alpha1.ReasonSuspended, func(k *v1alpha1.AgentAPIKey) { k.Generation = 3 }), nil, false,
		},
		"let in": {cut(v1alpha1.ReasonSuspended), nil, false},
		"expired": {changed(v1alpha1.ReasonExpired, func(k *v1alpha1.AgentAPIKey) {
			k.Spec.ExpiresAt = new(metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		}), nil, true},
		"expired until a later time was set": {changed(v1alpha1.ReasonExpired, func(k *v1alpha1.AgentAPIKey) {
			k.Spec.ExpiresAt = new(metav1.NewTime(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)))
		}), nil, false},
		"in quarantine":     {cut(v1alpha1.ReasonQuarantined), []client.Object{quarantine}, true},
		"out of it again":   {cut(v1alpha1.ReasonQuarantined), nil, false},
		"something else":    {changed(v1alpha1.ReasonProgressing, suspended), nil, false},
		"of a later object": {changed(v1alpha1.ReasonSuspended, func(k *v1alpha1.AgentAPIKey) { suspended(k); k.UID = "u2" }), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKnown(t, tt.key, tt.there...)
			if got := !k.CutOff("u1").IsZero(); got != tt.want {
				t.Errorf("cut off: %t, want %t", got, tt.want)
			}
		})
	}
}

func holder() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "bot-1"},
		Spec: corev1.PodSpec{Volumes: []corev1.Volume{{
			Name: "okta", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "bot-okta"}},
		}}},
	}
}

// TestHeld holds that it is said that no pod held a Secret only when a look before the event and
// one after it found none.
func TestHeld(t *testing.T) {
	k := newKnown(t, cut(v1alpha1.ReasonReady))
	ask := func(want detect.Answer, ago time.Duration, why string) {
		t.Helper()
		if got := k.Held(t.Context(), "u1", k.clock.Now().Add(-ago)); got != want {
			t.Errorf("got %d, want %d: %s", got, want, why)
		}
	}
	ask(detect.Unknown, time.Second, "nobody had looked before")
	k.clock.Step(5 * time.Second)
	ask(detect.No, time.Second, "two looks with the event between them")
	ask(detect.No, time.Second, "the same look serves")
	k.clock.Step(5 * time.Second)
	pod := holder()
	if err := k.cluster.Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	ask(detect.Yes, 0, "a pod was made a moment ago: a look from before it says nothing")
	k.clock.Step(time.Minute)
	if err := k.cluster.Delete(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	ask(detect.Unknown, time.Second, "the pod may have ended since")
	k.clock.Step(time.Minute)
	ask(detect.No, time.Second, "none at two looks")
	ask(detect.Unknown, -time.Minute, "it has not happened yet by our clock")
	k.clock.Step(time.Hour)
	ask(detect.Unknown, time.Second, "the look before is too long ago")
}
