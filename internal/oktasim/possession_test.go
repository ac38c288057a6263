package oktasim_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// boundWorld has a client whose tokens must be bound to a key.
type boundWorld struct {
	*world
	key      *ecdsa.PrivateKey
	endpoint string
}

func newBoundWorld(t *testing.T) *boundWorld {
	t.Helper()
	w := &boundWorld{world: newWorld(t, oktasim.Options{})}
	w.key, _ = newKey(t, "dpop")
	body := serviceApp("agent-bound", "bound")
	body["credentials"].(object)["oauthClient"].(object)["client_secret"] = "the bound secret"
	body["settings"].(object)["oauthClient"].(object)["dpop_bound_access_tokens"] = true
	w.do(200, "POST", "/api/v1/apps", body)
	server, id := w.newServer("read")
	w.newPolicy(server, "p", []string{"ALL_CLIENTS"}, []string{"read"})
	w.endpoint = "/oauth2/" + id + "/v1/token"
	return w
}

// claimsOf a good proof, but for the nonce.
func (w *boundWorld) proofClaims(nonce string) object {
	claims := object{"htm": "POST", "htu": w.url + w.endpoint, "jti": rand.Text(), "iat": w.clock.Now().Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return claims
}

func (w *boundWorld) proof(kind string, claims object) string {
	w.t.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: w.key},
		(&jose.SignerOptions{EmbedJWK: true}).WithType(jose.ContentType(kind)),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	value, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		w.t.Fatal(err)
	}
	return value
}

func (w *boundWorld) askWith(proof string) response {
	w.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
	return w.post(w.endpoint, form, func(r *http.Request) {
		r.SetBasicAuth("agent-bound", url.QueryEscape("the bound secret"))
		if proof != "" {
			r.Header.Set("DPoP", proof)
		}
	})
}

// nonce gets what the next proof must have.
func (w *boundWorld) nonce() string {
	w.t.Helper()
	r := w.askWith(w.proof("dpop+jwt", w.proofClaims("")))
	if diff := cmp.Diff(refusal{400, "use_dpop_nonce"}, r.refusal()); diff != "" {
		w.t.Fatalf("the first proof has no nonce (-want +got):\n%s", diff)
	}
	return r.Header.Get("DPoP-Nonce")
}

func TestTokenIsBoundToTheKey(t *testing.T) {
	w := newBoundWorld(t)
	proof := w.proof("dpop+jwt", w.proofClaims(w.nonce()))
	r := w.askWith(proof)
	if r.Status != 200 || r.text("token_type") != "DPoP" {
		t.Fatalf("got %d %s", r.Status, r.Raw)
	}
	token, err := jwt.ParseSigned(r.text("access_token"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Confirmation map[string]string `json:"cnf"`
	}
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: w.key.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"jkt": base64.RawURLEncoding.EncodeToString(sum)}
	if diff := cmp.Diff(want, claims.Confirmation); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(refusal{400, "invalid_dpop_proof"}, w.askWith(proof).refusal()); diff != "" {
		t.Errorf("a proof is good once (-want +got):\n%s", diff)
	}
}

func TestProofsOfPossessionAreForOneRequest(t *testing.T) {
	w := newBoundWorld(t)
	tests := map[string]struct {
		reason string
		kind   string
		spoil  func(object)
		want   string
	}{
		"type":   {"an assertion is no proof", "jwt", func(object) {}, "invalid_dpop_proof"},
		"method": {"for another method", "dpop+jwt", func(c object) { c["htm"] = "GET" }, "invalid_dpop_proof"},
		"URL":    {"for another endpoint", "dpop+jwt", func(c object) { c["htu"] = w.url + "/oauth2/v1/token" }, "invalid_dpop_proof"},
		"id":     {"cannot be told from another", "dpop+jwt", func(c object) { delete(c, "jti") }, "invalid_dpop_proof"},
		"time":   {"has none", "dpop+jwt", func(c object) { delete(c, "iat") }, "invalid_dpop_proof"},
		"past":   {"is old", "dpop+jwt", func(c object) { c["iat"] = w.clock.Now().Add(-5 * time.Minute).Unix() }, "invalid_dpop_proof"},
		"future": {"is not yet", "dpop+jwt", func(c object) { c["iat"] = w.clock.Now().Add(time.Minute).Unix() }, "invalid_dpop_proof"},
		"nonce":  {"is made up", "dpop+jwt", func(c object) { c["nonce"] = "made up" }, "use_dpop_nonce"},
	}
	nonce := w.nonce()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			claims := w.proofClaims(nonce)
			test.spoil(claims)
			if diff := cmp.Diff(refusal{400, test.want}, w.askWith(w.proof(test.kind, claims)).refusal()); diff != "" {
				t.Errorf("the proof %s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
	w.t = t
	w.clock.Step(24 * time.Hour)
	if diff := cmp.Diff(refusal{400, "use_dpop_nonce"}, w.askWith(w.proof("dpop+jwt", w.proofClaims(nonce))).refusal()); diff != "" {
		t.Errorf("a nonce lives for a day (-want +got):\n%s", diff)
	}
}

func TestProofThatNobodyAskedForIsRefused(t *testing.T) {
	w := newBoundWorld(t)
	body := serviceApp("agent-free", "free")
	body["credentials"].(object)["oauthClient"].(object)["client_secret"] = "the free secret"
	w.do(200, "POST", "/api/v1/apps", body)
	r := w.post(w.endpoint, url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}, func(r *http.Request) {
		r.SetBasicAuth("agent-free", url.QueryEscape("the free secret"))
		r.Header.Set("DPoP", w.proof("dpop+jwt", w.proofClaims("")))
	})
	if diff := cmp.Diff(refusal{400, "invalid_dpop_proof"}, r.refusal()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
