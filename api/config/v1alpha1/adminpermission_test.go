package v1alpha1

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// allowing is the smallest configuration with admin permissions.
func allowing(permissions string) []byte {
	return []byte(strings.Replace(smallest, "okta: {", "okta: {adminPermissions: ["+permissions+"], ", 1))
}

func TestAdminPermissions(t *testing.T) {
	got, err := Parse(allowing(`
	{permission: okta.users.read, resources: ["https://example.okta.com/api/v1/groups/00g1/users", "orn:okta:directory:00o1:groups:00g2:contained_resources"]},
	{permission: okta.apps.read, resources: ["https://example.okta.com/api/v1/apps"]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []AdminPermission{
		{Permission: "okta.users.read", Resources: []string{
			"https://example.okta.com/api/v1/groups/00g1/users", "orn:okta:directory:00o1:groups:00g2:contained_resources",
		}},
		{Permission: "okta.apps.read", Resources: []string{"https://example.okta.com/api/v1/apps"}},
	}
	if diff := cmp.Diff(want, got.Okta.AdminPermissions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAdminPermissionsRefused: every mistake is told with its field, and an escalation with
// what it is.
func TestAdminPermissionsRefused(t *testing.T) {
	const users = `"https://example.okta.com/api/v1/users"`
	first := func(permission, resources string) string {
		return "{permission: " + permission + ", resources: [" + resources + "]}"
	}
	tests := map[string]struct {
		reason, permissions string
		want                []string
	}{
		"ManageUsers":   {"administrators are users", first("okta.users.manage", users), []string{"okta.adminPermissions[0].permission", "accounts of administrators"}},
		"Credentials":   {"so are their passwords", first("okta.users.credentials.resetFactors", users), []string{"adminPermissions[0].permission", "signs in as that administrator"}},
		"Memberships":   {"groups of administrators", first("okta.groups.members.manage", users), []string{"adminPermissions[0].permission", "groups of administrators"}},
		"Apps":          {"apps have scopes", first("okta.apps.manage", users), []string{"adminPermissions[0].permission", "scopes of Okta's own API"}},
		"Servers":       {"servers give scopes", first("okta.authzServers.manage", users), []string{"adminPermissions[0].permission", "every scope"}},
		"Tokens":        {"tokens have power", first("okta.users.apitokens.manage", users), []string{"adminPermissions[0].permission", "API token"}},
		"Roles":         {"roles give power", first("okta.iam.read", users), []string{"adminPermissions[0].permission", "admin roles themselves"}},
		"Unknown":       {"what nobody knows nobody judges", first("okta.newThing.read", users), []string{"adminPermissions[0].permission", "not among the permissions"}},
		"Wildcard":      {"what it comes to nobody sees", first("\"okta.users.*\"", users), []string{"adminPermissions[0].permission"}},
		"NotOktas":      {"scopes are for agents", first("chat", users), []string{"adminPermissions[0].permission", "begin with okta."}},
		"NoName":        {"it allows nothing", first(`""`, users), []string{"adminPermissions[0].permission"}},
		"Twice":         {"which resources count", first("okta.users.read", users) + "," + first("okta.users.read", users), []string{"adminPermissions[1].permission", "once"}},
		"OverNothing":   {"it is over nothing", first("okta.users.read", ""), []string{"adminPermissions[0].resources"}},
		"OtherOrg":      {"it is another org's", first("okta.users.read", users+`, "https://evil.okta.com/api/v1/users"`), []string{"adminPermissions[0].resources[1]"}},
		"SameBeginning": {"so is this", first("okta.users.read", `"https://example.okta.com.evil.com/api/v1/users"`), []string{"adminPermissions[0].resources[0]"}},
		"WithQuery":     {"resources have none", first("okta.users.read", `"https://example.okta.com/api/v1/users?limit=1"`), []string{"adminPermissions[0].resources[0]"}},
		"SlashAtEnd":    {"Okta shows none", first("okta.users.read", `"https://example.okta.com/api/v1/users/"`), []string{"adminPermissions[0].resources[0]", "slash"}},
		"TooDeep":       {"Okta takes no such form", first("okta.users.read", `"https://example.okta.com/api/v1/groups/00g1/apps"`), []string{"adminPermissions[0].resources[0]"}},
		"TwoSlashes":    {"nor this", first("okta.users.read", `"https://example.okta.com/api/v1/groups//users"`), []string{"adminPermissions[0].resources[0]"}},
		"SameTwice":     {"Okta shows it once", first("okta.users.read", users+","+users), []string{"adminPermissions[0].resources[1]", "once"}},
		"NeitherForm":   {"Okta takes two forms", first("okta.users.read", "users"), []string{"adminPermissions[0].resources[0]"}},
		"MisspeltField": {"it would be ignored", "{permission: okta.users.read, resource: []}", []string{"resource"}},
		"HalfAnORN":     {"it names nothing", first("okta.users.read", `"orn:okta"`), []string{"adminPermissions[0].resources[0]"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(allowing(tc.permissions))
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: error is %v, want one that says %q", tc.reason, err, want)
				}
			}
		})
	}
}
