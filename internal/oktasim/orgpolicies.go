package oktasim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// orgPolicy is a policy of the org itself; those of authorization servers are others.
type orgPolicy struct {
	meta
	kind           *policyKind
	doc            document
	active, system bool
	// rules are in the order in which they are evaluated; the system's is last.
	rules []*orgRule
}

func (p *orgPolicy) name() string { return p.doc.text("name") }

// orgPolicies gives the policies of a type in the order in which they are evaluated;
// the system's is last.
func (o *Org) orgPolicies(kind string) []*orgPolicy {
	var own, system []*orgPolicy
	for _, p := range o.policies {
		switch {
		case p.kind.name != kind:
		case p.system && !p.kind.sparse:
			system = append(system, p)
		default:
			own = append(own, p)
		}
	}
	return append(own, system...)
}

func (p *orgPolicy) priority(o *Org) int {
	if p.kind.sparse {
		return 1
	}
	return slices.Index(o.orgPolicies(p.kind.name), p) + 1
}

// nameLimit is that of the policies of authorization servers: Okta does not tell how
// long the name of a policy of the org may be, and no recorded one is longer.
const nameLimit = 100

func (o *Org) orgPolicyShape(k *policyKind) shape.Shape {
	all := shape.Object{
		"id": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"_embedded": shape.ReadOnly{}, "system": shape.ReadOnly{},
		"type": shape.Enum{k.name}, "name": shape.Text{Min: 1, Max: nameLimit}, "description": shape.Text{Max: 255},
		// The status is read and not looked at: Okta has lifecycle operations for it.
		"status": shape.Enum{"ACTIVE", "INACTIVE"}, "priority": shape.Int{Min: 1, Max: 1 << 20},
	}
	for name, field := range k.fields(o) {
		all[name] = field
	}
	return all
}

// readOrgPolicy reads a policy, a new one of the kind its body names. The system's
// are for Everyone, which their bodies need not say.
func (o *Org) readOrgPolicy(c *call, self *orgPolicy) (*policyKind, document, error) {
	raw, err := decodeObject(c.body)
	if err != nil {
		return nil, nil, malformedBody()
	}
	var k *policyKind
	if self != nil {
		k = self.kind
	} else if k, err = o.simulatedKind(raw.text("type")); err != nil {
		return nil, nil, err
	}
	body, err := parse(c, o.orgPolicyShape(k), "policy")
	if err != nil {
		return nil, nil, err
	}
	for _, required := range []string{"type", "name"} {
		if body.text(required) == "" {
			return nil, nil, validation(required, required+": The field cannot be left blank")
		}
	}
	if self != nil && self.system && body["conditions"] == nil {
		body["conditions"] = self.doc["conditions"]
	}
	return k, body, k.check(o, body)
}

// simulatedKind finds a kind by name. On Classic Engine there are no app sign-in
// policies.
func (o *Org) simulatedKind(name string) (*policyKind, error) {
	k := o.kindNamed(name)
	if k == nil {
		bad := validation("type", "type: must be one of ACCESS_POLICY, MFA_ENROLL, OKTA_SIGN_ON")
		bad.unknown = []string{"policies of type " + name}
		return nil, bad
	}
	if !o.has(k) {
		return nil, featureMissing()
	}
	return k, nil
}

// has tells whether the org's engine has policies of a kind.
func (o *Org) has(k *policyKind) bool { return k.name != accessPolicy || !o.options.Classic }

// fill gives the policy what a body says. The status is not among it.
func (p *orgPolicy) fill(o *Org, body document) {
	p.doc = body.only("name", "description", "conditions", "settings").over(nil)
	p.kind.settle(o, p.doc)
}

func (o *Org) createOrgPolicy(c *call) (*reply, error) {
	active, err := activation(c, o.options.Classic)
	if err != nil {
		return nil, err
	}
	k, body, err := o.readOrgPolicy(c, nil)
	if err != nil {
		return nil, err
	}
	p := o.newOrgPolicy(k, c.now, body)
	p.active = active
	priority, given := body.number("priority")
	o.placePolicy(p, priority, given)
	return ok(o.renderOrgPolicy(p, false))
}

// activation reads the query parameter activate, where there is one.
func activation(c *call, known bool) (bool, error) {
	activate := c.query.Get("activate")
	if activate != "" && !known {
		return false, validation("activate", "activate: is only valid for Classic Engine orgs")
	}
	if !slices.Contains([]string{"", "true", "false"}, activate) {
		return false, validation("activate", "activate: must be true or false")
	}
	return activate != "false", nil
}

// placePolicy puts a policy at its priority among those of its kind.
func (o *Org) placePolicy(p *orgPolicy, priority int, given bool) {
	var same, others []*orgPolicy
	for _, other := range o.policies {
		if other.kind.name == p.kind.name && !other.system {
			same = append(same, other)
		} else {
			others = append(others, other)
		}
	}
	if p.kind.sparse {
		given = false
	}
	o.policies = append(others, place(same, p, priority, given)...)
}

func (o *Org) findOrgPolicy(c *call) (*orgPolicy, error) {
	id := c.params["policyId"]
	for _, p := range o.policies {
		if p.id == id && o.has(p.kind) && (c.request.Method != http.MethodGet || o.readable(p, c.now)) {
			return p, nil
		}
	}
	return nil, notFound(id, policyClass(id))
}

func (o *Org) getOrgPolicy(c *call) (*reply, error) {
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderOrgPolicy(p, false))
}

