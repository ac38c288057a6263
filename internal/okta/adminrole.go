package okta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const (
	adminRoles   = "/api/v1/iam/roles"
	resourceSets = "/api/v1/iam/resource-sets"
)

// adminKey is the name under which the directory remembers the admin role of an owner.
func adminKey(owner identity.Mark, label string) orgPolicy {
	return orgPolicy{base: adminRoles, owner: owner, name: label}
}

func everythingOf(want identity.AdminRole) string {
	return string(mustJSON([]any{want.Permissions, want.Resources, want.Group, policyMark(want.Mark).String()}))
}

// NarrowAdminRole implements identity.AdminRoles.
func (d *Directory) NarrowAdminRole(ctx context.Context, want identity.AdminRole) error {
	key, everything := adminKey(want.Mark, want.Label), everythingOf(want)
	if _, is := d.madePolicies.known(key, everything, d.clock.Now()); is {
		return nil
	}
	return d.remembering(adminCall{key, narrowing}, everything, func() error {
		d.madePolicies.changing(key)
		seen, err := d.observeAdmin(ctx, want.Mark, want.Label, want.Group)
		if err != nil {
			return err
		}
		seen, err = d.narrowAdmin(ctx, want, seen)
		if err == nil {
			d.admins.looked(key, seen, d.clock.Now())
		}
		return err
	})
}

// remembering does something for an admin role, unless that was done, or refused, a while ago.
func (d *Directory) remembering(call adminCall, want string, do func() error) error {
	if is, err := d.admins.outcome(call, want, d.clock.Now()); is {
		return err
	}
	d.admins.changing(call, want)
	return d.admins.keep(call, want, do(), d.clock.Now())
}

// PutAdminRole implements identity.AdminRoles.
func (d *Directory) PutAdminRole(ctx context.Context, want identity.AdminRole) error {
	key, everything := adminKey(want.Mark, want.Label), everythingOf(want)
	if _, is := d.madePolicies.known(key, everything, d.clock.Now()); is {
		return nil
	}
	return d.remembering(adminCall{key, putting}, everything, func() error {
		d.madePolicies.changing(key)
		return d.putAdmin(ctx, want)
	})
}

func (d *Directory) putAdmin(ctx context.Context, want identity.AdminRole) error {
	key := adminKey(want.Mark, want.Label)
	seen, known := d.admins.take(key, d.clock.Now())
	if !known {
		var err error
		if seen, err = d.observeAdmin(ctx, want.Mark, want.Label, want.Group); err != nil {
			return err
		}
	}
	seen, err := d.narrowAdmin(ctx, want, seen)
	if err != nil {
		return err
	}
	if err := d.growRole(ctx, want, &seen); err != nil {
		return err
	}
	written, err := d.growSet(ctx, want, &seen)
	if err == nil && written {
		err = d.readBack(ctx, want, seen)
	}
	if err != nil {
		return err
	}
	if err := d.bindAdmin(ctx, want, seen); err != nil {
		return err
	}
	d.madePolicies.verified(key, seen.role.ID, everythingOf(want), d.clock.Now())
	return nil
}

// narrowAdmin takes away what is not wanted, and tells what is left. Okta may refuse to take
// the last permission or resource away: then the whole goes, and what bound it before that.
func (d *Directory) narrowAdmin(ctx context.Context, want identity.AdminRole, seen adminSeen) (adminSeen, error) {
	roleStays := slices.ContainsFunc(seen.permissions, wantedIn(want.Permissions))
	setStays := slices.ContainsFunc(seen.resources, func(r adminResource) bool { return r.wantedIn(want.Resources) })
	if seen.bound && (!roleStays || !setStays || !seen.binds(want.Group)) {
		if err := d.drop(ctx, seen.binding()); err != nil {
			return seen, err
		}
		seen.bound, seen.members = false, nil
	}
	if err := d.dropMembers(ctx, want, &seen); err != nil {
		return seen, err
	}
	if !roleStays {
		if err := d.dropLabelled(ctx, adminRoles, seen.role); err != nil {
			return seen, err
		}
		seen.role, seen.permissions = labelled{}, nil
	}
	if !setStays {
		if err := d.dropLabelled(ctx, resourceSets, seen.set); err != nil {
			return seen, err
		}
		seen.set, seen.resources = labelled{}, nil
	}
	return seen, d.dropExcess(ctx, want, &seen)
}

