package accesspolicy

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// AppGrants say which namespaces may govern which apps.
type AppGrants struct {
	// Home may govern every app: whoever writes there administers the operator.
	Home string
	// Grants are those of the configuration.
	Grants []AppGrant
}

// AppGrant lets namespaces govern an app.
type AppGrant struct {
	// App is a label or an id.
	App        string
	Namespaces []string
}

// Allow tells whether the namespace may say who signs in to the app.
func (g AppGrants) Allow(namespace string, app identity.App) bool {
	if namespace == g.Home {
		return true
	}
	return slices.ContainsFunc(g.Grants, func(grant AppGrant) bool {
		return (grant.App == app.ID || grant.App == app.Label) && slices.Contains(grant.Namespaces, namespace)
	})
}
