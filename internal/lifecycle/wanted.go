package lifecycle

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// StillWanted asks the API server itself whether the object, of that kind, exists and is
// not being deleted; an error of kind Waiting says that it does not, or is. A cache that is behind, as
// after a change of the leader, may show one that another process has released already.
func StillWanted(ctx context.Context, live client.Reader, kind string, obj client.Object) error {
	now := &metav1.PartialObjectMetadata{}
	now.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	err := live.Get(ctx, client.ObjectKeyFromObject(obj), now)
	if err == nil && now.UID == obj.GetUID() && now.DeletionTimestamp.IsZero() {
		return nil
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("making sure that the %s still exists: %w", kind, err)
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing,
		Message: fmt.Sprintf("the %s was deleted a moment ago; nothing is made for it", kind),
	}
}
