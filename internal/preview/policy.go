package preview

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// policy says what is done in Okta about a policy; old is nil for a new one.
func (c comparison) policy(old, policy *v1alpha1.AccessPolicy) []string {
	switch spec := &policy.Spec; {
	case spec.Conditional != nil && unheard(c.rules, policy) != "":
		return nil // findings say so
	case spec.Conditional != nil:
		before := &v1alpha1.ConditionalPolicy{}
		if old != nil && old.Spec.Conditional != nil {
			before = old.Spec.Conditional
		}
		return slices.Concat(signIn(before.SignIn, spec.Conditional.SignIn), c.agents(policy.Namespace, before, spec.Conditional))
	case spec.Quarantine != nil:
		return c.quarantine(policy)
	}
	return nil // a ceiling; findings say whom it takes something from
}

func signIn(before, after *v1alpha1.SignInPolicy) []string {
	before, after = cmp.Or(before, &v1alpha1.SignInPolicy{}), cmp.Or(after, &v1alpha1.SignInPolicy{})
	more, fewer := difference(apps(before), apps(after))
	var does []string
	for _, app := range more {
		does = append(does, fmt.Sprintf("governs by %s how people sign in to app %s, instead of the policy it has",
			count(len(after.Rules), "rule"), app))
	}
	for _, app := range fewer {
		does = append(does, fmt.Sprintf("gives app %s the sign-on policy back that it had", app))
	}
	if len(more) < len(after.Apps) && !reflect.DeepEqual(before.Rules, after.Rules) {
		does = append(does, "writes the rules anew by which people sign in: "+listed(names(after.Rules)))
	}
	return does
}

func apps(p *v1alpha1.SignInPolicy) []string {
	all := make([]string, len(p.Apps))
	for i, app := range p.Apps {
		all[i] = cmp.Or(app.Label, app.ID)
	}
	return all
}

func names(rules []v1alpha1.SignInRule) []string {
	all := make([]string, len(rules))
	for i := range rules {
		all[i] = string(rules[i].Name)
	}
	return all
}

func (c comparison) agents(namespace string, before, after *v1alpha1.ConditionalPolicy) []string {
	if reflect.DeepEqual(before.Agents, after.Agents) && reflect.DeepEqual(before.RoleRefs, after.RoleRefs) {
		return nil
	}
	roles := make([]string, len(after.RoleRefs))
	for i, ref := range after.RoleRefs {
		roles[i] = desired.RoleOfRef(ref, namespace).String()
	}
	a := after.Agents
	if a == nil {
		if before.Agents == nil {
			return nil
		}
		return []string{"lets agents of " + listed(roles) + " have tokens without conditions of this policy"}
	}
	var does []string
	if a.TokenLifetime != nil {
		does = append(does, fmt.Sprintf("gives agents of %s tokens that live %s at most", listed(roles), words(a.TokenLifetime.Duration)))
	}
	if a.NetworkZones != nil {
		does = append(does, fmt.Sprintf("gives agents of %s tokens by network zone only", listed(roles)))
	}
	if a.DPoP == v1alpha1.RequirementRequired {
		does = append(does, fmt.Sprintf("gives agents of %s tokens only that are bound to a key (DPoP)", listed(roles)))
	}
	return does
}

// quarantine names whom it cuts off.
func (c comparison) quarantine(policy *v1alpha1.AccessPolicy) []string {
	if policy.Namespace != c.rules.Incident {
		return nil
	}
	targets := policy.Spec.Quarantine.Targets
	var cut []string
	for _, ref := range targets.Keys {
		cut = append(cut, fmt.Sprintf("%s/%s", ref.Namespace, ref.Name))
	}
	if targets.Selector != nil {
		if status := policy.Status.Quarantine; status != nil { // what it once matched stays cut off
			for _, ref := range status.Keys {
				cut = append(cut, fmt.Sprintf("%s/%s", ref.Namespace, ref.Name))
			}
		}
		if selects, err := restraint.Selector(targets.Selector); err == nil {
			for _, key := range all[*v1alpha1.AgentAPIKey](c.after) {
				if selects(key) {
					cut = append(cut, key.Namespace+"/"+key.Name)
				}
			}
		}
		slices.Sort(cut)
		cut = slices.Compact(cut)
		if most := int(targets.Selector.MaxTargets); len(cut) > most {
			return []string{fmt.Sprintf("cuts off no further client: it would be %s, and maxTargets is %d", count(len(cut), "client"), most)}
		}
	}
	if len(cut) == 0 {
		return []string{"cuts off nobody"}
	}
	return []string{fmt.Sprintf("deactivates %s, and ends the credentials that they have, for ever: %s",
		count(len(cut), "client"), listed(cut))}
}
