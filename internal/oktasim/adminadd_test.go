package oktasim_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestAdminAdds holds that what a person adds in the console is as if it had come by
// the API, and that the org refuses what it would refuse there.
func TestAdminAdds(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	_, jwk := newKey(t, "first")
	_, other := newKey(t, "second")
	signs, err := w.org.AdminCreateApp(oktasim.NewApp{Label: "by hand", PublicJWK: encode(t, jwk)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.org.AdminAddKey(signs.ID, encode(t, other)); err != nil {
		t.Fatal(err)
	}
	shares, err := w.org.AdminCreateApp(oktasim.NewApp{ClientID: "agent-shared", Label: "shared", Secret: "0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.org.AdminAddSecret("agent-shared", "fedcba9876543210"); err != nil {
		t.Fatal(err)
	}
	if signs.ClientID != signs.ID || shares.ClientID != "agent-shared" {
		t.Errorf("client ids are %s and %s, want that of the app and the one that was chosen", signs.ClientID, shares.ClientID)
	}
	if keys := w.do(200, "GET", "/api/v1/apps/"+signs.ID+"/credentials/jwks", nil).List; len(keys) != 2 {
		t.Errorf("the app has keys %v, want 2", keys)
	}
	if secrets := w.do(200, "GET", "/api/v1/apps/"+shares.ID+"/credentials/secrets", nil).List; len(secrets) != 2 {
		t.Errorf("the app has secrets %v, want 2", secrets)
	}
	_, id := w.newServer("read")
	w.newPolicy(servers+"/"+id, "last", []string{"agent-shared"}, []string{"read"})
	wish := oktasim.Policy{ServerID: id, Name: "first", Description: "by hand", Priority: 1, Status: "ACTIVE", Clients: []string{"ALL_CLIENTS"}}
	added, err := w.org.AdminAddPolicy(wish)
	if err != nil {
		t.Fatal(err)
	}
	wish.ID = added.ID
	policies := w.do(200, "GET", servers+"/"+id+"/policies", nil).List
	if diff := cmp.Diff(wish, added); diff != "" || len(policies) != 2 || policies[0]["name"] != "first" || policies[1]["priority"] != 2.0 {
		t.Errorf("(-want +got):\n%s\npolicies: %v", diff, policies)
	}
	for what, do := range map[string]func() error{
		"a kid twice":    func() error { _, err := w.org.AdminAddKey(signs.ID, encode(t, jwk)); return err },
		"a third secret": func() error { _, err := w.org.AdminAddSecret(shares.ID, "0123456789abcdee"); return err },
		"a label twice": func() error {
			_, err := w.org.AdminCreateApp(oktasim.NewApp{ClientID: "agent-shared", Label: "x"})
			return err
		},
		"no such client": func() error {
			_, err := w.org.AdminAddPolicy(oktasim.Policy{ServerID: id, Clients: []string{"x"}})
			return err
		},
		"no such server": func() error { _, err := w.org.AdminAddPolicy(oktasim.Policy{ServerID: "x"}); return err },
		"garbage for key": func() error {
			_, err := w.org.AdminCreateApp(oktasim.NewApp{Label: "x", PublicJWK: []byte("x")})
			return err
		},
	} {
		if do() == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// TestRevokedTokenIsInactive holds what RFC 7009 asks for.
func TestRevokedTokenIsInactive(t *testing.T) {
	w := newTokenWorld(t)
	_, jwk := newKey(t, "k")
	private, stranger := newKey(t, "stranger")
	w.do(200, "POST", "/api/v1/apps", serviceApp("agent-two", "two", jwk, stranger))
	issuer := w.endpoint[:len(w.endpoint)-len("/token")]
	token := w.ask(nil, "read").text("access_token")
	about := func(path, token, clientID string, key any, kid string) response {
		return w.post(issuer+path, url.Values{
			"token": {token}, "token_type_hint": {"access_token"}, "client_assertion_type": {assertionType},
			"client_assertion": {sign(t, key, kid, w.claims(clientID, w.url+issuer+path))},
		})
	}
	own := func(path, token string) response { return about(path, token, "agent-one", w.key, "good") }
	active := func() any { return own("/introspect", token).Object["active"] }
	if r := about("/revoke", token, "agent-two", private, "stranger"); r.Status == 200 || active() != true {
		t.Errorf("a client revokes the token of another: %d", r.Status)
	}
	if r := own("/revoke", "no-token-at-all"); r.Status != 200 || active() != true {
		t.Errorf("revoking what is unknown: got %d, want 200 and nothing done", r.Status)
	}
	for _, try := range []string{"first", "second"} {
		if r := own("/revoke", token); r.Status != 200 || len(r.Raw) > 0 || active() != false {
			t.Errorf("%s revocation: got %d %s, want 200 and an inactive token", try, r.Status, r.Raw)
		}
	}
	if r := w.post(issuer+"/revoke", url.Values{"token": {token}}); r.Status != 401 {
		t.Errorf("without a client's proof: got %d, want 401", r.Status)
	}
}
