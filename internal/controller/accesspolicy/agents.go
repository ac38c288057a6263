package accesspolicy

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// checkAgents holds that what the policy says of agents counts, and can be carried out.
func (c *Controller) checkAgents(ctx context.Context, policy *v1alpha1.AccessPolicy) error {
	agents := policy.Spec.Conditional.Agents
	if agents == nil {
		return nil
	}
	for _, ref := range policy.Spec.Conditional.RoleRefs {
		role := desired.RoleOfRef(ref, policy.Namespace)
		if role.Namespace != policy.Namespace && policy.Namespace != c.Restraints.Home {
			return &identity.Error{
				Kind: identity.Rejected, Reason: v1alpha1.ReasonNotHonouredHere,
				Message: fmt.Sprintf("what this policy says of agents does not count for AIAgentRole %s, which others use too: "+
					"create it in namespace %q, or leave conditional.agents out", role, role.Namespace),
			}
		}
	}
	if agents.NetworkZones == nil {
		return nil
	}
	for _, name := range slices.Concat(agents.NetworkZones.Allow, agents.NetworkZones.Deny) {
		id, err := c.Directory.FindZone(ctx, string(name))
		switch {
		case err != nil:
			return fmt.Errorf("looking for network zone %q: %w", name, err)
		case id == "":
			return missing(v1alpha1.ReasonNetworkZoneNotFound,
				"there is no active network zone %q in Okta, which conditional.agents names; create or activate it there, or mend the name", name)
		}
	}
	return nil
}

// unheard says which condition on agents another policy has settled before; "" for none.
func (c *Controller) unheard(ctx context.Context, policy *v1alpha1.AccessPolicy, roles map[types.NamespacedName]string) (string, error) {
	zones := policy.Spec.Conditional.Agents.NetworkZones
	if zones == nil {
		return "", nil
	}
	for role := range roles {
		agents, err := c.Restraints.Agents(ctx, role)
		if err != nil {
			return "", err
		}
		if !equality.Semantic.DeepEqual(agents.Zones, zones) {
			return fmt.Sprintf("an older AccessPolicy, or one of the operator's namespace, names the network zones "+
				"for the agents of AIAgentRole %s, and Okta takes those of one", role), nil
		}
	}
	return "", nil
}
