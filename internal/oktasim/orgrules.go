package oktasim

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// orgRule is a rule of a policy of the org.
type orgRule struct {
	meta
	doc            document
	active, system bool
	// priority is kept for the rules of app sign-in policies only; that of others is
	// where they stand.
	priority int
}

func (r *orgRule) name() string { return r.doc.text("name") }

// catchAllPriority is the priority of the rule that comes last.
const catchAllPriority = 99

func (p *orgPolicy) priorityOf(r *orgRule) int {
	if p.kind.sparse {
		return r.priority
	}
	return slices.Index(p.rules, r) + 1
}

func (k *policyKind) ruleShape() shape.Shape {
	first := 1
	if k.sparse {
		first = 0
	}
	return shape.Object{
		"id": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"system": shape.ReadOnly{},
		"type":   shape.Enum{k.ruleType}, "name": shape.Text{Min: 1, Max: nameLimit},
		// The status is read and not looked at: Okta has lifecycle operations for it.
		"status": shape.Enum{"ACTIVE", "INACTIVE"}, "priority": shape.Int{Min: first, Max: 1 << 20},
		"conditions": k.rule.conditions, "actions": k.rule.actions,
	}
}

func (o *Org) readOrgRule(c *call, p *orgPolicy, self *orgRule) (document, error) {
	body, err := parse(c, p.kind.ruleShape(), "policyRule")
	if err != nil {
		return nil, err
	}
	if err := checkRuleName(body, p.rules, self); err != nil {
		return nil, err
	}
	return body, p.kind.rule.check(o, body)
}

// fill gives the rule what a body says, over the defaults; everything else is gone.
func (r *orgRule) fill(o *Org, k *policyKind, body document) {
	r.doc = body.only("name", "conditions", "actions").over(k.rule.defaults(o))
	k.rule.settle(r.doc)
}

func (o *Org) createOrgRule(c *call) (*reply, error) {
	active, err := activation(c, true)
	if err != nil {
		return nil, err
	}
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, err
	}
	body, err := o.readOrgRule(c, p, nil)
	if err != nil {
		return nil, err
	}
	r := &orgRule{meta: o.newMeta(p.kind.ruleIDs, c.now), active: active}
	if err := p.place(r, body); err != nil {
		return nil, err
	}
	r.fill(o, p.kind, body)
	return ok(o.renderOrgRule(p, r))
}

// place puts a rule where its body wants it.
func (p *orgPolicy) place(r *orgRule, body document) error {
	priority, given := body.number("priority")
	if p.kind.sparse {
		return p.placeSparse(r, priority, given)
	}
	own := slices.DeleteFunc(slices.Clone(p.rules), func(other *orgRule) bool { return other.system })
	system := slices.DeleteFunc(slices.Clone(p.rules), func(other *orgRule) bool { return !other.system })
	p.rules = append(place(own, r, priority, given), system...)
	return nil
}

// placeSparse gives a rule the priority it asks for, and moves those below by as
// little as it takes. A rule that asks for none becomes the last one, even when it is
// replaced and had a priority before: recorded rules climb with each replacement.
func (p *orgPolicy) placeSparse(r *orgRule, priority int, given bool) error {
	if !given {
		priority = 0
		for _, other := range p.rules {
			if !other.system {
				priority = max(priority, other.priority+1)
			}
		}
	}
	wanted := map[*orgRule]int{r: priority}
	last := priority
	for _, other := range p.rules {
		if other != r && !other.system && other.priority >= priority && other.priority <= last {
			last++
			wanted[other] = last
		}
	}
	if last >= catchAllPriority {
		return validation("priority", "priority: must be from 0 to "+strconv.Itoa(catchAllPriority-1))
	}
	if !slices.Contains(p.rules, r) {
		p.rules = append(p.rules, r)
	}
	for rule, priority := range wanted {
		rule.priority = priority
	}
	slices.SortStableFunc(p.rules, func(a, b *orgRule) int { return a.priority - b.priority })
	return nil
}

