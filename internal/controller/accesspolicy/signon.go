package accesspolicy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// signOn says how people sign in to an org that asks once for all apps. What the org cannot
// ask for it is not told in part: a rule without one of its conditions would let in more.
func (c *Controller) signOn(ctx context.Context, policy *v1alpha1.AccessPolicy, groups map[types.NamespacedName]string) error {
	if err := c.maySignOn(policy); err != nil {
		return cmp.Or(c.endSignOn(ctx, policy), err)
	}
	if err := beyond(policy); err != nil {
		return cmp.Or(c.ungrantPeople(ctx, policy), error(err))
	}
	apps, err := c.apps(ctx, policy)
	if err != nil {
		return c.withdraw(ctx, policy, err)
	}
	ids := desired.Resolved{Groups: groups}
	if ids.Zones, err = c.zones(ctx, policy); err != nil {
		return err
	}
	id, earlier, err := c.Directory.PutSignOn(ctx, desired.SignOnOf(policy, c.Settings.Cluster, ids))
	if id != "" {
		policy.Status.Conditional.SignOnPolicyID = id
	}
	if switchedOff(err) {
		return cmp.Or(c.ungrantPeople(ctx, policy), err)
	}
	if err != nil {
		return fmt.Errorf("writing the sign-on policy: %w", err)
	}
	if err := shadowed(c.Settings.Cluster, earlier); err != nil {
		return cmp.Or(c.ungrantPeople(ctx, policy), error(err))
	}
	return c.grantPeople(ctx, policy, apps, groups)
}

// maySignOn holds that who says something of all apps administers the operator.
func (c *Controller) maySignOn(policy *v1alpha1.AccessPolicy) error {
	if c.Restraints.Home != "" && policy.Namespace == c.Restraints.Home {
		return nil
	}
	where := fmt.Sprintf("namespace %q", c.Restraints.Home)
	if c.Restraints.Home == "" {
		where = "the operator's own namespace, of which it knows none outside a pod,"
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonNotHonouredHere,
		Message: "the Okta organization has no Identity Engine: how people sign in is said there of all apps together, and only policies of " +
			where + " may: create this one there, or leave conditional.signIn out",
	}
}

// beyond refuses what the org cannot ask for.
func beyond(policy *v1alpha1.AccessPolicy) *identity.Error {
	fields := desired.BeyondSignOn(policy)
	if len(fields) == 0 {
		return nil
	}
	message := "the Okta organization has no Identity Engine, and cannot ask for what these fields say: " + strings.Join(fields, ", ") +
		"; leave them out, or have the organization upgraded"
	if policy.Status.Conditional.SignOnPolicyID != "" {
		message += ". People sign in as an earlier version of the policy says"
	}
	return &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonFeatureUnavailable, Message: message}
}

// shadowed tells that others decide about some of the people, or all.
func shadowed(cluster string, earlier []string) *identity.Error {
	if len(earlier) == 0 {
		return nil
	}
	message := fmt.Sprintf("Okta asks other sign-on policies first about the same people, and they let people in: %s; ",
		strings.Join(earlier, ", "))
	ours := func(name string) bool { return strings.HasPrefix(name, "k8s/"+cluster+"/") }
	if slices.ContainsFunc(earlier, ours) {
		message += "those named k8s/… are of AccessPolicies of this cluster: name each role in one of them only. "
	}
	if slices.ContainsFunc(earlier, func(name string) bool { return !ours(name) }) {
		message += "move those of others behind this policy in Okta, take the roles' groups and Everyone out of them, or delete them. " +
			"They are left alone"
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonShadowed, RetryAfter: notThere, Message: strings.TrimSpace(message),
	}
}

// ineffective says in the condition Effective that the policy does not bind people.
func (c *Controller) ineffective(policy *v1alpha1.AccessPolicy, reason, message string) {
	meta.SetStatusCondition(&policy.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionEffective, Status: metav1.ConditionFalse, Reason: reason, Message: message,
		ObservedGeneration: policy.Generation, LastTransitionTime: metav1.NewTime(c.Clock.Now()),
	})
}

// endSignOn removes the sign-on policy, and what people are granted who signed in by it.
func (c *Controller) endSignOn(ctx context.Context, policy *v1alpha1.AccessPolicy) error {
	if err := c.ungrantPeople(ctx, policy); err != nil {
		return err
	}
	mark := desired.PolicyMark(policy, c.Settings.Cluster)
	if err := c.Directory.DeleteSignOn(ctx, mark, desired.SignInName(mark)); err != nil {
		return fmt.Errorf("deleting the sign-on policy: %w", err)
	}
	if policy.Status.Conditional != nil {
		policy.Status.Conditional.SignOnPolicyID = ""
	}
	return nil
}
