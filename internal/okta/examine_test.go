package okta_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestExamine: what is missing is found before objects depend on it, and nothing is changed.
func TestExamine(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	everything := slices.Concat(okta.RequiredScopes(), okta.FactorScopes(), okta.SignInScopes(), okta.DeviceScopes(),
		okta.AdminRoleScopes(), okta.LogScopes())
	for name, test := range map[string]struct {
		reason      string
		credentials func() credential.Credentials
		unsafe      bool
		// failed and missing are parts of the names of the checks that are not ok, in their order.
		failed, missing []string
		says            string
	}{
		"ready": {"all is granted", func() credential.Credentials { return w.elliptic(everything...) }, false, nil, nil, ""},
		"least": {
			"only what roles and keys need", func() credential.Credentials { return w.elliptic(okta.RequiredScopes()...) }, false,
			nil,
			[]string{"okta.users.read", "okta.users.manage", "okta.policies.manage", "okta.authenticators.read", "okta.roles.manage", "okta.logs.read"},
			"needed for AuditSinks",
		},
		"one scope too few": {
			"Okta refuses the token then", func() credential.Credentials { return w.elliptic(okta.RequiredScopes()[1:]...) }, false,
			[]string{"sign-in"},
			nil, "okta.apps.manage",
		},
		"unsafe setting": {
			"nothing would be made", func() credential.Credentials { return w.elliptic(everything...) }, true,
			[]string{"super admins"},
			nil, "Switch it off",
		},
		"API token": {
			"it has all scopes that its owner has", func() credential.Credentials {
				return credential.Credentials{APIToken: identity.NewSecret([]byte(w.token))}
			}, false, nil, nil, "it may do what its owner may",
		},
		"wrong API token": {
			"nobody has looked at what it may do", func() credential.Credentials {
				return credential.Credentials{APIToken: identity.NewSecret([]byte("00wrong"))}
			}, false, []string{"super admins", "may list apps", "may list authorizationServers", "may list groups"}, nil, "which is not known here",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.post("/_sim/settings", map[string]any{"clientsGetSuperAdmin": test.unsafe})
			held := test.credentials()
			config := w.config(func(c *okta.Config) { c.Credentials, c.Share = changing(&held), 50 })
			found, err := okta.Examine(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			failed, missing := []string{}, []string{}
			said := ""
			for _, check := range found.Checks {
				said += check.Detail + "\n"
				switch check.State {
				case okta.CheckFailed:
					failed = append(failed, check.Name)
				case okta.CheckOptional:
					missing = append(missing, check.Name)
				}
			}
			contain := func(names, parts []string) bool {
				return slices.EqualFunc(names, parts, func(name, part string) bool { return strings.Contains(name, part) })
			}
			if !contain(failed, test.failed) || !contain(missing, test.missing) || !strings.Contains(said, test.says) {
				t.Errorf("%s: failed %q, not granted %q, it says\n%s", test.reason, failed, missing, said)
			}
			if len(test.failed) == 0 && !slices.ContainsFunc(found.Budgets, func(b okta.Budget) bool { return b.Class == "apps" && b.Limit > 0 && b.Ours > 0 && b.Ours < b.Limit }) {
				t.Errorf("the budget of apps is not told: %+v", found.Budgets)
			}
		})
	}
}
