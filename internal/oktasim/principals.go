package oktasim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/proof"
)

// serviceClient may call the management API with access tokens of the org's own
// authorization server.
type serviceClient struct {
	id      string
	keys    []proof.Key
	scopes  []string
	revoked bool
}

// AddAPIToken makes an API token and gives its value. It may do everything.
func (o *Org) AddAPIToken() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	value := "00" + randomSecret(40)
	o.apiTokens[value] = o.newID("00T", idLength)
	o.log(o.console(), apiTokenMade, party{ID: o.apiTokens[value], Type: "Token", AlternateID: unknownText, DisplayName: "API token"})
	return value
}

// AddServiceClient registers an API service client that proves itself with the
// private half of publicJWK and has been granted scopes ("okta.apps.manage"). A
// scope ending in ".manage" does not include the one ending in ".read".
func (o *Org) AddServiceClient(id string, publicJWK []byte, scopes ...string) error {
	var jwk map[string]any
	if err := json.Unmarshal(publicJWK, &jwk); err != nil {
		return fmt.Errorf("reading the JWK of client %s: %w", id, err)
	}
	public, err := proof.PublicKey(jwk)
	if err != nil {
		return fmt.Errorf("registering client %s: %w", id, err)
	}
	d := document(jwk)
	if d.text("kid") == "" {
		return fmt.Errorf("registering client %s: the JWK has no kid", id)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clients[id] = &serviceClient{
		id: id, scopes: slices.Clone(scopes),
		keys: []proof.Key{{ID: d.text("kid"), Algorithm: d.text("alg"), Active: true, Public: public}},
	}
	o.log(o.console(), clientCreated, o.clients[id])
	o.logConsent(o.clients[id], nil, scopes)
	return nil
}

// RevokeServiceClient ends the client: its tokens are refused from now on, and it
// gets no new ones.
func (o *Org) RevokeServiceClient(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if client, ok := o.clients[id]; ok {
		client.revoked = true
		o.log(o.console(), clientDeactivated, client)
	}
}

// SetScopes replaces the client's granted scopes, and lets a revoked client in
// again. Tokens that are out lose the scopes that are taken away, and do not gain.
func (o *Org) SetScopes(id string, scopes ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if client, ok := o.clients[id]; ok {
		o.logConsent(client, client.scopes, scopes)
		if client.revoked {
			o.log(o.console(), clientActivated, client)
		}
		client.scopes, client.revoked = slices.Clone(scopes), false
	}
}

// tokenOf gives the id of the API token that a principal is.
func tokenOf(principal string) (string, bool) { return strings.CutPrefix(principal, "SSWS/") }

// claimedPrincipal names who says to have sent the request, without proof.
func (o *Org) claimedPrincipal(r *http.Request) string {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch scheme {
	case "SSWS":
		if id, ok := o.apiTokens[value]; ok {
			return "SSWS/" + id
		}
	case "Bearer":
		token, err := jwt.ParseSigned(value, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			return ""
		}
		var claims accessClaims
		if err := token.UnsafeClaimsWithoutVerification(&claims); err == nil {
			return claims.ClientID
		}
	}
	return ""
}

// authenticate proves who sends a management request.
func (o *Org) authenticate(c *call) error {
	scheme, value, _ := strings.Cut(c.request.Header.Get("Authorization"), " ")
	switch scheme {
	case "SSWS":
		if _, ok := o.apiTokens[value]; ok {
			return nil
		}
	case "Bearer":
		claims, err := o.orgKey.verify(value)
		if err == nil && claims.Issuer == o.url("") && c.now.Before(claims.Expiry.Time()) && o.mayEnter(claims.ClientID) {
			return nil
		}
		bad := invalidToken()
		bad.header = http.Header{"Www-Authenticate": {
			`Bearer authorization_uri="` + o.url("/oauth2/v1/authorize") + `", realm="` + o.url("") +
				`", scope="", error="invalid_token", error_description="The access token is invalid.", resource="/api/v1"`,
		}}
		return bad
	}
	return invalidToken()
}

func (o *Org) mayEnter(clientID string) bool {
	client, ok := o.clients[clientID]
	return ok && !client.revoked
}

// authorize checks that the sender has been granted the operation's scope.
func (o *Org) authorize(c *call) error {
	scheme, value, _ := strings.Cut(c.request.Header.Get("Authorization"), " ")
	if scheme == "SSWS" {
		return nil
	}
	claims, err := o.orgKey.verify(value)
	if err != nil {
		return invalidToken()
	}
	if slices.Contains(claims.Scopes, c.route.scope) && slices.Contains(o.clients[claims.ClientID].scopes, c.route.scope) {
		return nil
	}
	bad := accessDenied()
	bad.header = http.Header{"Www-Authenticate": {
		`Bearer authorization_uri="` + o.url("/oauth2/v1/authorize") + `", realm="` + o.url("") +
			`", scope="` + c.route.scope + `", error="insufficient_scope", ` +
			`error_description="The access token provided does not contain the required scopes.", resource="` +
			c.route.template + `"`,
	}}
	return bad
}

// orgToken issues access tokens for the management API.
func (o *Org) orgToken(c *call) (*reply, error) {
	form, err := readForm(c)
	if err != nil {
		return nil, err
	}
	if form.Get("grant_type") != "client_credentials" {
		return nil, unsupportedGrant()
	}
	client, err := o.proveServiceClient(c, form)
	if err != nil {
		return nil, err
	}
	scopes, err := requestedScopes(form)
	if err != nil {
		return nil, err
	}
	for _, scope := range scopes {
		if !slices.Contains(client.scopes, scope) {
			return nil, badOAuth("invalid_scope", "The requested scope is invalid, unknown, or malformed: "+scope)
		}
	}
	const lifetime = time.Hour
	return o.grant(o.orgKey, accessClaims{
		Issuer: o.url(""), Audience: o.url(""), ClientID: client.id, Subject: client.id, Scopes: scopes,
	}, c.now, lifetime)
}

func (o *Org) proveServiceClient(c *call, form form) (*serviceClient, error) {
	if form.has("client_secret") || c.request.Header.Get("Authorization") != "" {
		// Okta lets service clients into its own APIs with a key pair only.
		return nil, invalidClient("The client must authenticate with private_key_jwt.")
	}
	issuer, err := assertionIssuer(form)
	if err != nil {
		return nil, err
	}
	client, known := o.clients[issuer]
	if !known || client.revoked {
		return nil, invalidClient("Invalid value for the `client_id` parameter")
	}
	c.principal = client.id
	return client, o.verifyAssertion(c, form.Get("client_assertion"), client.id, client.keys)
}
