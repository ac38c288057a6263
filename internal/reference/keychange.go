package reference

import (
	"maps"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// KeyChanged tells that a key asks for something else than before, or has another client: not
// that it reports otherwise. A key's status changes more often, and others look at many keys.
func KeyChanged(before, after client.Object) bool {
	a, is := before.(*v1alpha1.AgentAPIKey)
	b, also := after.(*v1alpha1.AgentAPIKey)
	return !is || !also || a.UID != b.UID || a.Generation != b.Generation || a.DeletionTimestamp.IsZero() != b.DeletionTimestamp.IsZero() ||
		!maps.Equal(a.Labels, b.Labels) || a.Status.ClientID != b.Status.ClientID || a.Status.AppID != b.Status.AppID
}
