package oktasim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestAppIsCreatedAndReplaced(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	_, first := newKey(t, "first")
	_, second := newKey(t, "second")
	body := serviceApp("agent-one", "agents/one", first)
	body["profile"] = object{"k8s.owner": object{"uid": "1"}}
	app := w.do(200, "POST", "/api/v1/apps?activate=true", body)

	body = serviceApp("agent-one", "agents/uno", first, second)
	w.do(200, "PUT", "/api/v1/apps/"+app.text("id"), body)
	want := []oktasim.App{{
		ID: app.text("id"), ClientID: "agent-one", Label: "agents/uno", Status: "ACTIVE", AuthMethod: "private_key_jwt", Kind: "service",
		GrantTypes: []string{"client_credentials"},
		Keys:       []oktasim.Key{{KID: "first", Status: "ACTIVE"}, {KID: "second", Status: "ACTIVE"}},
	}}
	got := w.org.Snapshot().Apps
	for i := range got {
		got[i].Created = want[i].Created
		for j := range got[i].Keys {
			got[i].Keys[j].ID = ""
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a replacement drops what it does not send, the profile here (-want +got):\n%s", diff)
	}
	if unknown := w.org.Unknown(); len(unknown) != 0 {
		t.Errorf("nothing here is unknown, got %v", unknown)
	}
}

func TestAppIsRefused(t *testing.T) {
	_, jwk := newKey(t, "k")
	change := func(path string, value any) object {
		body := serviceApp("agent-two", "two", jwk)
		at := body
		steps := strings.Split(path, ".")
		for _, step := range steps[:len(steps)-1] {
			next, _ := at[step].(object)
			at = next
		}
		at[steps[len(steps)-1]] = value
		return body
	}
	const client, settings = "credentials.oauthClient.", "settings.oauthClient."
	private := object{"kid": "p", "kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"], "d": "AAAA"}
	short := object{"kid": "s", "kty": "RSA", "e": "AQAB", "n": strings.Repeat("A", 10) + "BBBB"}
	tests := map[string]struct {
		reason string
		body   object
		code   string
	}{
		"client id taken":     {"client ids are unique", change(client+"client_id", "agent-one"), "E0000001"},
		"client id short":     {"6 characters at least", change(client+"client_id", "short"), "E0000001"},
		"client id charset":   {"no slash", change(client+"client_id", "agent/two"), "E0000001"},
		"no label":            {"a label is required", change("label", nil), "E0000001"},
		"long label":          {"100 characters at most", change("label", strings.Repeat("x", 101)), "E0000001"},
		"unknown field":       {"a misspelt field is an error", change("lable", "x"), "E0000001"},
		"unknown inner field": {"also further down", change(settings+"grantTypes", []string{}), "E0000001"},
		"wrong type":          {"a number is no label", change("label", 7), "E0000003"},
		"secret and keys":     {"one way to authenticate", change(client+"client_secret", "0123456789abcdef"), "E0000001"},
		"no keys":             {"private_key_jwt needs one", change(settings+"jwks", nil), "E0000001"},
		"doubled kid":         {"kids are unique", change(settings+"jwks", object{"keys": []any{jwk, jwk}}), "E0000001"},
		"private key":         {"a private key must not be sent", change(settings+"jwks", object{"keys": []any{private}}), "E0000001"},
		"short RSA key":       {"2048 bits at least", change(settings+"jwks", object{"keys": []any{short}}), "E0000001"},
		"no grant":            {"a service has client_credentials", change(settings+"grant_types", []string{"implicit"}), "E0000001"},
		"zone":                {"zones are not simulated", change(settings+"network", object{"connection": "ZONE"}), "E0000001"},
		"other app":           {"only OIDC apps", change("name", "bookmark"), "E0000001"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one"))
			r := w.do(400, "POST", "/api/v1/apps", test.body)
			if r.text("errorCode") != test.code || r.cause() == "" {
				t.Errorf("%s: got %s", test.reason, r.Raw)
			}
			if got := len(w.org.Snapshot().Apps); got != 1 {
				t.Errorf("a refused app must not exist, got %d apps", got)
			}
		})
	}
}

