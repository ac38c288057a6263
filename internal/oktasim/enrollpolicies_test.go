package oktasim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// enrolPush makes a push of a user active, and with it the codes of Okta Verify.
func (w *world) enrolPush(login string) {
	w.t.Helper()
	w.do(200, "POST", "/api/v1/users/"+w.org.AddUser(login)+"/factors", factorBody("push", "OKTA"))
	w.must(w.org.CompletePush(login))
}

// enrolEverything makes every factor of a user active that can be.
func (w *world) enrolEverything(login string) {
	w.t.Helper()
	factors := "/api/v1/users/" + w.org.AddUser(login) + "/factors"
	w.enrolPush(login)
	w.do(200, "POST", factors+"?activate=true", smsBody(janesPhone))
	w.do(200, "POST", factors+"?activate=true", emailBody(login))
	for _, body := range []object{factorBody("token:software:totp", "GOOGLE"), factorBody("webauthn", "FIDO")} {
		w.must(w.org.CompleteFactor(login, w.do(200, "POST", factors, body).text("id")))
	}
}

// enrollPolicy adds an enrollment policy and gives its path; of the authenticators that
// it does not name, none is allowed.
func (w *world) enrollPolicy(name, group string, priority int, self map[string]string) string {
	w.t.Helper()
	authenticators := []object{}
	for key, wish := range self {
		authenticators = append(authenticators, object{"key": key, "enroll": object{"self": wish}})
	}
	body := groupPolicy("MFA_ENROLL", name, group)
	body["priority"] = priority
	body["settings"] = object{"type": "AUTHENTICATORS", "authenticators": authenticators}
	return policies + "/" + w.do(200, "POST", policies, body).text("id")
}

// catalog gives the enrollment of each factor a user may enrol in.
func (w *world) catalog(factors string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for _, each := range w.do(200, "GET", factors+"/catalog", nil).List {
		f := response{Object: each}
		all[f.text("factorType")+" "+f.text("provider")] = f.text("enrollment")
	}
	return all
}

func TestFirstEnrollmentPolicyOfAUserApplies(t *testing.T) {
	w := newDoorWorld(t)
	everyone := w.org.Snapshot().Groups[0].ID
	janes := "/api/v1/users/" + w.jane + "/factors"
	johns := "/api/v1/users/" + w.org.AddUser("john@example.com") + "/factors"
	byDefault := map[string]string{
		"push OKTA": "OPTIONAL", "token:software:totp OKTA": "OPTIONAL", "token:software:totp GOOGLE": "OPTIONAL",
		"sms OKTA": "OPTIONAL", "email OKTA": "OPTIONAL", "webauthn FIDO": "OPTIONAL",
	}
	phones := map[string]string{"sms OKTA": "REQUIRED", "email OKTA": "OPTIONAL"}
	keys := map[string]string{"webauthn FIDO": "REQUIRED"}
	var staff, all string
	steps := []struct {
		reason     string
		do         func()
		jane, john map[string]string
	}{
		{"the default policy is for everybody", func() {}, byDefault, byDefault},
		{"a policy is for its groups", func() {
			staff = w.enrollPolicy("staff", w.group, 1, map[string]string{"phone_number": "REQUIRED", "okta_email": "OPTIONAL"})
		}, phones, byDefault},
		{"of two policies the first applies", func() {
			all = w.enrollPolicy("all", everyone, 1, map[string]string{"webauthn": "REQUIRED"})
		}, keys, keys},
		{"not one that is off", func() { w.do(204, "POST", all+"/lifecycle/deactivate", nil) }, phones, byDefault},
		{"nor one whose group one has left", func() {
			w.do(204, "DELETE", "/api/v1/groups/"+w.group+"/users/"+w.jane, nil)
		}, byDefault, byDefault},
		{"an authenticator that is off is for nobody", func() {
			w.must(w.org.SetAuthenticators("phone_number"))
		}, map[string]string{"sms OKTA": "OPTIONAL"}, map[string]string{"sms OKTA": "OPTIONAL"}},
		{"a policy that is gone applies to nobody", func() {
			w.do(204, "PUT", "/api/v1/groups/"+w.group+"/users/"+w.jane, nil)
			w.do(204, "DELETE", staff, nil)
		}, map[string]string{"sms OKTA": "OPTIONAL"}, map[string]string{"sms OKTA": "OPTIONAL"}},
	}
	for _, step := range steps {
		step.do()
		if diff := cmp.Diff([]map[string]string{step.jane, step.john}, []map[string]string{w.catalog(janes), w.catalog(johns)}); diff != "" {
			t.Errorf("%s: jane and john (-want +got):\n%s", step.reason, diff)
		}
	}
}

