package oktasim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// app is an OIDC app, which is what Okta calls an OAuth client.
type app struct {
	meta
	active bool
	// doc is the body the app was created or last replaced with, over the defaults.
	doc     document
	keys    []*clientKey
	secrets []*clientSecret
	// signer is the id of the key Okta would sign the app's ID tokens with.
	signer string
	// accessPolicy is the id of the policy the app is mapped to; empty is the default.
	accessPolicy string
}

func (a *app) clientID() string   { return a.doc.text("credentials", "oauthClient", "client_id") }
func (a *app) authMethod() string { return authMethodOf(a.doc) }
func (a *app) label() string      { return a.doc.text("label") }
func (a *app) settings() document { return a.doc.object("settings", "oauthClient") }

func authMethodOf(doc document) string {
	return doc.text("credentials", "oauthClient", "token_endpoint_auth_method")
}

func (a *app) status() string { return statusOf(a.active) }

func statusOf(active bool) string {
	if active {
		return "ACTIVE"
	}
	return "INACTIVE"
}

const privateKeyJWT = "private_key_jwt"

func (o *Org) findApp(c *call) (*app, error) {
	id := c.params["appId"]
	a, found := o.apps.get(id)
	if !found || c.request.Method == http.MethodGet && !o.readable(a, c.now) {
		return nil, notFound(id, "AppInstance")
	}
	return a, nil
}

func (o *Org) createApp(c *call) (*reply, error) {
	activate := c.query.Get("activate")
	if !slices.Contains([]string{"", "true", "false"}, activate) {
		return nil, validation("activate", "activate: must be true or false")
	}
	body, err := parse(c, appShape(), "application")
	if err != nil {
		return nil, err
	}
	a, err := o.makeApp(c.now, body)
	if err != nil {
		return nil, err
	}
	a.active = activate != "false"
	return ok(o.renderApp(a, true))
}

// makeApp makes an active app of a body that has the right shape.
func (o *Org) makeApp(now time.Time, body document) (*app, error) {
	if err := o.checkApp(body); err != nil {
		return nil, err
	}
	a := &app{meta: o.newMeta("0oa", now), active: true, signer: randomText(o.random, 43)}
	clientID, err := o.chooseClientID(body.text("credentials", "oauthClient", "client_id"), a.id)
	if err != nil {
		return nil, err
	}
	if err := o.equip(now, a, body, clientID); err != nil {
		return nil, err
	}
	if err := o.firstSecret(now, a, body); err != nil {
		return nil, err
	}
	o.apps.add(a)
	o.byClientID[clientID] = a
	return a, nil
}

// chooseClientID takes the caller's wish, or the app's id as Okta does.
func (o *Org) chooseClientID(wish, id string) (string, error) {
	const subject = "credentials.oauthClient.client_id"
	if wish == "" {
		return id, nil
	}
	if !regexp.MustCompile(`^[A-Za-z0-9$\-_.+!*'(),]{6,100}$`).MatchString(wish) {
		return "", validation(subject, subject+": 'client_id' must be 6 to 100 characters of A-Z a-z 0-9 $-_.+!*'(),")
	}
	if _, taken := o.byClientID[wish]; taken || o.clients[wish] != nil {
		return "", validation(subject, subject+": An object with this field already exists in the current organization")
	}
	return wish, nil
}

// equip gives the app a new body, with its keys.
func (o *Org) equip(now time.Time, a *app, body document, clientID string) error {
	keys, err := o.readKeys(now, a, body)
	if err != nil {
		return err
	}
	doc := body.over(appDefaults(body))
	doc.object("credentials", "oauthClient")["client_id"] = clientID
	delete(doc.object("credentials", "oauthClient"), "client_secret")
	delete(doc.object("settings", "oauthClient"), "jwks")
	a.doc, a.keys = doc, keys
	return nil
}

func (o *Org) getApp(c *call) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderApp(a, false))
}

// putApp replaces everything: what is not sent goes back to its default, keys
// included. Secrets stay, for there is an API of their own for them.
func (o *Org) putApp(c *call) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	body, err := parse(c, appShape(), "application")
	if err != nil {
		return nil, err
	}
	if err := o.checkApp(body); err != nil {
		return nil, err
	}
	const client = "credentials.oauthClient."
	if wish := body.text("credentials", "oauthClient", "client_id"); wish != "" && wish != a.clientID() {
		return nil, validation(client+"client_id", client+"client_id: 'client_id' can't be changed.")
	}
	if err := a.checkSecret(body); err != nil {
		return nil, err
	}
	if err := o.equip(c.now, a, body, a.clientID()); err != nil {
		return nil, err
	}
	if a.authMethod() == privateKeyJWT {
		a.secrets = nil
	} else if len(a.secrets) == 0 {
		a.secrets = []*clientSecret{o.newSecret(c.now, randomSecret(64), true)}
	}
	a.touch(c.now)
	return ok(o.renderApp(a, true))
}

// checkSecret lets a replacement repeat a secret, and not change it.
func (a *app) checkSecret(body document) error {
	secret := body.text("credentials", "oauthClient", "client_secret")
	if secret == "" {
		return nil
	}
	for _, s := range a.secrets {
		if s.value == secret {
			return nil
		}
	}
	return validation("client_secret", "client_secret: 'client_secret' can't be changed by replacing the app.")
}

func (o *Org) deleteApp(c *call) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	if a.active {
		return nil, deleteForbidden()
	}
	o.dropApp(a)
	return noContent()
}

// dropApp also takes the client out of every policy that named it, as Okta does; a
// policy may be left with no client at all.
func (o *Org) dropApp(a *app) {
	o.apps.remove(a.id)
	delete(o.byClientID, a.clientID())
	for _, s := range o.servers.order {
		for _, p := range s.policies {
			p.clients = slices.DeleteFunc(p.clients, func(id string) bool { return id == a.clientID() })
		}
	}
}

func (o *Org) activateApp(c *call) (*reply, error)   { return o.switchApp(c, true) }
func (o *Org) deactivateApp(c *call) (*reply, error) { return o.switchApp(c, false) }

func (o *Org) switchApp(c *call, active bool) (*reply, error) {
	a, err := o.findApp(c)
	if err != nil {
		return nil, err
	}
	if a.active == active {
		return nil, wrongState("The application is " + a.status() + " already.")
	}
	a.active = active
	a.touch(c.now)
	return ok(map[string]any{})
}

func (o *Org) listApps(c *call) (*reply, error) {
	page, err := readPage(c, 20, 200)
	if err != nil {
		return nil, err
	}
	keep, err := appFilter(c.query.Get("filter"))
	if err != nil {
		return nil, err
	}
	q := strings.ToLower(c.query.Get("q"))
	return list200(o, c, page, &o.apps, func(a *app) bool {
		named := strings.HasPrefix(strings.ToLower(a.label()), q) || strings.HasPrefix("oidc_client", q)
		return named && keep(a)
	}, func(a *app) any { return o.renderApp(a, false) })
}

// appFilter reads the few filters that are simulated, joined by "and".
func appFilter(text string) (func(*app) bool, error) {
	terms, err := readFilter(text, "id", "name", "status")
	if err != nil {
		return nil, err
	}
	return func(a *app) bool {
		values := map[string]string{"id": a.id, "name": "oidc_client", "status": a.status()}
		for _, term := range terms {
			if values[term.name] != term.value {
				return false
			}
		}
		return true
	}, nil
}
