package oktasim

import (
	"net/http"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// rule says what the clients of its policy may have.
type rule struct {
	meta
	doc    document
	active bool
}

func (r *rule) name() string { return r.doc.text("name") }

func (r *rule) scopes() []string { return r.doc.texts("conditions", "scopes", "include") }

func (r *rule) grantTypes() []string { return r.doc.texts("conditions", "grantTypes", "include") }

func (r *rule) groups() []string { return r.doc.texts("conditions", "people", "groups", "include") }

func (r *rule) lifetimeMinutes() int {
	minutes, _ := r.doc.number("actions", "token", "accessTokenLifetimeMinutes")
	return minutes
}

func ruleShape() shape.Shape {
	texts := shape.List{Of: shape.Text{Min: 1}}
	return shape.Object{
		"id": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"system": shape.ReadOnly{},
		"type":   shape.Enum{"RESOURCE_ACCESS"}, "name": shape.Text{Min: 1, Max: 100},
		"status": shape.Enum{"ACTIVE", "INACTIVE"}, "priority": shape.Int{Min: 1, Max: 1 << 20},
		"conditions": shape.Object{
			"grantTypes": shape.Object{"include": shape.List{Of: shape.Enum{
				"authorization_code", "implicit", "password", clientCredentials, "interaction_code", "refresh_token",
				"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange",
				"urn:ietf:params:oauth:grant-type:saml2-bearer", "urn:ietf:params:oauth:grant-type:jwt-bearer",
				"urn:openid:params:grant-type:ciba",
			}}},
			"people": shape.Object{
				"groups": shape.Object{"include": texts},
				// Okta answers with exclude, which its OpenAPI description does not know.
				"users": shape.Object{"include": texts, "exclude": texts},
			},
			"scopes": shape.Object{"include": texts},
		},
		"actions": shape.Object{"token": shape.Object{
			"accessTokenLifetimeMinutes":  shape.Int{Min: 5, Max: 1440},
			"refreshTokenLifetimeMinutes": shape.Int{Min: 0, Max: 5 * 365 * 24 * 60},
			"refreshTokenWindowMinutes":   shape.Int{Min: 10, Max: 5 * 365 * 24 * 60},
			"inlineHook":                  shape.Object{"id": shape.Text{}},
		}},
	}
}

func ruleDefaults() document {
	return document{
		"conditions": map[string]any{
			"people":     map[string]any{"users": map[string]any{"exclude": []any{}}},
			"grantTypes": map[string]any{"include": []any{}},
			"scopes":     map[string]any{"include": []any{}},
		},
		"actions": map[string]any{"token": map[string]any{
			"accessTokenLifetimeMinutes": 60.0, "refreshTokenLifetimeMinutes": 0.0, "refreshTokenWindowMinutes": 10080.0,
		}},
	}
}

func (o *Org) readRule(c *call, s *server, p *policy, self *rule) (document, error) {
	body, err := parse(c, ruleShape(), "policyRule")
	if err != nil {
		return nil, err
	}
	if err := checkRuleName(body, p.rules, self); err != nil {
		return nil, err
	}
	if err := o.checkPeople(body.object("conditions", "people")); err != nil {
		return nil, err
	}
	return body, checkGrantsOf(body, s)
}

// checkRuleName wants a rule to say its type and its name, and that no other of the
// policy has the name.
func checkRuleName[R interface {
	comparable
	name() string
}](body document, rules []R, self R) error {
	for _, required := range []string{"type", "name"} {
		if body.text(required) == "" {
			return validation(required, required+": The field cannot be left blank")
		}
	}
	for _, other := range rules {
		if other != self && other.name() == body.text("name") {
			return validation("name", "name: An object with this field already exists in the current organization")
		}
	}
	return nil
}

func (o *Org) checkPeople(people document) error {
	const field = "conditions.people"
	groups, users := people.texts("groups", "include"), people.texts("users", "include")
	if len(groups)+len(users) == 0 {
		return validation(field, field+": There must be at least one group or user")
	}
	for _, id := range groups {
		if _, found := o.groups.get(id); !found && id != everyone {
			return validation(field, field+": Invalid group id: "+id)
		}
	}
	for _, id := range append(users, people.texts("users", "exclude")...) {
		if _, found := o.users.get(id); !found {
			return validation(field, field+": Invalid user id: "+id)
		}
	}
	return nil
}

func checkGrantsOf(body document, s *server) error {
	if len(body.texts("conditions", "grantTypes", "include")) == 0 {
		return validation("conditions.grantTypes", "conditions.grantTypes.include: The field cannot be left blank")
	}
	for _, name := range body.texts("conditions", "scopes", "include") {
		if name != "*" && s.scopeNamed(name) == nil {
			return validation("conditions.scopes", "conditions.scopes.include: Invalid scope: "+name)
		}
	}
	if hook := body.text("actions", "token", "inlineHook", "id"); hook != "" {
		return validation("actions.token.inlineHook", "actions.token.inlineHook.id: There is no such hook: "+hook)
	}
	return nil
}

// fill gives the rule what a body says, over the defaults.
func (r *rule) fill(body document) {
	r.doc = body.only("name", "conditions", "actions").over(ruleDefaults())
	if status := body.text("status"); status != "" {
		r.active = status == "ACTIVE"
	}
}

func (o *Org) createRule(c *call) (*reply, error) {
	s, p, err := o.findPolicy(c)
	if err != nil {
		return nil, err
	}
	body, err := o.readRule(c, s, p, nil)
	if err != nil {
		return nil, err
	}
	r := &rule{meta: o.newMeta("0pr", c.now), active: true}
	r.fill(body)
	priority, given := body.number("priority")
	p.rules = place(p.rules, r, priority, given)
	return created(o.renderRule(s, p, r))
}

func (o *Org) findRule(c *call) (*server, *policy, *rule, error) {
	s, p, err := o.findPolicy(c)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, r := range p.rules {
		if r.id == c.params["ruleId"] && (c.request.Method != http.MethodGet || o.readable(r, c.now)) {
			return s, p, r, nil
		}
	}
	return nil, nil, nil, notFound(c.params["ruleId"], "PolicyRule")
}

func (o *Org) getRule(c *call) (*reply, error) {
	s, p, r, err := o.findRule(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderRule(s, p, r))
}

func (o *Org) putRule(c *call) (*reply, error) {
	s, p, r, err := o.findRule(c)
	if err != nil {
		return nil, err
	}
	body, err := o.readRule(c, s, p, r)
	if err != nil {
		return nil, err
	}
	r.fill(body)
	priority, given := body.number("priority")
	p.rules = place(p.rules, r, priority, given)
	r.touch(c.now)
	return ok(o.renderRule(s, p, r))
}

func (o *Org) deleteRule(c *call) (*reply, error) {
	_, p, r, err := o.findRule(c)
	if err != nil {
		return nil, err
	}
	p.rules = slices.DeleteFunc(p.rules, func(other *rule) bool { return other == r })
	return noContent()
}

func (o *Org) activateRule(c *call) (*reply, error) { return o.switchRule(c, true) }

func (o *Org) deactivateRule(c *call) (*reply, error) { return o.switchRule(c, false) }

func (o *Org) switchRule(c *call, active bool) (*reply, error) {
	_, _, r, err := o.findRule(c)
	if err != nil {
		return nil, err
	}
	if r.active == active {
		return nil, wrongState("The rule is " + statusOf(active) + " already.")
	}
	r.active = active
	r.touch(c.now)
	return noContent()
}

// listRules has no pages.
func (o *Org) listRules(c *call) (*reply, error) {
	s, p, err := o.findPolicy(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, r := range p.rules {
		if o.listed(r, c.now) {
			rendered = append(rendered, o.renderRule(s, p, r))
		}
	}
	return ok(rendered)
}

func (o *Org) renderRule(s *server, p *policy, r *rule) map[string]any {
	self := "/api/v1/authorizationServers/" + s.address() + "/policies/" + p.id + "/rules/" + r.id
	links := map[string]any{"self": o.link(self, "GET", "PUT", "DELETE")}
	if r.active {
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	} else {
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
	}
	return map[string]any{
		"id": r.id, "type": "RESOURCE_ACCESS", "status": statusOf(r.active), "name": r.name(),
		"priority": slices.Index(p.rules, r) + 1, "system": false,
		"conditions": r.doc.at("conditions"), "actions": r.doc.at("actions"),
		"created": stamp(r.created), "lastUpdated": stamp(r.updated), "_links": links,
	}
}

// decide finds the rule that lets a client have scopes with a grant type: the first
// active policy for the client that has an active rule for the grant type and for
// ALL the scopes together, and for who asks. Rules never add up.
func (s *server) decide(clientID, grantType string, scopes []string, isFor func(*rule) bool) *rule {
	for _, p := range s.policies {
		if !p.active || !slices.Contains(p.clients, clientID) && !slices.Contains(p.clients, allClients) {
			continue
		}
		for _, r := range p.rules {
			if r.active && slices.Contains(r.grantTypes(), grantType) &&
				isFor(r) && r.covers(scopes) {
				return r
			}
		}
	}
	return nil
}

// forClients tells a rule that is for everyone: a client is no person, so only that
// counts.
func (r *rule) forClients() bool { return slices.Contains(r.groups(), everyone) }

func (r *rule) covers(scopes []string) bool {
	included := r.scopes()
	if slices.Contains(included, "*") {
		return true
	}
	for _, name := range scopes {
		if !slices.Contains(included, name) {
			return false
		}
	}
	return true
}
