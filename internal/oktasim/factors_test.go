package oktasim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	janesPhone = "+15554151337"
	otherPhone = "+15554151338"
)

// everyAuthenticator is on in a fresh world of factors.
func everyAuthenticator() oktasim.Options {
	return oktasim.Options{
		Authenticators: []string{"okta_email", "google_otp", "okta_verify", "phone_number", "security_question", "webauthn"},
	}
}

// jane makes a user and gives the path of her factors.
func (w *world) jane() string {
	return "/api/v1/users/" + w.newUser("jane@example.com", "") + "/factors"
}

func factorBody(kind, provider string) object {
	return object{"factorType": kind, "provider": provider}
}

func smsBody(phone string) object {
	body := factorBody("sms", "OKTA")
	body["profile"] = object{"phoneNumber": phone}
	return body
}

func emailBody(address string) object {
	body := factorBody("email", "OKTA")
	body["profile"] = object{"email": address}
	return body
}

func (w *world) driveFactors() {
	w.must(w.org.SetAuthenticators(everyAuthenticator().Authenticators...))
	factors := "/api/v1/users/" + w.newUser("driven@example.com", "STAGED") + "/factors"
	w.do(200, "GET", factors+"/catalog", nil)
	push := factors + "/" + w.do(200, "POST", factors, factorBody("push", "OKTA")).text("id")
	w.do(200, "POST", push+"/lifecycle/activate", nil)
	w.do(200, "POST", push+"/lifecycle/activate/poll", nil)
	w.do(204, "POST", push+"/lifecycle/activate/email", nil)
	w.do(200, "GET", push, nil)
	w.clock.Step(time.Hour)
	w.do(200, "POST", push+"/lifecycle/activate", nil)
	w.must(w.org.CompletePush("driven@example.com"))
	w.do(200, "POST", push+"/lifecycle/activate", nil)
	w.do(200, "POST", factors, factorBody("token:software:totp", "GOOGLE"))
	w.do(200, "POST", factors, factorBody("webauthn", "FIDO"))
	w.do(200, "POST", factors+"?activate=true", emailBody("driven@example.com"))
	sms := factors + "/" + w.do(200, "POST", factors+"?activate=false&updatePhone=true", smsBody(janesPhone)).text("id")
	w.do(403, "POST", sms+"/lifecycle/activate", object{"passCode": "wrong"})
	code, err := w.org.LastSMSCode("driven@example.com")
	w.must(err)
	w.do(200, "POST", sms+"/lifecycle/activate", object{"passCode": code})
	w.do(200, "GET", factors, nil)
	w.do(200, "GET", factors+"/catalog", nil)
	w.do(400, "POST", factors, smsBody(otherPhone))
	w.do(404, "GET", factors+"/smsNone", nil)
	w.do(204, "DELETE", sms+"?removeRecoveryEnrollment=true", nil)
}

// enrolled gives type, provider and status of each factor in the list.
func (w *world) enrolled(factors string) []string {
	w.t.Helper()
	all := []string{}
	for _, each := range w.do(200, "GET", factors, nil).List {
		f := response{Object: each}
		all = append(all, f.text("factorType")+" "+f.text("provider")+" "+f.text("status"))
	}
	return all
}

func TestPushIsCompletedByThePerson(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	enrolled := w.do(200, "POST", factors, factorBody("push", "OKTA"))
	push := factors + "/" + enrolled.text("id")
	got := []string{
		enrolled.text("status"), enrolled.text("_embedded", "activation", "factorResult"),
		enrolled.text("_embedded", "activation", "expiresAt"), strings.TrimPrefix(enrolled.text("_links", "poll", "href"), w.url+push),
	}
	want := []string{"PENDING_ACTIVATION", "WAITING", "2026-09-01T12:10:00.000Z", "/lifecycle/activate/poll"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the answer to the enrolment (-want +got):\n%s", diff)
	}
	read := w.do(200, "GET", push, nil)
	if read.text("status") != "PENDING_ACTIVATION" || read.Object["_embedded"] != nil {
		t.Errorf("the QR code is told once, got %s", read.Raw)
	}
	if r := w.do(200, "POST", push+"/lifecycle/activate/poll", nil); r.text("factorResult") != "WAITING" {
		t.Errorf("got %s", r.Raw)
	}
	w.do(204, "POST", push+"/lifecycle/activate/email", nil)
	w.do(429, "POST", push+"/lifecycle/activate/email", nil)
	if mails := w.org.Snapshot().Users[0].Factors[0].Mails; mails != 1 {
		t.Errorf("%d messages with the link were sent, want 1", mails)
	}
	w.clock.Step(10*time.Minute - time.Second)
	w.must(w.org.CompletePush("jane@example.com"))
	w.do(403, "POST", push+"/lifecycle/activate/email", nil)
	if r := w.do(200, "POST", push+"/lifecycle/activate/poll", nil); r.text("status") != "ACTIVE" || r.text("profile", "name") == "" {
		t.Errorf("got %s", r.Raw)
	}
	both := []string{"push OKTA ACTIVE", "token:software:totp OKTA ACTIVE"}
	if diff := cmp.Diff(both, w.enrolled(factors)); diff != "" {
		t.Errorf("Okta Verify shows codes as well (-want +got):\n%s", diff)
	}
	for _, kind := range []string{"push", "token:software:totp"} {
		r := w.do(400, "POST", factors, factorBody(kind, "OKTA"))
		if r.text("errorCode") != "E0000001" || r.cause() != "A factor of this type is already set up." {
			t.Errorf("a second %s: got %s", kind, r.Raw)
		}
	}
	if w.org.CompletePush("jane@example.com") == nil {
		t.Error("a push is completed twice")
	}
	w.do(204, "DELETE", push, nil)
	if got := w.enrolled(factors); len(got) > 0 {
		t.Errorf("both go together, got %v", got)
	}
	w.do(404, "DELETE", push, nil)
}

