package oktasim

import "github.com/agentidentity/agent-identity-operator/internal/oktasim/eventlog"

// The types of events about custom admin roles.
const (
	adminRoleMade          = "iam.role.create"
	adminRoleChanged       = "iam.role.update"
	adminRoleDeleted       = "iam.role.delete"
	adminPermissionAdded   = "iam.role.permissions.add"
	adminPermissionRemoved = "iam.role.permissions.delete"
	resourceSetMade        = "iam.resourceset.create"
	resourceSetChanged     = "iam.resourceset.update"
	resourceSetDeleted     = "iam.resourceset.delete"
	resourcesAdded         = "iam.resourceset.resources.add"
	resourcesRemoved       = "iam.resourceset.resources.delete"
	bindingsAdded          = "iam.resourceset.bindings.add"
	bindingsRemoved        = "iam.resourceset.bindings.delete"
	groupPrivileged        = "group.privilege.grant"
	groupUnprivileged      = "group.privilege.revoke"
	userPrivileged         = "user.account.privilege.grant"
	userUnprivileged       = "user.account.privilege.revoke"
)

func iamEventKinds() map[string]string {
	return map[string]string{
		adminRoleMade: "Custom admin role is created", adminRoleChanged: "Custom admin role update",
		adminRoleDeleted:       "Custom admin role is deleted",
		adminPermissionAdded:   "Permissions are added to a custom admin role",
		adminPermissionRemoved: "Permissions are deleted from a custom admin role",
		resourceSetMade:        "Resource set is created", resourceSetChanged: "Resource set update",
		resourceSetDeleted: "Resource set is deleted",
		resourcesAdded:     "Resources are added to a resource set", resourcesRemoved: "Resources are deleted from a resource set",
		bindingsAdded: "Admin role assignment is created", bindingsRemoved: "Admin assignment is deleted",
		groupPrivileged: "Group's admin privilege granted", groupUnprivileged: "Group's admin privilege revoked",
		userPrivileged: "User's admin privileges changed", userUnprivileged: "All of user's admin privilege revoked",
	}
}

func (r *customRole) party() eventlog.Party {
	return eventlog.Party{ID: r.id, Type: "CUSTOM_ROLE", AlternateID: unknownText, DisplayName: r.label}
}

func (s *resourceSet) party() eventlog.Party {
	return eventlog.Party{ID: s.id, Type: "RESOURCE_SET", AlternateID: unknownText, DisplayName: s.label}
}

// logAssigned writes down an assignment, and for each member that it is privileged.
func (o *Org) logAssigned(c *call, s *resourceSet, b *binding, added []*assignee) {
	targets := []subject{s, b.role}
	for _, m := range added {
		targets = append(targets, m.who)
	}
	o.log(o.caller(c), bindingsAdded, targets...)
	for _, m := range added {
		kind := groupPrivileged
		if _, isUser := m.who.(*user); isUser {
			kind = userPrivileged
		}
		o.log(o.caller(c), kind, m.who)
	}
}

// logUnassigned writes down the end of one, and for a member to whom nothing is assigned
// any more, that it is not privileged any more.
func (o *Org) logUnassigned(by source, s *resourceSet, b *binding, removed []*assignee) {
	targets := []subject{s, b.role}
	for _, m := range removed {
		targets = append(targets, m.who)
	}
	o.log(by, bindingsRemoved, targets...)
	for _, m := range removed {
		kind := groupUnprivileged
		if _, isUser := m.who.(*user); isUser {
			kind = userUnprivileged
		}
		if !o.assigned(m.path) {
			o.log(by, kind, m.who)
		}
	}
}

// iamHappenings are the operations on custom admin roles, which write their events themselves.
func iamHappenings(all map[string]happening) {
	for _, r := range iamRoutes() {
		if r.method != "GET" {
			all[r.method+" "+r.template] = happens()
		}
	}
}
