package oktasim_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const verifier = "a verifier that is long enough to be one"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// codeWorld has a person who may sign in to an app, and a server whose rule lets the
// person's group read through it.
type codeWorld struct {
	*doorWorld
	server, id string
}

func newCodeWorld(t *testing.T) *codeWorld {
	t.Helper()
	w := &codeWorld{doorWorld: newDoorWorld(t)}
	w.rule("all", "1FA", object{})
	w.server, w.id = w.newServer("read", "write")
	policy := w.server + "/policies/" + w.do(201, "POST", w.server+"/policies", policyBody("web", "agent-web")).text("id")
	rule := ruleBody("staff", "read")
	conditions := rule["conditions"].(object)
	conditions["grantTypes"] = object{"include": []string{"authorization_code"}}
	conditions["people"] = object{"groups": object{"include": []string{w.group}}}
	w.do(201, "POST", policy+"/rules", rule)
	return w
}

func (w *codeWorld) code(change func(*oktasim.Attempt)) oktasim.Decision {
	a := oktasim.Attempt{
		Login: "jane@example.com", ClientID: "agent-web", Factors: []string{"password"}, Server: w.id,
		Scopes: []string{"read"}, RedirectURI: "https://example.com/callback", CodeChallenge: challenge(),
	}
	if change != nil {
		change(&a)
	}
	return w.org.SignIn(a)
}

func (w *codeWorld) redemption(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier},
		"redirect_uri": {"https://example.com/callback"},
		"client_id":    {"agent-web"}, "client_secret": {"the secret of agent-web"},
	}
}

func (w *codeWorld) redeem(form url.Values) response {
	w.t.Helper()
	return w.post("/oauth2/"+w.id+"/v1/token", form)
}

