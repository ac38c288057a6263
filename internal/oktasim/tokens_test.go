package oktasim_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// tokenWorld has one client with a key and a server that lets it read.
type tokenWorld struct {
	*world
	key, off any
	endpoint string
	app      string
	server   string
	policy   string
	rule     string
}

func newTokenWorld(t *testing.T) *tokenWorld {
	w := newWorld(t, oktasim.Options{})
	private, jwk := newKey(t, "good")
	off, offJWK := newKey(t, "off")
	offJWK["status"] = "INACTIVE"
	app := w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one", jwk, offJWK))
	server, id := w.newServer("read", "write")
	policy, rule := w.newPolicy(server, "p", []string{"agent-one"}, []string{"read"})
	return &tokenWorld{
		world: w, key: private, off: off, endpoint: "/oauth2/" + id + "/v1/token", app: "/api/v1/apps/" + app.text("id"),
		server: server, policy: policy, rule: rule,
	}
}

func (w *tokenWorld) ask(change func(*jwt.Claims), scopes ...string) response {
	claims := w.claims("agent-one", w.url+w.endpoint)
	if change != nil {
		change(&claims)
	}
	return w.post(w.endpoint, assertionForm(sign(w.t, w.key, "good", claims), scopes...))
}

func TestTokenIsWhatResourceServersExpect(t *testing.T) {
	w := newTokenWorld(t)
	r := w.ask(nil, "read")
	if r.Status != 200 || r.text("token_type") != "Bearer" || r.Object["expires_in"] != 600.0 || r.text("scope") != "read" {
		t.Fatalf("got %d: %s", r.Status, r.Raw)
	}
	token, err := jwt.ParseSigned(r.text("access_token"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	decode(t, w.do(200, "GET", w.endpoint[:len(w.endpoint)-len("token")]+"keys", nil).Raw, &keys)
	claims := object{}
	if err := token.Claims(keys, &claims); err != nil {
		t.Fatalf("a published key must verify the token: %v", err)
	}
	delete(claims, "jti")
	now := float64(w.clock.Now().Unix())
	want := object{
		"ver": 1.0, "iss": w.url + w.endpoint[:len(w.endpoint)-len("/v1/token")], "aud": "api://agents", "iat": now, "exp": now + 600,
		"cid": "agent-one", "sub": "agent-one", "scp": []any{"read"},
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims differ (-want +got):\n%s", diff)
	}
}

func TestAssertionIsRefused(t *testing.T) {
	at := func(w *tokenWorld, d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(w.clock.Now().Add(d)) }
	tests := map[string]struct {
		reason string
		change func(*tokenWorld, *jwt.Claims)
		good   bool
	}{
		"good":          {"the others differ in one thing only", func(*tokenWorld, *jwt.Claims) {}, true},
		"without jti":   {"Okta lets it out", func(_ *tokenWorld, c *jwt.Claims) { c.ID = "" }, true},
		"without iat":   {"Okta lets it out", func(_ *tokenWorld, c *jwt.Claims) { c.IssuedAt = nil }, true},
		"issuer":        {"the client itself", func(_ *tokenWorld, c *jwt.Claims) { c.Issuer = "agent-two" }, false},
		"subject":       {"the client itself", func(_ *tokenWorld, c *jwt.Claims) { c.Subject = "agent-two" }, false},
		"audience":      {"the endpoint, not the issuer", func(w *tokenWorld, c *jwt.Claims) { c.Audience = jwt.Audience{w.url} }, false},
		"two audiences": {"nobody else", func(_ *tokenWorld, c *jwt.Claims) { c.Audience = append(c.Audience, "https://other") }, false},
		"no expiry":     {"it must end", func(_ *tokenWorld, c *jwt.Claims) { c.Expiry = nil }, false},
		"expired":       {"it has ended", func(w *tokenWorld, c *jwt.Claims) { c.Expiry = at(w, 0) }, false},
		"an hour":       {"the bound is good", func(w *tokenWorld, c *jwt.Claims) { c.Expiry = at(w, time.Hour) }, true},
		"over an hour":  {"beyond the bound", func(w *tokenWorld, c *jwt.Claims) { c.Expiry = at(w, time.Hour+time.Second) }, false},
		"from the future": {"a clock that is wrong", func(w *tokenWorld, c *jwt.Claims) {
			c.IssuedAt = at(w, 6*time.Minute)
			c.Expiry = at(w, 10*time.Minute)
		}, false},
		"not yet": {"a clock that is wrong", func(w *tokenWorld, c *jwt.Claims) { c.NotBefore = at(w, 6*time.Minute) }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newTokenWorld(t)
			r := w.ask(func(c *jwt.Claims) { test.change(w, c) }, "read")
			want := refusal{401, "invalid_client"}
			if test.good {
				want = refusal{200, ""}
			}
			if diff := cmp.Diff(want, r.refusal()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestClientIsRefused(t *testing.T) {
	w := newTokenWorld(t)
	otherKey, _ := newKey(t, "good")
	form := func(key any, kid string) url.Values {
		return assertionForm(sign(t, key, kid, w.claims("agent-one", w.url+w.endpoint)), "read")
	}
	with := func(f url.Values, name, value string) url.Values { f.Set(name, value); return f }
	basic := func(r *http.Request) { r.SetBasicAuth("agent-one", "a guess") }
	tests := map[string]struct {
		reason string
		form   url.Values
		edit   func(*http.Request)
		want   refusal
	}{
		"another key":      {reason: "the signature", form: form(otherKey, "good"), want: refusal{401, "invalid_client"}},
		"unknown kid":      {reason: "no such key", form: form(w.key, "bad"), want: refusal{401, "invalid_client"}},
		"no kid":           {reason: "Okta would guess", form: form(w.key, ""), want: refusal{401, "invalid_client"}},
		"inactive key":     {reason: "it is off", form: form(w.off, "off"), want: refusal{401, "invalid_client"}},
		"symmetric":        {reason: "a public key is no secret", form: form([]byte("01234567890123456789012345678901"), "good"), want: refusal{401, "invalid_client"}},
		"wrong type":       {reason: "the type of assertion", form: with(form(w.key, "good"), "client_assertion_type", "jwt"), want: refusal{400, "invalid_request"}},
		"other client id":  {reason: "two names", form: with(form(w.key, "good"), "client_id", "agent-two"), want: refusal{401, "invalid_client"}},
		"two proofs":       {reason: "one way only", form: form(w.key, "good"), edit: basic, want: refusal{400, "invalid_request"}},
		"no proof":         {reason: "who is it", form: url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}, want: refusal{401, "invalid_client"}},
		"secret":           {reason: "registered for a key", form: url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}, edit: basic, want: refusal{401, "invalid_client"}},
		"grant type":       {reason: "only client_credentials", form: with(form(w.key, "good"), "grant_type", "password"), want: refusal{400, "unsupported_grant_type"}},
		"no scope":         {reason: "as Okta says", form: with(form(w.key, "good"), "scope", ""), want: refusal{400, "invalid_scope"}},
		"unknown scope":    {reason: "not on the server", form: with(form(w.key, "good"), "scope", "fly"), want: refusal{400, "invalid_scope"}},
		"system scope":     {reason: "for people only", form: with(form(w.key, "good"), "scope", "openid"), want: refusal{400, "invalid_scope"}},
		"unknown field":    {reason: "a misspelt parameter", form: with(form(w.key, "good"), "scopes", "read"), want: refusal{400, "invalid_request"}},
		"denied by policy": {reason: "no rule covers it", form: with(form(w.key, "good"), "scope", "write"), want: refusal{400, "access_denied"}},
		"partly denied":    {reason: "a rule covers all or nothing", form: with(form(w.key, "good"), "scope", "read write"), want: refusal{400, "access_denied"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edit := test.edit
			if edit == nil {
				edit = func(*http.Request) {}
			}
			if diff := cmp.Diff(test.want, w.post(w.endpoint, test.form, edit).refusal()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestAssertionIsGoodOnce(t *testing.T) {
	w := newTokenWorld(t)
	form := assertionForm(sign(t, w.key, "good", w.claims("agent-one", w.url+w.endpoint)), "read")
	if r := w.post(w.endpoint, form); r.Status != 200 {
		t.Fatalf("got %s", r.Raw)
	}
	if diff := cmp.Diff(refusal{401, "invalid_client"}, w.post(w.endpoint, form).refusal()); diff != "" {
		t.Errorf("a replayed assertion (-want +got):\n%s", diff)
	}
}

func TestWhatIsSwitchedOffGivesNoTokens(t *testing.T) {
	tests := map[string]struct {
		reason string
		off    func(*tokenWorld) string
		want   refusal
	}{
		"app":    {"an inactive client", func(w *tokenWorld) string { return w.app }, refusal{401, "invalid_client"}},
		"policy": {"an inactive policy", func(w *tokenWorld) string { return w.policy }, refusal{400, "access_denied"}},
		"rule":   {"an inactive rule", func(w *tokenWorld) string { return w.rule }, refusal{400, "access_denied"}},
		"server": {"an inactive server is not there", func(w *tokenWorld) string { return w.server }, refusal{404, "E0000007"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newTokenWorld(t)
			r, err := w.try("POST", test.off(w)+"/lifecycle/deactivate", nil)
			if err != nil || r.Status >= 300 {
				t.Fatalf("got %d, %v", r.Status, err)
			}
			if diff := cmp.Diff(test.want, w.ask(nil, "read").refusal()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestFirstMatchingRuleDecides(t *testing.T) {
	w := newTokenWorld(t)
	long := ruleBody("longer", "read")
	long["actions"].(object)["token"].(object)["accessTokenLifetimeMinutes"] = 60
	w.do(201, "POST", w.policy+"/rules", long)
	lifetime := func() any { return w.ask(nil, "read").Object["expires_in"] }
	if got := lifetime(); got != 600.0 {
		t.Errorf("the first rule decides, got %v", got)
	}
	long["priority"], long["name"] = 1, "longest"
	w.do(201, "POST", w.policy+"/rules", long)
	if got := lifetime(); got != 3600.0 {
		t.Errorf("a rule that is put first decides, got %v", got)
	}
	var order []string
	for _, rule := range w.do(200, "GET", w.policy+"/rules", nil).List {
		order = append(order, rule["name"].(string))
	}
	if diff := cmp.Diff([]string{"longest", "allow", "longer"}, order); diff != "" {
		t.Errorf("priorities stay dense and lists are in their order (-want +got):\n%s", diff)
	}
	// Two policies that allow one scope each do not allow both together.
	w.newPolicy(w.server, "second", []string{"agent-one"}, []string{"write"})
	if got := w.ask(nil, "write").Status; got != 200 {
		t.Errorf("the second policy allows write, got %d", got)
	}
	if diff := cmp.Diff(refusal{400, "access_denied"}, w.ask(nil, "read", "write").refusal()); diff != "" {
		t.Errorf("rules never add up (-want +got):\n%s", diff)
	}
}

func TestSecretsWorkAsRegistered(t *testing.T) {
	w := newTokenWorld(t)
	tests := map[string]struct {
		reason string
		method string
		basic  bool
		want   int
	}{
		"basic":         {"as registered", "client_secret_basic", true, 200},
		"post":          {"as registered", "client_secret_post", false, 200},
		"basic as post": {"the method is enforced", "client_secret_basic", false, 401},
		"post as basic": {"the method is enforced", "client_secret_post", true, 401},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			id := "agent-" + test.method + map[bool]string{true: "-b", false: "-p"}[test.basic]
			body := serviceApp(id, id)
			body["credentials"].(object)["oauthClient"] = object{
				"client_id": id, "client_secret": "a secret: of ours+%", "token_endpoint_auth_method": test.method,
			}
			w.do(200, "POST", "/api/v1/apps", body)
			w.newPolicy(w.server, id, []string{id}, []string{"read"})
			form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
			edit := func(r *http.Request) { r.SetBasicAuth(id, url.QueryEscape("a secret: of ours+%")) }
			if !test.basic {
				form.Set("client_id", id)
				form.Set("client_secret", "a secret: of ours+%")
				edit = func(*http.Request) {}
			}
			if r := w.post(w.endpoint, form, edit); r.Status != test.want {
				t.Errorf("%s: got %d: %s", test.reason, r.Status, r.Raw)
			}
		})
	}
}

func TestTokenDiesWithItsClient(t *testing.T) {
	w := newTokenWorld(t)
	token := w.ask(nil, "read").text("access_token")
	introspect := w.endpoint[:len(w.endpoint)-len("token")] + "introspect"
	active := func() any {
		claims := w.claims("agent-one", w.url+introspect)
		form := url.Values{"token": {token}, "client_assertion_type": {assertionType}, "client_assertion": {sign(t, w.key, "good", claims)}}
		return w.post(introspect, form).Object["active"]
	}
	if active() != true {
		t.Error("a fresh token is active")
	}
	w.clock.Step(10 * time.Minute)
	if active() != false {
		t.Error("a token whose time is over is not active")
	}
}

func TestInactiveSecretIsRefused(t *testing.T) {
	w := newTokenWorld(t)
	body := serviceApp("agent-two", "two")
	body["credentials"].(object)["oauthClient"].(object)["client_secret"] = "the first secret"
	secrets := "/api/v1/apps/" + w.do(200, "POST", "/api/v1/apps", body).text("id") + "/credentials/secrets"
	first := secrets + "/" + w.do(200, "GET", secrets, nil).List[0]["id"].(string)
	w.do(201, "POST", secrets, object{"client_secret": "the second secret"})
	w.newPolicy(w.server, "second", []string{"agent-two"}, []string{"read"})
	ask := func(secret string) int {
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
		return w.post(w.endpoint, form, func(r *http.Request) { r.SetBasicAuth("agent-two", url.QueryEscape(secret)) }).Status
	}
	before := []int{ask("the first secret"), ask("the second secret")}
	w.do(200, "POST", first+"/lifecycle/deactivate", nil)
	after := []int{ask("the first secret"), ask("the second secret")}
	if diff := cmp.Diff([][]int{{200, 200}, {401, 200}}, [][]int{before, after}); diff != "" {
		t.Errorf("both work during a rotation, then only the new one (-want +got):\n%s", diff)
	}
}

func TestRuleForPeopleIsNotForClients(t *testing.T) {
	w := newTokenWorld(t)
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "people"}}).text("id")
	body := ruleBody("allow", "read")
	body["conditions"].(object)["people"] = object{"groups": object{"include": []string{group}}}
	w.do(200, "PUT", w.rule, body)
	if diff := cmp.Diff(refusal{400, "access_denied"}, w.ask(nil, "read").refusal()); diff != "" {
		t.Errorf("a client is in no group (-want +got):\n%s", diff)
	}
}

func TestClientThatMustProvePossessionGetsNoBearerToken(t *testing.T) {
	w := newTokenWorld(t)
	_, jwk := newKey(t, "good")
	body := serviceApp("agent-one", "one", jwk)
	settings := body["settings"].(object)["oauthClient"].(object)
	settings["dpop_bound_access_tokens"] = true
	w.key, settings["jwks"] = w.off, object{"keys": []any{jwkOf(t, w.off, "good")}}
	w.do(200, "PUT", w.app, body)
	if diff := cmp.Diff(refusal{400, "invalid_dpop_proof"}, w.ask(nil, "read").refusal()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