// dropMembers takes out who has the admin role beside the group.
func (d *Directory) dropMembers(ctx context.Context, want identity.AdminRole, seen *adminSeen) error {
	for _, m := range seen.members {
		if m.group() == want.Group {
			continue
		}
		if err := d.drop(ctx, seen.binding()+"/members/"+url.PathEscape(m.ID)); err != nil {
			return err
		}
	}
	return nil
}

// dropExcess takes permissions and resources away of which others stay.
func (d *Directory) dropExcess(ctx context.Context, want identity.AdminRole, seen *adminSeen) error {
	for _, permission := range seen.permissions {
		if slices.Contains(want.Permissions, permission) {
			continue
		}
		if err := d.drop(ctx, pathOf(adminRoles, seen.role)+"/permissions/"+url.PathEscape(permission)); err != nil {
			return err
		}
	}
	for _, r := range seen.resources {
		if r.wantedIn(want.Resources) {
			continue
		}
		if err := d.drop(ctx, pathOf(resourceSets, seen.set)+"/resources/"+url.PathEscape(r.ID)); err != nil {
			return err
		}
	}
	return nil
}

// drop deletes; gone already is success.
func (d *Directory) drop(ctx context.Context, path string) error {
	if _, err := d.org.call(ctx, http.MethodDelete, path, nil, nil); err != nil && !fault.IsGone(err) {
		return err
	}
	return nil
}

// dropLabelled deletes a custom role or a resource set, if there is one.
func (d *Directory) dropLabelled(ctx context.Context, base string, l labelled) error {
	if l.ID == "" {
		return nil
	}
	return d.drop(ctx, pathOf(base, l))
}

// growRole makes the custom role, or gives it what it lacks.
func (d *Directory) growRole(ctx context.Context, want identity.AdminRole, seen *adminSeen) error {
	body := object{"label": want.Label, "description": policyMark(want.Mark).String(), "permissions": want.Permissions}
	if seen.role.ID == "" {
		return d.makeLabelled(ctx, want, adminRoles, body, &seen.role)
	}
	if err := d.mendLabelled(ctx, want, adminRoles, seen.role); err != nil {
		return err
	}
	for _, permission := range want.Permissions {
		if slices.Contains(seen.permissions, permission) {
			continue
		}
		path := pathOf(adminRoles, seen.role) + "/permissions/" + url.PathEscape(permission)
		if _, err := d.org.call(ctx, http.MethodPost, path, nil, nil); err != nil {
			return d.mayBeLate(err)
		}
	}
	return nil
}

// readBack holds that Okta shows the resources that were written as those that are wanted, in
// one of the forms in which it names them. What it shows as something else is given to nobody,
// and not written again: whoever wrote it down has to say which of the two is meant.
func (d *Directory) readBack(ctx context.Context, want identity.AdminRole, seen adminSeen) error {
	listed, err := adminList[adminResource](asking(ctx), d.org, pathOf(resourceSets, seen.set)+"/resources", "resources")
	if fault.IsGone(err) {
		// It does not show yet. What it is shows at the next look.
		return nil
	}
	if err != nil {
		return err
	}
	missing := slices.IndexFunc(want.Resources, func(text string) bool {
		return !slices.ContainsFunc(listed, func(r adminResource) bool { return r.is(text) })
	})
	other := slices.IndexFunc(listed, func(r adminResource) bool { return !r.wantedIn(want.Resources) })
	if missing < 0 || other < 0 {
		return nil
	}
	if seen.bound {
		if err := d.drop(ctx, seen.binding()); err != nil {
			return err
		}
	}
	return d.admins.misread(adminKey(want.Mark, want.Label), everythingOf(want), &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonInvalidRequest,
		Message: fmt.Sprintf("Okta shows the resource %s of okta.adminPermissions as another one: %s (%s); nothing is given until "+
			"the operator's configuration names what is meant as Okta does",
			want.Resources[missing], listed[other].ORN, listed[other].Links.Self.Href),
	})
}

