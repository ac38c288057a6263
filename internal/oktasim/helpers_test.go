package oktasim_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// world is an org behind a real server, and somebody who may do everything in it.
type world struct {
	t     *testing.T
	org   *oktasim.Org
	clock *clocktesting.FakeClock
	url   string
	auth  string
}

func epoch() time.Time { return time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T, options oktasim.Options, wrap ...func(http.Handler) http.Handler) *world {
	t.Helper()
	clock := clocktesting.NewFakeClock(epoch())
	options.Clock = clock
	if options.Limits == "" {
		options.Limits = oktasim.LimitsUnlimited
	}
	org := oktasim.New(options)
	handler := http.Handler(org)
	for _, w := range wrap {
		handler = w(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	org.SetBaseURL(server.URL)
	return &world{t: t, org: org, clock: clock, url: server.URL, auth: "SSWS " + org.AddAPIToken()}
}

// response is an answer that has been read.
type response struct {
	Status int
	Header http.Header
	Raw    []byte
	// Object is the body when it is a JSON object, List when it is an array.
	Object map[string]any
	List   []map[string]any
}

func (r response) text(path ...string) string {
	var value any = r.Object
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	text, _ := value.(string)
	return text
}

func (r response) cause() string {
	causes, _ := r.Object["errorCauses"].([]any)
	if len(causes) == 0 {
		return ""
	}
	first, _ := causes[0].(map[string]any)
	text, _ := first["errorSummary"].(string)
	return text
}

func (w *world) try(method, path string, body any) (response, error) {
	w.t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	if !strings.HasPrefix(path, "http") {
		path = w.url + path
	}
	request, err := http.NewRequest(method, path, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", w.auth)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return send(request)
}

func send(request *http.Request) (response, error) {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return response{}, err
	}
	r := response{Status: answer.StatusCode, Header: answer.Header, Raw: raw}
	if bytes.HasPrefix(raw, []byte("[")) {
		err = json.Unmarshal(raw, &r.List)
	} else if bytes.HasPrefix(raw, []byte("{")) {
		err = json.Unmarshal(raw, &r.Object)
	}
	return r, err
}

// do sends a request and expects a status.
func (w *world) do(want int, method, path string, body any) response {
	w.t.Helper()
	r, err := w.try(method, path, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if r.Status != want {
		w.t.Fatalf("%s %s: got %d, want %d: %s", method, path, r.Status, want, r.Raw)
	}
	return r
}

type object = map[string]any

func encode(t *testing.T, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// newKey makes a key pair and its public JWK.
func newKey(t *testing.T, kid string) (*ecdsa.PrivateKey, object) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private, jwkOf(t, private, kid)
}

// jwkOf gives the public half of a key pair.
func jwkOf(t *testing.T, private any, kid string) object {
	t.Helper()
	pair := jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: "ES256", Use: "sig"}
	var jwk object
	if err := json.Unmarshal(encode(t, pair.Public()), &jwk); err != nil {
		t.Fatal(err)
	}
	return jwk
}

// serviceApp is the body of an app that proves itself with keys, or with a secret
// when there are none.
func serviceApp(clientID, label string, keys ...object) object {
	client := object{"client_id": clientID, "token_endpoint_auth_method": "client_secret_basic"}
	settings := object{
		"application_type": "service", "grant_types": []string{"client_credentials"}, "response_types": []string{"token"},
	}
	if len(keys) > 0 {
		client["token_endpoint_auth_method"] = "private_key_jwt"
		settings["jwks"] = object{"keys": keys}
	}
	return object{
		"name": "oidc_client", "label": label, "signOnMode": "OPENID_CONNECT",
		"credentials": object{"oauthClient": client}, "settings": object{"oauthClient": settings},
	}
}

const servers = "/api/v1/authorizationServers"

// newServer makes an authorization server with scopes and gives its path.
func (w *world) newServer(scopes ...string) (path, id string) {
	w.t.Helper()
	id = w.do(201, "POST", servers, object{"name": "agents", "audiences": []string{"api://agents"}}).text("id")
	for _, scope := range scopes {
		w.do(201, "POST", servers+"/"+id+"/scopes", object{"name": scope})
	}
	return servers + "/" + id, id
}

// newPolicy makes a policy for clients with one rule for scopes.
func (w *world) newPolicy(server, name string, clients, scopes []string) (policy, rule string) {
	w.t.Helper()
	policy = server + "/policies/" + w.do(201, "POST", server+"/policies", policyBody(name, clients...)).text("id")
	rule = policy + "/rules/" + w.do(201, "POST", policy+"/rules", ruleBody("allow", scopes...)).text("id")
	return policy, rule
}

func policyBody(name string, clients ...string) object {
	return object{
		"type": "OAUTH_AUTHORIZATION_POLICY", "name": name, "description": "for a test",
		"conditions": object{"clients": object{"include": clients}},
	}
}

func ruleBody(name string, scopes ...string) object {
	return object{
		"type": "RESOURCE_ACCESS", "name": name,
		"conditions": object{
			"grantTypes": object{"include": []string{"client_credentials"}},
			"people":     object{"groups": object{"include": []string{"EVERYONE"}}},
			"scopes":     object{"include": scopes},
		},
		"actions": object{"token": object{"accessTokenLifetimeMinutes": 10}},
	}
}

// claims of an assertion that is good.
func (w *world) claims(clientID, audience string) jwt.Claims {
	now := w.clock.Now()
	return jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{audience}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)),
	}
}

func sign(t *testing.T, key any, kid string, claims any) string {
	t.Helper()
	algorithm := jose.ES256
	if _, symmetric := key.([]byte); symmetric {
		algorithm = jose.HS256
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func assertionForm(assertion string, scopes ...string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")},
		"client_assertion_type": {assertionType}, "client_assertion": {assertion},
	}
}

// post sends a form; edit may change the request.
func (w *world) post(path string, form url.Values, edit ...func(*http.Request)) response {
	w.t.Helper()
	request, err := http.NewRequest("POST", w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, change := range edit {
		change(request)
	}
	r, err := send(request)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// refusal is what a test expects of an answer that says no.
type refusal struct {
	Status int
	Code   string
}

func (r response) refusal() refusal {
	code := r.text("errorCode")
	if code == "" {
		code = r.text("error")
	}
	return refusal{r.Status, code}
}
