package oktasim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// scope is what a token of an authorization server may be good for.
type scope struct {
	meta
	doc document
}

func (sc *scope) name() string { return sc.doc.text("name") }

func (sc *scope) system() bool { return sc.doc.flag("system") }

// systemScopes are on every server from its creation.
func systemScopes() []string {
	return []string{"openid", "profile", "email", "address", "phone", "offline_access", "device_sso"}
}

func (s *server) scopeNamed(name string) *scope {
	for _, sc := range s.scopes.order {
		if sc.name() == name {
			return sc
		}
	}
	return nil
}

func scopeShape() shape.Shape {
	return shape.Object{
		"id": shape.ReadOnly{}, "system": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"name":        shape.Text{Min: 1, Max: 255},
		"displayName": shape.Text{Max: 255}, "description": shape.Text{Max: 255},
		"consent":         shape.Enum{"FLEXIBLE", "IMPLICIT", "REQUIRED"},
		"metadataPublish": shape.Enum{"ALL_CLIENTS", "NO_CLIENTS"},
		"default":         shape.Bool{}, "optional": shape.Bool{},
	}
}

func readScope(c *call) (document, error) {
	body, err := parse(c, scopeShape(), "scope")
	if err != nil {
		return nil, err
	}
	name := body.text("name")
	switch {
	case name == "":
		return nil, validation("name", "name: The field cannot be left blank")
	case !regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`).MatchString(name):
		// RFC 6749, section 3.3.
		return nil, validation("name", "name: Scope names must be printable ASCII without spaces, quotes and backslashes")
	}
	return body.only("name", "displayName", "description", "consent", "metadataPublish", "default", "optional").
		over(document{"consent": "IMPLICIT", "metadataPublish": "NO_CLIENTS", "default": false, "optional": false, "system": false}), nil
}

func (o *Org) createScope(c *call) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	doc, err := readScope(c)
	if err != nil {
		return nil, err
	}
	name := doc.text("name")
	if slices.Contains(systemScopes(), name) || strings.HasPrefix(name, "okta.") || name == "*" || name == "interclient_access" {
		return nil, validation("name", "name: The scope name '"+name+"' is reserved")
	}
	if s.scopeNamed(name) != nil {
		return nil, validation("name", "name: An object with this field already exists in the current organization")
	}
	sc := &scope{meta: o.newMeta("scp", c.now), doc: doc}
	s.scopes.add(sc)
	return created(o.renderScope(s, sc))
}

func (o *Org) findScope(c *call) (*server, *scope, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, nil, err
	}
	sc, found := s.scopes.get(c.params["scopeId"])
	if !found || c.request.Method == http.MethodGet && !o.readable(sc, c.now) {
		return nil, nil, notFound(c.params["scopeId"], "OAuth2Scope")
	}
	return s, sc, nil
}

func (o *Org) getScope(c *call) (*reply, error) {
	s, sc, err := o.findScope(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderScope(s, sc))
}

func (o *Org) putScope(c *call) (*reply, error) {
	s, sc, err := o.findScope(c)
	if err != nil {
		return nil, err
	}
	doc, err := readScope(c)
	if err != nil {
		return nil, err
	}
	if sc.system() {
		return nil, wrongState("System scopes can't be changed.")
	}
	if doc.text("name") != sc.name() {
		// Tokens and rules know a scope by its name.
		return nil, validation("name", "name: The name of a scope can't be changed")
	}
	sc.doc = doc
	sc.touch(c.now)
	return ok(o.renderScope(s, sc))
}

// deleteScope refuses while a rule still names the scope.
func (o *Org) deleteScope(c *call) (*reply, error) {
	s, sc, err := o.findScope(c)
	if err != nil {
		return nil, err
	}
	if sc.system() {
		return nil, wrongState("System scopes can't be deleted.")
	}
	for _, p := range s.policies {
		for _, r := range p.rules {
			if slices.Contains(r.scopes(), sc.name()) {
				return nil, validation("scope", "The scope is used by the rule '"+r.name()+"' of the policy '"+p.name+"'")
			}
		}
	}
	s.scopes.remove(sc.id)
	return noContent()
}

func (o *Org) listScopes(c *call) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	p, err := readPage(c, 100, 200)
	if err != nil {
		return nil, err
	}
	q := strings.ToLower(c.query.Get("q"))
	return list200(o, c, p, &s.scopes, func(sc *scope) bool {
		return strings.Contains(strings.ToLower(sc.name()), q)
	}, func(sc *scope) any { return o.renderScope(s, sc) })
}

func (o *Org) renderScope(s *server, sc *scope) map[string]any {
	rendered := sc.doc.over(document{"apiResourceId": nil})
	rendered["id"] = sc.id
	rendered["_links"] = map[string]any{
		"self": o.link("/api/v1/authorizationServers/"+s.address()+"/scopes/"+sc.id, "GET", "PUT", "DELETE"),
	}
	return rendered
}