func (o *Org) findOrgRule(c *call) (*orgPolicy, *orgRule, error) {
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, nil, err
	}
	id := c.params["ruleId"]
	for _, r := range p.rules {
		if r.id == id && (c.request.Method != http.MethodGet || o.readable(r, c.now)) {
			return p, r, nil
		}
	}
	return nil, nil, notFound(id, ruleClass(id))
}

func (o *Org) getOrgRule(c *call) (*reply, error) {
	p, r, err := o.findOrgRule(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderOrgRule(p, r))
}

func (o *Org) putOrgRule(c *call) (*reply, error) {
	p, r, err := o.findOrgRule(c)
	if err != nil {
		return nil, err
	}
	body, err := o.readOrgRule(c, p, r)
	if err != nil {
		return nil, err
	}
	if r.system {
		return o.putSystemRule(c, p, r, body)
	}
	if err := p.place(r, body); err != nil {
		return nil, err
	}
	r.fill(o, p.kind, body)
	r.touch(c.now)
	return ok(o.renderOrgRule(p, r))
}

// putSystemRule changes what a system rule does, and nothing else.
func (o *Org) putSystemRule(c *call, p *orgPolicy, r *orgRule, body document) (*reply, error) {
	if body.text("name") != r.name() {
		return nil, readOnly("name")
	}
	if priority, given := body.number("priority"); given && priority != p.priorityOf(r) {
		return nil, readOnly("priority")
	}
	if body["conditions"] != nil {
		return nil, readOnly("conditions")
	}
	conditions := r.doc["conditions"]
	r.fill(o, p.kind, body)
	delete(r.doc, "conditions")
	if conditions != nil {
		r.doc["conditions"] = conditions
	}
	r.touch(c.now)
	return ok(o.renderOrgRule(p, r))
}

func (o *Org) deleteOrgRule(c *call) (*reply, error) {
	p, r, err := o.findOrgRule(c)
	if err != nil {
		return nil, err
	}
	if r.system {
		return nil, wrongState("System rules can't be deleted.")
	}
	p.rules = slices.DeleteFunc(p.rules, func(other *orgRule) bool { return other == r })
	return noContent()
}

func (o *Org) activateOrgRule(c *call) (*reply, error)   { return o.switchOrgRule(c, true) }
func (o *Org) deactivateOrgRule(c *call) (*reply, error) { return o.switchOrgRule(c, false) }

func (o *Org) switchOrgRule(c *call, active bool) (*reply, error) {
	_, r, err := o.findOrgRule(c)
	if err != nil {
		return nil, err
	}
	if r.system {
		return nil, wrongState("System rules are always ACTIVE.")
	}
	if r.active == active {
		return nil, wrongState("The rule is " + statusOf(active) + " already.")
	}
	r.active = active
	r.touch(c.now)
	return noContent()
}

// listOrgRules has no pages: its limit comes without a cursor in Okta's description.
func (o *Org) listOrgRules(c *call) (*reply, error) {
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, r := range p.rules {
		if o.listed(r, c.now) {
			rendered = append(rendered, o.renderOrgRule(p, r))
		}
	}
	return ok(rendered)
}

func (o *Org) renderOrgRule(p *orgPolicy, r *orgRule) map[string]any {
	self := "/api/v1/policies/" + p.id + "/rules/" + r.id
	links := map[string]any{"self": o.link(self, "GET", "PUT")}
	if !r.system {
		links["self"] = o.link(self, "GET", "PUT", "DELETE")
		if r.active {
			links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
		} else {
			links["activate"] = o.link(self+"/lifecycle/activate", "POST")
		}
	}
	return map[string]any{
		"id": r.id, "type": p.kind.ruleType, "status": statusOf(r.active), "name": r.name(),
		"priority": p.priorityOf(r), "system": r.system,
		"conditions": r.doc.at("conditions"), "actions": r.doc.at("actions"),
		"created": stamp(r.created), "lastUpdated": stamp(r.updated), "_links": links,
	}
}
