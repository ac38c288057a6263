package accesspolicy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// signIn says how people sign in, by app or, in an org that cannot, for all apps at once.
func (c *Controller) signIn(ctx context.Context, policy *v1alpha1.AccessPolicy, groups map[types.NamespacedName]string) error {
	byApp, err := c.Directory.AsksByApp(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("looking how the org signs people in: %w", err)
	case !byApp:
		return c.signOn(ctx, policy, groups)
	}
	return c.signInByApp(ctx, policy, groups)
}

// signInByApp resolves what the policy names, writes it, and puts the apps under it last:
// until then nobody is asked for anything else than before.
func (c *Controller) signInByApp(ctx context.Context, policy *v1alpha1.AccessPolicy, groups map[types.NamespacedName]string) error {
	apps, err := c.apps(ctx, policy)
	if err != nil {
		return c.withdraw(ctx, policy, err)
	}
	ids := desired.Resolved{Groups: groups}
	if ids.Zones, err = c.zones(ctx, policy); err != nil {
		return err
	}
	if ids.Assurances, err = c.assurances(ctx, policy); err != nil {
		return err
	}
	status := policy.Status.Conditional
	if err := c.putSignIn(ctx, policy, apps, ids); err != nil {
		return err
	}
	if err := c.letGo(ctx, policy, apps); err != nil {
		return err
	}
	if err := c.govern(ctx, policy, apps); err != nil {
		return err
	}
	if status.SignOnPolicyID != "" {
		// The org has been upgraded since.
		if err := c.endSignOn(ctx, policy); err != nil {
			return err
		}
	}
	if err := c.grantPeople(ctx, policy, apps, groups); err != nil {
		return err
	}
	status.DeviceAssuranceIDs = made(policy, ids.Assurances)
	prefix := desired.AssurancePrefix(desired.PolicyMark(policy, c.Settings.Cluster))
	if err := c.Directory.DeleteAssurances(ctx, prefix, status.DeviceAssuranceIDs); err != nil {
		return fmt.Errorf("deleting device assurances that are not needed any more: %w", err)
	}
	return nil
}

// putSignIn writes the policy. By one that a person has switched off no app is governed anew,
// and nobody has tokens.
func (c *Controller) putSignIn(ctx context.Context, policy *v1alpha1.AccessPolicy, apps []identity.App, ids desired.Resolved) error {
	id, err := c.Directory.PutSignIn(ctx, desired.SignInOf(policy, c.Settings.Cluster, ids))
	if id != "" {
		policy.Status.Conditional.PolicyID = id
	}
	if switchedOff(err) {
		return cmp.Or(c.letGo(ctx, policy, apps), c.ungrantPeople(ctx, policy), err)
	}
	if err != nil {
		return fmt.Errorf("writing the sign-in policy: %w", err)
	}
	return nil
}

// govern puts apps under the policy. What an app was under before is in the status before
// it is changed in Okta.
func (c *Controller) govern(ctx context.Context, policy *v1alpha1.AccessPolicy, apps []identity.App) error {
	status := policy.Status.Conditional
	noted := true
	for _, app := range apps {
		known := slices.ContainsFunc(status.Apps, func(g v1alpha1.GovernedApp) bool { return g.ID == app.ID })
		if !known {
			governed := v1alpha1.GovernedApp{ID: app.ID}
			if app.SignIn != status.PolicyID {
				governed.PreviousPolicyID = app.SignIn
			}
			status.Apps = append(status.Apps, governed)
			noted = false
		}
	}
	slices.SortFunc(status.Apps, func(a, b v1alpha1.GovernedApp) int { return strings.Compare(a.ID, b.ID) })
	if !noted {
		return &identity.Error{
			Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing, RetryAfter: time.Millisecond,
			Message: "apps are about to be put under the policy",
		}
	}
	for _, app := range apps {
		if app.SignIn == status.PolicyID {
			continue
		}
		if err := c.Directory.GovernApp(ctx, app.ID, status.PolicyID); err != nil {
			return fmt.Errorf("putting app %s under the policy: %w", app.ID, err)
		}
	}
	return nil
}

