package oktasim

import (
	"net/http"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// policy says which clients its rules are for.
type policy struct {
	meta
	name, description string
	active, system    bool
	// clients are client ids, or allClients alone. They are empty only when the
	// apps they named have been deleted.
	clients []string
	// rules are in the order of their priority, which is their index plus one.
	rules []*rule
}

const allClients = "ALL_CLIENTS"

func policyShape() shape.Shape {
	return shape.Object{
		"id": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"system": shape.ReadOnly{},
		"type":   shape.Enum{"OAUTH_AUTHORIZATION_POLICY"},
		"name":   shape.Text{Min: 1, Max: 100}, "description": shape.Text{Min: 1, Max: 255},
		"status": shape.Enum{"ACTIVE", "INACTIVE"}, "priority": shape.Int{Min: 1, Max: 1 << 20},
		"conditions": shape.Object{"clients": shape.Object{"include": shape.List{Of: shape.Text{Min: 1}}}},
	}
}

func (o *Org) readPolicy(c *call, s *server, self *policy) (document, error) {
	body, err := parse(c, policyShape(), "policy")
	if err != nil {
		return nil, err
	}
	for _, required := range []string{"type", "name", "description"} {
		if body.text(required) == "" {
			return nil, validation(required, required+": The field cannot be left blank")
		}
	}
	for _, other := range s.policies {
		if other != self && other.name == body.text("name") {
			return nil, validation("name", "name: An object with this field already exists in the current organization")
		}
	}
	return body, o.checkClients(body.texts("conditions", "clients", "include"))
}

func (o *Org) checkClients(clients []string) error {
	const field = "conditions.clients.include"
	if len(clients) == 0 {
		return validation(field, field+": The field cannot be left blank")
	}
	for i, id := range clients {
		if id == allClients && len(clients) > 1 {
			return validation(field, field+": ALL_CLIENTS can't be combined with clients")
		}
		if id != allClients && o.byClientID[id] == nil {
			return validation(field, field+": Invalid client id: "+id)
		}
		if slices.Contains(clients[:i], id) {
			return validation(field, field+": The client is listed twice: "+id)
		}
	}
	return nil
}

// fill gives the policy what a body says.
func (p *policy) fill(body document) {
	p.name, p.description = body.text("name"), body.text("description")
	p.clients = body.texts("conditions", "clients", "include")
	if status := body.text("status"); status != "" {
		p.active = status == "ACTIVE"
	}
}

// place puts an element at a priority, counted from 1, and moves the others, so
// that priorities stay dense. Without a priority an element stays where it is, or
// comes last when it is new.
func place[T comparable](all []T, element T, priority int, given bool) []T {
	index := slices.Index(all, element)
	if !given && index >= 0 {
		return all
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(other T) bool { return other == element })
	at := len(rest)
	if given {
		at = min(priority-1, len(rest))
	}
	return slices.Insert(rest, at, element)
}

func (o *Org) createPolicy(c *call) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	body, err := o.readPolicy(c, s, nil)
	if err != nil {
		return nil, err
	}
	p := &policy{meta: o.newMeta("00p", c.now), active: true}
	p.fill(body)
	priority, given := body.number("priority")
	s.policies = place(s.policies, p, priority, given)
	return created(o.renderPolicy(s, p))
}

func (o *Org) findPolicy(c *call) (*server, *policy, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range s.policies {
		if p.id == c.params["policyId"] && (c.request.Method != http.MethodGet || o.readable(p, c.now)) {
			return s, p, nil
		}
	}
	return nil, nil, notFound(c.params["policyId"], "RuleSetEntity")
}

func (o *Org) getPolicy(c *call) (*reply, error) {
	s, p, err := o.findPolicy(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderPolicy(s, p))
}

func (o *Org) putPolicy(c *call) (*reply, error) {
	s, p, err := o.findPolicy(c)
	if err != nil {
		return nil, err
	}
	body, err := o.readPolicy(c, s, p)
	if err != nil {
		return nil, err
	}
	p.fill(body)
	priority, given := body.number("priority")
	s.policies = place(s.policies, p, priority, given)
	p.touch(c.now)
	return ok(o.renderPolicy(s, p))
}

func (o *Org) deletePolicy(c *call) (*reply, error) {
	s, p, err := o.findPolicy(c)
	if err != nil {
		return nil, err
	}
	if p.system {
		return nil, wrongState("System policies can't be deleted.")
	}
	s.policies = slices.DeleteFunc(s.policies, func(other *policy) bool { return other == p })
	return noContent()
}

func (o *Org) activatePolicy(c *call) (*reply, error) { return o.switchPolicy(c, true) }

func (o *Org) deactivatePolicy(c *call) (*reply, error) { return o.switchPolicy(c, false) }

func (o *Org) switchPolicy(c *call, active bool) (*reply, error) {
	_, p, err := o.findPolicy(c)
	if err != nil {
		return nil, err
	}
	if p.active == active {
		return nil, wrongState("The policy is " + statusOf(active) + " already.")
	}
	p.active = active
	p.touch(c.now)
	return noContent()
}

// listPolicies has no pages.
func (o *Org) listPolicies(c *call) (*reply, error) {
	s, err := o.findServerOf(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, p := range s.policies {
		if o.listed(p, c.now) {
			rendered = append(rendered, o.renderPolicy(s, p))
		}
	}
	return ok(rendered)
}

func (o *Org) renderPolicy(s *server, p *policy) map[string]any {
	self := "/api/v1/authorizationServers/" + s.address() + "/policies/" + p.id
	links := map[string]any{
		"self": o.link(self, "GET", "PUT", "DELETE"), "rules": o.link(self+"/rules", "GET"),
	}
	if p.active {
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	} else {
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
	}
	return map[string]any{
		"id": p.id, "type": "OAUTH_AUTHORIZATION_POLICY", "status": statusOf(p.active), "name": p.name, "description": p.description,
		"priority": slices.Index(s.policies, p) + 1, "system": p.system,
		"conditions": map[string]any{"clients": map[string]any{"include": list(p.clients)}},
		"created":    stamp(p.created), "lastUpdated": stamp(p.updated), "_links": links,
	}
}
