package accesspolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// TestLabelled: a namespace's new labels may bring a ceiling over the roles of a policy elsewhere.
func TestLabelled(t *testing.T) {
	policy := func(name, home, rolesOf string) *v1alpha1.AccessPolicy {
		return &v1alpha1.AccessPolicy{
			ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name},
			Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
				RoleRefs: []v1alpha1.RoleReference{{Namespace: v1alpha1.NamespaceName(rolesOf), Name: "chat"}},
			}},
		}
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := &Controller{Client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		policy("of-it", "team", ""), policy("with-its-roles", "elsewhere", "team"), policy("of-others", "elsewhere", "other"),
	).Build()}
	var got []string
	for _, request := range c.labelled(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}}) {
		got = append(got, request.String())
	}
	if diff := cmp.Diff([]string{"elsewhere/with-its-roles", "team/of-it"}, got); diff != "" {
		t.Errorf("policies that are looked at (-want +got):\n%s", diff)
	}
}
