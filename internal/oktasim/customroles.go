package oktasim

import (
	"net/http"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// customRole is a custom admin role: permissions without what they are over.
type customRole struct {
	meta
	label, description string
	permissions        []*rolePermission
}

// rolePermission is a permission of a custom role.
type rolePermission struct {
	meta
	name string
}

func (r *customRole) permission(name string) *rolePermission {
	for _, p := range r.permissions {
		if p.name == name {
			return p
		}
	}
	return nil
}

// grantable are the permissions a custom role may have, by Okta's catalogue. Those of
// Identity Governance and okta.apps.manageFirstPartyApps are for standard roles only.
func grantable(name string) bool {
	return slices.Contains([]string{
		"okta.agents.manage", "okta.agents.read", "okta.agents.register",
		"okta.apps.assignment.manage", "okta.apps.clientCredentials.read", "okta.apps.manage", "okta.apps.read",
		"okta.apps.universalLogout.manage", "okta.apps.universalLogout.read",
		"okta.authzServers.manage", "okta.authzServers.read", "okta.customizations.manage", "okta.customizations.read",
		"okta.devices.lifecycle.activate", "okta.devices.lifecycle.deactivate", "okta.devices.lifecycle.delete",
		"okta.devices.lifecycle.manage", "okta.devices.lifecycle.suspend", "okta.devices.lifecycle.unsuspend",
		"okta.devices.manage", "okta.devices.read", "okta.directories.manage", "okta.directories.read",
		"okta.groups.appAssignment.manage", "okta.groups.create", "okta.groups.manage", "okta.groups.members.manage", "okta.groups.read",
		"okta.iam.read", "okta.identityProviders.manage", "okta.identityProviders.read",
		"okta.policies.manage", "okta.policies.read", "okta.profilesources.import.run",
		"okta.realms.manage", "okta.realms.read", "okta.support.cases.manage",
		"okta.users.apitokens.clear", "okta.users.apitokens.manage", "okta.users.apitokens.read", "okta.users.appAssignment.manage",
		"okta.users.create", "okta.users.credentials.expirePassword", "okta.users.credentials.manage",
		"okta.users.credentials.manageTemporaryAccessCode", "okta.users.credentials.resetFactors", "okta.users.credentials.resetPassword",
		"okta.users.groupMembership.manage", "okta.users.lifecycle.activate", "okta.users.lifecycle.clearSessions",
		"okta.users.lifecycle.deactivate", "okta.users.lifecycle.delete", "okta.users.lifecycle.manage", "okta.users.lifecycle.suspend",
		"okta.users.lifecycle.unlock", "okta.users.lifecycle.unsuspend", "okta.users.manage", "okta.users.read",
		"okta.users.risk.manage", "okta.users.risk.read", "okta.users.userprofile.manage", "okta.users.userprofile.read",
		"okta.workflows.invoke", "okta.workflows.read",
	}, name)
}

func badPermission(name string) error {
	return validation("permissions", "permissions: '"+name+"' can't be a permission of a custom role")
}

func customRoleShape(fields shape.Object) shape.Shape {
	for _, name := range []string{"id", "created", "lastUpdated", "isCloneable", "_links"} {
		fields[name] = shape.ReadOnly{}
	}
	fields["label"], fields["description"] = shape.Text{Min: 1, Max: 100}, shape.Text{Min: 1, Max: 255}
	return fields
}

func (o *Org) createCustomRole(c *call) (*reply, error) {
	body, err := parse(c, customRoleShape(shape.Object{"permissions": shape.List{Of: shape.Text{Min: 1}}}), "role")
	if err != nil {
		return nil, err
	}
	if err := readLabelled(body); err != nil {
		return nil, err
	}
	if _, taken := o.roleLabelled(body.text("label")); taken {
		return nil, takenLabel()
	}
	r := &customRole{meta: o.newMeta("cr0", c.now), label: body.text("label"), description: body.text("description")}
	for _, name := range body.texts("permissions") {
		if !grantable(name) || r.permission(name) != nil {
			return nil, badPermission(name)
		}
		r.permissions = append(r.permissions, &rolePermission{o.newMeta("crp", c.now), name})
	}
	if len(r.permissions) == 0 {
		return nil, validation("permissions", "permissions: The field cannot be left blank")
	}
	o.customRoles.add(r)
	o.log(o.caller(c), adminRoleMade, r)
	return ok(o.renderCustomRole(r))
}

// roleLabelled finds a custom role by its id or its label, as the paths do.
func (o *Org) roleLabelled(idOrLabel string) (*customRole, bool) {
	if r, found := o.customRoles.get(idOrLabel); found {
		return r, true
	}
	for _, r := range o.customRoles.order {
		if r.label == idOrLabel {
			return r, true
		}
	}
	return nil, false
}

func (o *Org) findCustomRole(c *call) (*customRole, error) {
	r, found := o.roleLabelled(c.params["roleIdOrLabel"])
	if !found || c.request.Method == http.MethodGet && !o.readable(r, c.now) {
		return nil, notFound(c.params["roleIdOrLabel"], "CustomRole")
	}
	return r, nil
}

func (o *Org) listCustomRoles(c *call) (*reply, error) {
	p, err := readPage(c, iamPage, iamPage)
	if err != nil {
		return nil, err
	}
	return iamList(o, c, "roles", p, &o.customRoles, map[string]any{}, func(r *customRole) any { return o.renderCustomRole(r) })
}

func (o *Org) getCustomRole(c *call) (*reply, error) {
	r, err := o.findCustomRole(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderCustomRole(r))
}

// putCustomRole changes label and description only: permissions have operations of their own.
func (o *Org) putCustomRole(c *call) (*reply, error) {
	r, err := o.findCustomRole(c)
	if err != nil {
		return nil, err
	}
	body, err := parse(c, customRoleShape(shape.Object{}), "role")
	if err != nil {
		return nil, err
	}
	if err := readLabelled(body); err != nil {
		return nil, err
	}
	if other, taken := o.roleLabelled(body.text("label")); taken && other != r {
		return nil, takenLabel()
	}
	r.label, r.description = body.text("label"), body.text("description")
	r.touch(c.now)
	o.log(o.caller(c), adminRoleChanged, r)
	return ok(o.renderCustomRole(r))
}

func (o *Org) deleteCustomRole(c *call) (*reply, error) {
	r, err := o.findCustomRole(c)
	if err != nil {
		return nil, err
	}
	for _, s := range o.resourceSets.order {
		if s.binding(r) != nil {
			return nil, validation("role", "role: is assigned by the resource set "+s.id+"; delete the binding first")
		}
	}
	o.customRoles.remove(r.id)
	o.log(o.caller(c), adminRoleDeleted, r)
	return noContent()
}

func (o *Org) listRolePermissions(c *call) (*reply, error) {
	r, err := o.findCustomRole(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, p := range r.permissions {
		rendered = append(rendered, o.renderPermission(r, p))
	}
	return ok(map[string]any{"permissions": rendered})
}

func (o *Org) findRolePermission(c *call) (*customRole, *rolePermission, error) {
	r, err := o.findCustomRole(c)
	if err != nil {
		return nil, nil, err
	}
	p := r.permission(c.params["permissionType"])
	if p == nil {
		return nil, nil, notFound(c.params["permissionType"], "Permission")
	}
	return r, p, nil
}

func (o *Org) getRolePermission(c *call) (*reply, error) {
	r, p, err := o.findRolePermission(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderPermission(r, p))
}

// addRolePermission takes a request without a body, as recorded, or one without conditions.
func (o *Org) addRolePermission(c *call) (*reply, error) {
	r, err := o.findCustomRole(c)
	if err != nil {
		return nil, err
	}
	if len(c.body) > 0 {
		if _, err := parse(c, shape.Object{}, "permission"); err != nil {
			return nil, err
		}
	}
	name := c.params["permissionType"]
	if !grantable(name) {
		return nil, badPermission(name)
	}
	if r.permission(name) != nil {
		return nil, validation("permissionType", "permissionType: The role has the permission already")
	}
	r.permissions = append(r.permissions, &rolePermission{o.newMeta("crp", c.now), name})
	r.touch(c.now)
	o.log(o.caller(c), adminPermissionAdded, r)
	return noContent()
}

func (o *Org) removeRolePermission(c *call) (*reply, error) {
	r, p, err := o.findRolePermission(c)
	if err != nil {
		return nil, err
	}
	if len(r.permissions) == 1 {
		return nil, validation("permissionType", "permissionType: A role must have at least one permission")
	}
	r.permissions = slices.DeleteFunc(r.permissions, func(other *rolePermission) bool { return other == p })
	r.touch(c.now)
	o.log(o.caller(c), adminPermissionRemoved, r)
	return noContent()
}

func (o *Org) renderCustomRole(r *customRole) map[string]any {
	self := iamRoles + "/" + r.id
	return map[string]any{
		"id": r.id, "label": r.label, "description": r.description, "created": stamp(r.created), "lastUpdated": stamp(r.updated),
		"_links": map[string]any{"self": o.link(self), "permissions": o.link(self + "/permissions")},
	}
}

func (o *Org) renderPermission(r *customRole, p *rolePermission) map[string]any {
	role := iamRoles + "/" + r.id
	return map[string]any{
		"label": p.name, "created": stamp(p.created), "lastUpdated": stamp(p.updated), "conditions": nil,
		"_links": map[string]any{"self": o.link(role + "/permissions/" + p.name), "role": o.link(role)},
	}
}
