package identity

import (
	"slices"
	"strings"
)

// AdminPrefix begins the names of Okta's own administrative permissions.
const AdminPrefix = "okta."

// Escalates tells why an administrative permission is never given, whoever allows it: by it
// its holder could gain more than it says, or the operator does not know what it says. It
// is empty for those that an administrator may allow.
//
// The permissions, and what they allow, are those of Okta's catalogue:
// https://developer.okta.com/docs/api/openapi/okta-management/guides/permissions
func Escalates(permission string) string {
	if slices.Contains(Harmless(), permission) {
		return ""
	}
	for _, e := range escalations() {
		beginning, open := strings.CutSuffix(e.permission, "*")
		if e.permission == permission || open && strings.HasPrefix(permission, beginning) {
			return e.why
		}
	}
	return "it is not among the permissions of which this version of the operator knows that they give their holder nothing more"
}

// Harmless are those by which nobody gains more: they show, and no credential is among what
// they show.
func Harmless() []string {
	return []string{
		"okta.agents.read", "okta.apps.read", "okta.apps.universalLogout.read",
		"okta.authzServers.read", "okta.customizations.read", "okta.devices.read", "okta.directories.read", "okta.groups.read",
		"okta.policies.read", "okta.realms.read", "okta.users.read", "okta.users.risk.read",
		"okta.users.userprofile.read", "okta.workflows.read",
	}
}

// escalation is a permission, or with a star at the end all that begin like it.
type escalation struct{ permission, why string }

// escalations are asked in their order.
func escalations() []escalation {
	const (
		account = "it is over the accounts of administrators, too: who decides on those decides who administers the org"
		assign  = "who assigns apps can assign every one of them to themselves"
		device  = "policies let devices in by what is recorded of them, and it changes that"
		source  = "people and memberships come from what it connects, administrators among them"
	)
	return []escalation{
		{"okta.iam.*", "it is about admin roles themselves: who holds which, and over what"},
		{"okta.users.apitokens.*", "an API token has all the power of the administrator who made it"},
		{"okta.users.credentials.*", "who resets the password or the factors of an administrator signs in as that administrator"},
		{"okta.users.lifecycle.*", account},
		{"okta.users.manage", account},
		{"okta.users.create", "who creates users creates accounts that nobody else knows of, and puts them into groups"},
		{"okta.users.userprofile.manage", "group rules make people members by their profiles, and apps believe what stands in them"},
		{"okta.users.groupMembership.manage", "who decides on memberships can join the groups of administrators"},
		{"okta.users.appAssignment.manage", assign},
		{"okta.users.risk.manage", "policies open by a lower risk, and it lowers that"},
		{"okta.groups.appAssignment.manage", assign},
		{"okta.groups.create", "apps and policies know groups by their names, and who creates a group chooses its name"},
		{"okta.groups.*", "who decides on members or rules of groups can join the groups of administrators"},
		{"okta.apps.universalLogout.*", "who decides on it can sign administrators out at will"},
		{"okta.apps.clientCredentials.read", "it shows the credentials of clients, with whose scopes their holder can then call"},
		{"okta.apps.assignment.manage", assign},
		{"okta.apps.*", "who manages apps gives an app scopes of Okta's own API, and its credential to themselves"},
		{"okta.authzServers.manage", "who manages authorization servers lets every client have every scope"},
		{"okta.policies.manage", "who manages policies decides who signs in, and with what"},
		{"okta.identityProviders.read", "it shows the client secrets of the org at its identity providers"},
		{"okta.identityProviders.manage", "who adds an identity provider can sign in as anybody, by it"},
		{"okta.directories.manage", source},
		{"okta.profilesources.*", source},
		{"okta.realms.manage", "realms decide who administers whom"},
		{"okta.agents.*", "agents of directories say whose password is right"},
		{"okta.devices.*", device},
		{"okta.customizations.manage", "it is over the sign-in page, into which administrators type their passwords"},
		{"okta.workflows.invoke", "a flow runs with the power of its connections, not with that of who runs it"},
		{"okta.governance.*", "who decides on access requests decides on the own; Okta gives it with standard roles only"},
		{"okta.support.*", "Okta's support acts on what its cases say"},
		{"okta.ssf.*", "signals of providers change the risk of people, by which policies open"},
	}
}
