package okta

import (
	"context"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

var _ identity.Directory = (*Directory)(nil)

// ObserveRole implements identity.Roles.
func (d *Directory) ObserveRole(ctx context.Context, role identity.Mark, groupName string) (identity.RoleSeen, error) {
	seen := identity.RoleSeen{Permissions: map[string]identity.Permission{}, Foreign: map[string]bool{}}
	if err := d.setting.check(ctx); err != nil {
		return identity.RoleSeen{}, err
	}
	g, found, err := d.groupOf(ctx, role, groupName)
	if err != nil {
		return identity.RoleSeen{}, err
	}
	if found {
		seen.Group = seenGroup(g)
	}
	s, found, err := d.own(ctx)
	if err != nil {
		return identity.RoleSeen{}, err
	}
	if !found {
		return seen, nil
	}
	seen.Server = seenServer(s)
	if twin, has := d.twin(s); has {
		seen.Twin = twin.ID
	}
	if seen.Permissions, seen.Foreign, err = d.seenScopes(ctx); err != nil {
		return identity.RoleSeen{}, err
	}
	p, found, err := d.policyOf(ctx, role)
	if err != nil {
		return identity.RoleSeen{}, err
	}
	seen.Unsettled = max(d.groups.unsettled(), d.scopes.unsettled(), d.policies.unsettled())
	if !found {
		return seen, nil
	}
	seen.Grant = seenGrant(role, p)
	if seen.Shadows, err = d.shadows(ctx, p); err != nil {
		return identity.RoleSeen{}, err
	}
	return seen, nil
}
