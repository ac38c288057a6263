package story

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// TestHundredKeys counts what a hundred keys of one role cost, in Okta's own
// ledger, and that an operator which finds everything done writes nothing.
func TestHundredKeys(t *testing.T) {
	const n = 100
	w := newWorld(t, oktasim.Options{})
	first := w.start()
	began := time.Now()
	w.create(w.role("chat", "interact_with_chatbot", "view_ai_logs"))
	for i := range n {
		w.create(w.key(fmt.Sprintf("bot-%03d", i), "chat", deliveries[i%2]))
	}
	for i := range n {
		readyKey(w, fmt.Sprintf("bot-%03d", i))
	}
	took := time.Since(began)
	w.quiet()
	cost := count(w.org.Operations())
	w.Logf("%d keys: %d management calls (%d of them GETs), %d token requests, %d × 429", n, cost.management, cost.gets, cost.tokens, cost.throttled)
	// The role, and a write of its policy for all keys that come within three seconds.
	if most := n + 10 + int(took/(3*time.Second)); cost.management > most {
		w.Errorf("%d management calls for %d keys, want at most %d: %s", cost.management, n, most, cost.summary())
	}
	if cost.gets > 12 || cost.throttled > 0 || cost.secretReads > 0 {
		w.Errorf("%d GETs, %d × 429, %d secrets read; want no GET per key, no 429, no secret read: %s",
			cost.gets, cost.throttled, cost.secretReads, cost.summary())
	}
	w.stop(first)

	// A restart, and then the resync over and over: listing is all they do.
	before, versions, start := len(w.org.Operations()), w.versions(), reconciled(w)
	restarted := w.start(func(o *operator.Options) { o.Config.ResyncInterval.Duration = 2 * time.Second })
	w.caughtUp(start, 3*(n+1))
	w.stop(restarted)
	again := count(w.org.Operations()[before:])
	sweeps := again.lines["GET /api/v1/apps 200"]
	t.Logf("restart and resyncs: %d sweeps, %d management calls: %s", sweeps, again.management, again.summary())
	if again.writes+again.tokens+again.secretReads+again.throttled > 0 {
		t.Errorf("finding everything done costs %d writes, %d tokens, %d secrets read, %d × 429",
			again.writes, again.tokens, again.secretReads, again.throttled)
	}
	if sweeps < 2 || again.management > 8*(sweeps+1) {
		t.Errorf("%d management calls for %d sweeps, want a restart and a resync, and at most 8 calls each", again.management, sweeps)
	}
	if diff := cmp.Diff(versions, w.versions()); diff != "" {
		t.Errorf("finding everything done writes to Kubernetes (-before +after):\n%s", diff)
	}
}

var deliveries = []v1alpha1.Delivery{v1alpha1.DeliveryPrivateKeyJWT, v1alpha1.DeliveryClientSecret}

// versions are the resource versions of everything in the world's namespace.
func (w *world) versions() map[string]string {
	w.Helper()
	versions := map[string]string{}
	for _, list := range []client.ObjectList{
		&v1alpha1.AIAgentRoleList{}, &v1alpha1.AgentAPIKeyList{}, &corev1.SecretList{}, &eventsv1.EventList{},
	} {
		if err := cluster.admin.List(context.Background(), list, client.InNamespace(w.namespace)); err != nil {
			w.Fatal(err)
		}
		for _, obj := range itemsOf(w, list) {
			versions[fmt.Sprintf("%T %s", obj, obj.GetName())] = obj.GetResourceVersion()
		}
	}
	return versions
}
