package aiagentrole

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

func TestPace(t *testing.T) {
	role := types.NamespacedName{Namespace: "ns", Name: "chat"}
	tests := map[string]struct {
		reason string
		saw    []int
		want   time.Duration
	}{
		"New":      {reason: "one that was never looked at looks at once", want: 0},
		"Few":      {reason: "to look at few costs little", saw: []int{99}, want: 0},
		"Crowd":    {reason: "it goes by the keys", saw: []int{100}, want: 10 * time.Millisecond},
		"Grown":    {reason: "as the last look saw them", saw: []int{100, 3000}, want: 300 * time.Millisecond},
		"Huge":     {reason: "no key waits longer than a second", saw: []int{50000}, want: time.Second},
		"Shrunken": {reason: "one that has lost its crowd", saw: []int{3000, 99}, want: 0},
		"Gone":     {reason: "or is no more", saw: []int{3000, 0}, want: 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var c crowds
			for _, keys := range tc.saw {
				c.saw(role, keys)
			}
			if got := c.pace(t.Context(), reconcile.Request{NamespacedName: role}); got != tc.want {
				t.Errorf("%s: %v, want %v", tc.reason, got, tc.want)
			}
			if len(c.keys) > 0 && tc.want == 0 {
				t.Errorf("%s: it is still remembered", tc.reason)
			}
		})
	}
}

// unreachable is a directory that answers nothing.
type unreachable struct{ Directory }

func (unreachable) ObserveMembers(context.Context, identity.Mark, string) (identity.Roster, error) {
	return identity.Roster{}, &identity.Error{Kind: identity.Unavailable, Reason: "Unavailable", Message: "it does not answer"}
}

// TestCrowdOutlastsOutage: a role is known to be crowded by its first look, although that goes no further than
// to the directory.
func TestCrowdOutlastsOutage(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	role := &v1alpha1.AIAgentRole{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "chat"}}
	objects := []client.Object{role}
	for i := range crowded {
		objects = append(objects, &v1alpha1.AgentAPIKey{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: fmt.Sprintf("key-%d", i)},
			Spec:       v1alpha1.AgentAPIKeySpec{RoleRef: v1alpha1.RoleReference{Name: "chat"}},
		})
	}
	cluster := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&v1alpha1.AgentAPIKey{}, reference.KeysByRole, reference.IndexKeysByRole).Build()
	c := &Controller{Client: cluster, Directory: unreachable{}, Clock: clock.RealClock{}, Restraints: restraint.Rules{Reader: cluster}}
	if _, err := c.Ensure(t.Context(), role); identity.KindOf(err) != identity.Unavailable {
		t.Fatalf("a look without a directory: %v", err)
	}
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(role)}
	if got := c.crowds.pace(t.Context(), request); got != crowded*perKey {
		t.Errorf("its pace is %v", got)
	}
}