func TestPushTimesOut(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	push := factors + "/" + w.do(200, "POST", factors, factorBody("push", "OKTA")).text("id")
	w.clock.Step(10 * time.Minute)
	r := w.do(200, "POST", push+"/lifecycle/activate/poll", nil)
	if r.text("factorResult") != "TIMEOUT" || r.text("_links", "activate", "href") != w.url+push+"/lifecycle/activate" {
		t.Errorf("got %s", r.Raw)
	}
	if diff := cmp.Diff([]string{"push OKTA PENDING_ACTIVATION"}, w.enrolled(factors)); diff != "" {
		t.Errorf("it stays pending (-want +got):\n%s", diff)
	}
	if w.org.CompletePush("jane@example.com") == nil {
		t.Error("the person scans a code whose time is over")
	}
	again := w.do(200, "POST", push+"/lifecycle/activate", nil)
	if again.text("factorResult") != "WAITING" || again.text("expiresAt") != "2026-09-01T12:20:00.000Z" {
		t.Errorf("it begins again: got %s", again.Raw)
	}
	w.clock.Step(time.Minute)
	if r := w.do(200, "POST", push+"/lifecycle/activate", nil); r.text("expiresAt") != again.text("expiresAt") {
		t.Errorf("it gets no longer: got %s", r.Raw)
	}
	w.clock.Step(time.Hour)
	other := w.do(200, "POST", factors, factorBody("push", "OKTA")).text("id")
	w.do(404, "GET", push, nil)
	w.must(w.org.CompleteFactor("jane@example.com", other))
	if got := w.do(200, "GET", factors+"/"+other, nil).text("status"); got != "ACTIVE" {
		t.Errorf("the one that came after is %s", got)
	}
}

func TestEnrolmentIsRefused(t *testing.T) {
	w := newWorld(t, everyAuthenticator())
	factors := w.jane()
	profiled := factorBody("push", "OKTA")
	profiled["profile"] = object{"phoneNumber": janesPhone}
	tests := map[string]struct {
		query string
		body  object
		code  string
	}{
		"no type":                    {"", object{"provider": "OKTA"}, "E0000001"},
		"no provider":                {"", object{"factorType": "push"}, "E0000001"},
		"another provider":           {"", factorBody("push", "GOOGLE"), "E0000001"},
		"a call":                     {"", factorBody("call", "OKTA"), "E0000001"},
		"an unknown field":           {"", object{"factorType": "push", "provider": "OKTA", "device": "x"}, "E0000001"},
		"a push with a phone":        {"", profiled, "E0000001"},
		"a push at once":             {"?activate=true", factorBody("push", "OKTA"), "E0000001"},
		"a push with another phone":  {"?updatePhone=true", factorBody("push", "OKTA"), "E0000001"},
		"neither true nor false":     {"?activate=1", smsBody(janesPhone), "E0000001"},
		"a template":                 {"?templateId=x", smsBody(janesPhone), "E0000001"},
		"no phone":                   {"", factorBody("sms", "OKTA"), "E0000001"},
		"a phone without a country":  {"", smsBody("5554151337"), "E0000098"},
		"a phone with dashes":        {"", smsBody("+1-555-415-1337"), "E0000098"},
		"a phone that is too long":   {"", smsBody("+155541513370000"), "E0000098"},
		"an address of someone else": {"", emailBody("john@example.com"), "E0000001"},
		"no address":                 {"", factorBody("email", "OKTA"), "E0000001"},
	}
	for reason, test := range tests {
		if r := w.do(400, "POST", factors+test.query, test.body); r.text("errorCode") != test.code {
			t.Errorf("%s: got %s", reason, r.Raw)
		}
	}
	if got := w.enrolled(factors); len(got) > 0 {
		t.Errorf("something is enrolled: %v", got)
	}
	for _, path := range []string{"/api/v1/users/00uNone/factors", "/api/v1/users/jane@example.com/factors"} {
		if r := w.do(404, "POST", path, factorBody("push", "OKTA")); !strings.HasSuffix(r.text("errorSummary"), "(User)") {
			t.Errorf("%s: got %s", path, r.Raw)
		}
	}
	sms := factors + "/" + w.do(200, "POST", factors+"?activate=true", smsBody(janesPhone)).text("id")
	w.do(404, "POST", sms+"/lifecycle/activate/poll", nil)
	push := factors + "/" + w.do(200, "POST", factors, factorBody("push", "OKTA")).text("id")
	w.do(400, "DELETE", push+"?removeRecoveryEnrollment=true", nil)
	w.do(400, "POST", push+"/lifecycle/activate", object{"passCode": "123456"})
}