func TestEnrollmentPolicyBindsFactors(t *testing.T) {
	w := newDoorWorld(t)
	w.rule("all", "1FA", object{})
	factors := "/api/v1/users/" + w.jane + "/factors"
	w.enrolPush("jane@example.com")
	key := factors + "/" + w.do(200, "POST", factors, factorBody("webauthn", "FIDO")).text("id")
	policy := w.enrollPolicy("staff", w.group, 1, map[string]string{"phone_number": "REQUIRED"})
	r := w.do(400, "POST", factors, factorBody("token:software:totp", "GOOGLE"))
	if r.text("errorCode") != "E0000001" || r.cause() != "Factor not allowed for the user based on the Multifactor policy." {
		t.Errorf("an authenticator that is not allowed: got %s", r.Raw)
	}
	w.do(403, "POST", key+"/lifecycle/activate", object{"attestation": "x", "clientData": "y"})
	if w.org.CompleteFactor("jane@example.com", key[len(factors)+1:]) == nil {
		t.Error("the person completes a factor that is not allowed any more")
	}
	w.do(200, "POST", factors+"?activate=true", smsBody(janesPhone))
	if diff := cmp.Diff([]string{"sms OKTA ACTIVE"}, w.enrolled(factors)); diff != "" {
		t.Errorf("only what is allowed is listed (-want +got):\n%s", diff)
	}
	show := func(factor string) outcome { return w.enter(oktasim.Attempt{Factors: []string{factor}}) }
	if diff := cmp.Diff([]outcome{{true, "all"}, {}}, []outcome{show("sms"), show("push")}); diff != "" {
		t.Errorf("nobody signs in with what is not allowed (-want +got):\n%s", diff)
	}
	w.do(204, "DELETE", policy, nil)
	if diff := cmp.Diff(outcome{true, "all"}, show("push")); diff != "" {
		t.Errorf("the factor has waited (-want +got):\n%s", diff)
	}
	want := []string{"push OKTA ACTIVE", "token:software:totp OKTA ACTIVE", "webauthn FIDO PENDING_ACTIVATION", "sms OKTA ACTIVE"}
	if diff := cmp.Diff(want, w.enrolled(factors)); diff != "" {
		t.Errorf("and so have the others (-want +got):\n%s", diff)
	}
}

