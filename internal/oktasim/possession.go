package oktasim

import (
	"net/http"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/proof"
)

// nonceLifetime is how long a proof of possession may use a nonce.
const nonceLifetime = 24 * time.Hour

// confirmation binds a token to a key (RFC 9449, section 6.1).
type confirmation struct {
	Thumbprint string `json:"jkt"`
}

// possess checks the proof of possession of a token request, where the app asks for
// one. Without one, or for another app, there is no confirmation: a client that shows
// a proof nobody asked for would take its token for bound, and is refused.
func (o *Org) possess(c *call, a *app) (*confirmation, error) {
	proofs := c.request.Header.Values("Dpop")
	if !a.settings().flag("dpop_bound_access_tokens") {
		if len(proofs) > 0 {
			return nil, badOAuth("invalid_dpop_proof", "The client isn't registered for DPoP.")
		}
		return nil, nil //nolint:nilnil // nothing is bound, and nothing is wrong
	}
	if len(proofs) != 1 {
		return nil, badOAuth("invalid_dpop_proof", "The DPoP proof JWT header is missing.")
	}
	shown, err := proof.Possess(proofs[0], proof.Request{
		Method: c.request.Method, URL: o.url(c.request.URL.Path), Now: c.now,
	})
	if err != nil {
		return nil, badOAuth("invalid_dpop_proof", err.Error())
	}
	if until, given := o.nonces[shown.Nonce]; !given || !c.now.Before(until) {
		return nil, o.wantNonce(c)
	}
	if !o.spent.spend("dpop "+shown.Thumbprint+" "+shown.ID, shown.Expires, c.now) {
		return nil, badOAuth("invalid_dpop_proof", "The DPoP proof has been used before.")
	}
	return &confirmation{Thumbprint: shown.Thumbprint}, nil
}

// wantNonce gives a client the nonce its next proof must have (RFC 9449, section 8).
func (o *Org) wantNonce(c *call) error {
	nonce := randomSecret(32)
	o.nonces.spend(nonce, c.now.Add(nonceLifetime), c.now)
	bad := badOAuth("use_dpop_nonce", "Authorization server requires nonce in DPoP proof.")
	bad.header = http.Header{"Dpop-Nonce": {nonce}}
	return bad
}
