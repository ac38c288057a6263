package reference

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// PolicyChanged tells that an AccessPolicy says something else, or of somebody else, than
// before: not that it reports otherwise.
func PolicyChanged(before, after client.Object) bool {
	a, is := before.(*v1alpha1.AccessPolicy)
	b, also := after.(*v1alpha1.AccessPolicy)
	return !is || !also || a.Generation != b.Generation || a.DeletionTimestamp.IsZero() != b.DeletionTimestamp.IsZero() ||
		!equality.Semantic.DeepEqual(cutOff(a), cutOff(b))
}

// cutOff are the keys that a Quarantine has listed; nil before it has counted them.
func cutOff(policy *v1alpha1.AccessPolicy) *[]v1alpha1.KeyReference {
	if policy.Status.Quarantine == nil {
		return nil
	}
	return &policy.Status.Quarantine.Keys
}