func (o *Org) putOrgPolicy(c *call) (*reply, error) {
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, err
	}
	_, body, err := o.readOrgPolicy(c, p)
	if err != nil {
		return nil, err
	}
	priority, given := body.number("priority")
	if p.system {
		if err := p.keepsItsPlace(o, body); err != nil {
			return nil, err
		}
	} else {
		o.placePolicy(p, priority, given)
	}
	p.fill(o, body)
	p.touch(c.now)
	return ok(o.renderOrgPolicy(p, false))
}

// keepsItsPlace tells whether a body leaves what nobody can change of the system's
// policies: where they stand, and whom they are for.
func (p *orgPolicy) keepsItsPlace(o *Org, body document) error {
	if priority, given := body.number("priority"); given && priority != p.priority(o) {
		return readOnly("priority")
	}
	groups := []string{"conditions", "people", "groups", "include"}
	if !slices.Equal(body.texts(groups...), p.doc.texts(groups...)) {
		return readOnly("conditions")
	}
	if body.text("name") != p.name() {
		return readOnly("name")
	}
	return nil
}

// readOnly is for what the system has made and nobody can change.
func readOnly(attribute string) *refusal {
	return &refusal{
		status: http.StatusForbidden, code: "E0000077",
		summary: "Cannot modify the " + attribute + " attribute because it is read-only.",
	}
}

func (o *Org) deleteOrgPolicy(c *call) (*reply, error) {
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, err
	}
	if p.system {
		return nil, wrongState("System policies can't be deleted.")
	}
	for _, a := range o.apps.order {
		if a.accessPolicy == p.id {
			return nil, wrongState("The policy is mapped to the app " + a.id + ". Map the app to another policy first.")
		}
	}
	o.policies = slices.DeleteFunc(o.policies, func(other *orgPolicy) bool { return other == p })
	return noContent()
}

func (o *Org) activateOrgPolicy(c *call) (*reply, error)   { return o.switchOrgPolicy(c, true) }
func (o *Org) deactivateOrgPolicy(c *call) (*reply, error) { return o.switchOrgPolicy(c, false) }

func (o *Org) switchOrgPolicy(c *call, active bool) (*reply, error) {
	p, err := o.findOrgPolicy(c)
	if err != nil {
		return nil, err
	}
	if p.system {
		return nil, wrongState("System policies are always ACTIVE.")
	}
	if p.active == active {
		return nil, wrongState("The policy is " + statusOf(active) + " already.")
	}
	p.active = active
	p.touch(c.now)
	return noContent()
}

// listOrgPolicies gives the policies of one type. Its cursor remembers a place in the
// order of priority. Pages are smaller than Okta's, which is recorded to put at least
// 67 on one, and does not tell how many more.
func (o *Org) listOrgPolicies(c *call) (*reply, error) {
	kind := c.query.Get("type")
	if kind == "" {
		return nil, validation("type", "type: The field cannot be left blank")
	}
	if kind != passwords {
		if _, err := o.simulatedKind(kind); err != nil {
			return nil, err
		}
	}
	status := c.query.Get("status")
	if !slices.Contains([]string{"", "ACTIVE", "INACTIVE"}, status) {
		return nil, validation("status", "status: must be one of ACTIVE, INACTIVE")
	}
	page, err := readPage(c, 20, 200)
	if err != nil {
		return nil, err
	}
	q := strings.ToLower(c.query.Get("q"))
	var found []any
	for _, p := range o.orgPolicies(kind) {
		matches := strings.HasPrefix(strings.ToLower(p.name()), q) && (status == "" || status == statusOf(p.active))
		if matches && o.listed(p, c.now) {
			found = append(found, o.renderOrgPolicy(p, true))
		}
	}
	return o.slice200(c, page, found)
}

// slice200 answers with one page of a list whose order is not that of creation.
func (o *Org) slice200(c *call, p page, all []any) (*reply, error) {
	from := min(p.after, len(all))
	to := min(from+p.limit, len(all))
	r := &reply{status: http.StatusOK, body: append([]any{}, all[from:to]...), header: http.Header{}}
	r.header.Add("Link", "<"+o.selfLink(c, c.query.Get("after"))+`>; rel="self"`)
	if to < len(all) {
		r.header.Add("Link", "<"+o.selfLink(c, cursor(to))+`>; rel="next"`)
	}
	return r, nil
}

func (o *Org) renderOrgPolicy(p *orgPolicy, inList bool) map[string]any {
	rendered := map[string]any{
		"id": p.id, "type": p.kind.name, "status": statusOf(p.active), "name": p.name(),
		"priority": p.priority(o), "system": p.system, "conditions": p.doc.at("conditions"),
		"created": stamp(p.created), "lastUpdated": stamp(p.updated), "_links": o.orgPolicyLinks(p),
	}
	if p.doc["description"] != nil {
		rendered["description"] = p.doc["description"]
	}
	if p.doc["settings"] != nil {
		rendered["settings"] = map[string]any(o.shownSettings(p))
	}
	if inList && p.kind.name == accessPolicy {
		rendered["_embedded"] = map[string]any{"resourceType": "APP"}
	}
	return rendered
}

func (o *Org) orgPolicyLinks(p *orgPolicy) map[string]any {
	self := "/api/v1/policies/" + p.id
	if p.system {
		return map[string]any{"self": o.link(self, "GET", "PUT"), "rules": o.link(self+"/rules", "GET", "POST")}
	}
	links := map[string]any{
		"self": o.link(self, "GET", "PUT", "DELETE"), "rules": o.link(self+"/rules", "GET", "POST"),
		"mappings": o.link(self+"/mappings", "GET", "POST"),
	}
	if p.active {
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	} else {
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
	}
	return links
}
