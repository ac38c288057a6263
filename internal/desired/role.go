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
	// AdminResources are, by the name of each okta.* permission that the configuration
	// allows, the resources that it allows it over.
	AdminResources map[string][]string
}

// Role is what should stand in the directory for an AIAgentRole.
type Role struct {
	Mark  identity.Mark
	Group identity.Group
	// Members are the logins of the people who hold the role, sorted, each once; nil
	// when the role says nothing of people.
	Members []string
	// Refused are those of them whom the namespace may not name.
	Refused []string
	// Factors are the second factors every member must have, sorted; StartFactors tells
	// that the enrolment of what is missing is started.
	Factors      []identity.FactorKind
	StartFactors bool
	// Permissions are the agents', sorted by name.
	Permissions []identity.Permission
	// Admin are the okta.* permissions, which the people of the group are to have, sorted by
	// name.
	Admin         []AdminPermission
	TokenLifetime time.Duration
}

// RoleOf translates an AIAgentRole.
func RoleOf(role *v1alpha1.AIAgentRole, settings Settings) Role {
	mark := identity.Mark{
		Cluster: settings.Cluster, Kind: "AIAgentRole",
		Namespace: role.Namespace, Name: role.Name, UID: string(role.UID),
		Since: role.CreationTimestamp.Unix(),
	}
	permissions, admin := permissionsOf(role, settings)
	members := membersOf(role)
	factors, start := factorsOf(role)
	return Role{
		Mark: mark,
		Group: identity.Group{
			Mark: mark, Name: GroupName(mark), Description: groupDescription(role),
			Managed: members != nil, Enrolling: start,
		},
		Members:       members,
		Factors:       factors,
		StartFactors:  start,
		Permissions:   permissions,
		Admin:         admin,
		TokenLifetime: settings.TokenLifetime,
	}
}

// permissionsOf tells those of agents from those of people.
func permissionsOf(role *v1alpha1.AIAgentRole, settings Settings) ([]identity.Permission, []AdminPermission) {
	permissions := make([]identity.Permission, 0, len(role.Spec.Permissions))
	var admin []AdminPermission
	for _, p := range role.Spec.Permissions {
		name := string(p.Name)
		if strings.HasPrefix(name, identity.AdminPrefix) {
			admin = append(admin, AdminPermission{Name: name, Resources: settings.AdminResources[name]})
			continue
		}
		permissions = append(permissions, identity.Permission{Name: name, Description: p.Description})
	}
	slices.SortFunc(permissions, func(a, b identity.Permission) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(admin, func(a, b AdminPermission) int { return strings.Compare(a.Name, b.Name) })
	return permissions, admin
}

// membersOf gives the logins, of which Okta does not mind the case.
func membersOf(role *v1alpha1.AIAgentRole) []string {
	if role.Spec.Members == nil {
		return nil
	}
	members := []string{}
	for _, login := range role.Spec.Members.Users {
		members = append(members, strings.ToLower(string(login)))
	}
	slices.Sort(members)
	return slices.Compact(members)
}

func factorsOf(role *v1alpha1.AIAgentRole) ([]identity.FactorKind, bool) {
	mfa := role.Spec.MFA
	if mfa == nil {
		return nil, false
	}
	factors := make([]identity.FactorKind, 0, len(mfa.Factors))
	for _, factor := range mfa.Factors {
		factors = append(factors, identity.FactorKind(factor))
	}
	slices.Sort(factors)
	return factors, mfa.Enroll == v1alpha1.EnrollStart
}

// Enrollment is what the members must have enrolled, of a role that has it started.
func (r Role) Enrollment(groupID string) identity.Enrollment {
	return identity.Enrollment{Mark: r.Mark, Name: GrantName(r.Mark), Group: groupID, Required: r.Factors}
}

// HasMember tells that the role names the person.
func (r Role) HasMember(login string) bool {
	_, found := slices.BinarySearch(r.Members, strings.ToLower(login))
	return found
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
