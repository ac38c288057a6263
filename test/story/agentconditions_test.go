package story

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

const (
	atHome    = "203.0.113.9"
	elsewhere = "198.51.100.9"
)

// from makes the calls of the operator come from an address.
func from(ip string) func(*operator.Options) {
	return func(o *operator.Options) {
		o.OktaTransport = comingFrom{ip, http.DefaultTransport.(*http.Transport).Clone()}
	}
}

type comingFrom struct {
	ip   string
	next http.RoundTripper
}

func (c comingFrom) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("X-Sim-Client-IP", c.ip)
	return c.next.RoundTrip(req)
}

// askFrom asks for a token from an address, with a proof of possession if bound. It gives
// the claims, or the OAuth error code.
func (w *world) askFrom(a agent, ip string, bound bool, scopes string) (claims map[string]any, refused string) {
	w.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(nil, err)
	nonce := ""
	for {
		request, err := a.request(a.files["token_url"], url.Values{"grant_type": {"client_credentials"}, "scope": {scopes}})
		w.must(nil, err)
		request.Header.Set("X-Sim-Client-IP", ip)
		if bound {
			request.Header.Set("DPoP", w.proofOf(key, a.files["token_url"], nonce))
		}
		response, err := http.DefaultClient.Do(request)
		w.must(nil, err)
		var answer struct {
			Token string `json:"access_token"`
			Type  string `json:"token_type"`
			Error string `json:"error"`
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		_ = response.Body.Close()
		w.must(nil, err)
		if bound && answer.Error == "use_dpop_nonce" && nonce == "" {
			nonce = response.Header.Get("Dpop-Nonce")
			continue
		}
		if answer.Error != "" {
			return nil, answer.Error
		}
		claims, err = a.verified(answer.Token)
		w.must(nil, err)
		return claims, ""
	}
}

func (w *world) proofOf(key *ecdsa.PrivateKey, endpoint, nonce string) string {
	w.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	w.must(nil, err)
	proof, err := jwt.Signed(signer).Claims(map[string]any{
		"jti": rand.Text(), "htm": "POST", "htu": endpoint, "iat": w.now().Unix(), "nonce": nonce,
	}).Serialize()
	w.must(nil, err)
	return proof
}

// TestConditionsOnAgents: a token's life, from where it is asked for and to what it is
// bound, as a policy says, of keys that are there and of new ones; and as before without.
func TestConditionsOnAgents(t *testing.T) {
	for _, delivery := range deliveries {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			w.zone("Cluster", "203.0.113.0/24")
			w.start(impatient, from(atHome))
			policy := &v1alpha1.AccessPolicy{
				ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "agents"},
				Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
					RoleRefs: []v1alpha1.RoleReference{{Name: "chat"}},
					Agents: &v1alpha1.AgentConditions{
						TokenLifetime: &metav1.Duration{Duration: 5 * time.Minute},
						NetworkZones:  &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{"Cluster"}}, DPoP: v1alpha1.RequirementRequired,
					},
				}},
			}
			w.create(w.role("chat", "a"), w.key("old", "chat", delivery))
			readyKey(w, "old")
			if _, refused := w.askFrom(w.agent("old-okta"), elsewhere, false, "a"); refused != "" {
				t.Fatalf("without a policy a token is refused: %s", refused)
			}
			w.create(policy, w.key("new", "chat", delivery))
			w.waitReason("agents", policy, v1alpha1.ReasonReady)
			for _, name := range []string{"old", "new"} {
				key := &v1alpha1.AgentAPIKey{}
				w.eventually("the app of "+name+" asks for proofs", func() bool { return w.asksForProofs(name) })
				w.waitReason(name, key, v1alpha1.ReasonReady)
				a := w.agent(name + "-okta")
				claims, refused := w.askFrom(a, atHome, true, "a")
				if refused != "" || claims["exp"].(float64)-claims["iat"].(float64) != 300 || claims["cnf"] == nil {
					t.Errorf("%s: a token that fulfils all conditions has the claims %v, or is refused: %q", name, claims, refused)
				}
				if _, refused := w.askFrom(a, elsewhere, true, "a"); refused == "" {
					t.Errorf("%s: a token is issued to somebody elsewhere", name)
				}
				if _, refused := w.askFrom(a, atHome, false, "a"); refused == "" {
					t.Errorf("%s: a token is issued without a proof", name)
				}
			}
			w.deleteAndWait(policy)
			for _, name := range []string{"old", "new"} {
				w.eventually("the conditions of "+name+" are gone", func() bool {
					_, refused := w.askFrom(w.agent(name+"-okta"), elsewhere, false, "a")
					return refused == ""
				})
				readyKey(w, name)
			}
		})
	}
}

// asksForProofs tells that the app of the key binds its tokens.
func (w *world) asksForProofs(key string) bool {
	for _, app := range w.ours().Apps {
		if app.Label == "k8s/"+w.namespace+"/"+w.namespace+"/"+key {
			oauth, _ := w.appBody(app.ID)["settings"].(map[string]any)["oauthClient"].(map[string]any)
			return oauth["dpop_bound_access_tokens"] == true
		}
	}
	return false
}

// TestConditionsThatCannotBe: what a policy says of agents that cannot be carried out is
// told, and gives nobody more than before.
func TestConditionsThatCannotBe(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(impatient, from(atHome))
	policy := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "agents"},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
			RoleRefs: []v1alpha1.RoleReference{{Name: "chat"}},
			Agents:   &v1alpha1.AgentConditions{NetworkZones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{"Nowhere"}}},
		}},
	}
	w.create(policy, w.role("chat", "a"), w.key("bot", "chat", ""))
	w.waitReason("agents", policy, v1alpha1.ReasonNetworkZoneNotFound)
	w.waitReason("bot", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonNetworkZoneNotFound)
	if apps := w.ours().Apps; len(apps) != 0 {
		t.Errorf("an app was made though it is not known from where it may get tokens: %v", apps)
	}
	w.get("agents", policy)
	policy.Spec.Conditional.Agents = &v1alpha1.AgentConditions{DPoP: v1alpha1.RequirementRequired}
	w.update(policy)
	readyKey(w, "bot")
	w.create(w.key("token", "chat", v1alpha1.DeliveryAccessToken))
	w.waitReason("token", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonInvalidSpec)
}
