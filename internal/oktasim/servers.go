package oktasim

import (
	"net/http"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// server is a custom authorization server.
type server struct {
	meta
	doc       document
	active    bool
	isDefault bool
	key       *signingKey
	scopes    collection[*scope]
	// policies are in the order of their priority, which is their index plus one.
	policies []*policy
}

func (s *server) name() string { return s.doc.text("name") }

func (s *server) audience() string { return s.doc.texts("audiences")[0] }

// address is what the server is called in URLs.
func (s *server) address() string {
	if s.isDefault {
		return "default"
	}
	return s.id
}

// addDefaultServer makes the server every org with API Access Management has. Its
// policy grants everything to everyone, which is why nobody should use it.
func (o *Org) addDefaultServer() {
	s := o.newServer(o.longAgo(), document{
		"name": "default", "description": "Default Authorization Server for your Applications",
		"audiences": []any{"api://default"}, "issuerMode": "ORG_URL",
		"credentials": map[string]any{"signing": map[string]any{"rotationMode": "MANUAL"}},
	})
	s.isDefault = true
	p := &policy{
		meta: o.newMeta("00p", s.created), name: "Default Policy", description: "Default policy for your Authorization Server",
		active: true, clients: []string{allClients}, system: true,
	}
	p.rules = []*rule{{meta: o.newMeta("0pr", s.created), active: true, doc: ruleDefaults().over(document{
		"name": "Default Policy Rule",
		"conditions": map[string]any{
			"people":     map[string]any{"groups": map[string]any{"include": []any{everyone}}, "users": map[string]any{"exclude": []any{}}},
			"grantTypes": map[string]any{"include": []any{"authorization_code", "implicit", clientCredentials, "password"}},
			"scopes":     map[string]any{"include": []any{"*"}},
		},
	})}}
	s.policies = []*policy{p}
	o.servers.add(s)
}

func (o *Org) newServer(now time.Time, doc document) *server {
	s := &server{meta: o.newMeta("aus", now), active: true, key: newSigningKey(o.random), doc: doc}
	for _, name := range systemScopes() {
		s.scopes.add(&scope{meta: o.newMeta("scp", now), doc: document{
			"name": name, "displayName": name, "description": "Signals that a request is an OpenID request.",
			"system": true, "metadataPublish": "ALL_CLIENTS", "consent": "IMPLICIT", "optional": false, "default": false,
		}})
	}
	return s
}

func (o *Org) findServer(id string) (*server, bool) {
	if s, found := o.servers.get(id); found {
		return s, true
	}
	for _, s := range o.servers.order {
		if s.isDefault && id == "default" {
			return s, true
		}
	}
	return nil, false
}

func (o *Org) findServerOf(c *call) (*server, error) {
	s, found := o.findServer(c.params["authServerId"])
	if !found || c.request.Method == http.MethodGet && !o.readable(s, c.now) {
		return nil, notFound(c.params["authServerId"], "AuthorizationServer")
	}
	return s, nil
}

func serverShape() shape.Shape {
	return shape.Object{
		"id": shape.ReadOnly{}, "issuer": shape.ReadOnly{}, "status": shape.ReadOnly{}, "created": shape.ReadOnly{},
		"lastUpdated": shape.ReadOnly{}, "_links": shape.ReadOnly{}, "jwks": shape.ReadOnly{},
		// Okta answers with default, which its OpenAPI description does not know; its
		// Terraform provider sends it back.
		"default":     shape.ReadOnly{},
		"name":        shape.Text{Min: 1, Max: 255},
		"description": shape.Text{Max: 1024},
		"audiences":   shape.List{Of: shape.Text{Min: 1}},
		"issuerMode":  shape.Enum{"ORG_URL", "CUSTOM_URL", "DYNAMIC"},
		"credentials": shape.Object{"signing": shape.Object{
			"rotationMode": shape.Enum{"AUTO", "MANUAL"}, "use": shape.Enum{"sig"},
			"kid": shape.ReadOnly{}, "lastRotated": shape.ReadOnly{}, "nextRotation": shape.ReadOnly{},
		}},
	}
}

func readServer(c *call) (document, error) {
	body, err := parse(c, serverShape(), "authorizationServer")
	if err != nil {
		return nil, err
	}
	if body.text("name") == "" {
		return nil, validation("name", "name: The field cannot be left blank")
	}
	if len(body.texts("audiences")) != 1 {
		return nil, validation("audiences", "audiences: There must be exactly one audience")
	}
	doc := body.only("name", "description", "audiences", "issuerMode", "credentials")
	return doc.over(document{"issuerMode": "ORG_URL"}), nil
}

func (o *Org) createServer(c *call) (*reply, error) {
	doc, err := readServer(c)
	if err != nil {
		return nil, err
	}
	s := o.newServer(c.now, doc)
	o.servers.add(s)
	return created(o.renderServer(s))
}

func (o *Org) getServer(c *call) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderServer(s))
}

