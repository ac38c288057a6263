package oktasim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func (w *world) driveAuthenticators() {
	w.must(w.org.SetAuthenticators("okta_verify", "google_otp", "webauthn"))
	for _, authenticator := range w.do(200, "GET", "/api/v1/authenticators", nil).List {
		w.do(200, "GET", "/api/v1/authenticators/"+response{Object: authenticator}.text("id"), nil)
	}
	w.do(404, "GET", "/api/v1/authenticators/autNone", nil)
}

// authenticators gives the status of each.
func (w *world) authenticators() map[string]string {
	w.t.Helper()
	statuses := map[string]string{}
	for _, each := range w.do(200, "GET", "/api/v1/authenticators", nil).List {
		authenticator := response{Object: each}
		statuses[authenticator.text("key")] = authenticator.text("status")
	}
	return statuses
}

func TestAuthenticatorsAreThoseOfTheOptions(t *testing.T) {
	const on, off = "ACTIVE", "INACTIVE"
	fresh := newWorld(t, oktasim.Options{})
	want := map[string]string{
		"okta_email": on, "google_otp": off, "okta_verify": on, "okta_password": on, "phone_number": on, "webauthn": off,
		"security_question": off,
	}
	if diff := cmp.Diff(want, fresh.authenticators()); diff != "" {
		t.Errorf("a new org (-want +got):\n%s", diff)
	}
	w := newWorld(t, oktasim.Options{Authenticators: []string{}})
	for key := range want {
		want[key] = off
	}
	want["okta_password"] = on
	if diff := cmp.Diff(want, w.authenticators()); diff != "" {
		t.Errorf("the password is always on (-want +got):\n%s", diff)
	}
	w.do(200, "POST", "/_sim/settings", object{"authenticators": []string{"google_otp"}})
	want["google_otp"] = on
	if diff := cmp.Diff(want, w.authenticators()); diff != "" {
		t.Errorf("switched on (-want +got):\n%s", diff)
	}
	w.do(400, "POST", "/_sim/settings", object{"authenticators": []string{"telepathy"}})
	if w.org.SetAuthenticators("telepathy") == nil {
		t.Error("an authenticator that does not exist is taken")
	}
	if diff := cmp.Diff(want, w.authenticators()); diff != "" {
		t.Errorf("a refused setting changes nothing (-want +got):\n%s", diff)
	}
}

func TestClassicOrgHasNoAuthenticators(t *testing.T) {
	w := newWorld(t, oktasim.Options{Classic: true})
	pipeline := func() string { return w.do(200, "GET", "/.well-known/okta-organization", nil).text("pipeline") }
	for _, path := range []string{"/api/v1/authenticators", "/api/v1/authenticators/autNone"} {
		if r := w.do(401, "GET", path, nil); r.text("errorCode") != "E0000015" || pipeline() != "v1" {
			t.Errorf("%s: got %s in pipeline %s", path, r.Raw, pipeline())
		}
	}
	w.do(200, "POST", "/_sim/settings", object{"classic": false})
	if w.do(200, "GET", "/api/v1/authenticators", nil); pipeline() != "idx" {
		t.Errorf("got pipeline %s", pipeline())
	}
}

// TestAuthenticatorsLookLikeRecordedOnes compares each with those of its key and
// status that real orgs have given.
func TestAuthenticatorsLookLikeRecordedOnes(t *testing.T) {
	vary, seen := variable(), map[string]bool{}
	ours := map[string]object{}
	for _, keys := range [][]string{nil, {"okta_email", "google_otp", "okta_verify", "phone_number", "security_question", "webauthn"}} {
		w := newWorld(t, oktasim.Options{Authenticators: append([]string{}, keys...)})
		for _, each := range w.do(200, "GET", "/api/v1/authenticators", nil).List {
			ours[response{Object: each}.text("key")+" "+response{Object: each}.text("status")] = each
		}
	}
	for _, p := range readPairs(t, "authenticator") {
		answers, isList := p.Answer.([]any)
		if !isList {
			answers = []any{p.Answer}
		}
		for _, answer := range answers {
			recorded := response{Object: asObject(answer)}
			name := recorded.text("key") + " " + recorded.text("status")
			if p.Method != "GET" || ours[name] == nil {
				continue
			}
			seen[recorded.text("key")] = true
			if err := sameShape(vary, recorded.Object, ours[name]); err != nil {
				t.Errorf("%s, recorded as %s: %v", name, p.key(), err)
			}
		}
	}
	if len(seen) != 7 {
		t.Errorf("the recordings have only the authenticators %v", seen)
	}
}
