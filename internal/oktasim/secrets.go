package oktasim

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// secretLimit is how many secrets an app may have, active or not.
const secretLimit = 2

type clientSecret struct {
	meta
	value  string
	active bool
}

const secretSubject = "OAuth2ClientSecretMediated"

func checkSecretValue(secret, method string) error {
	least := 14
	if method == "client_secret_jwt" {
		least = 32
	}
	switch {
	case len(secret) > 100:
		return validation("client_secret", "client_secret: 'client_secret' can't be more than '100' characters long.")
	case len(secret) < least:
		return validation("client_secret",
			fmt.Sprintf("client_secret: 'client_secret' must be at least '%d' characters long.", least))
	case !regexp.MustCompile(`^[\x20-\x7E]+$`).MatchString(secret):
		return validation("client_secret", "client_secret: ''client_secret'' must only contain printable ASCII: [x20-x7E]+")
	}
	return nil
}

func (o *Org) newSecret(now time.Time, value string, active bool) *clientSecret {
	return &clientSecret{meta: o.newMeta("ocs", now), value: value, active: active}
}

// firstSecret gives a new app the secret its caller brings, or one of the org's.
func (o *Org) firstSecret(now time.Time, a *app, body document) error {
	if a.authMethod() == privateKeyJWT || a.authMethod() == "none" {
		return nil
	}
	value := body.text("credentials", "oauthClient", "client_secret")
	if value == "" {
		value = randomSecret(64)
	}
	a.secrets = []*clientSecret{o.newSecret(now, value, true)}
	return nil
}

// activeSecret is the newest one that works.
func (a *app) activeSecret() *clientSecret {
	for _, secret := range slices.Backward(a.secrets) {
		if secret.active {
			return secret
		}
	}
	return nil
}

func (s *clientSecret) hash() string {
	sum := sha256.Sum256([]byte(s.value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func (o *Org) renderSecret(a *app, s *clientSecret) map[string]any {
	self := "/api/v1/apps/" + a.id + "/credentials/secrets/" + s.id
	links := map[string]any{}
	if s.active {
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	} else {
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
		links["delete"] = o.link(self, "DELETE")
	}
	return map[string]any{
		"id": s.id, "status": statusOf(s.active), "created": stamp(s.created), "lastUpdated": stamp(s.updated),
		// Okta gives the value back in clear to whoever may read the app.
		"client_secret": s.value, "secret_hash": s.hash(), "_links": links,
	}
}

func (o *Org) listSecrets(c *call) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, s := range a.secrets {
		rendered = append(rendered, o.renderSecret(a, s))
	}
	return ok(rendered)
}

func (o *Org) createSecret(c *call) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	body := document{}
	if len(c.body) > 0 {
		body, err = parse(c, shape.Object{"client_secret": shape.Text{}, "status": shape.Enum{"ACTIVE", "INACTIVE"}}, "client_secret")
		if err != nil {
			return nil, err
		}
	}
	s, err := o.addSecret(c.now, a, body)
	if err != nil {
		return nil, err
	}
	return created(o.renderSecret(a, s))
}

// addSecret gives the app one more secret: the caller's own, or one of the org's.
func (o *Org) addSecret(now time.Time, a *app, body document) (*clientSecret, error) {
	if a.authMethod() == privateKeyJWT {
		return nil, validation("client_secret", "'client_secret' can't be used when 'token_endpoint_auth_method' is 'private_key_jwt'.")
	}
	if len(a.secrets) >= secretLimit {
		return nil, validation(secretSubject, "You've reached the maximum number of client secrets per client.")
	}
	value := randomSecret(64)
	if body["client_secret"] != nil {
		value = body.text("client_secret")
		if err := checkSecretValue(value, a.authMethod()); err != nil {
			return nil, err
		}
	}
	s := o.newSecret(now, value, body.text("status") != "INACTIVE")
	a.secrets = append(a.secrets, s)
	a.touch(now)
	return s, nil
}

// findSecret gives the app and its secret.
func (o *Org) findSecret(c *call) (*app, *clientSecret, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range a.secrets {
		if s.id == c.params["secretId"] {
			return a, s, nil
		}
	}
	return nil, nil, notFound(c.params["secretId"], "OAuth2ClientSecret")
}

func (o *Org) getSecret(c *call) (*reply, error) {
	a, s, err := o.findSecret(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderSecret(a, s))
}

func (o *Org) deleteSecret(c *call) (*reply, error) {
	a, s, err := o.findSecret(c)
	if err != nil {
		return nil, err
	}
	if s.active {
		return nil, validation(secretSubject, "You can't delete an active client secret. Deactivate the secret before deleting it.")
	}
	a.secrets = slices.DeleteFunc(a.secrets, func(other *clientSecret) bool { return other == s })
	a.touch(c.now)
	return noContent()
}

func (o *Org) activateSecret(c *call) (*reply, error) { return o.switchSecret(c, true) }

func (o *Org) deactivateSecret(c *call) (*reply, error) { return o.switchSecret(c, false) }

func (o *Org) switchSecret(c *call, active bool) (*reply, error) {
	a, s, err := o.findSecret(c)
	if err != nil {
		return nil, err
	}
	if s.active == active {
		return nil, validation(secretSubject, "The client secret is "+statusOf(active)+" already.")
	}
	others := slices.ContainsFunc(a.secrets, func(other *clientSecret) bool { return other != s && other.active })
	if !active && !others {
		return nil, validation(secretSubject, "You can't deactivate the only active client secret.")
	}
	s.active = active
	s.touch(c.now)
	a.touch(c.now)
	return ok(o.renderSecret(a, s))
}
