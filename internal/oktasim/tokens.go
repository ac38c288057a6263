package oktasim

import (
	"slices"
	"time"
)

// token issues access tokens of a custom authorization server.
func (o *Org) token(c *call) (*reply, error) {
	s, err := o.issuer(c)
	if err != nil {
		return nil, err
	}
	f, err := readForm(c)
	if err != nil {
		return nil, err
	}
	grant := f.Get("grant_type")
	if grant != clientCredentials && grant != authorizationCode {
		return nil, unsupportedGrant()
	}
	a, err := o.proveApp(c, f)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(a.settings().texts("grant_types"), grant) {
		return nil, badOAuth("unauthorized_client", "The client isn't authorized to use the provided grant type.")
	}
	if err := o.checkClientNetwork(c, a); err != nil {
		return nil, err
	}
	bound, err := o.possess(c, a)
	if err != nil {
		return nil, err
	}
	if grant == authorizationCode {
		return o.redeem(c, f, s, a, bound)
	}
	return o.clientToken(c, f, s, a, bound)
}

// clientToken is for a client that acts for itself.
func (o *Org) clientToken(c *call, f form, s *server, a *app, bound *confirmation) (*reply, error) {
	scopes, err := requestedScopes(f)
	if err != nil {
		return nil, err
	}
	if s.lacks(scopes) != "" {
		return nil, badOAuth("invalid_scope", "One or more scopes are not configured for the authorization server resource.")
	}
	r := s.decide(a.clientID(), clientCredentials, scopes, (*rule).forClients)
	if r == nil {
		return nil, policyDenied()
	}
	return o.grant(s.key, accessClaims{
		Issuer: o.issuerOf(s), Audience: s.audience(), ClientID: a.clientID(), Subject: a.clientID(), Scopes: scopes,
		Confirmation: bound,
	}, c.now, time.Duration(r.lifetimeMinutes())*time.Minute)
}

const clientCredentials = "client_credentials"

// issuer finds the authorization server of an OAuth endpoint.
func (o *Org) issuer(c *call) (*server, error) {
	s, ok := o.findServer(c.params["authServerId"])
	if !ok || !s.active || o.options.NoAPIAccessManagement {
		return nil, &refusal{
			status: 404, code: "E0000007",
			summary: "Not found: Resource not found: " + c.params["authServerId"] + " (AuthorizationServer)",
		}
	}
	return s, nil
}

func (o *Org) issuerOf(s *server) string {
	return o.url("/oauth2/" + s.address())
}

// keys publishes what the server's tokens are verified with. Those of an inactive
// server stay, for its tokens are still out.
func (o *Org) keys(c *call) (*reply, error) {
	s, found := o.findServer(c.params["authServerId"])
	if !found {
		return nil, notFound(c.params["authServerId"], "AuthorizationServer")
	}
	return ok(s.key.jwks())
}

func (o *Org) orgKeys(*call) (*reply, error) { return ok(o.orgKey.jwks()) }

// metadata serves both discovery documents of a custom authorization server.
func (o *Org) metadata(c *call) (*reply, error) {
	s, err := o.issuer(c)
	if err != nil {
		return nil, err
	}
	issuer := o.issuerOf(s)
	scopes := []any{}
	for _, sc := range s.scopes.order {
		if sc.doc.text("metadataPublish") == "ALL_CLIENTS" {
			scopes = append(scopes, sc.name())
		}
	}
	methods := list([]string{"client_secret_basic", "client_secret_post", "private_key_jwt"})
	return ok(map[string]any{
		"issuer":                 issuer,
		"authorization_endpoint": issuer + "/v1/authorize",
		"token_endpoint":         issuer + "/v1/token",
		"jwks_uri":               issuer + "/v1/keys",
		"introspection_endpoint": issuer + "/v1/introspect",
		"introspection_endpoint_auth_methods_supported": methods,
		"revocation_endpoint":                           issuer + "/v1/revoke",
		"revocation_endpoint_auth_methods_supported":    methods,
		"token_endpoint_auth_methods_supported":         methods,
		"grant_types_supported":                         []any{authorizationCode, clientCredentials},
		"code_challenge_methods_supported":              []any{"S256"},
		"dpop_signing_alg_values_supported":             list([]string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"}),
		"response_types_supported":                      []any{"code", "token"},
		"response_modes_supported":                      []any{"query", "fragment", "form_post", "okta_post_message"},
		"subject_types_supported":                       []any{"public"},
		"scopes_supported":                              scopes,
		"claims_supported":                              list([]string{"ver", "jti", "iss", "aud", "iat", "exp", "cid", "scp", "sub"}),
	})
}