func TestOtherFactorsAreCompleted(t *testing.T) {
	w := newWorld(t, everyAuthenticator())
	factors := w.jane()
	tests := map[string]struct {
		reason string
		body   object
		coded  bool
		proof  object
	}{
		"google": {"the app shows a code", factorBody("token:software:totp", "GOOGLE"), true, nil},
		"okta":   {"so does Okta's", factorBody("token:software:totp", "OKTA"), true, nil},
		"email":  {"the mail holds one", emailBody("JANE@example.com"), true, nil},
		"key":    {"no attestation can be made up", factorBody("webauthn", "FIDO"), false, object{"attestation": "x", "clientData": "y"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.clock.Step(time.Hour)
			f := factors + "/" + w.do(200, "POST", factors, test.body).text("id")
			id := strings.TrimPrefix(f, factors+"/")
			code, err := w.org.FactorCode("jane@example.com", id)
			if test.coded != (err == nil) {
				t.Fatalf("%s: got %v", test.reason, err)
			}
			if test.coded {
				w.do(403, "POST", f+"/lifecycle/activate", object{"passCode": "x" + code})
				w.do(200, "POST", f+"/lifecycle/activate", object{"passCode": code})
			} else {
				w.do(403, "POST", f+"/lifecycle/activate", test.proof)
				w.must(w.org.CompleteFactor("jane@example.com", id))
			}
			if got := w.do(200, "GET", f, nil).text("status"); got != "ACTIVE" {
				t.Errorf("%s: got %s", test.reason, got)
			}
			if w.org.CompleteFactor("jane@example.com", id) == nil {
				t.Error("it is completed twice")
			}
		})
	}
}

