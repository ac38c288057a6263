package oktasim

import (
	"errors"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/proof"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// keyLimit is how many public keys an app may have, active or not.
const keyLimit = 50

const keySubject = "JsonWebKey"

// clientKey is a public key of an app.
type clientKey struct {
	meta
	document
	active bool
	public any
}

func keyShape() shape.Shape {
	return shape.Object{
		"id": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"kid": shape.Text{Min: 1, Max: 100}, "kty": shape.Enum{"RSA", "EC"}, "use": shape.Enum{"sig", "enc"},
		"alg": shape.Text{}, "status": shape.Enum{"ACTIVE", "INACTIVE"},
		"n": shape.Text{}, "e": shape.Text{}, "crv": shape.Text{}, "x": shape.Text{}, "y": shape.Text{},
	}
}

// readKeys takes the keys out of an app's body. A key that the app has already
// stays the same object.
func (o *Org) readKeys(now time.Time, a *app, body document) ([]*clientKey, error) {
	listed, _ := body.at("settings", "oauthClient", "jwks", "keys").([]any)
	if len(listed) > 0 && body.text("settings", "oauthClient", "jwks_uri") != "" {
		return nil, validation("jwks", "jwks: 'jwks' and 'jwks_uri' can't both be set.")
	}
	var keys []*clientKey
	for _, each := range listed {
		jwk, _ := each.(map[string]any)
		key, err := o.newKey(now, jwk, keys)
		if err != nil {
			return nil, err
		}
		for _, old := range a.keys {
			if old.sameMaterial(key) {
				key.meta = old.meta
			}
		}
		keys = append(keys, key)
	}
	if len(keys) > 0 && authMethodOf(body) == privateKeyJWT && !anyActive(keys) {
		return nil, validation(keySubject, onlyActiveKey)
	}
	return keys, nil
}

const onlyActiveKey = "Can't deactivate the only active JSON Web Key when the value for `token_endpoint_auth_method` is `private_key_jwt`."

func anyActive(keys []*clientKey) bool {
	return slices.ContainsFunc(keys, func(k *clientKey) bool { return k.active && k.text("use") != "enc" })
}

func (k *clientKey) sameMaterial(other *clientKey) bool {
	for _, name := range []string{"kid", "kty", "n", "e", "x", "y"} {
		if k.text(name) != other.text(name) {
			return false
		}
	}
	return true
}

func (o *Org) newKey(now time.Time, jwk document, among []*clientKey) (*clientKey, error) {
	if jwk.text("kid") == "" {
		return nil, validation(keySubject, "Each key should have a unique kid when adding multiple keys. "+
			"Use the Apps API to update the JWKS to add a kid for the existing key, or delete the existing key "+
			"and re-add the key with a kid using the JWKS APIs.")
	}
	for _, other := range among {
		if other.text("kid") == jwk.text("kid") {
			return nil, validation(keySubject, "All keys in the 'jwks' must have a unique `kid`.")
		}
	}
	if len(among) >= keyLimit {
		return nil, validation(keySubject, "You can't create a new key. You have reached the maximum number of keys "+
			"allowed (50). To add another key, you must first delete an existing one.")
	}
	public, err := proof.PublicKey(jwk)
	if errors.Is(err, proof.ErrShortKey) {
		return nil, validation(keySubject, proof.ErrShortKey.Error()+".")
	}
	if err != nil {
		return nil, validation(keySubject, err.Error())
	}
	return &clientKey{
		meta:     o.newMeta("pks", now),
		document: jwk.only("kid", "kty", "use", "alg", "n", "e", "crv", "x", "y"),
		active:   jwk.text("status") != "INACTIVE",
		public:   public,
	}, nil
}

// inApp is a key as a part of its app.
func (k *clientKey) inApp() map[string]any {
	rendered := k.over(document{"use": nil})
	rendered["id"], rendered["status"] = k.id, statusOf(k.active)
	if k.text("kty") == "EC" && rendered["crv"] == nil {
		rendered["crv"] = nil
	}
	return rendered
}

func (o *Org) renderKey(a *app, k *clientKey) map[string]any {
	self := "/api/v1/apps/" + a.id + "/credentials/jwks/" + k.id
	links := map[string]any{}
	if k.active {
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	} else {
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
		links["delete"] = o.link(self, "DELETE")
	}
	rendered := k.inApp()
	if rendered["use"] == nil {
		rendered["use"] = "sig"
	}
	rendered["created"], rendered["lastUpdated"], rendered["_links"] = stamp(k.created), stamp(k.updated), links
	return rendered
}

func (o *Org) listKeys(c *call) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, k := range a.keys {
		rendered = append(rendered, o.renderKey(a, k))
	}
	return ok(rendered)
}

func (o *Org) createKey(c *call) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	body, err := parse(c, keyShape(), keySubject)
	if err != nil {
		return nil, err
	}
	key, err := o.addKey(c.now, a, body)
	if err != nil {
		return nil, err
	}
	return created(o.renderKey(a, key))
}

// addKey gives the app one more key.
func (o *Org) addKey(now time.Time, a *app, jwk document) (*clientKey, error) {
	key, err := o.newKey(now, jwk, a.keys)
	if err != nil {
		return nil, err
	}
	if a.settings().text("jwks_uri") != "" {
		return nil, validation(keySubject, "jwks: 'jwks' and 'jwks_uri' can't both be set.")
	}
	a.keys = append(a.keys, key)
	a.touch(now)
	return key, nil
}

// findKey gives the app and its key, by the key's id and not by its kid.
func (o *Org) findKey(c *call) (*app, *clientKey, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range a.keys {
		if k.id == c.params["keyId"] {
			return a, k, nil
		}
	}
	return nil, nil, notFound(c.params["keyId"], keySubject)
}

func (o *Org) getKey(c *call) (*reply, error) {
	a, k, err := o.findKey(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderKey(a, k))
}

func (o *Org) deleteKey(c *call) (*reply, error) {
	a, k, err := o.findKey(c)
	if err != nil {
		return nil, err
	}
	if k.active {
		return nil, validation(keySubject, "You can't delete an active JSON Web Key. Deactivate the key before deleting it.")
	}
	a.keys = slices.DeleteFunc(a.keys, func(other *clientKey) bool { return other == k })
	a.touch(c.now)
	return noContent()
}

func (o *Org) activateKey(c *call) (*reply, error) { return o.switchKey(c, true) }

func (o *Org) deactivateKey(c *call) (*reply, error) { return o.switchKey(c, false) }

func (o *Org) switchKey(c *call, active bool) (*reply, error) {
	a, k, err := o.findKey(c)
	if err != nil {
		return nil, err
	}
	if k.active == active {
		return nil, validation(keySubject, "The JSON Web Key is "+statusOf(active)+" already.")
	}
	others := slices.DeleteFunc(slices.Clone(a.keys), func(other *clientKey) bool { return other == k })
	if !active && a.authMethod() == privateKeyJWT && !anyActive(others) {
		return nil, validation(keySubject, onlyActiveKey)
	}
	k.active = active
	k.touch(c.now)
	a.touch(c.now)
	return ok(o.renderKey(a, k))
}
