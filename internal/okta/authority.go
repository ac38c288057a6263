package okta

import (
	"net/http"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/okta/transport"
)

// RequiredScopes are the OAuth scopes the operator's service app must be granted:
// what Okta's OpenAPI description asks for the calls that roles and keys need. It asks
// the read scope for reading even of who holds the manage scope.
func RequiredScopes() []string {
	return []string{
		"okta.apps.manage", "okta.apps.read",
		"okta.authorizationServers.manage", "okta.authorizationServers.read",
		"okta.groups.manage", "okta.groups.read",
		"okta.orgs.read",
	}
}

// PeopleScopes must be granted, too, where roles say who their members are.
func PeopleScopes() []string { return []string{"okta.users.read"} }

// FactorScopes must be granted, too, where roles have the enrolment of factors started.
func FactorScopes() []string { return []string{"okta.users.manage", "okta.users.read"} }

// SignInScopes must be granted, too, where AccessPolicies say how people sign in, and
// where roles say which factors their members must have.
func SignInScopes() []string {
	return []string{"okta.networkZones.read", "okta.policies.manage", "okta.policies.read"}
}

// DeviceScopes must be granted, too, for the same in an org with Identity Engine: there
// policies ask for devices, and name authenticators.
func DeviceScopes() []string {
	return []string{"okta.authenticators.read", "okta.deviceAssurance.manage", "okta.deviceAssurance.read"}
}

// AdminRoleScopes must be granted, too, where roles give okta.* permissions. Nothing asks for
// them as long as none does.
func AdminRoleScopes() []string { return []string{"okta.roles.manage", "okta.roles.read"} }

// LogScopes must be granted, too, where there are AuditSinks.
func LogScopes() []string { return []string{"okta.logs.read"} }

// below tells the calls below one of the paths, or to it.
func below(prefixes ...string) func(method, path string) bool {
	return func(_, path string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") })
	}
}

// authorities are asked in their order. What only some orgs need comes first.
func authorities() []transport.Authority {
	under := func(prefix string, methods ...string) func(method, path string) bool {
		return func(method, path string) bool {
			return strings.HasPrefix(path, prefix) && (len(methods) == 0 || slices.Contains(methods, method))
		}
	}
	return []transport.Authority{
		{Scopes: PeopleScopes(), Covers: under("/api/v1/users", http.MethodGet)},
		{Scopes: FactorScopes(), Covers: under("/api/v1/users")},
		// To govern an app is a call about apps.
		{Scopes: SignInScopes(), Covers: below(orgPolicies, "/api/v1/zones")},
		{Scopes: DeviceScopes(), Covers: below(assurances, "/api/v1/authenticators")},
		{Scopes: AdminRoleScopes(), Covers: under("/api/v1/iam/")},
		{Scopes: LogScopes(), Covers: below(logPath)},
		{Scopes: RequiredScopes()},
	}
}
