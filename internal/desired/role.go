package desired

import (
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Settings are what the operator's configuration adds to every object.
type Settings struct {
	// Cluster is the clusterID.
	Cluster string
	// TokenLifetime is how long access tokens live.
	TokenLifetime time.Duration
}

// Role is what should stand in the directory for an AIAgentRole.
type Role struct {
	Mark  identity.Mark
	Group identity.Group
	// Permissions are sorted by name.
	Permissions   []identity.Permission
	TokenLifetime time.Duration
}

// RoleOf translates an AIAgentRole.
func RoleOf(role *v1alpha1.AIAgentRole, settings Settings) Role {
	mark := identity.Mark{
		Cluster: settings.Cluster, Kind: "AIAgentRole",
		Namespace: role.Namespace, Name: role.Name, UID: string(role.UID),
		Since: role.CreationTimestamp.Unix(),
	}
	permissions := make([]identity.Permission, 0, len(role.Spec.Permissions))
	for _, p := range role.Spec.Permissions {
		permissions = append(permissions, identity.Permission{Name: string(p.Name), Description: p.Description})
	}
	slices.SortFunc(permissions, func(a, b identity.Permission) int { return strings.Compare(a.Name, b.Name) })
	return Role{
		Mark:          mark,
		Group:         identity.Group{Mark: mark, Name: GroupName(mark), Description: groupDescription(role)},
		Permissions:   permissions,
		TokenLifetime: settings.TokenLifetime,
	}
}

func groupDescription(role *v1alpha1.AIAgentRole) string {
	name := role.Spec.DisplayName
	if name == "" {
		name = role.Name
	}
	if role.Spec.Description == "" {
		return name
	}
	return name + ": " + role.Spec.Description
}

// PermissionNames are the names of the role's permissions, sorted.
func (r Role) PermissionNames() []string {
	names := make([]string, 0, len(r.Permissions))
	for _, p := range r.Permissions {
		names = append(names, p.Name)
	}
	return names
}

// Grant is the role's grant for clients.
func (r Role) Grant(clients []string) identity.Grant {
	return identity.Grant{
		Mark: r.Mark, Name: GrantName(r.Mark), Clients: slices.Sorted(slices.Values(clients)),
		Permissions: r.PermissionNames(), TokenLifetime: r.TokenLifetime,
	}
}
