package oktasim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// newClassicWorld is an org of the Classic Engine in which Jane is of the staff, and John is
// not. The staff may sign in with two factors from the office, with a password from the
// branch, and not at all from elsewhere. It gives the paths of the policy and of its last
// rule.
func newClassicWorld(t *testing.T) (w *world, policy, refusal string) {
	t.Helper()
	w = newWorld(t, oktasim.Options{Classic: true})
	jane := w.org.AddUser("jane@example.com")
	w.org.AddUser("john@example.com")
	w.enrolPush("jane@example.com")
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "staff"}}).text("id")
	w.do(204, "PUT", "/api/v1/groups/"+group+"/users/"+jane, nil)
	w.do(200, "POST", "/api/v1/apps", webApp("agent-web"))
	from := func(rule object, zone, cidr string) object {
		id := w.do(200, "POST", "/api/v1/zones", zoneBody(zone, cidr)).text("id")
		rule["conditions"] = object{"network": object{"connection": "ZONE", "include": []string{id}}}
		return rule
	}
	policy = policies + "/" + w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", "staff", group)).text("id")
	two := object{"access": "ALLOW", "requireFactor": true, "factorPromptMode": "ALWAYS"}
	w.do(200, "POST", policy+"/rules", from(signOnRule("office", two), "Office", "203.0.113.0/24"))
	w.do(200, "POST", policy+"/rules", from(signOnRule("branch", object{"access": "ALLOW"}), "Branch", "198.51.100.0/24"))
	refusal = policy + "/rules/" + w.do(200, "POST", policy+"/rules", signOnRule("nobody", object{"access": "DENY"})).text("id")
	return w, policy, refusal
}

// TestClassicSignOnByZone: which rule decides, as Okta says of sign-on policies
// (https://help.okta.com/en/prod/Content/Topics/Security/policies/about-signon-policies.htm):
// the conditions of the policy and of the rule must be met together, rules are asked in
// their order, and whom a policy does not apply to goes on to the next, in the end to the
// default, which is for everybody.
func TestClassicSignOnByZone(t *testing.T) {
	w, _, _ := newClassicWorld(t)
	for name, test := range map[string]struct {
		login, ip string
		factors   []string
		want      outcome
	}{
		"office, two factors":    {"jane", "203.0.113.7", []string{"password", "push"}, outcome{true, "office"}},
		"office, one factor":     {"jane", "203.0.113.7", []string{"password"}, outcome{false, "office"}},
		"office, no password":    {"jane", "203.0.113.7", []string{"push"}, outcome{false, "office"}},
		"branch, one factor":     {"jane", "198.51.100.7", []string{"password"}, outcome{true, "branch"}},
		"elsewhere, two factors": {"jane", "192.0.2.7", []string{"password", "push"}, outcome{false, "nobody"}},
		"no address":             {"jane", "", []string{"password", "push"}, outcome{false, "nobody"}},
		"not of the staff":       {"john", "192.0.2.7", []string{"password"}, outcome{true, "Default Rule"}},
		"a factor not enrolled":  {"john", "192.0.2.7", []string{"password", "push"}, outcome{false, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			d := w.org.SignIn(oktasim.Attempt{Login: test.login + "@example.com", ClientID: "agent-web", IP: test.ip, Factors: test.factors})
			if diff := cmp.Diff(test.want, outcome{d.Allowed, d.RuleName}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", d.Why, diff)
			}
		})
	}
}

// TestClassicSignOnFallsThrough: without its last rule, without rules, or switched off, a
// policy leaves people to the next one; and the one that comes first is asked first.
func TestClassicSignOnFallsThrough(t *testing.T) {
	w, policy, refusal := newClassicWorld(t)
	elsewhere := oktasim.Attempt{Login: "jane@example.com", ClientID: "agent-web", IP: "192.0.2.7", Factors: []string{"password"}}
	everyone := w.org.Snapshot().Groups[0].ID
	step := func(what string, want outcome) {
		t.Helper()
		d := w.org.SignIn(elsewhere)
		if diff := cmp.Diff(want, outcome{d.Allowed, d.RuleName}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	step("at first", outcome{false, "nobody"})
	w.do(204, "POST", policy+"/lifecycle/deactivate", nil)
	step("switched off", outcome{true, "Default Rule"})
	w.do(204, "POST", policy+"/lifecycle/activate", nil)
	step("switched on again", outcome{false, "nobody"})
	later := policies + "/" + w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", "all", everyone)).text("id")
	step("the next one has no rules", outcome{false, "nobody"})
	w.do(200, "POST", later+"/rules", signOnRule("all", object{"access": "ALLOW"}))
	step("the next one has rules", outcome{false, "nobody"})
	w.do(204, "DELETE", refusal, nil)
	step("without the last rule", outcome{true, "all"})
	first := groupPolicy("OKTA_SIGN_ON", "first", everyone)
	first["priority"] = 1
	earlier := policies + "/" + w.do(200, "POST", policies, first).text("id")
	w.do(200, "POST", earlier+"/rules", signOnRule("closed", object{"access": "DENY"}))
	step("one that comes first", outcome{false, "closed"})
}
