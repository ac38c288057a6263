package identity

import "context"

// AdminRole gives the members of a group permissions to administer the directory itself:
// in Okta a custom admin role, a resource set, and a binding of both with the group.
type AdminRole struct {
	Mark Mark
	// Label is unique in the directory and stable for the life of the role.
	Label string
	// Group is the id of the group.
	Group string
	// Permissions are sorted, never empty.
	Permissions []string
	// Resources are what the permissions are over: addresses or names of the directory's
	// own; sorted, never empty.
	Resources []string
}

// AdminRoles keeps what people may administer by a role. The group says first that there
// is, or may be, an AdminRole of the role's (Group.Administering).
//
// What has the label and does not carry the owner's mark is left as it is, and is an error
// of kind Conflict; but the owner's group is taken out of it first. What is done, and what is
// refused, is remembered: to ask for the same again costs no call.
type AdminRoles interface {
	// NarrowAdminRole takes away whatever there is beyond want: permissions, resources and
	// holders. It gives nothing; nothing there is success. That nothing is, is believed for
	// an hour.
	NarrowAdminRole(ctx context.Context, want AdminRole) error
	// PutAdminRole creates the admin role, or makes it equal. What is taken away is taken
	// away first. That it is equal is believed for an hour.
	PutAdminRole(ctx context.Context, want AdminRole) error
	// DeleteAdminRole takes it from the group first, and then removes the rest; gone
	// already is success. group is the id of the owner's group; empty when there is none.
	DeleteAdminRole(ctx context.Context, owner Mark, label, group string) error
}
