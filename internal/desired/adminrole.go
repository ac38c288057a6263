package desired

import "github.com/agentidentity/agent-identity-operator/internal/identity"

// AdminPermission is an okta.* permission that a role names.
type AdminPermission struct {
	Name string
	// Resources are what the configuration allows it over; none when it does not allow it.
	Resources []string
	// Excessive tells that a ceiling does not let the role's namespace have it.
	Excessive bool
}

// AdminRole is what the people of the role's group are to administer.
func (r Role) AdminRole(groupID string, permissions, resources []string) identity.AdminRole {
	return identity.AdminRole{
		Mark: r.Mark, Label: AdminLabel(r.Mark), Group: groupID, Permissions: permissions, Resources: resources,
	}
}
