package lifecycle

import (
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

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
