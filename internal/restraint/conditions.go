package restraint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
)

// Agents is what Conditional policies say of the agents of a role.
type Agents struct {
	// TokenLifetime is the shortest that is asked for; zero when none is.
	TokenLifetime time.Duration
	// Zones are those of the oldest policy that names some, of the operator's namespace
	// before others; nil when none does.
	Zones *v1alpha1.NetworkZones
	// Bound tells that tokens must be bound to a key (RFC 9449).
	Bound bool
}

// Agents gives the conditions on the agents of a role. They count in the role's own
// namespace, and in the operator's: whoever may use a role must not govern others' use.
func (r Rules) Agents(ctx context.Context, role client.ObjectKey) (Agents, error) {
	var agents Agents
	policies, err := r.conditional(ctx, role)
	if err != nil {
		return agents, err
	}
	for _, policy := range policies {
		conditions := policy.Spec.Conditional.Agents
		if asked := conditions.TokenLifetime; asked != nil && (agents.TokenLifetime == 0 || asked.Duration < agents.TokenLifetime) {
			agents.TokenLifetime = asked.Duration
		}
		if agents.Zones == nil {
			agents.Zones = conditions.NetworkZones
		}
		agents.Bound = agents.Bound || conditions.DPoP == v1alpha1.RequirementRequired
	}
	return agents, nil
}

// conditional are the policies that say something of the agents of the role: those of the
// operator's namespace first, and of each the oldest.
func (r Rules) conditional(ctx context.Context, role client.ObjectKey) ([]v1alpha1.AccessPolicy, error) {
	var found []v1alpha1.AccessPolicy
	for _, namespace := range slices.Compact([]string{role.Namespace, cmp.Or(r.Home, role.Namespace)}) {
		var policies v1alpha1.AccessPolicyList
		if err := r.Reader.List(ctx, &policies, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing the conditions on agents: %w", err)
		}
		for _, policy := range policies.Items {
			if Conditions(&policy, role) {
				found = append(found, policy)
			}
		}
	}
	slices.SortFunc(found, func(a, b v1alpha1.AccessPolicy) int {
		if home := a.Namespace == r.Home; home != (b.Namespace == r.Home) {
			if home {
				return -1
			}
			return 1
		}
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID))
	})
	return found, nil
}

// Conditions tells that the policy says something of the agents of the role.
func Conditions(policy *v1alpha1.AccessPolicy, role client.ObjectKey) bool {
	conditional := policy.Spec.Conditional
	return conditional != nil && conditional.Agents != nil && policy.DeletionTimestamp.IsZero() &&
		slices.ContainsFunc(conditional.RoleRefs, func(ref v1alpha1.RoleReference) bool {
			return desired.RoleOfRef(ref, policy.Namespace) == role
		})
}
