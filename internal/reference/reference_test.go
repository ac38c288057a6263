package reference

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestMatrix asks both ends, Resolve for the key and Bound for the role, and holds
// that they agree: who may point may be listed, and nobody else.
func TestMatrix(t *testing.T) {
	selector := func(pairs map[string]string) *metav1.LabelSelector { return &metav1.LabelSelector{MatchLabels: pairs} }
	tests := map[string]struct {
		reason   string
		share    *v1alpha1.Sharing
		keyIn    string
		deleting bool
		want     string // reason of the error; "" when allowed
	}{
		"Own":             {"a role serves its own namespace", nil, "roles", false, ""},
		"OwnDeleting":     {"a role that is going serves nobody", nil, "roles", true, "RoleNotFound"},
		"OtherByDefault":  {"and no other", nil, "team", false, "RoleNotShared"},
		"Same":            {"Same says the default aloud", &v1alpha1.Sharing{From: "Same"}, "team", false, "RoleNotShared"},
		"All":             {"All opens it", &v1alpha1.Sharing{From: "All"}, "team", false, ""},
		"AllDeleting":     {"not while it is going", &v1alpha1.Sharing{From: "All"}, "team", true, "RoleNotShared"},
		"Selected":        {"labels choose", &v1alpha1.Sharing{From: "Selected", NamespaceSelector: selector(map[string]string{"ai": "yes"})}, "team", false, ""},
		"SelectedOther":   {"labels refuse", &v1alpha1.Sharing{From: "Selected", NamespaceSelector: selector(map[string]string{"ai": "no"})}, "team", false, "RoleNotShared"},
		"SelectedNothing": {"no selector selects nothing", &v1alpha1.Sharing{From: "Selected"}, "team", false, "RoleNotShared"},
		"Unknown":         {"a word of a later version opens nothing", &v1alpha1.Sharing{From: "Everyone"}, "team", false, "RoleNotShared"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			role := &v1alpha1.AIAgentRole{
				ObjectMeta: metav1.ObjectMeta{Namespace: "roles", Name: "r", Finalizers: []string{"x/y"}},
				Spec:       v1alpha1.AIAgentRoleSpec{ShareWith: tc.share},
			}
			if tc.deleting {
				now := metav1.Now()
				role.DeletionTimestamp = &now
			}
			key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: tc.keyIn, Name: "k"}}
			key.Spec.RoleRef = v1alpha1.RoleReference{Name: "r", Namespace: "roles"}
			c := newClient(t, role, key, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team", Labels: map[string]string{"ai": "yes"}}})

			_, err := Resolve(context.Background(), c, key)
			var e *identity.Error
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s: Resolve refuses: %v", tc.reason, err)
			case tc.want != "" && (!errors.As(err, &e) || e.Reason != tc.want || e.Kind != identity.Waiting):
				t.Errorf("%s: Resolve gives %v, want Waiting %s", tc.reason, err, tc.want)
			}
			bound, err := Bound(context.Background(), c, role)
			if err != nil {
				t.Fatal(err)
			}
			if allowed := tc.want == "" || tc.deleting && (tc.keyIn == "roles" || tc.share != nil); (len(bound) == 1) != allowed {
				t.Errorf("%s: Bound lists %d keys, allowed is %v", tc.reason, len(bound), allowed)
			}
		})
	}
}

// TestUnknownLooksLikeUnshared: whether a role exists elsewhere is not for everybody to know.
func TestUnknownLooksLikeUnshared(t *testing.T) {
	role := &v1alpha1.AIAgentRole{ObjectMeta: metav1.ObjectMeta{Namespace: "roles", Name: "real"}}
	c := newClient(t, role)
	messages := map[string]bool{}
	for _, name := range []v1alpha1.ObjectName{"real", "none"} {
		key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "k"}}
		key.Spec.RoleRef = v1alpha1.RoleReference{Name: name, Namespace: "roles"}
		_, err := Resolve(context.Background(), c, key)
		var e *identity.Error
		if !errors.As(err, &e) {
			t.Fatalf("Resolve of %s gives %v", name, err)
		}
		messages[e.Reason] = true
	}
	if len(messages) != 1 {
		t.Errorf("the two cases can be told apart: %v", messages)
	}
}

func newClient(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&v1alpha1.AgentAPIKey{}, KeysByRole, IndexKeysByRole).Build()
}
