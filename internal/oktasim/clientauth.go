package oktasim

import (
	"crypto/subtle"
	"mime"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/proof"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// form is the body of a request to an OAuth endpoint.
type form struct{ url.Values }

func (f form) has(name string) bool { return f.Get(name) != "" }

// readForm takes parameters from the body only: in the query, where the Go SDK of
// Okta puts them, an assertion ends up in the access logs of every proxy.
func readForm(c *call) (form, error) {
	kind, _, _ := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return form{}, badOAuth("invalid_request", "The request must be of type application/x-www-form-urlencoded.")
	}
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return form{}, badOAuth("invalid_request", "The request body is malformed.")
	}
	known := []string{
		"grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type",
		"token", "token_type_hint",
	}
	if values.Get("grant_type") == authorizationCode {
		known = append(known, "code", "code_verifier", "redirect_uri")
	}
	for name, all := range values {
		if !slices.Contains(known, name) {
			bad := badOAuth("invalid_request", "The parameter '"+name+"' is unknown to this API.")
			bad.unknown = []string{name}
			return form{}, bad
		}
		if len(all) > 1 {
			return form{}, badOAuth("invalid_request", "The parameter '"+name+"' is repeated.")
		}
	}
	return form{values}, nil
}

func unsupportedGrant() error {
	return badOAuth("unsupported_grant_type", "The grant type in the request isn't supported.")
}

// requestedScopes reads the scope parameter. A request without one is refused, as
// Okta does for client_credentials.
func requestedScopes(f form) ([]string, error) {
	scopes := strings.Fields(f.Get("scope"))
	if len(scopes) == 0 {
		return nil, badOAuth("invalid_scope", "No scopes were requested.")
	}
	slices.Sort(scopes)
	if len(slices.Compact(slices.Clone(scopes))) != len(scopes) {
		return nil, badOAuth("invalid_scope", "A scope is requested twice.")
	}
	return strings.Fields(f.Get("scope")), nil
}

func assertionIssuer(f form) (string, error) {
	if !f.has("client_assertion") {
		return "", invalidClient("No client credentials found")
	}
	if f.Get("client_assertion_type") != assertionType {
		return "", badOAuth("invalid_request", "The `client_assertion_type` is invalid.")
	}
	issuer, err := proof.Issuer(f.Get("client_assertion"))
	if err != nil {
		return "", invalidClient(err.Error())
	}
	if f.has("client_id") && f.Get("client_id") != issuer {
		return "", invalidClient("The client_id is not the issuer of the client_assertion.")
	}
	return issuer, nil
}

// verifyAssertion also spends the assertion: its jti is refused from now on.
func (o *Org) verifyAssertion(c *call, assertion, clientID string, keys []proof.Key) error {
	verified, err := proof.Verify(assertion, proof.Expectation{
		ClientID: clientID, Audience: o.url(c.request.URL.Path), Keys: keys, Now: c.now,
	})
	if err != nil {
		return invalidClient(err.Error())
	}
	if verified.ID != "" && !o.spent.spend(clientID+" "+verified.ID, verified.Expires, c.now) {
		return invalidClient("The client_assertion has been used before.")
	}
	return nil
}

// replays remembers assertions, or tokens, until they have expired.
type replays map[string]time.Time

func (r replays) spend(id string, expires, now time.Time) bool {
	if until, used := r[id]; used && now.Before(until) {
		return false
	}
	// Sweeping on every thousandth entry keeps a long run from growing without end.
	if len(r)%1000 == 999 {
		for old, until := range r {
			if !now.Before(until) {
				delete(r, old)
			}
		}
	}
	r[id] = expires
	return true
}

// proveApp finds the app a request to a custom authorization server comes from, and
// lets it prove itself in the one way it is registered for.
func (o *Org) proveApp(c *call, f form) (*app, error) {
	basicID, basicSecret, basic := c.request.BasicAuth()
	if !basic && c.request.Header.Get("Authorization") != "" {
		return nil, invalidClient("The Authorization header must be of type Basic.")
	}
	ways := 0
	for _, used := range []bool{basic, f.has("client_secret"), f.has("client_assertion")} {
		if used {
			ways++
		}
	}
	switch {
	case ways == 0:
		return o.provePublic(c, f)
	case ways > 1:
		return nil, badOAuth("invalid_request", "Can't supply multiple client credentials. Use one of the following: "+
			"credentials in the Authorization header, credentials in the post body, or a `client_assertion` in the post body.")
	case f.has("client_assertion"):
		return o.proveWithAssertion(c, f)
	case basic:
		id, secret, err := unescapeBasic(basicID, basicSecret)
		if err != nil {
			return nil, err
		}
		return o.proveWithSecret(c, "client_secret_basic", id, secret)
	}
	return o.proveWithSecret(c, "client_secret_post", f.Get("client_id"), f.Get("client_secret"))
}

// provePublic is for clients without a secret, which have only their codes to show.
func (o *Org) provePublic(c *call, f form) (*app, error) {
	if f.Get("grant_type") != authorizationCode || !f.has("client_id") {
		return nil, invalidClient("No client credentials found")
	}
	return o.activeClient(c, f.Get("client_id"), "none")
}

// unescapeBasic undoes the form encoding that RFC 6749, section 2.3.1, asks for.
func unescapeBasic(id, secret string) (string, string, error) {
	plainID, err := url.QueryUnescape(id)
	if err != nil {
		return "", "", invalidClient("The Authorization header is malformed.")
	}
	plainSecret, err := url.QueryUnescape(secret)
	if err != nil {
		return "", "", invalidClient("The Authorization header is malformed.")
	}
	return plainID, plainSecret, nil
}

func (o *Org) proveWithAssertion(c *call, f form) (*app, error) {
	issuer, err := assertionIssuer(f)
	if err != nil {
		return nil, err
	}
	a, err := o.activeClient(c, issuer, "private_key_jwt")
	if err != nil {
		return nil, err
	}
	keys := make([]proof.Key, 0, len(a.keys))
	for _, k := range a.keys {
		keys = append(keys, proof.Key{
			ID: k.text("kid"), Algorithm: k.text("alg"), Active: k.active && k.text("use") != "enc", Public: k.public,
		})
	}
	return a, o.verifyAssertion(c, f.Get("client_assertion"), a.clientID(), keys)
}

func (o *Org) proveWithSecret(c *call, method, clientID, secret string) (*app, error) {
	a, err := o.activeClient(c, clientID, method)
	if err != nil {
		return nil, err
	}
	for _, s := range a.secrets {
		if s.active && subtle.ConstantTimeCompare([]byte(s.value), []byte(secret)) == 1 {
			return a, nil
		}
	}
	return nil, invalidClient("The client secret supplied for a confidential client is invalid.")
}

func (o *Org) activeClient(c *call, clientID, method string) (*app, error) {
	a, known := o.byClientID[clientID]
	if !known || !a.active {
		return nil, invalidClient("Invalid value for the `client_id` parameter")
	}
	c.principal = clientID
	if a.authMethod() != method {
		return nil, invalidClient("The client is registered for " + a.authMethod() + ", not for " + method + ".")
	}
	return a, nil
}
