package accesspolicy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func missing(reason, format string, args ...any) error {
	return &identity.Error{Kind: identity.Rejected, Reason: reason, RetryAfter: notThere, Message: fmt.Sprintf(format, args...)}
}

// zones gives the ids of the network zones that the rules name.
func (c *Controller) zones(ctx context.Context, policy *v1alpha1.AccessPolicy) (map[v1alpha1.NetworkZoneName]string, error) {
	ids := map[v1alpha1.NetworkZoneName]string{}
	for _, rule := range policy.Spec.Conditional.SignIn.Rules {
		if rule.When == nil || rule.When.NetworkZones == nil {
			continue
		}
		for _, name := range slices.Concat(rule.When.NetworkZones.Allow, rule.When.NetworkZones.Deny) {
			id, err := c.Directory.FindZone(ctx, string(name))
			switch {
			case err != nil:
				return nil, fmt.Errorf("looking for network zone %q: %w", name, err)
			case id == "":
				return nil, missing(v1alpha1.ReasonNetworkZoneNotFound,
					"there is no active network zone %q in Okta, which rule %q names; create or activate it there, or mend the name", name, rule.Name)
			}
			ids[name] = id
		}
	}
	return ids, nil
}

// assurances finds the device assurances that the rules name, and makes those they describe.
func (c *Controller) assurances(ctx context.Context, policy *v1alpha1.AccessPolicy) (map[desired.AssuranceRef]string, error) {
	ids := map[desired.AssuranceRef]string{}
	prefix := desired.AssurancePrefix(desired.PolicyMark(policy, c.Settings.Cluster))
	for _, rule := range policy.Spec.Conditional.SignIn.Rules {
		for _, assurance := range assurancesOf(rule) {
			id, err := c.assurance(ctx, prefix, rule.Name, assurance)
			if err != nil {
				return nil, err
			}
			ids[desired.AssuranceRef{Rule: rule.Name, Platform: assurance.Platform}] = id
		}
	}
	return ids, nil
}

func (c *Controller) assurance(ctx context.Context, prefix, rule string, want v1alpha1.DeviceAssurance) (string, error) {
	if want.Requirements != nil {
		id, err := c.Directory.PutAssurance(ctx, desired.AssuranceOf(prefix, rule, want))
		if err != nil {
			return "", fmt.Errorf("writing the device assurance of %s: %w", want.Platform, err)
		}
		return id, nil
	}
	id, err := c.Directory.FindAssurance(ctx, want.PolicyName, strings.ToUpper(string(want.Platform)))
	if err != nil {
		return "", fmt.Errorf("looking for device assurance %q: %w", want.PolicyName, err)
	}
	if id == "" {
		return "", missing(v1alpha1.ReasonDeviceAssuranceNotFound,
			"there is no device assurance policy %q for %s in Okta, which rule %q names; create it there, or mend policyName",
			want.PolicyName, want.Platform, rule)
	}
	return id, nil
}

// apps finds the apps that the policy names, and may govern.
func (c *Controller) apps(ctx context.Context, policy *v1alpha1.AccessPolicy) ([]identity.App, error) {
	var apps []identity.App
	for _, ref := range policy.Spec.Conditional.SignIn.Apps {
		app, err := c.app(ctx, ref)
		if err != nil {
			return nil, err
		}
		if err := c.mayGovern(ctx, policy.Namespace, app); err != nil {
			return nil, err
		}
		if app.Service {
			return nil, missing(v1alpha1.ReasonAppNotFound,
				"app %q (%s) is a service: nobody signs in to it; name an app for people", app.Label, app.ID)
		}
		if !slices.ContainsFunc(apps, func(a identity.App) bool { return a.ID == app.ID }) {
			apps = append(apps, app)
		}
	}
	return apps, c.conflict(ctx, policy, apps)
}

// mayGovern asks the ceilings over the namespace, and where none says anything of apps,
// the configuration.
func (c *Controller) mayGovern(ctx context.Context, namespace string, app identity.App) error {
	ceilings, err := c.Restraints.Ceilings(ctx, namespace)
	if err != nil {
		return err
	}
	if allowed, said := ceilings.MayGovern(app); allowed && (said || c.Apps.Allow(namespace, app)) {
		return nil
	}
	return missing(v1alpha1.ReasonAppNotAllowed,
		"namespace %q may not govern app %q (%s): an administrator allows it with a Ceiling, "+
			"or with governedApps in the operator's configuration",
		namespace, app.Label, app.ID)
}

func (c *Controller) app(ctx context.Context, ref v1alpha1.AppReference) (identity.App, error) {
	if ref.ID != "" {
		app, err := c.Directory.GetApp(ctx, ref.ID)
		if err != nil {
			return identity.App{}, fmt.Errorf("looking for app %s: %w", ref.ID, err)
		}
		if app == nil {
			return identity.App{}, missing(v1alpha1.ReasonAppNotFound, "there is no app %s in Okta; mend signIn.apps", ref.ID)
		}
		return *app, nil
	}
	found, err := c.Directory.FindApps(ctx, ref.Label)
	switch {
	case err != nil:
		return identity.App{}, fmt.Errorf("looking for app %q: %w", ref.Label, err)
	case len(found) == 0:
		return identity.App{}, missing(v1alpha1.ReasonAppNotFound, "there is no app with the label %q in Okta; mend signIn.apps", ref.Label)
	case len(found) > 1:
		return identity.App{}, missing(v1alpha1.ReasonAppAmbiguous,
			"%d apps have the label %q in Okta; name the one you mean by its id", len(found), ref.Label)
	}
	// A list may be late to tell what governs the app.
	app, err := c.Directory.GetApp(ctx, found[0].ID)
	if err != nil {
		return identity.App{}, fmt.Errorf("looking for app %q: %w", ref.Label, err)
	}
	if app == nil {
		return identity.App{}, missing(v1alpha1.ReasonAppNotFound, "the app with the label %q has been deleted in Okta", ref.Label)
	}
	return *app, nil
}

// conflict holds that no older policy governs one of the apps.
func (c *Controller) conflict(ctx context.Context, policy *v1alpha1.AccessPolicy, apps []identity.App) error {
	var all v1alpha1.AccessPolicyList
	if err := c.Client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing the policies: %w", err)
	}
	for i := range all.Items {
		other := &all.Items[i]
		if other.UID == policy.UID || other.Status.Conditional == nil || !older(other, policy) {
			continue
		}
		for _, governed := range other.Status.Conditional.Apps {
			if at := slices.IndexFunc(apps, func(a identity.App) bool { return a.ID == governed.ID }); at >= 0 {
				return missing(v1alpha1.ReasonAppConflict,
					"an older AccessPolicy governs app %q (%s) already; an app can have one: take it out of either",
					apps[at].Label, governed.ID)
			}
		}
	}
	return nil
}

func older(a, than *v1alpha1.AccessPolicy) bool {
	if a.CreationTimestamp.Equal(&than.CreationTimestamp) {
		return a.UID < than.UID
	}
	return a.CreationTimestamp.Before(&than.CreationTimestamp)
}