// TestFactorsNeedTheirAuthenticator holds that switching one off hides its factors,
// and back on shows them again.
func TestFactorsNeedTheirAuthenticator(t *testing.T) {
	w := newWorld(t, oktasim.Options{Authenticators: []string{"phone_number", "okta_verify"}})
	factors := w.jane()
	supported := func() []string {
		all := []string{}
		for _, each := range w.do(200, "GET", factors+"/catalog", nil).List {
			kind := response{Object: each}
			all = append(all, kind.text("factorType")+" "+kind.text("provider")+" "+kind.text("status"))
		}
		return all
	}
	refusedAs := "Factor not allowed for the user based on the Multifactor policy."
	if r := w.do(400, "POST", factors, factorBody("webauthn", "FIDO")); r.text("errorCode") != "E0000001" || r.cause() != refusedAs {
		t.Errorf("got %s", r.Raw)
	}
	push := factors + "/" + w.do(200, "POST", factors, factorBody("push", "OKTA")).text("id")
	w.do(200, "POST", factors+"?activate=true", smsBody(janesPhone))
	want := []string{"push OKTA PENDING_ACTIVATION", "token:software:totp OKTA NOT_SETUP", "sms OKTA ACTIVE"}
	if diff := cmp.Diff(want, supported()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.must(w.org.SetAuthenticators("phone_number"))
	w.do(403, "POST", push+"/lifecycle/activate", nil)
	if w.org.CompletePush("jane@example.com") == nil {
		t.Error("an authenticator that is off is set up")
	}
	if diff := cmp.Diff([]string{"sms OKTA ACTIVE"}, w.enrolled(factors)); diff != "" {
		t.Errorf("a factor of an authenticator that is off is not listed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sms OKTA ACTIVE"}, supported()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.must(w.org.SetAuthenticators("okta_verify"))
	w.must(w.org.CompletePush("jane@example.com"))
	active, err := w.org.ActiveFactors("jane@example.com")
	w.must(err)
	if diff := cmp.Diff([]string{"push", "token:software:totp"}, active); diff != "" {
		t.Errorf("nobody signs in with what is off (-want +got):\n%s", diff)
	}
	if _, err := w.org.ActiveFactors("nobody"); err == nil {
		t.Error("nobody has factors")
	}
}

func TestFactorsOfUsersWhoCannotSignIn(t *testing.T) {
	for _, status := range []string{"SUSPENDED", "DEPROVISIONED"} {
		w := newWorld(t, oktasim.Options{})
		factors := w.jane()
		push := factors + "/" + w.do(200, "POST", factors, factorBody("push", "OKTA")).text("id")
		w.must(w.org.SetUserStatus("jane@example.com", status))
		for reason, r := range map[string]response{
			"enrol":    w.do(403, "POST", factors, factorBody("push", "OKTA")),
			"activate": w.do(403, "POST", push+"/lifecycle/activate", nil),
			"unenrol":  w.do(403, "DELETE", push, nil),
		} {
			if r.text("errorCode") != "E0000038" {
				t.Errorf("%s, %s: got %s", status, reason, r.Raw)
			}
		}
		if w.org.CompletePush("jane@example.com") == nil {
			t.Errorf("%s: the person sets Okta Verify up", status)
		}
		w.do(200, "GET", factors, nil)
	}
	w := newWorld(t, oktasim.Options{})
	staged := "/api/v1/users/" + w.newUser("new@example.com", "STAGED") + "/factors"
	w.do(200, "POST", staged, factorBody("push", "OKTA"))
}

func TestControlDoesThePersonsPart(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	w.do(200, "POST", factors, factorBody("push", "OKTA"))
	w.do(200, "POST", "/_sim/factors/complete", object{"user": "jane@example.com"})
	w.do(400, "POST", "/_sim/factors/complete", object{"user": "jane@example.com"})
	w.do(400, "POST", "/_sim/factors/code", object{"user": "jane@example.com"})
	sms := w.do(200, "POST", factors, smsBody(janesPhone)).text("id")
	last := w.do(200, "POST", "/_sim/factors/code", object{"user": "jane@example.com"}).text("code")
	if code := w.do(200, "POST", "/_sim/factors/code", object{"user": "jane@example.com", "factorID": sms}).text("code"); code != last {
		t.Errorf("got the code %q, want %q", code, last)
	}
	w.do(200, "POST", factors+"/"+sms+"/lifecycle/activate", object{"passCode": last})

	w.do(200, "PATCH", "/_sim/users", object{"user": "jane@example.com", "status": "SUSPENDED", "mobilePhone": ""})
	w.do(400, "PATCH", "/_sim/users", object{"user": "jane@example.com"})
	w.do(400, "PATCH", "/_sim/users", object{"user": "john@example.com", "status": "ACTIVE"})
	r := w.do(200, "GET", "/api/v1/users/jane@example.com", nil)
	if r.text("status") != "SUSPENDED" || r.text("profile", "mobilePhone") != "" {
		t.Errorf("got %s", r.Raw)
	}
	w.do(200, "DELETE", "/_sim/users?user=jane@example.com", nil)
	w.do(400, "DELETE", "/_sim/users?user=jane@example.com", nil)
	w.do(404, "GET", factors, nil)
}

func TestCodesOfOktaVerifyAreKept(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	codes := w.do(200, "POST", factors, factorBody("token:software:totp", "OKTA")).text("id")
	w.must(w.org.CompleteFactor("jane@example.com", codes))
	w.do(200, "POST", factors, factorBody("push", "OKTA"))
	w.must(w.org.CompletePush("jane@example.com"))
	if diff := cmp.Diff([]string{"token:software:totp OKTA ACTIVE", "push OKTA ACTIVE"}, w.enrolled(factors)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.do(200, "GET", factors+"/"+codes, nil)
}

func TestFactorsWantTheirScopesAndTheUsersBucket(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsWorkforce})
	factors := w.jane()
	push := factors + "/" + w.do(200, "POST", factors, factorBody("push", "OKTA")).text("id")
	w.auth = "Bearer " + w.orgToken("reader", "okta.users.read")
	for _, path := range []string{factors, factors + "/catalog", push, "/api/v1/users"} {
		if limit := w.do(200, "GET", path, nil).Header.Get("X-Rate-Limit-Limit"); limit != "600" {
			t.Errorf("%s: a limit of %s, want that of /api/v1/users", path, limit)
		}
	}
	w.do(403, "GET", "/api/v1/authenticators", nil)
	writes := map[string]string{
		factors: "POST", push + "/lifecycle/activate": "POST", push + "/lifecycle/activate/poll": "POST",
		push + "/lifecycle/activate/email": "POST", push: "DELETE",
	}
	for path, method := range writes {
		w.do(403, method, path, nil)
	}
	w.auth = "Bearer " + w.orgToken("writer", "okta.users.manage")
	w.do(403, "GET", factors, nil)
	w.do(204, "DELETE", push, nil)
}
