package story

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestSignInLeftover: what a policy once said of people ends when it says nothing of them any
// more, also when the status that told of it was lost; and a process looks for that once.
func TestSignInLeftover(t *testing.T) {
	for name, classic := range map[string]bool{"identity engine": false, "classic": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{Classic: classic})
			w.peopleApp(console)
			p := w.start(impatient, w.governing, w.atHome)
			policy := w.conditional("console", v1alpha1.SignInPolicy{
				Apps: []v1alpha1.AppReference{{Label: console}}, Rules: []v1alpha1.SignInRule{{Name: "all"}},
			}, "users")
			w.create(policy, w.role("users", "a"))
			w.waitReason("console", policy, v1alpha1.ReasonReady)
			if w.ofPeople() == 0 {
				t.Fatal("there is no policy for people")
			}
			w.stop(p)
			w.get("console", policy)
			policy.Spec.Conditional.SignIn = nil
			policy.Spec.Conditional.Agents = &v1alpha1.AgentConditions{TokenLifetime: &metav1.Duration{Duration: 10 * time.Minute}}
			w.must(nil, cluster.admin.Update(context.Background(), policy))
			w.must(nil, cluster.admin.Status().Patch(context.Background(), policy, client.RawPatch("application/merge-patch+json", []byte(`{"status":null}`))))
			w.start(impatient, w.governing, w.atHome)
			w.eventually("the policy for people is gone", func() bool { return w.ofPeople() == 0 })
			w.waitReason("console", policy, v1alpha1.ReasonReady)
			calls := len(w.org.Operations())
			w.nudge(policy)
			w.waitFor("console", policy, "nudged", func() bool { return policy.Annotations["story"] != "" })
			w.quiet()
			if more := len(w.org.Operations()) - calls; more > 0 {
				t.Errorf("%d requests to look at it again", more)
			}
		})
	}
}

// ofPeople counts the policies for people that are not the org's own.
func (w *world) ofPeople() int {
	n := 0
	for _, p := range w.org.Snapshot().OrgPolicies {
		if !p.System && p.Name != "" && (p.Type == "OKTA_SIGN_ON" || p.Type == "ACCESS_POLICY") {
			n++
		}
	}
	return n
}
