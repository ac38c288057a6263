package oktasim

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// The OAuth scopes of Okta's management API that the simulated part of it asks for.
const (
	appsRead      = "okta.apps.read"
	appsManage    = "okta.apps.manage"
	groupsRead    = "okta.groups.read"
	groupsManage  = "okta.groups.manage"
	serversRead   = "okta.authorizationServers.read"
	serversManage = "okta.authorizationServers.manage"
	orgsRead      = "okta.orgs.read"
	orgsManage    = "okta.orgs.manage"
)

// routes lists every operation of the org.
func routes() []route {
	return slices.Concat(
		orgRoutes(), groupRoutes(), appRoutes(), credentialRoutes(),
		serverRoutes(), policyRoutes(), oauthRoutes(),
		accessRoutes(), peopleRoutes(), factorRoutes(), logRoutes(), iamRoutes(),
	)
}

func orgRoutes() []route {
	const privileges = "/api/v1/org/settings/clientPrivilegesSetting"
	return []route{
		{method: "GET", template: "/.well-known/okta-organization", kind: public, handle: (*Org).wellKnown},
		{method: "GET", template: privileges, bucket: throttle.Management, scope: orgsRead, handle: (*Org).getPrivileges},
		{method: "PUT", template: privileges, bucket: throttle.Management, scope: orgsManage, handle: (*Org).putPrivileges},
	}
}

func groupRoutes() []route {
	const (
		all     = "/api/v1/groups"
		one     = all + "/{groupId}"
		members = one + "/users"
		member  = members + "/{userId}"
	)
	return []route{
		{
			method: "GET", template: all, bucket: throttle.Groups, scope: groupsRead, handle: (*Org).listGroups,
			query: []string{"q", "filter", "search", "limit", "after"},
		},
		{method: "POST", template: all, bucket: throttle.Groups, scope: groupsManage, handle: (*Org).createGroup},
		{method: "GET", template: one, bucket: throttle.Group, scope: groupsRead, handle: (*Org).getGroup},
		{method: "PUT", template: one, bucket: throttle.Group, scope: groupsManage, handle: (*Org).putGroup},
		{method: "DELETE", template: one, bucket: throttle.Group, scope: groupsManage, handle: (*Org).deleteGroup},
		{
			method: "GET", template: members, bucket: throttle.Groups, scope: groupsRead, handle: (*Org).listMembers,
			query: []string{"limit", "after"},
		},
		{method: "PUT", template: member, bucket: throttle.Groups, scope: groupsManage, handle: (*Org).addMember},
		{method: "DELETE", template: member, bucket: throttle.Groups, scope: groupsManage, handle: (*Org).removeMember},
	}
}

func appRoutes() []route {
	const (
		all  = "/api/v1/apps"
		one  = all + "/{appId}"
		life = one + "/lifecycle/"
	)
	return []route{
		{
			method: "GET", template: all, bucket: throttle.Apps, scope: appsRead, handle: (*Org).listApps,
			query: []string{"q", "filter", "limit", "after"},
		},
		{
			method: "POST", template: all, bucket: throttle.Apps, scope: appsManage, handle: (*Org).createApp,
			query: []string{"activate"},
		},
		{method: "GET", template: one, bucket: throttle.App, scope: appsRead, handle: (*Org).getApp},
		{method: "PUT", template: one, bucket: throttle.App, scope: appsManage, handle: (*Org).putApp},
		{method: "DELETE", template: one, bucket: throttle.App, scope: appsManage, handle: (*Org).deleteApp},
		{method: "POST", template: life + "activate", bucket: throttle.Apps, scope: appsManage, handle: (*Org).activateApp},
		{method: "POST", template: life + "deactivate", bucket: throttle.Apps, scope: appsManage, handle: (*Org).deactivateApp},
	}
}

func credentialRoutes() []route {
	const (
		secrets = "/api/v1/apps/{appId}/credentials/secrets"
		secret  = secrets + "/{secretId}"
		jwks    = "/api/v1/apps/{appId}/credentials/jwks"
		jwk     = jwks + "/{keyId}"
	)
	listed := []route{
		{method: "GET", template: secrets, scope: appsRead, handle: (*Org).listSecrets, secrets: true},
		{method: "POST", template: secrets, scope: appsManage, handle: (*Org).createSecret},
		{method: "GET", template: secret, scope: appsRead, handle: (*Org).getSecret, secrets: true},
		{method: "DELETE", template: secret, scope: appsManage, handle: (*Org).deleteSecret},
		// The answers of these two hold the secret's value as well.
		{method: "POST", template: secret + "/lifecycle/activate", scope: appsManage, handle: (*Org).activateSecret, secrets: true},
		{method: "POST", template: secret + "/lifecycle/deactivate", scope: appsManage, handle: (*Org).deactivateSecret, secrets: true},
		{method: "GET", template: jwks, scope: appsRead, handle: (*Org).listKeys},
		{method: "POST", template: jwks, scope: appsManage, handle: (*Org).createKey},
		{method: "GET", template: jwk, scope: appsRead, handle: (*Org).getKey},
		{method: "DELETE", template: jwk, scope: appsManage, handle: (*Org).deleteKey},
		{method: "POST", template: jwk + "/lifecycle/activate", scope: appsManage, handle: (*Org).activateKey},
		{method: "POST", template: jwk + "/lifecycle/deactivate", scope: appsManage, handle: (*Org).deactivateKey},
	}
	return inBucket(throttle.Apps, listed)
}

