package oktasim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// doorWorld has an app under a policy that lets nobody in, until a test gives it rules.
type doorWorld struct {
	*world
	policy string
	group  string
	jane   string
}

func newDoorWorld(t *testing.T) *doorWorld {
	t.Helper()
	w := &doorWorld{world: newWorld(t, everyAuthenticator())}
	w.jane = w.org.AddUser("jane@example.com")
	w.org.AddUser("john@example.com")
	w.group = w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "staff"}}).text("id")
	w.do(204, "PUT", "/api/v1/groups/"+w.group+"/users/"+w.jane, nil)
	w.policy = w.newAccessPolicy("agents")
	app := w.do(200, "POST", "/api/v1/apps", webApp("agent-web")).text("id")
	w.do(204, "PUT", "/api/v1/apps/"+app+"/policies/"+w.policy[len(policies)+1:], nil)
	catchAll := w.policy + "/rules/" + w.do(200, "GET", w.policy+"/rules", nil).List[0]["id"].(string)
	w.do(200, "PUT", catchAll, object{
		"type": "ACCESS_POLICY", "name": "Catch-all Rule", "actions": object{"appSignOn": object{"access": "DENY"}},
	})
	return w
}

// rule adds a rule with conditions.
func (w *doorWorld) rule(name, mode string, conditions object, constraints ...object) {
	w.t.Helper()
	rule := accessRule(name, mode)
	rule["conditions"] = conditions
	if len(constraints) > 0 {
		rule["actions"].(object)["appSignOn"].(object)["verificationMethod"].(object)["constraints"] = constraints
	}
	w.do(200, "POST", w.policy+"/rules", rule)
}

// outcome is what tests compare of a decision.
type outcome struct {
	Allowed bool
	Rule    string
}

func (w *doorWorld) enter(a oktasim.Attempt) outcome {
	if a.Login == "" {
		a.Login = "jane@example.com"
	}
	a.ClientID = "agent-web"
	d := w.org.SignIn(a)
	return outcome{d.Allowed, d.RuleName}
}

