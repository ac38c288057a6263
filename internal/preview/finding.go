package preview

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// findings judges what is applied, and all else that the change makes worse.
func (c comparison) findings(ctx context.Context) ([]Finding, error) {
	var found []Finding
	for name, o := range c.after.objects {
		after, err := c.judge(ctx, c.after, o)
		if err != nil {
			return nil, err
		}
		if !c.wanted[name] {
			before, err := c.judge(ctx, c.before, o)
			if err != nil {
				return nil, err
			}
			if before == after {
				continue // the change has nothing to do with it
			}
		}
		if after.message != "" {
			found = append(found, Finding{Ref{name.kind, name.Namespace, name.Name}, after.breach, after.message})
		}
	}
	return found, nil
}

// judgement is what is wrong with an object; its message is empty when nothing is.
type judgement struct {
	breach  bool
	message string
}

func (c comparison) judge(ctx context.Context, w World, o client.Object) (judgement, error) {
	rules := c.rules
	rules.Reader = w
	switch o := o.(type) {
	case *v1alpha1.AIAgentRole:
		return judgeRole(ctx, rules, o)
	case *v1alpha1.AgentAPIKey:
		return judgeKey(ctx, rules, o)
	case *v1alpha1.AccessPolicy:
		return judgePolicy(ctx, rules, o)
	}
	return judgement{}, nil
}

// judgeKey does what the operator does: a key without a role waits, and one that asks for too
// much gets nothing.
func judgeKey(ctx context.Context, rules restraint.Rules, key *v1alpha1.AgentAPIKey) (judgement, error) {
	role, err := reference.Resolve(ctx, rules.Reader, key)
	if fault, typed := errors.AsType[*identity.Error](err); typed {
		return judgement{message: "gets nothing yet: " + fault.Message}, nil
	}
	if err != nil {
		return judgement{}, err
	}
	permissions := desired.RoleOf(role, desired.Settings{}).PermissionNames()
	ceilings, err := rules.Ceilings(ctx, key.Namespace)
	if err != nil {
		return judgement{}, err
	}
	if excess := ceilings.Excess(restraint.AskedBy(key, permissions)); excess != "" {
		return judgement{true, "gets nothing: " + excess}, nil
	}
	policy, err := rules.Quarantine(ctx, key, false)
	if err != nil || policy == nil {
		return judgement{}, err
	}
	return judgement{message: fmt.Sprintf("gets nothing: Quarantine %s/%s cuts it off", policy.Namespace, policy.Name)}, nil
}

// judgeRole says whom the namespace may not name, and what its people may not be given.
func judgeRole(ctx context.Context, rules restraint.Rules, role *v1alpha1.AIAgentRole) (judgement, error) {
	want := desired.RoleOf(role, desired.Settings{})
	ceilings, err := rules.Ceilings(ctx, role.Namespace)
	if err != nil {
		return judgement{}, err
	}
	if refused := slices.DeleteFunc(slices.Clone(want.Members), ceilings.MayName); len(refused) > 0 {
		return judgement{true, fmt.Sprintf("a Ceiling does not let namespace %q name %s", role.Namespace, listed(refused))}, nil
	}
	admin := make([]string, len(want.Admin))
	for i, p := range want.Admin {
		admin[i] = p.Name
	}
	if _, over := difference(admin, ceilings.Permitted(admin)); len(over) > 0 {
		return judgement{true, "its people get no permissions to administer Okta, for no Ceiling names in full: " + strings.Join(over, ", ")}, nil
	}
	return judgement{}, nil
}

// judgePolicy says of a policy that counts in one namespace only that it is in another, and of
// one about apps which of them the namespace may not govern. Beside ceilings, the operator's
// configuration may allow that, which nobody knows here.
func judgePolicy(ctx context.Context, rules restraint.Rules, policy *v1alpha1.AccessPolicy) (judgement, error) {
	counts := func(what, where string) (judgement, error) {
		if policy.Namespace == where {
			return judgement{}, nil
		}
		return judgement{message: fmt.Sprintf("does nothing: a %s counts in namespace %q only", what, where)}, nil
	}
	switch {
	case policy.Spec.Ceiling != nil:
		return counts("Ceiling", rules.Home)
	case policy.Spec.Quarantine != nil:
		return counts("Quarantine", rules.Incident)
	}
	if role := unheard(rules, policy); role != "" {
		return judgement{
			message: fmt.Sprintf("does nothing: what it says of agents does not count for AIAgentRole %s, of another namespace", role),
		}, nil
	}
	if policy.Spec.Conditional == nil || policy.Spec.Conditional.SignIn == nil {
		return judgement{}, nil
	}
	ceilings, err := rules.Ceilings(ctx, policy.Namespace)
	if err != nil {
		return judgement{}, err
	}
	for _, app := range policy.Spec.Conditional.SignIn.Apps {
		if allowed, said := ceilings.MayGovern(identity.App{ID: app.ID, Label: app.Label}); said && !allowed {
			return judgement{true, fmt.Sprintf("a Ceiling does not let namespace %q govern app %q; one that names it by its id "+
				"must be met by its id", policy.Namespace, cmp.Or(app.Label, app.ID))}, nil
		}
	}
	return judgement{}, nil
}

// unheard names a role for whose agents the policy wants to count and does not: one of another
// namespace, which others use too; "" when there is none.
func unheard(rules restraint.Rules, policy *v1alpha1.AccessPolicy) string {
	if policy.Spec.Conditional == nil || policy.Spec.Conditional.Agents == nil || policy.Namespace == rules.Home {
		return ""
	}
	for _, ref := range policy.Spec.Conditional.RoleRefs {
		if role := desired.RoleOfRef(ref, policy.Namespace); role.Namespace != policy.Namespace {
			return role.String()
		}
	}
	return ""
}
