package oktasim_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func decode(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func TestScopesOfOperationsAreAskedFor(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.auth = "Bearer " + w.orgToken("operator", "okta.groups.read", "okta.apps.manage")
	w.do(200, "GET", "/api/v1/groups", nil)
	r := w.do(403, "POST", "/api/v1/groups", object{})
	if r.text("errorCode") != "E0000006" {
		t.Errorf("got %s", r.Raw)
	}
	header := r.Header.Get("WWW-Authenticate")
	for _, part := range []string{`Bearer `, `error="insufficient_scope"`, `scope="okta.groups.manage"`} {
		if !strings.Contains(header, part) {
			t.Errorf("WWW-Authenticate must hold %s, got %s", part, header)
		}
	}
	w.do(403, "GET", "/api/v1/apps", nil)
}

func TestPrincipalLosesItsAccess(t *testing.T) {
	tests := map[string]struct {
		reason string
		lose   func(*world)
		want   refusal
	}{
		"revoked":   {"at once, also for tokens that are out", func(w *world) { w.org.RevokeServiceClient("operator") }, refusal{401, "E0000011"}},
		"expired":   {"after an hour", func(w *world) { w.clock.Step(time.Hour) }, refusal{401, "E0000011"}},
		"scopes":    {"a scope that is taken away", func(w *world) { w.org.SetScopes("operator", "okta.apps.read") }, refusal{403, "E0000006"}},
		"forged":    {"a token of somebody else", func(w *world) { w.auth += "x" }, refusal{401, "E0000011"}},
		"bad SSWS":  {"no such token", func(w *world) { w.auth = "SSWS 00guess" }, refusal{401, "E0000011"}},
		"no header": {"nobody", func(w *world) { w.auth = "" }, refusal{401, "E0000011"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			w.auth = "Bearer " + w.orgToken("operator", "okta.groups.read")
			w.do(200, "GET", "/api/v1/groups", nil)
			test.lose(w)
			r, err := w.try("GET", "/api/v1/groups", nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, r.refusal()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestTokensDoNotGainScopes(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.auth = "Bearer " + w.orgToken("operator", "okta.groups.read")
	w.org.SetScopes("operator", "okta.groups.read", "okta.apps.read")
	w.do(403, "GET", "/api/v1/apps", nil)
}

func TestClientIDsAreUniqueAmongServiceClientsToo(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.orgToken("operator", "okta.apps.read")
	w.do(400, "POST", "/api/v1/apps", serviceApp("operator", "an impostor"))
}

func TestOneScopeTooManyFailsTheWholeTokenRequest(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	private, jwk := newKey(t, "k")
	if err := w.org.AddServiceClient("operator", encode(t, jwk), "okta.apps.read"); err != nil {
		t.Fatal(err)
	}
	claims := w.claims("operator", w.url+"/oauth2/v1/token")
	r := w.post("/oauth2/v1/token", assertionForm(sign(t, private, "k", claims), "okta.apps.read", "okta.apps.manage"))
	if diff := cmp.Diff(refusal{400, "invalid_scope"}, r.refusal()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOrgWithoutAPIAccessManagement(t *testing.T) {
	w := newWorld(t, oktasim.Options{NoAPIAccessManagement: true})
	if diff := cmp.Diff(refusal{401, "E0000015"}, w.do(401, "GET", servers, nil).refusal()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.do(200, "GET", "/api/v1/apps", nil)
}

func TestStrangeRequestsAreToldApart(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.do(404, "GET", "/api/v1/behaviors", nil)
	w.do(405, "PATCH", "/api/v1/groups", nil)
	w.do(400, "GET", "/api/v1/apps?expand=user", nil)
	w.do(400, "POST", "/api/v1/groups", object{"profile": object{"name": "x", "colour": "red"}})
	want := []string{
		"GET /api/v1/behaviors: the path",
		"PATCH /api/v1/groups: the method",
		"GET /api/v1/apps: ?expand",
		"POST /api/v1/groups: profile.colour",
	}
	if diff := cmp.Diff(want, w.org.Unknown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
