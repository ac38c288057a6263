package oktasim_test

import (
	"bytes"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestTextMessageActivates(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	if _, err := w.org.LastSMSCode("jane@example.com"); err == nil {
		t.Error("there is a code before any was sent")
	}
	enrol := func() string { return factors + "/" + w.do(200, "POST", factors, smsBody(janesPhone)).text("id") }
	code := func() object {
		text, err := w.org.LastSMSCode("jane@example.com")
		w.must(err)
		return object{"passCode": text}
	}
	first := enrol()
	if r := w.do(429, "POST", factors, smsBody(janesPhone)); r.text("errorCode") != "E0000109" {
		t.Errorf("one message in 30 seconds: got %s", r.Raw)
	}
	w.do(200, "GET", first, nil)
	old := code()
	w.clock.Step(5 * time.Minute)
	if r := w.do(403, "POST", first+"/lifecycle/activate", old); r.text("errorCode") != "E0000068" {
		t.Errorf("a code that is too old: got %s", r.Raw)
	}
	second := enrol()
	w.do(404, "POST", first+"/lifecycle/activate", code())
	w.do(403, "POST", second+"/lifecycle/activate", object{"passCode": "12345"})
	w.do(400, "POST", second+"/lifecycle/activate", object{})
	w.do(400, "POST", second+"/lifecycle/activate", object{"passcode": "12345"})
	if got := w.enrolled(factors); !cmp.Equal(got, []string{"sms OKTA PENDING_ACTIVATION"}) {
		t.Errorf("nothing of that activates: got %v", got)
	}
	r := w.do(200, "POST", second+"/lifecycle/activate", code())
	if r.text("status") != "ACTIVE" || r.text("profile", "phoneNumber") != janesPhone {
		t.Errorf("got %s", r.Raw)
	}
	if r := w.do(429, "POST", second+"/lifecycle/activate", code()); r.text("errorCode") != "E0000047" {
		t.Errorf("the sixth attempt in 5 minutes: got %s", r.Raw)
	}
	w.clock.Step(5 * time.Minute)
	if r := w.do(403, "POST", second+"/lifecycle/activate", code()); r.text("errorCode") != "E0000038" {
		t.Errorf("an active factor: got %s", r.Raw)
	}
}

func TestOnePhone(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	const at, set, taken = "?activate=true", "A factor of this type is already set up.", "There is an existing verified phone number."
	steps := []struct {
		reason, query, phone, cause string
		before                      func(sms string)
	}{
		{"the first phone", at, janesPhone, "", nil},
		{"the same one again", at, janesPhone, set, nil},
		{"another one", at, otherPhone, taken, nil},
		{"updatePhone does nothing to an active one", at + "&updatePhone=true", otherPhone, taken, nil},
		{"the number outlives its factor", at, otherPhone, taken, func(sms string) { w.do(204, "DELETE", sms, nil) }},
		{"the same number needs nothing", at, janesPhone, "", nil},
		{"updatePhone replaces it", at + "&updatePhone=true", otherPhone, "", func(sms string) { w.do(204, "DELETE", sms, nil) }},
		{"a forgotten number is in nobody's way", at, janesPhone, "", func(sms string) {
			w.do(204, "DELETE", sms+"?removeRecoveryEnrollment=true", nil)
		}},
		{"that of a pending factor is", "", otherPhone, taken, func(sms string) {
			w.do(204, "DELETE", sms+"?removeRecoveryEnrollment=true", nil)
			w.do(200, "POST", factors, smsBody(janesPhone))
		}},
	}
	sms := ""
	for _, step := range steps {
		if step.before != nil {
			step.before(sms)
		}
		r, err := w.try("POST", factors+step.query, smsBody(step.phone))
		w.must(err)
		if r.cause() != step.cause || (step.cause == "") != (r.text("status") == "ACTIVE") {
			t.Errorf("%s: got %d %s", step.reason, r.Status, r.Raw)
		}
		if r.Status == 200 {
			sms = factors + "/" + r.text("id")
		}
	}
	if _, err := w.org.LastSMSCode("jane@example.com"); err != nil {
		t.Errorf("the pending one got a message: %v", err)
	}
}

func TestActivatingForThePersonSendsNothing(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.do(200, "POST", w.jane()+"?activate=true", smsBody(janesPhone))
	if code, err := w.org.LastSMSCode("jane@example.com"); err == nil {
		t.Errorf("a code %s was sent", code)
	}
	// So nobody else waits for the phone.
	john := "/api/v1/users/" + w.newUser("john@example.com", "") + "/factors"
	w.do(200, "POST", john, smsBody(janesPhone))
}

func TestMailsAreFiveSecondsApart(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	w.do(200, "POST", factors, emailBody("jane@example.com"))
	if r := w.do(429, "POST", factors, emailBody("jane@example.com")); r.text("errorCode") != "E0000118" {
		t.Errorf("got %s", r.Raw)
	}
	w.clock.Step(5 * time.Second)
	w.do(200, "POST", factors, emailBody("jane@example.com"))
}

// TestPhoneNumbersStayWithUsers holds that a number shows in the API and nowhere else.
func TestPhoneNumbersStayWithUsers(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	factors := w.jane()
	w.do(200, "GET", "/api/v1/users?search="+url.QueryEscape(`profile.mobilePhone eq "`+janesPhone+`"`), nil)
	w.do(200, "POST", factors, smsBody(janesPhone))
	refused := []response{
		w.do(429, "POST", factors, smsBody(janesPhone)), w.do(400, "POST", factors, smsBody(otherPhone)),
		w.do(400, "POST", factors, smsBody("0"+janesPhone)),
	}
	want := oktasim.Factor{ID: w.org.Snapshot().Users[0].Factors[0].ID, Type: "sms", Provider: "OKTA", Status: "PENDING_ACTIVATION"}
	if diff := cmp.Diff([]oktasim.Factor{want}, w.org.Snapshot().Users[0].Factors); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	told := [][]byte{encode(t, w.org.Snapshot()), encode(t, w.org.Operations()), encode(t, w.org.Unknown())}
	for _, r := range refused {
		told = append(told, r.Raw)
	}
	for _, text := range told {
		if bytes.Contains(text, []byte("5554151")) {
			t.Errorf("a phone number in %s", text)
		}
	}
}
