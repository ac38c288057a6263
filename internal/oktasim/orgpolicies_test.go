package oktasim_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// newAccessPolicy makes an app sign-in policy and gives its path.
func (w *world) newAccessPolicy(name string) string {
	w.t.Helper()
	body := object{"type": "ACCESS_POLICY", "name": name}
	return policies + "/" + w.do(200, "POST", policies, body).text("id")
}

// place is where a rule stands.
type place struct {
	Name     string
	Priority float64
}

func (w *world) places(policy string) []place {
	w.t.Helper()
	var all []place
	for _, rule := range w.do(200, "GET", policy+"/rules", nil).List {
		all = append(all, place{rule["name"].(string), rule["priority"].(float64)})
	}
	return all
}

func TestRuleDefaultsAreThoseOfOkta(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	policy := w.newAccessPolicy("p")
	rule := w.do(200, "POST", policy+"/rules", accessRule("r", "2FA"))
	want := object{
		"conditions": object{
			"people": object{"users": object{"exclude": []any{}}}, "network": object{"connection": "ANYWHERE"},
			"riskScore": object{"level": "ANY"}, "userType": object{"include": []any{}, "exclude": []any{}},
		},
		"actions": object{"appSignOn": object{
			"access": "ALLOW", "keepMeSignedIn": object{"postAuth": "NOT_ALLOWED"},
			"verificationMethod": object{"type": "ASSURANCE", "factorMode": "2FA", "reauthenticateIn": "PT12H"},
		}},
	}
	got := object{"conditions": rule.Object["conditions"], "actions": rule.Object["actions"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrioritiesOfAccessRulesKeepTheirGaps(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	policy := w.newAccessPolicy("p")
	add := func(name string, priority any) string {
		rule := accessRule(name, "2FA")
		rule["priority"] = priority
		return policy + "/rules/" + w.do(200, "POST", policy+"/rules", rule).text("id")
	}
	add("ten", 10)
	zero := add("zero", 0)
	add("next", nil)
	add("new ten", 10)
	want := []place{{"zero", 0}, {"new ten", 10}, {"ten", 11}, {"next", 12}, {"Catch-all Rule", 99}}
	if diff := cmp.Diff(want, w.places(policy)); diff != "" {
		t.Errorf("rules below move by as little as it takes (-want +got):\n%s", diff)
	}
	w.do(200, "PUT", zero, accessRule("zero", "1FA"))
	want = []place{{"new ten", 10}, {"ten", 11}, {"next", 12}, {"zero", 13}, {"Catch-all Rule", 99}}
	if diff := cmp.Diff(want, w.places(policy)); diff != "" {
		t.Errorf("who asks for no priority gets the last one (-want +got):\n%s", diff)
	}
	rule := accessRule("last", "2FA")
	rule["priority"] = 99
	w.do(400, "POST", policy+"/rules", rule)
}

func TestCatchAllRuleCanOnlyActOtherwise(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	policy := w.newAccessPolicy("p")
	rule := policy + "/rules/" + w.do(200, "GET", policy+"/rules", nil).List[0]["id"].(string)
	deny := func(change string, value any) object {
		body := object{
			"type": "ACCESS_POLICY", "name": "Catch-all Rule", "priority": 99, "actions": object{"appSignOn": object{"access": "DENY"}},
		}
		body[change] = value
		return body
	}
	w.do(403, "DELETE", rule, nil)
	w.do(403, "POST", rule+"/lifecycle/deactivate", nil)
	w.do(403, "PUT", rule, deny("name", "mine"))
	w.do(403, "PUT", rule, deny("priority", 3))
	w.do(403, "PUT", rule, deny("conditions", object{"riskScore": object{"level": "LOW"}}))
	w.do(200, "PUT", rule, deny("system", true))
	got := w.do(200, "GET", rule, nil)
	if got.text("actions", "appSignOn", "access") != "DENY" || got.Object["conditions"] != nil {
		t.Errorf("only the actions change, got %s", got.Raw)
	}
}

func TestSystemPoliciesStay(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "g"}}).text("id")
	for kind, name := range map[string]string{
		"ACCESS_POLICY": "Any two factors", "MFA_ENROLL": "Default Policy", "OKTA_SIGN_ON": "Default Policy", "PASSWORD": "Default Policy",
	} {
		all := w.do(200, "GET", policies+"?type="+kind, nil).List
		if len(all) != 1 || all[0]["name"] != name || all[0]["system"] != true {
			t.Fatalf("a new org has one policy of type %s, called %s, got %v", kind, name, all)
		}
		policy := policies + "/" + all[0]["id"].(string)
		w.do(403, "DELETE", policy, nil)
		w.do(403, "POST", policy+"/lifecycle/deactivate", nil)
		if kind == "OKTA_SIGN_ON" {
			moved := groupPolicy(kind, name, group)
			if got := w.do(403, "PUT", policy, moved).text("errorCode"); got != "E0000077" {
				t.Errorf("the people of a system policy cannot be changed, got %s", got)
			}
			delete(moved, "conditions")
			w.do(200, "PUT", policy, moved)
		}
	}
}