// growSet makes the resource set, or gives it what it lacks, and tells whether it wrote.
func (d *Directory) growSet(ctx context.Context, want identity.AdminRole, seen *adminSeen) (written bool, err error) {
	body := object{"label": want.Label, "description": policyMark(want.Mark).String(), "resources": want.Resources}
	if seen.set.ID == "" {
		return true, d.makeLabelled(ctx, want, resourceSets, body, &seen.set)
	}
	if err := d.mendLabelled(ctx, want, resourceSets, seen.set); err != nil {
		return false, err
	}
	missing := slices.DeleteFunc(slices.Clone(want.Resources), func(text string) bool {
		return slices.ContainsFunc(seen.resources, func(r adminResource) bool { return r.is(text) })
	})
	if len(missing) == 0 {
		return false, nil
	}
	_, err = d.org.call(ctx, http.MethodPatch, pathOf(resourceSets, seen.set)+"/resources", object{"additions": missing}, nil)
	return true, d.mayBeLate(err)
}

func (d *Directory) makeLabelled(ctx context.Context, want identity.AdminRole, base string, body object, made *labelled) error {
	d.madePolicies.put(adminKey(want.Mark, want.Label), "", d.clock.Now())
	_, err := d.org.call(ctx, http.MethodPost, base, body, made)
	if err == nil && made.ID == "" {
		err = incomplete()
	}
	return d.mayBeLate(err)
}

// mendLabelled writes our words over what a person has written, or an earlier namesake.
func (d *Directory) mendLabelled(ctx context.Context, want identity.AdminRole, base string, have labelled) error {
	description := policyMark(want.Mark).String()
	if have.Description == description && have.Label == want.Label {
		return nil
	}
	_, err := d.org.call(ctx, http.MethodPut, pathOf(base, have), object{"label": want.Label, "description": description}, nil)
	return err
}

// mayBeLate makes a refusal a wait that comes of what Okta has and does not show yet.
func (d *Directory) mayBeLate(err error) error {
	if status, _ := fault.StatusOf(err); status.Exists || fault.IsGone(err) {
		return waitingFor(err, "Okta has a part of the admin role and does not show it yet, or the other way round; it is looked at again")
	}
	return err
}

// bindAdmin assigns the admin role to the group.
func (d *Directory) bindAdmin(ctx context.Context, want identity.AdminRole, seen adminSeen) error {
	if seen.bound {
		return nil
	}
	body := object{"role": seen.role.ID, "members": []string{d.orgURL + "/api/v1/groups/" + url.PathEscape(want.Group)}}
	_, err := d.org.call(ctx, http.MethodPost, pathOf(resourceSets, seen.set)+"/bindings", body, nil)
	return d.mayBeLate(err)
}

// DeleteAdminRole implements identity.AdminRoles.
func (d *Directory) DeleteAdminRole(ctx context.Context, owner identity.Mark, label, group string) error {
	key := adminKey(owner, label)
	return d.remembering(adminCall{key, deleting}, group, func() error {
		d.madePolicies.changing(key)
		return d.deleteAdmin(ctx, key, group)
	})
}

func (d *Directory) deleteAdmin(ctx context.Context, key orgPolicy, group string) error {
	d.admins.take(key, d.clock.Now())
	role, set, err := d.findAdmin(ctx, key.owner, key.name, group)
	if err != nil {
		return err
	}
	if role.ID != "" && set.ID != "" {
		// It may be there although it does not show yet.
		if err := d.drop(ctx, adminSeen{role: role, set: set}.binding()); err != nil {
			return err
		}
	}
	if err := d.dropLabelled(ctx, adminRoles, role); err != nil {
		return err
	}
	if err := d.dropLabelled(ctx, resourceSets, set); err != nil {
		return err
	}
	if role.ID == "" || set.ID == "" {
		if _, left := d.madePolicies.recent(key, d.clock.Now()); left > 0 {
			return unsettled(left)
		}
	}
	d.madePolicies.forget(key)
	return nil
}
