package identity

import (
	"slices"
	"strings"
)

// Permission is something an agent may do. In the directory it is an OAuth scope.
type Permission struct {
	// Name is the scope as it appears in a token.
	Name string
	// Description says to a person what the scope allows.
	Description string
}

// Reserved tells why a permission of that name is refused; it is empty for a name
// that is free. OpenID Connect claims the first group of names (OpenID Connect
// Core 1.0, section 5.4), Okta the rest (its system scopes and its admin API).
func Reserved(permission string) string {
	systemScopes := []string{
		"openid", "profile", "email", "address", "phone", "offline_access", "device_sso", "interclient_access",
	}
	switch {
	case slices.Contains(systemScopes, permission):
		return "it is a scope every authorization server reserves for OpenID Connect"
	case strings.HasPrefix(permission, "okta."):
		return "it would grant power over the Okta organization itself"
	}
	return ""
}
