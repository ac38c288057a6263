// Package restraint tells what AccessPolicies of the operator's administrators take away
// from keys. It refuses to know what is done about it: keys ask here, and so do the
// policies when they report whom they bind.
package restraint

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// Rules are what AccessPolicies say, where they count.
type Rules struct {
	Reader client.Reader
	// Home is the operator's own namespace; "" when it has none.
	Home string
	// DefaultDeny allows nothing to keys of namespaces that no Ceiling selects.
	DefaultDeny bool
	// Incident is the namespace whose Quarantines count; "" when none do.
	Incident string
}

// IsQuarantine tells that the policy is a Quarantine, in the namespace whose Quarantines
// count.
func (r Rules) IsQuarantine(policy *v1alpha1.AccessPolicy) bool {
	return policy.Spec.Quarantine != nil && policy.Namespace == r.Incident
}

// Quarantine gives the Quarantine that cuts the key off; nil when none does. Of several
// it is the first by name. cut tells that the key was in quarantine already.
func (r Rules) Quarantine(ctx context.Context, key *v1alpha1.AgentAPIKey, cut bool) (*v1alpha1.AccessPolicy, error) {
	if r.Incident == "" {
		return nil, nil
	}
	var policies v1alpha1.AccessPolicyList
	if err := r.Reader.List(ctx, &policies, client.InNamespace(r.Incident), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the quarantines: %w", err)
	}
	var holding *v1alpha1.AccessPolicy
	for i := range policies.Items {
		policy := &policies.Items[i]
		if (holding == nil || policy.Name < holding.Name) && (Holds(policy, key) || cut && Forgotten(policy, key)) {
			holding = policy
		}
	}
	return holding, nil
}

// QuarantineOf is a Quarantine of that name that cuts the key off.
func QuarantineOf(key, name types.NamespacedName, reason string) *v1alpha1.AccessPolicy {
	return &v1alpha1.AccessPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AccessPolicy"},
		ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name},
		Spec: v1alpha1.AccessPolicySpec{
			Type: v1alpha1.PolicyQuarantine,
			Quarantine: &v1alpha1.QuarantinePolicy{
				Reason: reason,
				Targets: v1alpha1.QuarantineTargets{Keys: []v1alpha1.KeyReference{{
					Namespace: v1alpha1.NamespaceName(key.Namespace), Name: v1alpha1.ObjectName(key.Name),
				}}},
			},
		},
	}
}

// Holds tells that the Quarantine cuts the key off: it names it, or has listed it when its
// selector matched it, or matches it and is older: whoever makes keys among those that are
// cut off gets none. One that is being deleted lets go. Keys that were there before are
// cut off once the policy has counted them.
func Holds(policy *v1alpha1.AccessPolicy, key *v1alpha1.AgentAPIKey) bool {
	quarantine := policy.Spec.Quarantine
	if policy.Spec.Type != v1alpha1.PolicyQuarantine || quarantine == nil || !policy.DeletionTimestamp.IsZero() {
		return false
	}
	ref := v1alpha1.KeyReference{Namespace: v1alpha1.NamespaceName(key.Namespace), Name: v1alpha1.ObjectName(key.Name)}
	if quarantine.Targets.Selector == nil {
		return slices.Contains(quarantine.Targets.Keys, ref)
	}
	if status := policy.Status.Quarantine; status != nil && slices.Contains(status.Keys, ref) {
		return true
	}
	selects, err := Selector(quarantine.Targets.Selector)
	return err == nil && selects(key) && !key.CreationTimestamp.Before(&policy.CreationTimestamp)
}

// Forgotten tells that the policy selects the key and has not said yet, or not again since
// its status was lost, whom it cuts off. A key that is cut off stays so until it has.
func Forgotten(policy *v1alpha1.AccessPolicy, key *v1alpha1.AgentAPIKey) bool {
	quarantine := policy.Spec.Quarantine
	if quarantine == nil || quarantine.Targets.Selector == nil || policy.Status.Quarantine != nil || !policy.DeletionTimestamp.IsZero() {
		return false
	}
	selects, err := Selector(quarantine.Targets.Selector)
	return err == nil && selects(key)
}

// Selector gives what tells whether a key is selected.
func Selector(selector *v1alpha1.KeySelector) (func(*v1alpha1.AgentAPIKey) bool, error) {
	byLabels := labels.Everything()
	if selector.LabelSelector != nil {
		var err error
		if byLabels, err = metav1.LabelSelectorAsSelector(selector.LabelSelector); err != nil {
			return nil, &identity.Error{
				Kind: identity.Rejected, Reason: v1alpha1.ReasonInvalidSelector,
				Message: fmt.Sprintf("targets.selector.labelSelector cannot be read: %v; mend it", err),
			}
		}
	}
	return func(key *v1alpha1.AgentAPIKey) bool {
		role := reference.RoleOf(key)
		of := v1alpha1.NamespacedRole{Namespace: v1alpha1.NamespaceName(role.Namespace), Name: v1alpha1.ObjectName(role.Name)}
		return (len(selector.Namespaces) == 0 || slices.Contains(selector.Namespaces, v1alpha1.NamespaceName(key.Namespace))) &&
			(len(selector.Roles) == 0 || slices.Contains(selector.Roles, of)) &&
			byLabels.Matches(labels.Set(key.Labels))
	}, nil
}
