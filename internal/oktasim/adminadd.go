package oktasim

import (
	"encoding/json"
	"fmt"
	"slices"
)

// NewApp is an OIDC app that a person makes in the console. The zero value of what is
// not said is that of a service app: the type service, the grant client_credentials.
type NewApp struct {
	Label string
	// ClientID is the app's id unless it is set.
	ClientID        string
	ApplicationType string
	GrantTypes      []string
	// PublicJWK makes it authenticate with private_key_jwt.
	PublicJWK []byte
	// Secret makes it authenticate with client_secret_basic; without either the org
	// makes a secret up.
	Secret string
}

func (n NewApp) body() (document, error) {
	client := map[string]any{"token_endpoint_auth_method": "client_secret_basic"}
	settings := map[string]any{
		"application_type": "service", "grant_types": list([]string{clientCredentials}), "response_types": list([]string{"token"}),
	}
	if n.ApplicationType != "" {
		settings["application_type"] = n.ApplicationType
	}
	if len(n.GrantTypes) > 0 {
		settings["grant_types"] = list(n.GrantTypes)
	}
	if n.ClientID != "" {
		client["client_id"] = n.ClientID
	}
	if n.Secret != "" {
		client["client_secret"] = n.Secret
	}
	if len(n.PublicJWK) > 0 {
		key, err := decodeObject(n.PublicJWK)
		if err != nil {
			return nil, fmt.Errorf("reading the JWK of app %s: %w", n.Label, err)
		}
		client["token_endpoint_auth_method"] = privateKeyJWT
		settings["jwks"] = map[string]any{"keys": []any{map[string]any(key)}}
	}
	return document{
		"name": "oidc_client", "label": n.Label, "signOnMode": "OPENID_CONNECT",
		"credentials": map[string]any{"oauthClient": client}, "settings": map[string]any{"oauthClient": settings},
	}, nil
}

// AdminCreateApp makes an active app.
func (o *Org) AdminCreateApp(wish NewApp) (App, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	body, err := wish.body()
	if err != nil {
		return App{}, err
	}
	a, err := o.makeApp(o.clock.Now(), body)
	if err != nil {
		return App{}, fmt.Errorf("creating app %s: %w", wish.Label, err)
	}
	o.logAppMade(a)
	return a.snapshot(), nil
}

// AdminAddKey gives an app, found by its id or client id, one more active public key.
func (o *Org) AdminAddKey(id string, publicJWK []byte) (Key, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, err := o.adminApp(id)
	if err != nil {
		return Key{}, err
	}
	var jwk map[string]any
	if err := json.Unmarshal(publicJWK, &jwk); err != nil {
		return Key{}, fmt.Errorf("reading a JWK for app %s: %w", id, err)
	}
	k, err := o.addKey(o.clock.Now(), a, jwk)
	if err != nil {
		return Key{}, fmt.Errorf("adding a key to app %s: %w", id, err)
	}
	o.log(o.console(), credentialCreated, k, a)
	return k.snapshot(), nil
}

// AdminAddSecret gives an app, found by its id or client id, one more active secret.
func (o *Org) AdminAddSecret(id, value string) (Secret, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, err := o.adminApp(id)
	if err != nil {
		return Secret{}, err
	}
	s, err := o.addSecret(o.clock.Now(), a, document{"client_secret": value})
	if err != nil {
		return Secret{}, fmt.Errorf("adding a secret to app %s: %w", id, err)
	}
	o.log(o.console(), credentialCreated, s, a)
	return s.snapshot(), nil
}

// AdminAddPolicy gives the server of wish an access policy with the Name, Description,
// Priority, Status and Clients of wish; priority 0 is the end.
func (o *Org) AdminAddPolicy(wish Policy) (Policy, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, found := o.findServer(wish.ServerID)
	if !found {
		return Policy{}, fmt.Errorf("finding server %s: there is none", wish.ServerID)
	}
	if err := o.checkClients(wish.Clients); err != nil {
		return Policy{}, fmt.Errorf("adding policy %s: %w", wish.Name, err)
	}
	p := &policy{
		meta: o.newMeta("00p", o.clock.Now()), name: wish.Name, description: wish.Description,
		active: wish.Status == statusOf(true), clients: slices.Clone(wish.Clients),
	}
	s.policies = place(s.policies, p, wish.Priority, wish.Priority > 0)
	o.log(o.console(), policyCreated, p, s)
	return p.snapshot(s, slices.Index(s.policies, p)+1), nil
}
