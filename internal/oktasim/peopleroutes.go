package oktasim

import (
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// The OAuth scopes of what concerns people.
const (
	usersRead          = "okta.users.read"
	authenticatorsRead = "okta.authenticators.read"
)

// peopleRoutes lists the operations on users, and on what they may prove themselves with.
func peopleRoutes() []route {
	return []route{
		{
			method: "GET", template: "/api/v1/users", bucket: throttle.Users, scope: usersRead, handle: (*Org).listUsers,
			query: []string{"q", "filter", "search", "limit", "after"},
		},
		{method: "GET", template: "/api/v1/users/{id}", bucket: throttle.User, scope: usersRead, handle: (*Org).getUser},
		{
			method: "GET", template: "/api/v1/authenticators", bucket: throttle.Management, scope: authenticatorsRead,
			handle: (*Org).listAuthenticators,
		},
		{
			method: "GET", template: "/api/v1/authenticators/{authenticatorId}", bucket: throttle.Management, scope: authenticatorsRead,
			handle: (*Org).getAuthenticator,
		},
	}
}
