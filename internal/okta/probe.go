package okta

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
	"github.com/agentidentity/agent-identity-operator/internal/okta/transport"
)

// Probe implements identity.Tokens. The token is thrown away: of the answer only
// the scopes are read.
func (d *Directory) Probe(
	ctx context.Context, server identity.Server, clientID string, c identity.Credential, permissions []string,
) error {
	endpoint, err := d.tokenURL(server.TokenURL)
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {grantType}, "scope": {strings.Join(permissions, " ")}}
	var sign func(*http.Request)
	switch c.Method {
	case identity.PrivateKeyJWT:
		assertion, err := credential.Assertion(clientID, c.KeyID, c.Material, endpoint, d.time.Now())
		if err != nil {
			return invalid("the credential cannot be probed: " + err.Error())
		}
		form.Set("client_assertion_type", credential.AssertionType)
		form.Set("client_assertion", string(assertion.Reveal()))
	case identity.ClientSecretBasic:
		// RFC 6749, section 2.3.1: both are form-encoded before.
		sign = func(req *http.Request) {
			req.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(string(c.Material.Reveal())))
		}
	default:
		return invalid("the credential cannot be probed: its method is unknown")
	}
	body, err := transport.PostForm(fault.WithPurpose(ctx, fault.AgentToken), d.bare, endpoint, form, sign)
	if err != nil {
		return typed(ctx, err)
	}
	var granted struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
	}
	if err := json.Unmarshal(body, &granted); err != nil || granted.Token == "" {
		return fault.Broken("it is not a token", nil)
	}
	if !sameSet(strings.Fields(granted.Scope), permissions) {
		return &identity.Error{
			Kind: identity.Waiting, Reason: identity.ReasonTokenRefused, RetryAfter: soon,
			Message: "Okta grants the agent a token with other scopes than the role's; the access policy may not have arrived everywhere yet",
		}
	}
	return nil
}

// tokenURL holds that a credential is sent to nothing but an https server, or to
// the org itself where that is allowed to be plain.
func (d *Directory) tokenURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && !strings.HasPrefix(raw, d.orgURL+"/")) {
		return "", invalid("the token endpoint of the authorization server is no https address")
	}
	return raw, nil
}