func TestSecretsAreGivenOnlyWhereOktaDoes(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	body := serviceApp("agent-one", "one")
	body["credentials"].(object)["oauthClient"].(object)["client_secret"] = "a secret of our own"
	app := w.do(200, "POST", "/api/v1/apps", body)
	if got := app.text("credentials", "oauthClient", "client_secret"); got != "a secret of our own" {
		t.Errorf("create tells the secret, got %q", got)
	}
	for _, path := range []string{"/api/v1/apps", "/api/v1/apps/" + app.text("id")} {
		if r := w.do(200, "GET", path, nil); strings.Contains(string(r.Raw), "a secret of our own") {
			t.Errorf("GET %s must not tell the secret", path)
		}
	}
	w.do(200, "GET", "/api/v1/apps/"+app.text("id")+"/credentials/secrets", nil)
	reads := 0
	for _, op := range w.org.Operations() {
		if op.SecretRead {
			reads++
		}
	}
	if reads != 1 {
		t.Errorf("one request has read secrets, the log says %d", reads)
	}
}

func TestAppEndsInOrder(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	id := w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one")).text("id")
	app := "/api/v1/apps/" + id
	server, _ := w.newServer("read")
	w.newPolicy(server, "p", []string{"agent-one"}, []string{"read"})
	if got := w.do(403, "DELETE", app, nil).text("errorCode"); got != "E0000056" {
		t.Errorf("an active app cannot be deleted, got %s", got)
	}
	w.do(200, "POST", app+"/lifecycle/deactivate", nil)
	w.do(403, "POST", app+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", app, nil)
	w.do(404, "GET", app, nil)
	for _, policy := range w.org.Snapshot().Policies {
		if policy.Name == "p" && len(policy.Clients) != 0 {
			t.Errorf("a deleted client leaves its policies, got %v", policy.Clients)
		}
	}
	w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one"))
}

func TestSecretLimits(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	secrets := "/api/v1/apps/" + w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one")).text("id") + "/credentials/secrets"
	first := secrets + "/" + w.do(200, "GET", secrets, nil).List[0]["id"].(string)

	bad := map[string]object{
		"short":     {"client_secret": "0123456789abc"},
		"long":      {"client_secret": strings.Repeat("x", 101)},
		"not ASCII": {"client_secret": "0123456789abcdé"},
	}
	for name, body := range bad {
		if r := w.do(400, "POST", secrets, body); r.text("errorCode") != "E0000001" {
			t.Errorf("%s: got %s", name, r.Raw)
		}
	}
	expect := func(r response, cause string) {
		t.Helper()
		if r.cause() != cause {
			t.Errorf("got cause %q, want %q", r.cause(), cause)
		}
	}
	expect(w.do(400, "POST", first+"/lifecycle/deactivate", nil), "You can't deactivate the only active client secret.")
	second := secrets + "/" + w.do(201, "POST", secrets, object{"client_secret": "0123456789abcd"}).text("id")
	expect(w.do(400, "POST", secrets, nil), "You've reached the maximum number of client secrets per client.")
	expect(w.do(400, "DELETE", first, nil), "You can't delete an active client secret. Deactivate the secret before deleting it.")
	w.do(200, "POST", first+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", first, nil)
	w.do(404, "GET", first, nil)
	w.do(200, "GET", second, nil)
}

func TestKeyLimits(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	_, first := newKey(t, "key-0")
	app := w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one", first))
	jwks := "/api/v1/apps/" + app.text("id") + "/credentials/jwks"
	id := w.do(200, "GET", jwks, nil).List[0]["id"].(string)
	expect := func(r response, cause string) {
		t.Helper()
		if !strings.HasPrefix(r.cause(), cause) {
			t.Errorf("got cause %q, want %q", r.cause(), cause)
		}
	}
	expect(w.do(400, "POST", jwks+"/"+id+"/lifecycle/deactivate", nil), "Can't deactivate the only active JSON Web Key")
	expect(w.do(400, "POST", jwks, first), "All keys in the 'jwks' must have a unique `kid`.")
	_, other := newKey(t, "key-1")
	for i := 1; i < 50; i++ {
		other["kid"] = fmt.Sprintf("key-%d", i)
		w.do(201, "POST", jwks, other)
	}
	other["kid"] = "key-50"
	expect(w.do(400, "POST", jwks, other), "You can't create a new key. You have reached the maximum")
	expect(w.do(400, "DELETE", jwks+"/"+id, nil), "You can't delete an active JSON Web Key.")
	w.do(200, "POST", jwks+"/"+id+"/lifecycle/deactivate", nil)
	w.do(400, "POST", jwks+"/"+id+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", jwks+"/"+id, nil)
	w.do(400, "POST", strings.Replace(jwks, "jwks", "secrets", 1), nil)
}