func serverRoutes() []route {
	const (
		all    = "/api/v1/authorizationServers"
		one    = all + "/{authServerId}"
		scopes = one + "/scopes"
		scope  = scopes + "/{scopeId}"
	)
	listed := []route{
		{method: "GET", template: all, scope: serversRead, handle: (*Org).listServers, query: []string{"q", "limit", "after"}},
		{method: "POST", template: all, scope: serversManage, handle: (*Org).createServer},
		{method: "GET", template: one, scope: serversRead, handle: (*Org).getServer},
		{method: "PUT", template: one, scope: serversManage, handle: (*Org).putServer},
		{method: "DELETE", template: one, scope: serversManage, handle: (*Org).deleteServer},
		{method: "POST", template: one + "/lifecycle/activate", scope: serversManage, handle: (*Org).activateServer},
		{method: "POST", template: one + "/lifecycle/deactivate", scope: serversManage, handle: (*Org).deactivateServer},
		{method: "GET", template: scopes, scope: serversRead, handle: (*Org).listScopes, query: []string{"q", "limit", "after"}},
		{method: "POST", template: scopes, scope: serversManage, handle: (*Org).createScope},
		{method: "GET", template: scope, scope: serversRead, handle: (*Org).getScope},
		{method: "PUT", template: scope, scope: serversManage, handle: (*Org).putScope},
		{method: "DELETE", template: scope, scope: serversManage, handle: (*Org).deleteScope},
	}
	return inBucket(throttle.Management, listed)
}

func policyRoutes() []route {
	const (
		all   = "/api/v1/authorizationServers/{authServerId}/policies"
		one   = all + "/{policyId}"
		rules = one + "/rules"
		rule  = rules + "/{ruleId}"
	)
	const byServer, byPolicy = "authServerId", "policyId"
	listed := []route{
		{method: "GET", template: all, scope: serversRead, handle: (*Org).listPolicies},
		{method: "POST", template: all, scope: serversManage, handle: (*Org).createPolicy, locks: byServer},
		{method: "GET", template: one, scope: serversRead, handle: (*Org).getPolicy},
		{method: "PUT", template: one, scope: serversManage, handle: (*Org).putPolicy, locks: byServer},
		{method: "DELETE", template: one, scope: serversManage, handle: (*Org).deletePolicy, locks: byServer},
		{method: "POST", template: one + "/lifecycle/activate", scope: serversManage, handle: (*Org).activatePolicy},
		{method: "POST", template: one + "/lifecycle/deactivate", scope: serversManage, handle: (*Org).deactivatePolicy},
		{method: "GET", template: rules, scope: serversRead, handle: (*Org).listRules},
		{method: "POST", template: rules, scope: serversManage, handle: (*Org).createRule, locks: byPolicy},
		{method: "GET", template: rule, scope: serversRead, handle: (*Org).getRule},
		{method: "PUT", template: rule, scope: serversManage, handle: (*Org).putRule, locks: byPolicy},
		{method: "DELETE", template: rule, scope: serversManage, handle: (*Org).deleteRule, locks: byPolicy},
		{method: "POST", template: rule + "/lifecycle/activate", scope: serversManage, handle: (*Org).activateRule},
		{method: "POST", template: rule + "/lifecycle/deactivate", scope: serversManage, handle: (*Org).deactivateRule},
	}
	return inBucket(throttle.Management, listed)
}

func oauthRoutes() []route {
	const custom = "/oauth2/{authServerId}"
	return []route{
		{method: "POST", template: "/oauth2/v1/token", kind: oauth, bucket: throttle.OAuth, handle: (*Org).orgToken},
		{method: "GET", template: "/oauth2/v1/keys", kind: public, handle: (*Org).orgKeys, query: []string{"client_id"}},
		{method: "POST", template: custom + "/v1/token", kind: oauth, bucket: throttle.OAuth, handle: (*Org).token},
		{method: "POST", template: custom + "/v1/introspect", kind: oauth, bucket: throttle.OAuth, handle: (*Org).introspect},
		{method: "POST", template: custom + "/v1/revoke", kind: oauth, bucket: throttle.OAuth, handle: (*Org).revoke},
		{method: "GET", template: custom + "/v1/keys", kind: public, handle: (*Org).keys},
		{
			method: "GET", template: custom + "/.well-known/oauth-authorization-server", kind: public,
			handle: (*Org).metadata, query: []string{"client_id"},
		},
		{
			method: "GET", template: custom + "/.well-known/openid-configuration", kind: public,
			handle: (*Org).metadata, query: []string{"client_id"},
		},
	}
}