func TestSessionPoliciesStandBeforeTheSystems(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	everyone := w.org.Snapshot().Groups[0].ID
	for _, name := range []string{"a", "b"} {
		w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", name, everyone))
	}
	first := groupPolicy("OKTA_SIGN_ON", "c", everyone)
	first["priority"] = 1
	w.do(200, "POST", policies, first)
	var got []place
	for _, policy := range w.do(200, "GET", policies+"?type=OKTA_SIGN_ON", nil).List {
		got = append(got, place{policy["name"].(string), policy["priority"].(float64)})
	}
	if diff := cmp.Diff([]place{{"c", 1}, {"a", 2}, {"b", 3}, {"Default Policy", 4}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"c", "a"}, {"b", "Default Policy"}}, w.walk(policies+"?type=OKTA_SIGN_ON&limit=2", "name")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatusIsForLifecycleOperations(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	policy := w.newAccessPolicy("p")
	body := object{"type": "ACCESS_POLICY", "name": "p", "status": "INACTIVE"}
	if got := w.do(200, "PUT", policy, body).text("status"); got != "ACTIVE" {
		t.Errorf("a replacement leaves the status, got %s", got)
	}
	w.do(204, "POST", policy+"/lifecycle/deactivate", nil)
	w.do(403, "POST", policy+"/lifecycle/deactivate", nil)
	if got := w.do(200, "POST", policy+"/rules?activate=false", accessRule("r", "2FA")).text("status"); got != "INACTIVE" {
		t.Errorf("a rule may be made INACTIVE, got %s", got)
	}
}

func TestAccessRulesAreHeldAgainstTheOrg(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	rules := w.newAccessPolicy("p") + "/rules"
	tests := map[string]struct {
		reason     string
		conditions object
	}{
		"group":      {"no such group", object{"people": object{"groups": object{"include": []string{"00gNone"}}}}},
		"EVERYONE":   {"a word for the rules of authorization servers", object{"people": object{"groups": object{"include": []string{"EVERYONE"}}}}},
		"user":       {"no such user", object{"people": object{"users": object{"exclude": []string{"00uNone"}}}}},
		"zone":       {"no such zone", object{"network": object{"connection": "ZONE", "include": []string{"nzoNone"}}}},
		"no zone":    {"nothing to be in", object{"network": object{"connection": "ZONE"}}},
		"anywhere":   {"zones that nobody asks for", object{"network": object{"connection": "ANYWHERE", "include": []string{"nzoNone"}}}},
		"assurance":  {"no such assurance", object{"device": object{"registered": true, "assurance": object{"include": []string{"daeNone"}}}}},
		"managed":    {"managed needs registered", object{"device": object{"managed": true}}},
		"user type":  {"no such type", object{"userType": object{"include": []string{"otyNone"}}}},
		"risk":       {"no such level", object{"riskScore": object{"level": "SOME"}}},
		"misspelt":   {"a field nobody knows", object{"devices": object{}}},
		"expression": {"platforms are not told apart by expressions", object{"platform": object{"include": []object{{"os": object{"type": "OTHER", "expression": "x"}}}}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			rule := accessRule("r", "2FA")
			rule["conditions"] = test.conditions
			if r := w.do(400, "POST", rules, rule); r.cause() == "" {
				t.Errorf("%s: the answer does not say so: %s", test.reason, r.Raw)
			}
		})
	}
	w.t = t
	w.do(200, "POST", rules, accessRule("r", "2FA"))
	w.do(400, "POST", rules, accessRule("r", "2FA"))
	w.do(400, "POST", rules, accessRule("other", "3FA"))
	w.do(400, "POST", policies, object{"type": "ACCESS_POLICY", "name": "q", "conditions": object{}})
}

func TestEnrollmentListsEveryAuthenticator(t *testing.T) {
	w := newWorld(t, everyAuthenticator())
	body := groupPolicy("MFA_ENROLL", "p", w.org.Snapshot().Groups[0].ID)
	body["settings"] = object{
		"type": "AUTHENTICATORS", "authenticators": []object{{"key": "webauthn", "enroll": object{"self": "REQUIRED"}}},
	}
	settings := w.do(200, "POST", policies, body).Object["settings"].(object)
	got := map[string]any{}
	for _, each := range settings["authenticators"].([]any) {
		got[each.(object)["key"].(string)] = each.(object)["enroll"].(object)["self"]
	}
	want := map[string]any{
		"google_otp": "NOT_ALLOWED", "okta_email": "NOT_ALLOWED", "okta_password": "NOT_ALLOWED", "okta_verify": "NOT_ALLOWED",
		"phone_number": "NOT_ALLOWED", "security_question": "NOT_ALLOWED", "webauthn": "REQUIRED",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what nobody names is not allowed (-want +got):\n%s", diff)
	}
	body["settings"].(object)["authenticators"] = []object{{"key": "duo", "enroll": object{"self": "REQUIRED"}}}
	w.do(400, "POST", policies, body)
	w.must(w.org.SetAuthenticators("okta_verify"))
	body["settings"].(object)["authenticators"] = []object{{"key": "webauthn", "enroll": object{"self": "REQUIRED"}}}
	w.do(400, "POST", policies, body)
}

func TestAppsAreUnderOnePolicy(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	first, second := w.newAccessPolicy("first"), w.newAccessPolicy("second")
	created := w.do(200, "POST", "/api/v1/apps", webApp("agent-web"))
	app := "/api/v1/apps/" + created.text("id")
	under := func() string { return w.do(200, "GET", app, nil).text("_links", "accessPolicy", "href") }
	standard := w.do(200, "GET", policies+"?type=ACCESS_POLICY&q=Any", nil).List[0]["id"].(string)
	if got := under(); got != w.url+policies+"/"+standard {
		t.Errorf("a new app is under the default policy, got %s", got)
	}
	id := func(policy string) string { return policy[len(policies)+1:] }
	w.do(204, "PUT", app+"/policies/"+id(first), nil)
	w.do(204, "PUT", app+"/policies/"+id(second), nil)
	if got := under(); got != w.url+second {
		t.Errorf("the new mapping replaces the old, got %s", got)
	}
	if before, now := w.do(200, "GET", first+"/mappings", nil).List, w.do(200, "GET", second+"/mappings", nil).List; len(before) != 0 || len(now) != 1 {
		t.Errorf("the app is mapped to one policy, got %v and %v", before, now)
	}
	w.do(200, "PUT", app, webApp("agent-web"))
	if got := under(); got != w.url+second {
		t.Errorf("replacing an app leaves its policy, got %s", got)
	}
	w.do(403, "DELETE", second, nil)
	w.do(204, "PUT", app+"/policies/"+standard, nil)
	w.do(204, "DELETE", second, nil)

	service := w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one")).text("id")
	w.do(403, "PUT", "/api/v1/apps/"+service+"/policies/"+id(first), nil)
	w.do(404, "PUT", app+"/policies/rstNone", nil)
	session := w.do(200, "GET", policies+"?type=OKTA_SIGN_ON", nil).List[0]["id"].(string)
	w.do(404, "PUT", app+"/policies/"+session, nil)
}

func TestOrgPrioritiesAreLocked(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	policy := w.newAccessPolicy("p")
	for path, body := range map[string]object{
		policies: {"type": "ACCESS_POLICY", "name": "q"}, policy + "/rules": accessRule("r", "2FA"),
	} {
		w.org.Inject(oktasim.Fault{Method: "POST", Path: path + "$", Nth: 1, Action: oktasim.Slow(time.Minute)})
		slow := make(chan int, 1)
		go func() {
			r, _ := w.try("POST", path, body)
			slow <- r.Status
		}()
		w.await()
		if got := w.do(423, "POST", path, body).text("errorCode"); got != "E0000239" {
			t.Errorf("got %s", got)
		}
		w.clock.Step(time.Minute)
		if status := <-slow; status != 200 {
			t.Errorf("the first one wins, got %d", status)
		}
		w.org.ClearFaults()
	}
}

func TestClassicOrg(t *testing.T) {
	w := newWorld(t, oktasim.Options{Classic: true})
	if got := w.do(200, "GET", "/.well-known/okta-organization", nil).text("pipeline"); got != "v1" {
		t.Errorf("got the pipeline %s", got)
	}
	app := w.do(200, "POST", "/api/v1/apps", webApp("agent-web"))
	if app.text("_links", "accessPolicy", "href") != "" {
		t.Errorf("apps are under no policy, got %s", app.Raw)
	}
	everyone := w.org.Snapshot().Groups[0].ID
	for _, policy := range w.org.Snapshot().OrgPolicies {
		if policy.Type == "ACCESS_POLICY" {
			t.Errorf("there is the policy %s", policy.Name)
		}
	}
	for path, body := range map[string]object{
		policies:                    {"type": "ACCESS_POLICY", "name": "p"},
		"/api/v1/device-assurances": {"name": "a", "platform": "IOS", "jailbreak": false},
	} {
		if diff := cmp.Diff(refusal{401, "E0000015"}, w.do(401, "POST", path, body).refusal()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	w.do(401, "GET", policies+"?type=ACCESS_POLICY", nil)
	w.do(401, "GET", "/api/v1/device-assurances", nil)
	w.do(401, "PUT", "/api/v1/apps/"+app.text("id")+"/policies/rstNone", nil)
	enroll := groupPolicy("MFA_ENROLL", "p", everyone)
	enroll["settings"] = object{"type": "AUTHENTICATORS"}
	w.do(400, "POST", policies, enroll)
	enroll["settings"] = object{"factors": object{"okta_push": object{"enroll": object{"self": "REQUIRED"}}}}
	w.do(200, "POST", policies, enroll)
	w.do(200, "POST", policies+"?activate=false", groupPolicy("OKTA_SIGN_ON", "p", everyone))
}