func TestRulesMatchByTheirConditions(t *testing.T) {
	laptop := oktasim.Device{
		Registered: true, Managed: true, Platform: "MACOS", OSVersion: "14.10", DiskEncryption: "ALL_INTERNAL_VOLUMES",
		ScreenLock: "PASSCODE", SecureHardware: true,
	}
	changed := func(change func(*oktasim.Device)) oktasim.Device {
		d := laptop
		change(&d)
		return d
	}
	tests := map[string]struct {
		reason     string
		conditions func(w *doorWorld, zone, assurance string) object
		in, out    oktasim.Attempt
	}{
		"group": {
			"who is in the group", func(w *doorWorld, _, _ string) object {
				return object{"people": object{"groups": object{"include": []string{w.group}}}}
			}, oktasim.Attempt{}, oktasim.Attempt{Login: "john@example.com"},
		},
		"excluded group": {
			"who is not in the group", func(w *doorWorld, _, _ string) object {
				return object{"people": object{"groups": object{"exclude": []string{w.group}}}}
			}, oktasim.Attempt{Login: "john@example.com"}, oktasim.Attempt{},
		},
		"user": {
			"who is named", func(w *doorWorld, _, _ string) object {
				return object{"people": object{"users": object{"include": []string{w.jane}}}}
			}, oktasim.Attempt{}, oktasim.Attempt{Login: "john@example.com"},
		},
		"excluded user": {
			"who is not the one", func(w *doorWorld, _, _ string) object {
				return object{"people": object{"users": object{"exclude": []string{w.jane}}}}
			}, oktasim.Attempt{Login: "john@example.com"}, oktasim.Attempt{},
		},
		"zone": {
			"who is in the zone", func(_ *doorWorld, zone, _ string) object {
				return object{"network": object{"connection": "ZONE", "include": []string{zone}}}
			}, oktasim.Attempt{IP: "203.0.113.7"}, oktasim.Attempt{IP: "198.51.100.7"},
		},
		"outside": {
			"who is not in the zone", func(_ *doorWorld, zone, _ string) object {
				return object{"network": object{"connection": "ZONE", "exclude": []string{zone}}}
			}, oktasim.Attempt{IP: "198.51.100.7"}, oktasim.Attempt{IP: "203.0.113.7"},
		},
		"risk": {
			"the level is the one", func(*doorWorld, string, string) object {
				return object{"riskScore": object{"level": "LOW"}}
			}, oktasim.Attempt{}, oktasim.Attempt{Risk: "HIGH"},
		},
		"registered": {
			"the device is known", func(*doorWorld, string, string) object {
				return object{"device": object{"registered": true}}
			}, oktasim.Attempt{Device: laptop}, oktasim.Attempt{},
		},
		"managed": {
			"the device is looked after", func(*doorWorld, string, string) object {
				return object{"device": object{"registered": true, "managed": true}}
			}, oktasim.Attempt{Device: laptop}, oktasim.Attempt{Device: oktasim.Device{Registered: true}},
		},
		"platform": {
			"the device is of the platform", func(*doorWorld, string, string) object {
				return object{"platform": object{"include": []object{{"type": "DESKTOP", "os": object{"type": "MACOS"}}}}}
			}, oktasim.Attempt{Device: laptop}, oktasim.Attempt{Device: oktasim.Device{Platform: "IOS"}},
		},
		"assured version": {
			"the system is new enough", assured,
			oktasim.Attempt{Device: laptop},
			oktasim.Attempt{Device: changed(func(d *oktasim.Device) { d.OSVersion = "14.9.9" })},
		},
		"assured encryption": {
			"the disk is encrypted", assured,
			oktasim.Attempt{Device: laptop},
			oktasim.Attempt{Device: changed(func(d *oktasim.Device) { d.DiskEncryption = "" })},
		},
		"assured hardware": {
			"there is secure hardware", assured,
			oktasim.Attempt{Device: laptop},
			oktasim.Attempt{Device: changed(func(d *oktasim.Device) { d.SecureHardware = false })},
		},
		"assured lock": {
			"the screen is locked", assured,
			oktasim.Attempt{Device: laptop},
			oktasim.Attempt{Device: changed(func(d *oktasim.Device) { d.ScreenLock = "NONE" })},
		},
		"assured platform": {
			"the device is of the assurance's platform", assured,
			oktasim.Attempt{Device: laptop},
			oktasim.Attempt{Device: changed(func(d *oktasim.Device) { d.Platform = "WINDOWS" })},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newDoorWorld(t)
			zone := w.do(200, "POST", "/api/v1/zones", zoneBody("office", "203.0.113.0/24")).text("id")
			assurance := w.do(200, "POST", "/api/v1/device-assurances", object{
				"name": "laptop", "platform": "MACOS", "osVersion": object{"minimum": "14.10"}, "secureHardwarePresent": true,
				"diskEncryptionType": object{"include": []string{"ALL_INTERNAL_VOLUMES"}},
				"screenLockType":     object{"include": []string{"PASSCODE"}},
			}).text("id")
			w.rule("rule", "1FA", test.conditions(w, zone, assurance))
			test.in.Factors, test.out.Factors = []string{"password"}, []string{"password"}
			if diff := cmp.Diff(outcome{true, "rule"}, w.enter(test.in)); diff != "" {
				t.Errorf("%s: in (-want +got):\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(outcome{false, "Catch-all Rule"}, w.enter(test.out)); diff != "" {
				t.Errorf("%s, and here it is not so (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func assured(_ *doorWorld, _, assurance string) object {
	return object{"device": object{"registered": true, "assurance": object{"include": []string{assurance}}}}
}

func TestFactorsAreHeldAgainstTheRule(t *testing.T) {
	possession := func(trait string) []object { return []object{{"possession": object{trait: "REQUIRED"}}} }
	exactly := func(field string) []object {
		return []object{{"possession": object{field: []object{{"key": "okta_verify", "method": "push"}}}}}
	}
	tests := map[string]struct {
		reason      string
		mode        string
		constraints []object
		factors     []string
		verified    bool
		want        bool
	}{
		"none":               {"nothing was shown", "1FA", nil, nil, false, false},
		"one":                {"one is enough", "1FA", nil, []string{"email"}, false, true},
		"one of two":         {"one is not enough", "2FA", nil, []string{"password"}, false, false},
		"two":                {"something known and something owned", "2FA", nil, []string{"password", "sms"}, false, true},
		"two of one class":   {"two things owned are one factor", "2FA", nil, []string{"sms", "push"}, false, false},
		"verified":           {"a fingerprint is a factor of its own", "2FA", nil, []string{"webauthn"}, true, true},
		"unverified":         {"a touch is not", "2FA", nil, []string{"webauthn"}, false, false},
		"not bound":          {"a message goes to any phone", "2FA", possession("deviceBound"), []string{"password", "sms"}, false, false},
		"bound":              {"the app is on one", "2FA", possession("deviceBound"), []string{"password", "push"}, false, true},
		"phishable":          {"a push can be asked for by anybody", "2FA", possession("phishingResistant"), []string{"password", "push"}, false, false},
		"not phishable":      {"the key knows the site", "2FA", possession("phishingResistant"), []string{"password", "webauthn"}, false, true},
		"soft":               {"the app keeps its secret in memory", "1FA", possession("hardwareProtection"), []string{"totp"}, false, false},
		"hard":               {"the key does not", "1FA", possession("hardwareProtection"), []string{"webauthn"}, false, true},
		"user not verified":  {"nobody asked who touches", "1FA", possession("userVerification"), []string{"webauthn"}, false, false},
		"constrained class":  {"a constraint requires its class", "1FA", possession("deviceBound"), []string{"password"}, false, false},
		"named":              {"the rule names it", "1FA", exactly("authenticationMethods"), []string{"push"}, false, true},
		"other than named":   {"the rule names another", "1FA", exactly("authenticationMethods"), []string{"totp"}, false, false},
		"excluded":           {"the rule excludes it", "1FA", exactly("excludedAuthenticationMethods"), []string{"push"}, false, false},
		"other than exclude": {"the rule excludes another", "1FA", exactly("excludedAuthenticationMethods"), []string{"totp"}, false, true},
		"by type":            {"of the type", "1FA", []object{{"possession": object{"types": []string{"PHONE"}}}}, []string{"sms"}, false, true},
		"other type":         {"of another type", "1FA", []object{{"possession": object{"types": []string{"PHONE"}}}}, []string{"push"}, false, false},
		"either": {
			"one constraint is enough", "1FA", append(possession("hardwareProtection"), object{"knowledge": object{"methods": []string{"PASSWORD"}}}),
			[]string{"password"},
			false, true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newDoorWorld(t)
			w.enrolEverything("jane@example.com")
			w.rule("rule", test.mode, object{}, test.constraints...)
			got := w.enter(oktasim.Attempt{Factors: test.factors, UserVerified: test.verified})
			// Without a factor the session policy says no, before the app's is asked.
			if got.Allowed != test.want || got.Rule != "rule" && len(test.factors) > 0 {
				t.Errorf("%s: got %v", test.reason, got)
			}
		})
	}
}

func TestFirstRuleThatMatchesDecides(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("staff", "2FA", object{"people": object{"groups": object{"include": []string{w.group}}}})
	w.rule("all", "1FA", object{})
	attempts := map[string]outcome{"jane@example.com": {false, "staff"}, "john@example.com": {true, "all"}}
	for login, want := range attempts {
		if diff := cmp.Diff(want, w.enter(oktasim.Attempt{Login: login, Factors: []string{"password"}})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", login, diff)
		}
	}
}

func TestWhatIsInactiveDoesNotDecide(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("first", "1FA", object{})
	w.rule("second", "1FA", object{})
	session := policies + "/" + w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", "staff", w.group)).text("id")
	w.do(200, "POST", session+"/rules", signOnRule("no", object{"access": "DENY"}))
	attempt := oktasim.Attempt{Factors: []string{"password"}}
	first := w.policy + "/rules/" + w.do(200, "GET", w.policy+"/rules", nil).List[0]["id"].(string)
	for _, step := range []struct {
		switches string
		want     outcome
	}{
		{session, outcome{true, "first"}},
		{first, outcome{true, "second"}},
		{w.policy, outcome{}},
	} {
		w.do(204, "POST", step.switches+"/lifecycle/deactivate", nil)
		if diff := cmp.Diff(step.want, w.enter(attempt)); diff != "" {
			t.Errorf("without %s (-want +got):\n%s", step.switches, diff)
		}
	}
}

func TestRulesForRADIUSAreForNobodyHere(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("all", "1FA", object{})
	session := policies + "/" + w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", "staff", w.group)).text("id")
	rule := signOnRule("no", object{"access": "DENY"})
	rule["conditions"] = object{"authContext": object{"authType": "RADIUS"}}
	w.do(200, "POST", session+"/rules", rule)
	if diff := cmp.Diff(outcome{true, "all"}, w.enter(oktasim.Attempt{Factors: []string{"password"}})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExpressionIsNoReasonToLetIn(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("expression", "1FA", object{"elCondition": object{"condition": `user.status == "ACTIVE"`}})
	if diff := cmp.Diff(outcome{false, "expression"}, w.enter(oktasim.Attempt{Factors: []string{"password"}})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBlockedAddressesGetNowhere(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("all", "1FA", object{})
	zone := zoneBody("blocked", "198.51.100.0/24")
	zone["usage"] = "BLOCKLIST"
	w.do(200, "POST", "/api/v1/zones", zone)
	for ip, want := range map[string]outcome{"198.51.100.1": {}, "198.51.101.1": {true, "all"}} {
		if diff := cmp.Diff(want, w.enter(oktasim.Attempt{IP: ip, Factors: []string{"password"}})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", ip, diff)
		}
	}
}

func TestSessionPolicyDecidesFirst(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("all", "1FA", object{})
	session := policies + "/" + w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", "staff", w.group)).text("id")
	w.do(200, "POST", session+"/rules", signOnRule("no", object{"access": "DENY"}))
	if diff := cmp.Diff(outcome{false, "no"}, w.enter(oktasim.Attempt{Factors: []string{"password"}})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(outcome{true, "all"}, w.enter(oktasim.Attempt{Login: "john@example.com", Factors: []string{"password"}})); diff != "" {
		t.Errorf("whom the policy is not for (-want +got):\n%s", diff)
	}
}

func TestClassicSignIn(t *testing.T) {
	w := newWorld(t, oktasim.Options{Classic: true})
	jane := w.org.AddUser("jane@example.com")
	w.enrolPush("jane@example.com")
	w.enrolPush("john@example.com")
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "staff"}}).text("id")
	w.do(204, "PUT", "/api/v1/groups/"+group+"/users/"+jane, nil)
	w.do(200, "POST", "/api/v1/apps", webApp("agent-web"))
	session := policies + "/" + w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", "staff", group)).text("id")
	w.do(200, "POST", session+"/rules", signOnRule("factor", object{"access": "ALLOW", "requireFactor": true, "factorPromptMode": "ALWAYS"}))
	tests := map[string]struct {
		reason  string
		attempt oktasim.Attempt
		want    outcome
	}{
		"one factor":  {"the group needs two", oktasim.Attempt{Login: "jane@example.com", Factors: []string{"password"}}, outcome{false, "factor"}},
		"two factors": {"these are two", oktasim.Attempt{Login: "jane@example.com", Factors: []string{"password", "totp"}}, outcome{true, "factor"}},
		"others":      {"the default rule", oktasim.Attempt{Login: "john@example.com", Factors: []string{"password"}}, outcome{true, "Default Rule"}},
		"no password": {"the password is first", oktasim.Attempt{Login: "john@example.com", Factors: []string{"totp"}}, outcome{false, "Default Rule"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.attempt.ClientID = "agent-web"
			d := w.org.SignIn(test.attempt)
			if diff := cmp.Diff(test.want, outcome{d.Allowed, d.RuleName}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestSignInNeedsWhatItNames(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("all", "1FA", object{})
	w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one"))
	good := func() oktasim.Attempt {
		return oktasim.Attempt{Login: "jane@example.com", ClientID: "agent-web", IP: "192.0.2.1", Factors: []string{"password"}}
	}
	if d := w.org.SignIn(good()); !d.Allowed {
		t.Fatalf("without a mistake: %s", d.Why)
	}
	for name, spoil := range map[string]func(*oktasim.Attempt){
		"user":    func(a *oktasim.Attempt) { a.Login = "nobody@example.com" },
		"app":     func(a *oktasim.Attempt) { a.ClientID = "nothing" },
		"service": func(a *oktasim.Attempt) { a.ClientID = "agent-one" },
		"address": func(a *oktasim.Attempt) { a.IP = "office" },
		"risk":    func(a *oktasim.Attempt) { a.Risk = "NONE" },
		"factor":  func(a *oktasim.Attempt) { a.Factors = []string{"charm"} },
		"twice":   func(a *oktasim.Attempt) { a.Factors = []string{"password", "password"} },
		"device":  func(a *oktasim.Attempt) { a.Factors = []string{"fastpass"} },
	} {
		a := good()
		spoil(&a)
		if d := w.org.SignIn(a); d.Allowed || d.Why == "" || d.PolicyID != "" {
			t.Errorf("%s: no policy is asked about it, got %v", name, d)
		}
	}
}

func TestSignInOverTheControlAPI(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("all", "1FA", object{})
	ask := func(body object) (int, oktasim.Decision) {
		answer, err := http.Post(w.url+"/_sim/signin", "application/json", bytes.NewReader(encode(t, body)))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var d oktasim.Decision
		if answer.StatusCode == 200 {
			err = json.NewDecoder(answer.Body).Decode(&d)
		}
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, d
	}
	status, d := ask(object{"login": "jane@example.com", "clientID": "agent-web", "factors": []string{"password"}})
	if status != 200 || !d.Allowed || d.PolicyName != "agents" || d.RuleName != "all" {
		t.Errorf("got %d %v", status, d)
	}
	if status, _ := ask(object{"user": "jane@example.com"}); status != 400 {
		t.Errorf("a field that does not exist is a mistake, got %d", status)
	}
}
