package agentapikey

import (
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// TestTargets: a Quarantine cuts its keys off before all else, and lets them in again in their turn.
func TestTargets(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "bot"}}
	cluster := fake.NewClientBuilder().WithScheme(scheme).WithObjects(key).Build()
	policy := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "incidents", Name: "theft", Generation: 2},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{
			Targets: v1alpha1.QuarantineTargets{Keys: []v1alpha1.KeyReference{{Namespace: "team", Name: "bot"}}},
		}},
	}
	before, ending := policy.DeepCopy(), policy.DeepCopy()
	before.Generation = 1
	ending.DeletionTimestamp = new(metav1.Now())
	c := &Controller{Client: cluster, Restraints: restraint.Rules{Reader: cluster, Incident: "incidents"}}
	synctest.Test(t, func(t *testing.T) {
		q, is := lifecycle.Queue(cluster, c.New, nil)("test", lifecycle.Backoff(0)).(priorityqueue.PriorityQueue[reconcile.Request])
		if !is {
			t.Fatal("the queue knows no places")
		}
		defer q.ShutDown()
		targets := c.targets()
		for _, step := range []struct {
			what   string
			happen func()
			urgent bool
		}{
			{"created", func() { targets.Create(t.Context(), event.CreateEvent{Object: policy}, q) }, true},
			{"changed", func() { targets.Update(t.Context(), event.UpdateEvent{ObjectOld: before, ObjectNew: policy}, q) }, true},
			{"ending", func() { targets.Update(t.Context(), event.UpdateEvent{ObjectOld: policy, ObjectNew: ending}, q) }, false},
			{"deleted", func() { targets.Delete(t.Context(), event.DeleteEvent{Object: ending}, q) }, false},
		} {
			step.happen()
			if q.Len() != 1 {
				t.Fatalf("%s: %d keys are looked at", step.what, q.Len())
			}
			item, place, _ := q.GetWithPriority()
			q.Done(item)
			if urgent := place > 0; urgent != step.urgent {
				t.Errorf("%s: %s is looked at from place %d", step.what, item, place)
			}
		}
	})
}