func TestSystemEnrollmentPolicyCanForbid(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	system := response{Object: w.do(200, "GET", policies+"?type=MFA_ENROLL", nil).List[0]}
	w.do(200, "PUT", policies+"/"+system.text("id"), object{
		"type": "MFA_ENROLL", "name": "Default Policy", "settings": object{
			"type": "AUTHENTICATORS", "authenticators": []object{{"key": "okta_email", "enroll": object{"self": "REQUIRED"}}},
		},
	})
	if diff := cmp.Diff(map[string]string{"email OKTA": "REQUIRED"}, w.catalog(w.jane())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPoliciesOfTheClassicEngineNameFactors(t *testing.T) {
	options := everyAuthenticator()
	options.Classic = true
	w := newWorld(t, options)
	factors := w.jane()
	if got := len(w.catalog(factors)); got != 6 {
		t.Errorf("the default policy allows %d factors, want all 6", got)
	}
	enroll := groupPolicy("MFA_ENROLL", "p", w.org.Snapshot().Groups[0].ID)
	enroll["settings"] = object{"factors": object{
		"google_otp": object{"enroll": object{"self": "REQUIRED"}}, "fido_webauthn": object{"enroll": object{"self": "OPTIONAL"}},
		"okta_push": object{"enroll": object{"self": "NOT_ALLOWED"}},
	}}
	w.do(200, "POST", policies, enroll)
	want := map[string]string{"token:software:totp GOOGLE": "REQUIRED", "webauthn FIDO": "OPTIONAL"}
	if diff := cmp.Diff(want, w.catalog(factors)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.do(400, "POST", factors, factorBody("push", "OKTA"))
	w.do(200, "POST", factors, factorBody("webauthn", "FIDO"))

	w.do(200, "POST", "/_sim/settings", object{"classic": false})
	if diff := cmp.Diff(want, w.catalog(factors)); diff != "" {
		t.Errorf("the policy stays when the org moves (-want +got):\n%s", diff)
	}
}

func TestFactorsShownAreThoseThePersonHas(t *testing.T) {
	phone := oktasim.Device{Registered: true, Platform: "IOS"}
	nothing := func(*doorWorld, string) {}
	codes := func(w *doorWorld, factors string) {
		id := w.do(200, "POST", factors, factorBody("token:software:totp", "GOOGLE")).text("id")
		w.must(w.org.CompleteFactor("jane@example.com", id))
	}
	push := func(w *doorWorld, _ string) { w.enrolPush("jane@example.com") }
	everything := func(w *doorWorld, _ string) { w.enrolEverything("jane@example.com") }
	tests := map[string]struct {
		reason string
		enrol  func(w *doorWorld, factors string)
		factor string
		want   bool
	}{
		"password":      {"everybody has one", nothing, "password", true},
		"nothing":       {"none is enrolled", nothing, "push", false},
		"push":          {"it is active", push, "push", true},
		"codes":         {"they come with the push", push, "totp", true},
		"fastpass":      {"it comes with the push", push, "fastpass", true},
		"no fastpass":   {"there is no Okta Verify", codes, "fastpass", false},
		"google":        {"the codes are Google's", codes, "google_otp", true},
		"other codes":   {"Google's are not Okta Verify's", codes, "totp", false},
		"not google":    {"nor the other way", push, "google_otp", false},
		"security key":  {"it is active", everything, "webauthn", true},
		"mail":          {"it is active", everything, "email", true},
		"no question":   {"nobody has one", everything, "security_question", false},
		"no calls":      {"text messages are none", everything, "voice", false},
		"still pending": {"the code has not been scanned", func(w *doorWorld, factors string) { w.do(200, "POST", factors, factorBody("push", "OKTA")) }, "push", false},
		"off": {"the authenticator is off", func(w *doorWorld, _ string) {
			w.enrolPush("jane@example.com")
			w.must(w.org.SetAuthenticators("phone_number"))
		}, "push", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newDoorWorld(t)
			w.rule("all", "1FA", object{})
			test.enrol(w, "/api/v1/users/"+w.jane+"/factors")
			got := w.enter(oktasim.Attempt{Factors: []string{test.factor}, Device: phone})
			if got.Allowed != test.want {
				t.Errorf("%s: got %v", test.reason, got)
			}
		})
	}
}

func TestOnlyActivePeopleSignIn(t *testing.T) {
	for _, status := range []string{"STAGED", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT", "SUSPENDED", "DEPROVISIONED"} {
		w := newCodeWorld(t)
		code := w.code(nil).Code
		w.must(w.org.SetUserStatus(w.jane, status))
		want := oktasim.Decision{Why: "the user is " + status}
		if diff := cmp.Diff(want, w.code(nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", status, diff)
		}
		if diff := cmp.Diff(refusal{400, "invalid_grant"}, w.redeem(w.redemption(code)).refusal()); diff != "" {
			t.Errorf("%s, with a code from before (-want +got):\n%s", status, diff)
		}
	}
}

func TestOrgMovesToIdentityEngine(t *testing.T) {
	w := newWorld(t, oktasim.Options{Classic: true})
	w.enrolPush("jane@example.com")
	w.do(200, "POST", "/api/v1/apps", webApp("agent-web"))
	enter := func(factors ...string) oktasim.Decision {
		return w.org.SignIn(oktasim.Attempt{Login: "jane@example.com", ClientID: "agent-web", Factors: factors})
	}
	if d := enter("password"); !d.Allowed || d.PolicyName != "Default Policy" {
		t.Errorf("the global policy decides alone, got %v", d)
	}
	w.do(200, "POST", "/_sim/settings", object{"classic": false})
	if d := enter("password"); d.Allowed || d.RuleName != "Catch-all Rule" {
		t.Errorf("the app is under the policy of the system, got %v", d)
	}
	if d := enter("password", "push"); !d.Allowed {
		t.Errorf("which wants two factors, got %v", d)
	}
	system := response{Object: w.do(200, "GET", policies+"?type=ACCESS_POLICY", nil).List[0]}
	w.do(200, "POST", "/_sim/settings", object{"classic": true})
	w.do(404, "GET", policies+"/"+system.text("id"), nil)
	if d := enter("password"); !d.Allowed {
		t.Errorf("and back, got %v", d)
	}
}
