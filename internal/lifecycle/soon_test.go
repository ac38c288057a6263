package lifecycle

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// TestPaced: the first news is looked at at once, and a flood of it once in each pace; where there is no
// pace, all of it at once. Who was concerned before a change is looked at too.
func TestPaced(t *testing.T) {
	const pace = 100 * time.Millisecond
	find := func(_ context.Context, obj client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Name: obj.GetLabels()["role"]}}}
	}
	paced := Paced(find, func(_ context.Context, role reconcile.Request) time.Duration {
		if role.Name == "small" {
			return 0
		}
		return pace
	})
	key := func(role string) *v1alpha1.AgentAPIKey {
		return &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Name: "bot", Labels: map[string]string{"role": role}}}
	}
	synctest.Test(t, func(t *testing.T) {
		q := newQueue("test", Backoff(0), given)
		defer q.ShutDown()
		looks := map[string]int{}
		drain := func() {
			synctest.Wait()
			for q.Len() > 0 {
				item, _ := q.Get()
				q.Done(item)
				looks[item.Name]++
			}
		}
		for range 1000 { // a second
			paced.Generic(t.Context(), event.GenericEvent{Object: key("small")}, q)
			paced.Generic(t.Context(), event.GenericEvent{Object: key("large")}, q)
			drain()
			<-time.After(time.Millisecond)
		}
		if looks["small"] != 1000 || looks["large"] != 10 {
			t.Errorf("%d looks at the small role and %d at the large one; want 1000, and 10", looks["small"], looks["large"])
		}
		<-time.After(pace)
		drain()
		<-time.After(pace)
		clear(looks)
		paced.Update(t.Context(), event.UpdateEvent{ObjectOld: key("large"), ObjectNew: key("other")}, q)
		drain()
		if looks["large"] != 1 || looks["other"] != 1 {
			t.Errorf("looks after a key has changed its role: %v", looks)
		}
	})
}

// TestSoon: a flood of news of one object is one look at it.
func TestSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
		for range 1000 {
			Soon().Generic(t.Context(), event.GenericEvent{Object: &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Name: "bot"}}}, queue)
		}
		synctest.Wait()
		if n := queue.Len(); n != 0 {
			t.Errorf("it is not waited for more: %d", n)
		}
		<-time.After(moment)
		synctest.Wait()
		if n := queue.Len(); n != 1 {
			t.Errorf("%d looks, not one", n)
		}
		queue.ShutDown()
	})
}
