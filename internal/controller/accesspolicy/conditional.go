package accesspolicy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// notThere is how soon what is named and does not exist is looked for again.
const notThere = 5 * time.Minute

// conditional makes the sign-in policy of people equal to what the object says, and then
// puts the apps under it. What it says of agents is carried out by their roles and keys.
func (c *Controller) conditional(ctx context.Context, policy *v1alpha1.AccessPolicy) (lifecycle.Outcome, error) {
	if policy.Spec.Conditional.SignIn == nil {
		err := c.leftover(ctx, policy)
		tidy(policy)
		if err != nil {
			return lifecycle.Outcome{}, err
		}
	}
	groups, err := c.groups(ctx, policy)
	if err != nil {
		if !roleGone(err) {
			return lifecycle.Outcome{}, err
		}
		return lifecycle.Outcome{}, cmp.Or(c.ungrantPeople(ctx, policy), err)
	}
	if err := c.checkAgents(ctx, policy); err != nil {
		return lifecycle.Outcome{}, err
	}
	if policy.Status.Conditional == nil {
		policy.Status.Conditional = &v1alpha1.ConditionalStatus{}
	}
	defer tidy(policy)
	if policy.Spec.Conditional.SignIn != nil {
		c.searched.set(policy.UID, false)
		if err := lifecycle.StillWanted(ctx, c.Live, "AccessPolicy", policy); err != nil {
			return lifecycle.Outcome{}, err
		}
		if err := c.signIn(ctx, policy, groups); err != nil {
			return lifecycle.Outcome{}, err
		}
	}
	if err := c.reportEffect(ctx, policy, groups); err != nil {
		return lifecycle.Outcome{}, err
	}
	return lifecycle.Outcome{
		Message: asks(policy.Status.Conditional),
		Again:   plan.Sooner(time.Hour, c.Directory.UnsettledPolicies()),
	}, nil
}

// roleGone tells that people can have nothing by a role: it is not there, or not for the
// policy. That Okta could not be asked is no reason to take away what they have.
func roleGone(err error) bool {
	e, ok := errors.AsType[*identity.Error](err)
	return ok && slices.Contains([]string{
		v1alpha1.ReasonRoleNotFound, v1alpha1.ReasonRoleNotShared, v1alpha1.ReasonRoleNotReady,
	}, e.Reason)
}

// reportFailure says in the condition Effective that a policy that cannot be carried out, or
// whose role is gone, does not bind whom it should. That Okta could not be asked, or is not
// done, changes nothing of what it bound before.
func (c *Controller) reportFailure(policy *v1alpha1.AccessPolicy, err error) {
	e, ok := errors.AsType[*identity.Error](err)
	switch {
	case !ok || e.Kind != identity.Rejected && e.Kind != identity.Conflict && !roleGone(err):
	case e.Reason == identity.ReasonFeatureUnavailable:
		c.ineffective(policy, v1alpha1.ReasonConditionNotSupported, e.Message)
	default:
		c.ineffective(policy, e.Reason, e.Message)
	}
}

// asks says what Okta does.
func asks(status *v1alpha1.ConditionalStatus) string {
	if status.SignOnPolicyID != "" {
		return "Okta asks people of the policy's roles for what it says at the beginning of each session, for all apps together, " +
			"for it has no Identity Engine, and agents as the policy says"
	}
	return "Okta asks people and agents of the policy's roles for what it says"
}

// tidy takes out a status that says nothing, which the API does not take.
func tidy(policy *v1alpha1.AccessPolicy) {
	if status := policy.Status.Conditional; status != nil && equality.Semantic.DeepEqual(*status, v1alpha1.ConditionalStatus{}) {
		policy.Status.Conditional = nil
	}
}

// groups gives the directory's id of the group of every role that is referred to.
func (c *Controller) groups(ctx context.Context, policy *v1alpha1.AccessPolicy) (map[types.NamespacedName]string, error) {
	groups := map[types.NamespacedName]string{}
	for _, ref := range policy.Spec.Conditional.RoleRefs {
		name := desired.RoleOfRef(ref, policy.Namespace)
		role, err := c.role(ctx, policy, name)
		if err != nil {
			return nil, err
		}
		want := desired.RoleOf(role, c.Settings)
		seen, err := c.Directory.ObserveRole(ctx, want.Mark, want.Group.Name)
		if err != nil {
			return nil, fmt.Errorf("observing AIAgentRole %s: %w", name, err)
		}
		if seen.Group == nil || seen.Group.Mark != want.Mark {
			return nil, &identity.Error{
				Kind: identity.Waiting, Reason: v1alpha1.ReasonRoleNotReady, RetryAfter: 10 * time.Second,
				Message: fmt.Sprintf("AIAgentRole %s has no group in Okta yet; see its conditions", name),
			}
		}
		groups[name] = seen.Group.ID
	}
	return groups, nil
}

// role finds a role that the policy may refer to.
func (c *Controller) role(ctx context.Context, policy *v1alpha1.AccessPolicy, name types.NamespacedName) (*v1alpha1.AIAgentRole, error) {
	role := &v1alpha1.AIAgentRole{}
	err := c.Client.Get(ctx, name, role)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading AIAgentRole %s: %w", name, err)
	}
	missing := err != nil || !role.DeletionTimestamp.IsZero()
	if missing && name.Namespace == policy.Namespace {
		return nil, &identity.Error{
			Kind: identity.Waiting, Reason: v1alpha1.ReasonRoleNotFound, RetryAfter: notThere,
			Message: fmt.Sprintf("AIAgentRole %s does not exist; create it, or mend roleRefs", name),
		}
	}
	allowed := false
	if !missing {
		if allowed, err = reference.Allows(ctx, c.Client, role, policy.Namespace); err != nil {
			return nil, err
		}
	}
	if !allowed {
		return nil, &identity.Error{
			Kind: identity.Waiting, Reason: v1alpha1.ReasonRoleNotShared, RetryAfter: notThere,
			Message: fmt.Sprintf("AIAgentRole %s does not exist or does not share itself with namespace %q; "+
				"its owner can share it with spec.shareWith", name, policy.Namespace),
		}
	}
	return role, nil
}

// reportEffect tells whom the policy binds.
func (c *Controller) reportEffect(ctx context.Context, policy *v1alpha1.AccessPolicy, groups map[types.NamespacedName]string) error {
	keys := int32(0)
	for name := range groups {
		role := &v1alpha1.AIAgentRole{}
		if err := c.Client.Get(ctx, name, role); err != nil {
			return fmt.Errorf("reading AIAgentRole %s: %w", name, err)
		}
		bound, err := reference.Bound(ctx, c.Client, role)
		if err != nil {
			return err
		}
		keys += int32(min(len(bound), 1<<20))
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionEffective, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonEverythingBinds,
		Message:            "every part of the policy binds somebody",
		ObservedGeneration: policy.Generation, LastTransitionTime: metav1.NewTime(c.Clock.Now()),
	}
	if policy.Spec.Conditional.Agents != nil {
		policy.Status.Conditional.Keys = &keys
		unheard, err := c.unheard(ctx, policy, groups)
		switch {
		case err != nil:
			return err
		case unheard != "":
			condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, v1alpha1.ReasonConditionNotSupported, unheard
		case keys == 0:
			condition.Status, condition.Reason = metav1.ConditionFalse, v1alpha1.ReasonNoSubjects
			condition.Message = "no AgentAPIKey has any of the roles: what the policy says of agents binds nobody yet"
		}
	}
	meta.SetStatusCondition(&policy.Status.Conditions, condition)
	return nil
}
