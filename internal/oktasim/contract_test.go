package oktasim_test

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/openapicheck"
)

// data gives the directory with Okta's descriptions and recordings.
func data(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("OKTA_DATA")
	if dir == "" {
		t.Skip("OKTA_DATA does not name the directory with Okta's OpenAPI descriptions and recorded answers, so the org is not held against them.")
	}
	return dir
}

// newCheckedWorld is a world whose every exchange must be as Okta describes it.
func newCheckedWorld(t *testing.T, options oktasim.Options) *world {
	t.Helper()
	checker, err := openapicheck.New(data(t))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	return newWorld(t, options, func(h http.Handler) http.Handler {
		return checker.Wrap(h, func(problem string) {
			mu.Lock()
			defer mu.Unlock()
			t.Error(problem)
		})
	})
}

func TestEveryOperationIsAsDescribed(t *testing.T) {
	w := newCheckedWorld(t, oktasim.Options{})
	w.driveOrg()
	w.drivePeople()
	w.driveAuthenticators()
	w.driveFactors()
	w.driveGroups()
	w.driveApps()
	w.driveServers()
	w.driveAccess()
	w.driveAdminRoles()
	w.driveTokens()
	w.driveLogs()

	var driven []string
	for _, op := range w.org.Operations() {
		driven = append(driven, op.Method+" "+op.Template)
	}
	for _, template := range oktasim.Templates() {
		if !slices.Contains(driven, template) {
			t.Errorf("%s is not driven by this test, so nothing says that it is as Okta describes it", template)
		}
	}
	if unknown := w.org.Unknown(); len(unknown) > 0 {
		t.Errorf("the org does not know what Okta describes: %v", unknown)
	}
}

func TestRefusalsAreAsDescribed(t *testing.T) {
	w := newCheckedWorld(t, oktasim.Options{})
	w.do(404, "GET", "/api/v1/apps/0oaNone", nil)
	w.do(404, "GET", "/api/v1/groups/00gNone", nil)
	w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one"))
	w.do(400, "POST", "/api/v1/apps", serviceApp("agent-one", "a client id that is taken"))
	w.do(400, "GET", "/api/v1/groups?filter="+url.QueryEscape(`nonsense eq "x"`), nil)
	w.post("/oauth2/v1/token", url.Values{"grant_type": {"client_credentials"}, "scope": {"okta.apps.read"}})
	w.org.Inject(oktasim.Fault{Nth: 1, Action: oktasim.RateLimited(0)})
	w.do(429, "GET", "/api/v1/apps", nil)
	w.org.Inject(oktasim.Fault{Nth: 1, Action: oktasim.HTML502()})
	w.do(502, "GET", "/api/v1/apps", nil)
	w.auth = "SSWS wrong"
	w.do(401, "GET", "/api/v1/apps", nil)
}

func (w *world) driveOrg() {
	w.do(200, "GET", "/.well-known/okta-organization", nil)
	const privileges = "/api/v1/org/settings/clientPrivilegesSetting"
	w.do(200, "PUT", privileges, object{"clientPrivilegesSetting": false})
	w.do(200, "GET", privileges, nil)
}

func (w *world) driveGroups() {
	user := w.org.AddUser("jane@example.com")
	body := object{"profile": object{"name": "one", "description": "a group"}}
	group := "/api/v1/groups/" + w.do(200, "POST", "/api/v1/groups", body).text("id")
	w.do(200, "GET", group, nil)
	w.do(200, "PUT", group, body)
	w.do(200, "GET", "/api/v1/groups?q=on&limit=10", nil)
	w.do(200, "GET", "/api/v1/groups?limit=1&filter="+url.QueryEscape(`type eq "OKTA_GROUP"`), nil)
	w.do(204, "PUT", group+"/users/"+user, nil)
	w.do(200, "GET", group+"/users?limit=200", nil)
	w.do(204, "DELETE", group+"/users/"+user, nil)
	w.do(204, "DELETE", group, nil)
}

