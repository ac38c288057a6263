package oktasim

import (
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// The OAuth scopes of what concerns people.
const (
	usersRead          = "okta.users.read"
	usersManage        = "okta.users.manage"
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

// factorRoutes lists the operations on the factors of one user.
func factorRoutes() []route {
	const (
		all      = "/api/v1/users/{userId}/factors"
		one      = all + "/{factorId}"
		activate = one + activatePath
	)
	listed := []route{
		{method: "GET", template: all, scope: usersRead, handle: (*Org).listFactors},
		{method: "POST", template: all, scope: usersManage, handle: (*Org).enrollFactor, query: []string{"activate", "updatePhone"}},
		{method: "GET", template: all + "/catalog", scope: usersRead, handle: (*Org).listSupportedFactors},
		{method: "GET", template: one, scope: usersRead, handle: (*Org).getFactor},
		{
			method: "DELETE", template: one, scope: usersManage, handle: (*Org).deleteFactor,
			query: []string{"removeRecoveryEnrollment"},
		},
		{method: "POST", template: activate, scope: usersManage, handle: (*Org).activateFactor},
		{method: "POST", template: activate + "/email", scope: usersManage, handle: (*Org).mailActivation},
		{method: "POST", template: activate + "/poll", scope: usersManage, handle: (*Org).pollFactor},
	}
	return inBucket(throttle.Users, listed)
}