// letGo gives apps that the policy does not name any more back to what they were under.
func (c *Controller) letGo(ctx context.Context, policy *v1alpha1.AccessPolicy, keep []identity.App) error {
	status := policy.Status.Conditional
	kept := func(id string) bool {
		return slices.ContainsFunc(keep, func(a identity.App) bool { return a.ID == id })
	}
	if status.PolicyID != "" {
		governed, err := c.Directory.Governed(ctx, status.PolicyID)
		if err != nil {
			return fmt.Errorf("looking which apps the policy governs: %w", err)
		}
		for _, id := range governed {
			if kept(id) {
				continue
			}
			previous := ""
			if at := slices.IndexFunc(status.Apps, func(g v1alpha1.GovernedApp) bool { return g.ID == id }); at >= 0 {
				previous = status.Apps[at].PreviousPolicyID
			}
			if err := c.Directory.ReleaseApp(ctx, id, previous); err != nil {
				return fmt.Errorf("giving app %s back: %w", id, err)
			}
		}
	}
	status.Apps = slices.DeleteFunc(status.Apps, func(g v1alpha1.GovernedApp) bool { return !kept(g.ID) })
	return nil
}

// unasked tells an error that says nothing of what is in Okta.
func unasked(err error) bool {
	kind := identity.KindOf(err)
	return kind == identity.Throttled || kind == identity.Unavailable
}

// switchedOff tells that a person has deactivated the policy in Okta: nobody is asked for
// what it says, and nobody is to have tokens by it.
func switchedOff(err error) bool {
	e, ok := errors.AsType[*identity.Error](err)
	return ok && e.Reason == v1alpha1.ReasonDeactivatedInDirectory
}

// withdraw ends what people are granted in apps of which not all are there, or may be
// governed. In that case it also gives all apps back, and ends the policy for all apps, which
// an org has that was not upgraded, or was and this is still to be seen to. That Okta could
// not be asked is no reason to take anything away. It gives the reason, or what keeps it from
// all that.
func (c *Controller) withdraw(ctx context.Context, policy *v1alpha1.AccessPolicy, why error) error {
	if unasked(why) {
		return why
	}
	if e, ok := errors.AsType[*identity.Error](why); ok && e.Reason == v1alpha1.ReasonAppNotAllowed {
		return cmp.Or(c.endSignOn(ctx, policy), c.letGo(ctx, policy, nil), why)
	}
	return cmp.Or(c.ungrantPeople(ctx, policy), why)
}

// endSignIn removes all that the policy holds in Okta about people.
func (c *Controller) endSignIn(ctx context.Context, policy *v1alpha1.AccessPolicy) error {
	if policy.Status.Conditional == nil {
		policy.Status.Conditional = &v1alpha1.ConditionalStatus{}
	}
	if err := c.endSignOn(ctx, policy); err != nil {
		return err
	}
	byApp, err := c.Directory.AsksByApp(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("looking how the org signs people in: %w", err)
	case !byApp:
		return nil
	}
	return c.endSignInByApp(ctx, policy)
}

func (c *Controller) endSignInByApp(ctx context.Context, policy *v1alpha1.AccessPolicy) error {
	mark := desired.PolicyMark(policy, c.Settings.Cluster)
	status := policy.Status.Conditional
	var err error
	if status.PolicyID == "" {
		// Of a status that was lost: the policy itself tells what it governs.
		if status.PolicyID, err = c.Directory.FindSignIn(ctx, mark, desired.SignInName(mark)); err != nil {
			return fmt.Errorf("looking for the sign-in policy: %w", err)
		}
	}
	if status.PolicyID != "" {
		if err := c.letGo(ctx, policy, nil); err != nil {
			return err
		}
		if err := c.Directory.DeleteSignIn(ctx, mark, desired.SignInName(mark)); err != nil {
			return fmt.Errorf("deleting the sign-in policy: %w", err)
		}
	}
	if err := c.Directory.DeleteAssurances(ctx, desired.AssurancePrefix(mark), nil); err != nil {
		return fmt.Errorf("deleting the device assurances: %w", err)
	}
	status.PolicyID, status.DeviceAssuranceIDs = "", nil
	return nil
}

// made are the ids of the device assurances that were made for the policy, sorted.
func made(policy *v1alpha1.AccessPolicy, ids map[desired.AssuranceRef]string) []string {
	var all []string
	for _, rule := range policy.Spec.Conditional.SignIn.Rules {
		for _, assurance := range assurancesOf(rule) {
			if assurance.Requirements != nil {
				all = append(all, ids[desired.AssuranceRef{Rule: rule.Name, Platform: assurance.Platform}])
			}
		}
	}
	slices.Sort(all)
	return all
}

func assurancesOf(rule v1alpha1.SignInRule) []v1alpha1.DeviceAssurance {
	if rule.When == nil || rule.When.Device == nil {
		return nil
	}
	return rule.When.Device.Assurances
}