func (o *Org) putServer(c *call) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	doc, err := readServer(c)
	if err != nil {
		return nil, err
	}
	if s.isDefault && doc.text("name") != s.name() {
		return nil, wrongState("The default authorization server can't be renamed.")
	}
	s.doc = doc
	s.touch(c.now)
	return ok(o.renderServer(s))
}

func (o *Org) deleteServer(c *call) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	if s.isDefault {
		return nil, wrongState("The default authorization server can't be deleted.")
	}
	if s.active {
		return nil, wrongState("The authorization server must be deactivated before it can be deleted.")
	}
	o.servers.remove(s.id)
	return noContent()
}

func (o *Org) activateServer(c *call) (*reply, error) { return o.switchServer(c, true) }

func (o *Org) deactivateServer(c *call) (*reply, error) { return o.switchServer(c, false) }

func (o *Org) switchServer(c *call, active bool) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	if s.active == active {
		return nil, wrongState("The authorization server is " + statusOf(active) + " already.")
	}
	s.active = active
	s.touch(c.now)
	return noContent()
}

func (o *Org) listServers(c *call) (*reply, error) {
	p, err := readPage(c, 200, 200)
	if err != nil {
		return nil, err
	}
	q := strings.ToLower(c.query.Get("q"))
	return list200(o, c, p, &o.servers, func(s *server) bool {
		return strings.Contains(strings.ToLower(s.name()), q) || strings.Contains(strings.ToLower(s.audience()), q)
	}, func(s *server) any { return o.renderServer(s) })
}

func (o *Org) renderServer(s *server) map[string]any {
	self := "/api/v1/authorizationServers/" + s.address()
	signing := document{
		"kid": s.key.id, "rotationMode": "AUTO", "lastRotated": stamp(s.created),
		"nextRotation": stamp(s.created.Add(90 * 24 * time.Hour)),
	}
	if s.doc.text("credentials", "signing", "rotationMode") == "MANUAL" {
		signing["rotationMode"] = "MANUAL"
		delete(signing, "nextRotation")
	}
	wellKnown := []any{}
	for _, name := range []string{"oauth-authorization-server", "openid-configuration"} {
		link := o.link("/oauth2/"+s.address()+"/.well-known/"+name, "GET")
		link["name"] = name
		wellKnown = append(wellKnown, link)
	}
	links := map[string]any{
		"self":                          o.link(self, "GET", "DELETE", "PUT"),
		"metadata":                      wellKnown,
		"rotateKey":                     o.link(self+"/credentials/lifecycle/keyRotate", "POST"),
		"keys":                          o.link(self+"/credentials/keys", "GET"),
		"resourceServerCredentialsKeys": o.link(self+"/resourceservercredentials/keys", "GET"),
		"claims":                        o.link(self+"/claims", "GET", "POST"),
		"policies":                      o.link(self+"/policies", "GET", "POST"),
		"scopes":                        o.link(self+"/scopes", "GET", "POST"),
	}
	if s.active {
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	} else {
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
	}
	return map[string]any{
		"id": s.id, "name": s.name(), "description": s.doc["description"], "audiences": s.doc["audiences"],
		"issuer": o.issuerOf(s), "issuerMode": s.doc["issuerMode"], "status": statusOf(s.active),
		"created": stamp(s.created), "lastUpdated": stamp(s.updated), "default": s.isDefault,
		"credentials": map[string]any{"signing": map[string]any(signing)}, "_links": links,
	}
}
