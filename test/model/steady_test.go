package model

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// BenchmarkSteady measures one look at an object of which nothing has changed: what a
// fleet costs while nothing happens. No call is made and nothing is written.
func BenchmarkSteady(b *testing.B) {
	for _, keys := range []int{1, 10, 100} {
		w := newWorld(b, conditions{limits: oktasim.LimitsEnterprise})
		w.must(w.kube.create(&v1alpha1.AIAgentRole{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespaces[0], Name: "steady"},
			Spec:       v1alpha1.AIAgentRoleSpec{Permissions: []v1alpha1.Permission{{Name: "talk"}}},
		}))
		for i := range keys {
			name := fmt.Sprintf("steady-%d", i)
			w.must(w.kube.create(&v1alpha1.AgentAPIKey{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespaces[0], Name: name},
				Spec: v1alpha1.AgentAPIKeySpec{
					RoleRef: v1alpha1.RoleReference{Name: "steady"}, Agent: v1alpha1.Agent{Name: name},
					Secret: v1alpha1.SecretTarget{Name: v1alpha1.ObjectName(name + "-okta")},
				},
			}))
			if i%20 == 19 || i == keys-1 {
				w.settle()
			}
		}
		if keys == 1 {
			b.Run("key", func(b *testing.B) { w.measure(b, ref{"AgentAPIKey", namespaces[0], "steady-0"}) })
		}
		b.Run(fmt.Sprintf("role of %d", keys), func(b *testing.B) { w.measure(b, ref{"AIAgentRole", namespaces[0], "steady"}) })
	}
}

// measure looks at the object again and again.
func (w *world) measure(b *testing.B, r ref) {
	b.Helper()
	b.ReportAllocs()
	ctx := logr.NewContext(context.Background(), logr.Discard())
	writes, calls := w.writes, len(w.org.Operations())
	for b.Loop() {
		if _, err := w.process.reconcilers[r.kind].Reconcile(ctx, ctrl.Request{NamespacedName: r.key()}); err != nil {
			b.Fatal(err)
		}
	}
	if w.writes != writes || len(w.org.Operations()) != calls {
		b.Fatalf("a look at what has not changed wrote %d times and called %d times", w.writes-writes, len(w.org.Operations())-calls)
	}
}