func (w *world) driveApps() {
	_, first := newKey(w.t, "first")
	_, second := newKey(w.t, "second")
	body := serviceApp("agent-driven", "driven", first)
	body["profile"] = object{"k8s.owner": object{"uid": "1"}}
	body["visibility"] = object{"hide": object{"iOS": true, "web": true}}
	body["settings"].(object)["notes"] = object{"admin": "a note"}
	app := "/api/v1/apps/" + w.do(200, "POST", "/api/v1/apps?activate=true", body).text("id")
	w.do(200, "GET", app, nil)
	w.do(200, "PUT", app, body)
	w.do(200, "GET", "/api/v1/apps?limit=200&q=dri&filter="+url.QueryEscape(`name eq "oidc_client" and status eq "ACTIVE"`), nil)

	jwks := app + "/credentials/jwks"
	key := jwks + "/" + w.do(201, "POST", jwks, second).text("id")
	w.do(200, "GET", jwks, nil)
	w.do(200, "GET", key, nil)
	w.do(200, "POST", key+"/lifecycle/deactivate", nil)
	w.do(200, "POST", key+"/lifecycle/activate", nil)
	w.do(200, "POST", key+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", key, nil)

	other := w.do(200, "POST", "/api/v1/apps", serviceApp("agent-secret", "secret")).text("id")
	secrets := "/api/v1/apps/" + other + "/credentials/secrets"
	secret := secrets + "/" + w.do(201, "POST", secrets, object{"client_secret": "0123456789abcdef"}).text("id")
	w.do(200, "GET", secrets, nil)
	w.do(200, "GET", secret, nil)
	w.do(200, "POST", secret+"/lifecycle/deactivate", nil)
	w.do(200, "POST", secret+"/lifecycle/activate", nil)
	w.do(200, "POST", secret+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", secret, nil)

	w.do(200, "POST", app+"/lifecycle/deactivate", nil)
	w.do(200, "POST", app+"/lifecycle/activate", nil)
	w.do(200, "POST", app+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", app, nil)
}

func (w *world) driveServers() {
	body := object{"name": "driven", "description": "for a test", "audiences": []string{"api://driven"}}
	server := servers + "/" + w.do(201, "POST", servers, body).text("id")
	w.do(200, "GET", server, nil)
	w.do(200, "PUT", server, body)
	w.do(200, "GET", servers+"?q=driven&limit=200", nil)

	scopeBody := object{
		"name": "read", "displayName": "read", "description": "may read", "consent": "IMPLICIT", "metadataPublish": "NO_CLIENTS", "default": false,
	}
	scope := server + "/scopes/" + w.do(201, "POST", server+"/scopes", scopeBody).text("id")
	w.do(200, "GET", scope, nil)
	w.do(200, "PUT", scope, scopeBody)
	w.do(200, "GET", server+"/scopes?limit=200", nil)

	policy, rule := w.newPolicy(server, "p", []string{"ALL_CLIENTS"}, []string{"read"})
	w.do(200, "GET", server+"/policies", nil)
	w.do(200, "GET", policy, nil)
	w.do(200, "PUT", policy, policyBody("q", "ALL_CLIENTS"))
	w.do(200, "GET", policy+"/rules", nil)
	w.do(200, "GET", rule, nil)
	w.do(200, "PUT", rule, ruleBody("deny"))
	for _, path := range []string{rule, policy, server} {
		w.do(204, "POST", path+"/lifecycle/deactivate", nil)
		w.do(204, "POST", path+"/lifecycle/activate", nil)
	}
	w.do(204, "DELETE", rule, nil)
	w.do(204, "DELETE", policy, nil)
	w.do(204, "DELETE", scope, nil)
	w.do(204, "POST", server+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", server, nil)
}

func (w *world) driveTokens() {
	private, jwk := newKey(w.t, "token")
	w.do(200, "POST", "/api/v1/apps", serviceApp("agent-token", "token", jwk))
	server, id := w.newServer("read")
	w.newPolicy(server, "p", []string{"agent-token"}, []string{"read"})
	issuer := "/oauth2/" + id
	w.do(200, "GET", issuer+"/v1/keys", nil)
	w.do(200, "GET", issuer+"/.well-known/oauth-authorization-server", nil)
	w.do(200, "GET", issuer+"/.well-known/openid-configuration", nil)
	w.do(200, "GET", "/oauth2/v1/keys", nil)

	endpoint := issuer + "/v1/token"
	answer := w.post(endpoint, assertionForm(sign(w.t, private, "token", w.claims("agent-token", w.url+endpoint)), "read"))
	if answer.Status != 200 {
		w.t.Fatalf("a good token request: got %d: %s", answer.Status, answer.Raw)
	}
	introspection := url.Values{
		"token": {answer.text("access_token")}, "token_type_hint": {"access_token"}, "client_assertion_type": {assertionType},
		"client_assertion": {sign(w.t, private, "token", w.claims("agent-token", w.url+issuer+"/v1/introspect"))},
	}
	if r := w.post(issuer+"/v1/introspect", introspection); r.Object["active"] != true {
		w.t.Errorf("a fresh token is active, got %s", r.Raw)
	}
	introspection.Set("client_assertion", sign(w.t, private, "token", w.claims("agent-token", w.url+issuer+"/v1/revoke")))
	if r := w.post(issuer+"/v1/revoke", introspection); r.Status != 200 || len(r.Raw) > 0 {
		w.t.Errorf("revoking a token: got %d %s", r.Status, r.Raw)
	}
	w.auth = "Bearer " + w.orgToken("operator", "okta.apps.read")
	w.do(200, "GET", "/api/v1/apps", nil)
	w.do(403, "POST", "/api/v1/apps", serviceApp("agent-other", "other"))
}

// orgToken registers a service client and gets a token for it.
func (w *world) orgToken(id string, scopes ...string) string {
	w.t.Helper()
	private, jwk := newKey(w.t, id)
	if err := w.org.AddServiceClient(id, encode(w.t, jwk), scopes...); err != nil {
		w.t.Fatal(err)
	}
	form := assertionForm(sign(w.t, private, id, w.claims(id, w.url+"/oauth2/v1/token")), scopes...)
	r := w.post("/oauth2/v1/token", form)
	if r.Status != 200 || !strings.EqualFold(r.text("token_type"), "bearer") {
		w.t.Fatalf("a good token request: got %d: %s", r.Status, r.Raw)
	}
	return r.text("access_token")
}
