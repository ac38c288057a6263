package lifecycle

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestStillWanted: what is about to be made in Okta is asked of the API server itself,
// for a cache that is behind shows keys that another process has released.
func TestStillWanted(t *testing.T) {
	key := func(uid types.UID) *v1alpha1.AgentAPIKey {
		return &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot", UID: uid}}
	}
	leaving := key("u1")
	now := metav1.Now()
	leaving.DeletionTimestamp, leaving.Finalizers = &now, []string{"x/y"}
	for name, tc := range map[string]struct {
		reason string
		live   []client.Object
		wanted bool
	}{
		"There":   {"the key is there", []client.Object{key("u1")}, true},
		"Gone":    {"it is gone, and the cache has not heard of it", nil, false},
		"Another": {"it is another one of the same name", []client.Object{key("u2")}, false},
		"Leaving": {"it is being deleted", []client.Object{leaving}, false},
	} {
		t.Run(name, func(t *testing.T) {
			live := fake.NewClientBuilder().WithScheme(scheme(t)).WithObjects(tc.live...).Build()
			err := StillWanted(context.Background(), live, "AgentAPIKey", key("u1"))
			if tc.wanted != (err == nil) || !tc.wanted && identity.KindOf(err) != identity.Waiting {
				t.Errorf("%s: got %v", tc.reason, err)
			}
		})
	}
}

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return scheme
}
