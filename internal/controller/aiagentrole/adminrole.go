package aiagentrole

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// limitAdmin marks the okta.* permissions that the namespace may not have.
func limitAdmin(ctx context.Context, look restraint.Look, want *desired.Role) error {
	if len(want.Admin) == 0 {
		return nil
	}
	names := make([]string, 0, len(want.Admin))
	for _, p := range want.Admin {
		names = append(names, p.Name)
	}
	ceilings, err := look.Ceilings(ctx, want.Mark.Namespace)
	if err != nil {
		return err
	}
	allowed := ceilings.Permitted(names)
	for i := range want.Admin {
		want.Admin[i].Excessive = !slices.Contains(allowed, want.Admin[i].Name)
	}
	return nil
}

// excessive says which okta.* permissions the namespace may not have; nil for none.
func excessive(want desired.Role) error {
	var names []string
	for _, p := range want.Admin {
		if p.Excessive {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonCeilingExceeded,
		Message: fmt.Sprintf("no Ceiling lets people of namespace %q have %s; take them out of spec.permissions, or have a Ceiling raised. "+
			"All else is given", want.Mark.Namespace, strings.Join(names, ", ")),
	}
}

// lessen takes away what people may not administer any more. Until it is done the group goes
// on saying what it says: that there may be something, or, when the operator lacks what it
// needs for that, that there is nothing.
func (c *Controller) lessen(ctx context.Context, want *desired.Role, roster identity.Roster) error {
	step := plan.AdminFirst(*want, roster)
	if step == nil {
		return nil
	}
	if roster.Administering {
		ctx = identity.Urgently(ctx)
	}
	err := c.takeAdmin(ctx, *step)
	if err != nil {
		want.Group.Administering = roster.Administering
	}
	return err
}

// empower gives what people are to administer. The group has said before that it does.
func (c *Controller) empower(ctx context.Context, want desired.Role) error {
	if len(want.Admin) == 0 {
		return nil
	}
	roster, err := c.Directory.ObserveMembers(ctx, want.Mark, want.Group.Name)
	if err != nil {
		return fmt.Errorf("observing the group: %w", err)
	}
	if step := plan.AdminLast(want, roster); step != nil {
		if err := c.takeAdmin(ctx, *step); err != nil {
			return err
		}
	}
	return cmp.Or(plan.AdminRefused(want), excessive(want))
}

// disempowered does away with all of it, for a role that is being deleted.
func (c *Controller) disempowered(ctx context.Context, want desired.Role) error {
	roster, err := c.Directory.ObserveMembers(ctx, want.Mark, want.Group.Name)
	if err != nil {
		return fmt.Errorf("observing the members: %w", err)
	}
	// A group that was deleted by hand says nothing of what was bound to it.
	said := roster.Administering
	roster.Administering = said || plan.Administers(want)
	want.Admin = nil
	err = c.lessen(ctx, &want, roster)
	if e, ok := errors.AsType[*identity.Error](err); ok && !said && e.Reason == identity.ReasonPermissionDenied {
		// Who may not look has not given anything either.
		return nil
	}
	return err
}

func (c *Controller) takeAdmin(ctx context.Context, step plan.AdminStep) error {
	var err error
	switch step.Verb {
	case plan.NarrowAdminRole:
		err = c.Directory.NarrowAdminRole(ctx, step.Admin)
	case plan.PutAdminRole:
		err = c.Directory.PutAdminRole(ctx, step.Admin)
	case plan.DeleteAdminRole:
		err = c.Directory.DeleteAdminRole(ctx, step.Admin.Mark, step.Admin.Label, step.Admin.Group)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", step.Verb, err)
	}
	ctrl.LoggerFrom(ctx).V(1).Info("took a step", "step", step.Verb, "because", step.Reason)
	return nil
}