func TestTokenOfAPerson(t *testing.T) {
	w := newCodeWorld(t)
	d := w.code(nil)
	if d.Code == "" {
		t.Fatalf("there is no code: %s", d.Why)
	}
	answer := w.redeem(w.redemption(d.Code))
	if answer.Status != 200 {
		t.Fatalf("got %d: %s", answer.Status, answer.Raw)
	}
	token, err := jwt.ParseSigned(answer.text("access_token"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"sub": "jane@example.com", "uid": w.jane, "cid": "agent-web", "scp": []any{"read"}, "aud": "api://agents"}
	got := map[string]any{}
	for name := range want {
		got[name] = claims[name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(refusal{400, "invalid_grant"}, w.redeem(w.redemption(d.Code)).refusal()); diff != "" {
		t.Errorf("a code is good for one token (-want +got):\n%s", diff)
	}
}

func TestCodesAreGivenAsTheAppIsRegistered(t *testing.T) {
	w := newCodeWorld(t)
	for name, spoil := range map[string]func(*oktasim.Attempt){
		"server":   func(a *oktasim.Attempt) { a.Server = "ausNone" },
		"redirect": func(a *oktasim.Attempt) { a.RedirectURI = "https://example.com/elsewhere" },
		"scope":    func(a *oktasim.Attempt) { a.Scopes = []string{"delete"} },
		"openid":   func(a *oktasim.Attempt) { a.Scopes = []string{"openid"} },
		"nothing":  func(a *oktasim.Attempt) { a.Scopes = nil },
	} {
		if d := w.code(spoil); d.Allowed || d.Code != "" {
			t.Errorf("%s: got %v", name, d)
		}
	}
	if d := w.code(func(a *oktasim.Attempt) { a.Factors = nil }); d.Code != "" {
		t.Error("who is not let in gets no code")
	}
}

func TestCodesAreRedeemedByWhoAskedForThem(t *testing.T) {
	tests := map[string]struct {
		reason string
		spoil  func(url.Values)
		want   refusal
	}{
		"code":     {"nobody has given it", func(f url.Values) { f.Set("code", "made up") }, refusal{400, "invalid_grant"}},
		"verifier": {"somebody else's", func(f url.Values) { f.Set("code_verifier", "another verifier") }, refusal{400, "invalid_grant"}},
		"none":     {"there was a challenge", func(f url.Values) { f.Del("code_verifier") }, refusal{400, "invalid_grant"}},
		"redirect": {"not where the code went", func(f url.Values) { f.Set("redirect_uri", "https://example.com/") }, refusal{400, "invalid_grant"}},
		"secret":   {"the client is not who it says", func(f url.Values) { f.Set("client_secret", "guessed") }, refusal{401, "invalid_client"}},
		"public":   {"the client has a secret", func(f url.Values) { f.Del("client_secret") }, refusal{401, "invalid_client"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newCodeWorld(t)
			form := w.redemption(w.code(nil).Code)
			test.spoil(form)
			if diff := cmp.Diff(test.want, w.redeem(form).refusal()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
	w := newCodeWorld(t)
	late := w.redemption(w.code(nil).Code)
	w.clock.Step(5 * time.Minute)
	if diff := cmp.Diff(refusal{400, "invalid_grant"}, w.redeem(late).refusal()); diff != "" {
		t.Errorf("a code lives for five minutes (-want +got):\n%s", diff)
	}
}

func TestRulesForPeopleHoldForThem(t *testing.T) {
	w := newCodeWorld(t)
	tests := map[string]struct {
		reason string
		change func(*oktasim.Attempt)
	}{
		"scope":  {"no rule has it", func(a *oktasim.Attempt) { a.Scopes = []string{"write"} }},
		"scopes": {"the rule has not all", func(a *oktasim.Attempt) { a.Scopes = []string{"read", "write"} }},
		"person": {"john is not in the group", func(a *oktasim.Attempt) { a.Login = "john@example.com" }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			if diff := cmp.Diff(refusal{400, "access_denied"}, w.redeem(w.redemption(w.code(test.change).Code)).refusal()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestRulesOfServersNamePeople(t *testing.T) {
	w := newCodeWorld(t)
	john := w.org.AddUser("john@example.com")
	policy := w.server + "/policies/" + w.do(200, "GET", w.server+"/policies", nil).List[0]["id"].(string)
	path := policy + "/rules/" + w.do(200, "GET", policy+"/rules", nil).List[0]["id"].(string)
	tests := map[string]struct {
		reason string
		people object
		want   map[string]int
	}{
		"everyone": {
			"but for whom the rule excludes",
			object{"groups": object{"include": []string{"EVERYONE"}}, "users": object{"exclude": []string{w.jane}}},
			map[string]int{"jane@example.com": 400, "john@example.com": 200},
		},
		"by name": {
			"besides the group",
			object{"groups": object{"include": []string{w.group}}, "users": object{"include": []string{john}}},
			map[string]int{"jane@example.com": 200, "john@example.com": 200},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			rule := ruleBody("staff", "read")
			conditions := rule["conditions"].(object)
			conditions["grantTypes"] = object{"include": []string{"authorization_code"}}
			conditions["people"] = test.people
			w.do(200, "PUT", path, rule)
			got := map[string]int{}
			for login := range test.want {
				got[login] = w.redeem(w.redemption(w.code(func(a *oktasim.Attempt) { a.Login = login }).Code)).Status
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestPublicClientsMustUsePKCE(t *testing.T) {
	w := newCodeWorld(t)
	body := webApp("agent-native")
	body["credentials"] = object{"oauthClient": object{"client_id": "agent-native", "token_endpoint_auth_method": "none"}}
	body["settings"].(object)["oauthClient"].(object)["application_type"] = "native"
	app := w.do(200, "POST", "/api/v1/apps", body).text("id")
	w.do(204, "PUT", "/api/v1/apps/"+app+"/policies/"+w.policy[len(policies)+1:], nil)
	policy := w.do(200, "GET", w.server+"/policies", nil).List[0]["id"].(string)
	w.do(200, "PUT", w.server+"/policies/"+policy, policyBody("web", "agent-web", "agent-native"))
	native := func(a *oktasim.Attempt) { a.ClientID = "agent-native" }
	form := w.redemption(w.code(native).Code)
	form.Set("client_id", "agent-native")
	form.Del("client_secret")
	if r := w.redeem(form); r.Status != 200 {
		t.Errorf("got %d: %s", r.Status, r.Raw)
	}
	if d := w.code(func(a *oktasim.Attempt) { native(a); a.CodeChallenge = "" }); d.Code != "" {
		t.Error("without PKCE anybody could redeem the code")
	}
}

func TestClientsComeFromTheirNetwork(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	zone := w.do(200, "POST", "/api/v1/zones", zoneBody("cluster", "203.0.113.0/24")).text("id")
	server, id := w.newServer("read")
	w.newPolicy(server, "p", []string{"ALL_CLIENTS"}, []string{"read"})
	networks := map[string]object{
		"agent-inside":  {"connection": "ZONE", "include": []string{zone}},
		"agent-outside": {"connection": "ZONE", "exclude": []string{zone}},
		"agent-zones":   {"connection": "ZONE", "include": []string{"ALL_IP_ZONES"}},
		"agent-free":    {"connection": "ANYWHERE"},
	}
	for client, network := range networks {
		body := serviceApp(client, client)
		body["credentials"].(object)["oauthClient"].(object)["client_secret"] = "the secret of " + client
		body["settings"].(object)["oauthClient"].(object)["network"] = network
		w.do(200, "POST", "/api/v1/apps", body)
	}
	ask := func(client, ip string) int {
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
		return w.post("/oauth2/"+id+"/v1/token", form, func(r *http.Request) {
			r.SetBasicAuth(client, url.QueryEscape("the secret of "+client))
			r.Header.Set("X-Sim-Client-IP", ip)
		}).Status
	}
	got := map[string][]int{}
	for client := range networks {
		got[client] = []int{ask(client, "203.0.113.9"), ask(client, "198.51.100.9")}
	}
	want := map[string][]int{
		"agent-inside": {200, 400}, "agent-outside": {400, 200}, "agent-zones": {200, 400}, "agent-free": {200, 200},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("within and without the zone (-want +got):\n%s", diff)
	}
	w.do(200, "POST", "/api/v1/zones/"+zone+"/lifecycle/deactivate", nil)
	if status := ask("agent-inside", "203.0.113.9"); status != 400 {
		t.Errorf("nobody is in a zone that is INACTIVE, got %d", status)
	}
}

func TestInteractiveAppsSayWhereCodesGo(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	for field, value := range map[string]any{"redirect_uris": []string{}, "response_types": []string{"token"}} {
		body := webApp("agent-web")
		body["settings"].(object)["oauthClient"].(object)[field] = value
		if r := w.do(400, "POST", "/api/v1/apps", body); !strings.Contains(r.cause(), field) {
			t.Errorf("%s: got %s", field, r.Raw)
		}
	}
}
