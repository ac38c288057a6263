package okta_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// profileOf is a mark as it stands in an app's profile.
func profileOf(mark identity.Mark) map[string]any {
	return map[string]any{
		"cluster": mark.Cluster, "kind": mark.Kind, "namespace": mark.Namespace, "name": mark.Name, "uid": mark.UID, "since": mark.Since,
	}
}

// plant makes an object as a person in Okta's console would, and gives its id.
func (w *world) plant(p directorytest.Plant) string {
	w.t.Helper()
	mark := "made by hand"
	if !p.Mark.IsZero() {
		mark += "\n" + p.Mark.String()
	}
	server := ""
	for _, s := range w.org.Snapshot().Servers {
		if !s.Default {
			server = "/api/v1/authorizationServers/" + s.ID
		}
	}
	var made map[string]any
	switch p.What {
	case directorytest.PlantGroup:
		made = w.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": p.Name, "description": mark}})
	case directorytest.PlantScope:
		made = w.post(server+"/scopes", map[string]any{"name": p.Name, "description": mark})
	case directorytest.PlantGrant:
		body := map[string]any{
			"type": "OAUTH_AUTHORIZATION_POLICY", "name": p.Name, "description": mark, "status": "ACTIVE",
			"conditions": map[string]any{"clients": map[string]any{"include": []string{"ALL_CLIENTS"}}},
		}
		if p.First {
			body["priority"] = 1
		}
		made = w.post(server+"/policies", body)
	case directorytest.PlantAdminRole:
		made = w.post(iamRoles, map[string]any{"label": p.Name, "description": mark, "permissions": []string{"okta.groups.read"}})
		w.post(iamSets, map[string]any{"label": p.Name, "description": mark, "resources": []string{w.url + "/api/v1/groups"}})
	case directorytest.PlantClient:
		made = w.post("/api/v1/apps?activate=true", clientOf(w, p))
	}
	id, _ := made["id"].(string)
	return id
}

func clientOf(w *world, p directorytest.Plant) map[string]any {
	w.t.Helper()
	profile := map[string]any{}
	if !p.Mark.IsZero() {
		profile["agentidentity.dev"] = profileOf(p.Mark)
	}
	client := map[string]any{"client_id": p.Name, "token_endpoint_auth_method": "client_secret_basic"}
	settings := map[string]any{
		"application_type": "service", "grant_types": []string{"client_credentials"}, "response_types": []string{"token"},
	}
	if p.ForPeople {
		settings["grant_types"] = []string{"client_credentials", "implicit"}
	}
	switch p.Credential.Method {
	case identity.PrivateKeyJWT:
		client["token_endpoint_auth_method"] = "private_key_jwt"
		settings["jwks"] = map[string]any{"keys": []any{json.RawMessage(p.Credential.PublicJWK)}}
	case identity.ClientSecretBasic:
		client["client_secret"] = string(p.Credential.Material.Reveal())
	}
	return map[string]any{
		"name": "oidc_client", "label": p.Label, "signOnMode": "OPENID_CONNECT", "profile": profile,
		"credentials": map[string]any{"oauthClient": client}, "settings": map[string]any{"oauthClient": settings},
	}
}

// hand is a person's in Okta's console.
func (w *world) hand() directorytest.Hand {
	update := func(clientID string, change func(*oktasim.App)) {
		w.t.Helper()
		must(w.t, w.org.AdminUpdateApp(clientID, change))
	}
	profile := func(clientID, name string, value any) {
		w.t.Helper()
		update(clientID, func(a *oktasim.App) {
			if a.Profile == nil {
				a.Profile = map[string]any{}
			}
			a.Profile[name] = value
		})
	}
	return directorytest.Hand{
		Hire:      func(login string) string { return w.org.AddUser(login) },
		Resources: w.resources, Empower: w.empower, Disempower: w.disempower, Relabel: w.relabel, Claim: w.claim,
		Call: func(login, number string) {
			w.t.Helper()
			must(w.t, w.org.SetUserPhone(login, number))
		},
		Zone: func(name string) string {
			w.t.Helper()
			return w.post("/api/v1/zones", map[string]any{
				"type": "IP", "name": name, "usage": "POLICY", "gateways": []map[string]any{{"type": "CIDR", "value": "203.0.113.0/24"}},
			})["id"].(string)
		},
		SignOn: w.plantSignOn,
		App: func(label string) string {
			w.t.Helper()
			return w.post("/api/v1/apps", map[string]any{
				"name": "oidc_client", "label": label, "signOnMode": "OPENID_CONNECT",
				"credentials": map[string]any{"oauthClient": map[string]any{"token_endpoint_auth_method": "client_secret_basic"}},
				"settings": map[string]any{"oauthClient": map[string]any{
					"application_type": "web", "grant_types": []string{"authorization_code"}, "response_types": []string{"code"},
					"redirect_uris": []string{"https://console.example.com/callback"},
				}},
			})["id"].(string)
		},
		Confirm: func(login string) {
			w.t.Helper()
			must(w.t, w.org.CompletePush(login))
		},
		Rename: func(clientID, label string) { update(clientID, func(a *oktasim.App) { a.Label = label }) },
		Meddle: func(clientID string) {
			update(clientID, func(a *oktasim.App) { a.GrantTypes = []string{"client_credentials", "implicit"} })
		},
		Extend: func(clientID string) { profile(clientID, "owner", "somebody") },
		Give: func(clientID string, credential identity.Credential) {
			var err error
			if credential.Method == identity.PrivateKeyJWT {
				_, err = w.org.AdminAddKey(clientID, credential.PublicJWK)
			} else {
				_, err = w.org.AdminAddSecret(clientID, string(credential.Material.Reveal()))
			}
			must(w.t, err)
		},
		Mark: func(clientID string, mark identity.Mark) { profile(clientID, "agentidentity.dev", profileOf(mark)) },
	}
}

// isActive asks the server that issued a token what it thinks of it.
func (w *world) isActive(token identity.Secret) bool {
	w.t.Helper()
	const asking, secret = "introspector", "a-secret-for-introspection"
	if _, err := w.org.AdminCreateApp(oktasim.NewApp{ClientID: asking, Label: asking, Secret: secret}); err != nil {
		// It is there from the call before.
		w.t.Log(err)
	}
	form := url.Values{"token": {string(token.Reveal())}, "token_type_hint": {"access_token"}}
	path := "/oauth2/" + serverID(w.t, w) + "/v1/introspect"
	req := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(asking, secret)
	recorder := httptest.NewRecorder()
	w.org.ServeHTTP(recorder, req)
	var answer struct {
		Active bool `json:"active"`
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil || recorder.Code != http.StatusOK {
		w.t.Fatalf("introspecting: %d %s", recorder.Code, recorder.Body)
	}
	return answer.Active
}

// plantSignOn makes a sign-on policy as a person in Okta's console would, before all others.
func (w *world) plantSignOn(name, group string, lets bool) {
	w.t.Helper()
	for _, g := range w.org.Snapshot().Groups {
		if group == "" && g.Type == "BUILT_IN" {
			group = g.ID
		}
	}
	made := w.post("/api/v1/policies", map[string]any{
		"type": "OKTA_SIGN_ON", "name": name, "priority": 1,
		"conditions": map[string]any{"people": map[string]any{"groups": map[string]any{"include": []string{group}}}},
	})
	access := map[bool]string{true: "ALLOW", false: "DENY"}[lets]
	w.post("/api/v1/policies/"+made["id"].(string)+"/rules", map[string]any{
		"type": "SIGN_ON", "name": "rule", "actions": map[string]any{"signon": map[string]any{"access": access}},
	})
}
