package okta

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
	"github.com/agentidentity/agent-identity-operator/internal/okta/transport"
)

// Probe implements identity.Tokens. The token is thrown away.
func (d *Directory) Probe(
	ctx context.Context, server identity.Server, clientID string, c identity.Credential, permissions []string,
) error {
	_, err := d.ObtainToken(ctx, server, clientID, c, permissions)
	return err
}

// ObtainToken implements identity.Tokens.
func (d *Directory) ObtainToken(
	ctx context.Context, server identity.Server, clientID string, c identity.Credential, permissions []string,
) (identity.AccessToken, error) {
	form := url.Values{"grant_type": {grantType}, "scope": {strings.Join(permissions, " ")}}
	asked := d.clock.Now()
	body, err := d.postAs(fault.WithPurpose(ctx, fault.AgentToken), clientID, c, server.TokenURL, form)
	if err != nil {
		return identity.AccessToken{}, d.refused(clientID, err)
	}
	var granted struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
		Life  int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &granted); err != nil || granted.Token == "" || granted.Life <= 0 {
		return identity.AccessToken{}, fault.Broken("it is not a token", nil)
	}
	if !sameSet(strings.Fields(granted.Scope), permissions) {
		return identity.AccessToken{}, d.refused(clientID, &identity.Error{
			Kind: identity.Waiting, Reason: identity.ReasonTokenRefused, RetryAfter: soon,
			Message: "Okta grants the agent a token with other scopes than the role's; the access policy may not have arrived everywhere yet",
		})
	}
	d.refusals.forget(clientID)
	// Its life began while the answer was on its way.
	began := d.time.Now().Add(-d.clock.Since(asked))
	return identity.AccessToken{
		Token: identity.NewSecret([]byte(granted.Token)), Expires: began.Add(time.Duration(granted.Life) * time.Second),
	}, nil
}

// refused judges an agent's token that was not granted. What is remembered of the
// client may be out of date, so it is looked up next. A refusal that lasts longer than
// Okta lags is no lag: it is for a person to look into, and not asked for every time.
func (d *Directory) refused(clientID string, err error) error {
	e, ok := errors.AsType[*identity.Error](err)
	if !ok || e.Reason != identity.ReasonTokenRefused {
		return err
	}
	d.clients.question(clientID)
	if now := d.clock.Now(); now.Sub(d.refusals.of(clientID, now)) < lagging {
		return err
	}
	lasting := *e
	lasting.Kind, lasting.RetryAfter = identity.Rejected, revisit
	return &lasting
}

// RevokeToken implements identity.Tokens.
func (d *Directory) RevokeToken(
	ctx context.Context, server identity.Server, clientID string, c identity.Credential, token identity.Secret,
) error {
	form := url.Values{"token": {string(token.Reveal())}, "token_type_hint": {"access_token"}}
	_, err := d.postAs(fault.WithPurpose(ctx, fault.AgentRevocation), clientID, c, server.Issuer+"/v1/revoke", form)
	return err
}

// postAs posts a form with the proof that it comes from the client, and where tokens are
// bound, with one of the possession of a key: a second time with the nonce for which Okta
// answers the first.
func (d *Directory) postAs(
	ctx context.Context, clientID string, c identity.Credential, endpoint string, form url.Values,
) ([]byte, error) {
	if err := d.checkEndpoint(endpoint); err != nil {
		return nil, err
	}
	prove := func(string) (string, error) { return "", nil }
	if c.Bound {
		possession, err := credential.NewPossession()
		if err != nil {
			return nil, invalid(err.Error())
		}
		prove = func(nonce string) (string, error) {
			return possession.Proof(http.MethodPost, endpoint, nonce, d.time.Now())
		}
	}
	nonce := ""
	for {
		body, err := d.postOnce(ctx, clientID, c, endpoint, form, func() (string, error) { return prove(nonce) })
		status, _ := fault.StatusOf(err)
		if err == nil || !c.Bound || status.Nonce == "" || nonce != "" {
			return body, err
		}
		nonce = status.Nonce
	}
}

func (d *Directory) postOnce(
	ctx context.Context, clientID string, c identity.Credential, endpoint string, form url.Values, prove func() (string, error),
) ([]byte, error) {
	var sign func(*http.Request)
	switch c.Method {
	case identity.PrivateKeyJWT:
		assertion, err := credential.Assertion(clientID, c.KeyID, c.Material, endpoint, d.time.Now())
		if err != nil {
			return nil, invalid("the credential cannot be used: " + err.Error())
		}
		form.Set("client_assertion_type", credential.AssertionType)
		form.Set("client_assertion", string(assertion.Reveal()))
	case identity.ClientSecretBasic:
		// RFC 6749, section 2.3.1: both are form-encoded before.
		sign = func(req *http.Request) {
			req.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(string(c.Material.Reveal())))
		}
	default:
		return nil, invalid("the credential cannot be used: its method is unknown")
	}
	proof, err := prove()
	if err != nil {
		return nil, invalid(err.Error())
	}
	body, err := transport.PostForm(ctx, d.bare, endpoint, form, func(req *http.Request) {
		if sign != nil {
			sign(req)
		}
		if proof != "" {
			req.Header.Set("DPoP", proof)
		}
	})
	if err != nil {
		return nil, typed(ctx, err)
	}
	return body, nil
}

// checkEndpoint holds that a credential is sent to nothing but an https server, or to
// the org itself where that is allowed to be plain.
func (d *Directory) checkEndpoint(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && !strings.HasPrefix(raw, d.orgURL+"/")) {
		return invalid("the token endpoint of the authorization server is no https address")
	}
	return nil
}
