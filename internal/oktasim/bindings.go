package oktasim

import (
	"net/http"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// binding assigns a custom role over a resource set to people and groups.
type binding struct {
	meta
	role    *customRole
	members collection[*assignee]
}

// assignee is a user or a group of a binding.
type assignee struct {
	meta
	who subject
	// path is where the user or the group is.
	path string
}

func (s *resourceSet) binding(r *customRole) *binding {
	for _, b := range s.bindings.order {
		if b.role == r {
			return b
		}
	}
	return nil
}

func (b *binding) member(path string) *assignee {
	for _, m := range b.members.order {
		if m.path == path {
			return m
		}
	}
	return nil
}

func (o *Org) createBinding(c *call) (*reply, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, err
	}
	body, err := parse(c, shape.Object{"role": shape.Text{Min: 1}, "members": shape.List{Of: shape.Text{Min: 1}}}, "binding")
	if err != nil {
		return nil, err
	}
	r, found := o.customRoles.get(body.text("role"))
	if !found {
		return nil, notFound(body.text("role"), "CustomRole")
	}
	if s.binding(r) != nil {
		return nil, &refusal{status: http.StatusConflict, code: "E0000090", summary: "The role specified is already assigned to the user."}
	}
	b := &binding{meta: o.newMeta("irb", c.now), role: r}
	added, err := o.addAssignees(c, b, body.texts("members"), "members")
	if err != nil {
		return nil, err
	}
	s.bindings.add(b)
	o.logAssigned(c, s, b, added)
	return ok(map[string]any{"_links": o.bindingLinks(s, b)})
}

// addAssignees reads all of them before the first one is added.
func (o *Org) addAssignees(c *call, b *binding, urls []string, field string) ([]*assignee, error) {
	if len(urls) == 0 {
		return nil, validation(field, field+": The field cannot be left blank")
	}
	seen := map[string]bool{}
	var all []*assignee
	for _, text := range urls {
		path, ours := strings.CutPrefix(text, o.url(""))
		who, exists := o.assignable(path)
		if !ours || !exists || seen[path] || b.member(path) != nil {
			return nil, validation(field, field+": '"+text+"' is no user or group of the org, or is a member already")
		}
		seen[path] = true
		all = append(all, &assignee{o.newMeta("irb", c.now), who, path})
	}
	for _, m := range all {
		b.members.add(m)
	}
	return all, nil
}

func (o *Org) assignable(path string) (subject, bool) {
	if id, isGroup := strings.CutPrefix(path, "/api/v1/groups/"); isGroup {
		g, found := o.groups.get(id)
		return g, found && !g.builtIn
	}
	if id, isUser := strings.CutPrefix(path, "/api/v1/users/"); isUser {
		u, found := o.users.get(id)
		return u, found && !u.gone()
	}
	return nil, false
}

// findBinding finds the binding of the path, and its set.
func (o *Org) findBinding(c *call) (*resourceSet, *binding, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, nil, err
	}
	r, err := o.findCustomRole(c)
	if err != nil {
		return nil, nil, err
	}
	b := s.binding(r)
	if b == nil || c.request.Method == http.MethodGet && !o.readable(b, c.now) {
		return nil, nil, notFound(c.params["roleIdOrLabel"], "IAMPolicyBinding")
	}
	return s, b, nil
}

func (o *Org) listBindings(c *call) (*reply, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, err
	}
	p, err := readPage(c, iamPage, iamPage)
	if err != nil {
		return nil, err
	}
	self := resourceSets + "/" + s.id
	links := map[string]any{"self": o.link(self + "/bindings"), "resource-set": o.link(self)}
	return iamList(o, c, "roles", p, &s.bindings, links, func(b *binding) any {
		one := self + "/bindings/" + b.role.id
		return map[string]any{"id": b.role.id, "_links": map[string]any{"self": o.link(one), "members": o.link(one + "/members")}}
	})
}

func (o *Org) getBinding(c *call) (*reply, error) {
	s, b, err := o.findBinding(c)
	if err != nil {
		return nil, err
	}
	links := o.bindingLinks(s, b)
	delete(links, "bindings")
	links["members"] = o.link(bindingPath(s, b) + "/members")
	return ok(map[string]any{"id": b.id, "_links": links})
}

func (o *Org) deleteBinding(c *call) (*reply, error) {
	s, b, err := o.findBinding(c)
	if err != nil {
		return nil, err
	}
	s.bindings.remove(b.id)
	o.logUnassigned(o.caller(c), s, b, b.members.order)
	return noContent()
}

func (o *Org) listBindingMembers(c *call) (*reply, error) {
	s, b, err := o.findBinding(c)
	if err != nil {
		return nil, err
	}
	p, err := readPage(c, iamPage, longestPage)
	if err != nil {
		return nil, err
	}
	links := map[string]any{"binding": o.link(bindingPath(s, b))}
	return iamList(o, c, "members", p, &b.members, links, func(m *assignee) any { return o.renderAssignee(m) })
}

func (o *Org) addBindingMembers(c *call) (*reply, error) {
	s, b, err := o.findBinding(c)
	if err != nil {
		return nil, err
	}
	body, err := parse(c, shape.Object{"additions": shape.List{Of: shape.Text{Min: 1}}}, "binding")
	if err != nil {
		return nil, err
	}
	added, err := o.addAssignees(c, b, body.texts("additions"), "additions")
	if err != nil {
		return nil, err
	}
	o.logAssigned(c, s, b, added)
	return ok(map[string]any{"_links": o.bindingLinks(s, b)})
}

func (o *Org) findAssignee(c *call) (*resourceSet, *binding, *assignee, error) {
	s, b, err := o.findBinding(c)
	if err != nil {
		return nil, nil, nil, err
	}
	m, found := b.members.get(c.params["memberId"])
	if !found {
		return nil, nil, nil, notFound(c.params["memberId"], "IAMPolicyBindingMember")
	}
	return s, b, m, nil
}

func (o *Org) getBindingMember(c *call) (*reply, error) {
	_, _, m, err := o.findAssignee(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderAssignee(m))
}

func (o *Org) removeBindingMember(c *call) (*reply, error) {
	s, b, m, err := o.findAssignee(c)
	if err != nil {
		return nil, err
	}
	o.unassign(o.caller(c), s, b, m)
	return noContent()
}

// unassign takes a member out of a binding, which goes with its last one.
func (o *Org) unassign(by source, s *resourceSet, b *binding, m *assignee) {
	b.members.remove(m.id)
	if len(b.members.order) == 0 {
		s.bindings.remove(b.id)
	}
	o.logUnassigned(by, s, b, []*assignee{m})
}

// unassignAll ends what a user or a group that goes was assigned.
func (o *Org) unassignAll(by source, path string) {
	for _, s := range o.resourceSets.order {
		for _, b := range s.bindings.order {
			if m := b.member(path); m != nil {
				o.unassign(by, s, b, m)
			}
		}
	}
}

// assigned tells that something is assigned to the user or group at the path.
func (o *Org) assigned(path string) bool {
	for _, s := range o.resourceSets.order {
		for _, b := range s.bindings.order {
			if b.member(path) != nil {
				return true
			}
		}
	}
	return false
}

func bindingPath(s *resourceSet, b *binding) string {
	return resourceSets + "/" + s.id + "/bindings/" + b.role.id
}

func (o *Org) bindingLinks(s *resourceSet, b *binding) map[string]any {
	self := resourceSets + "/" + s.id
	return map[string]any{
		"self": o.link(bindingPath(s, b)), "resource-set": o.link(self), "bindings": o.link(self + "/bindings"),
	}
}

func (o *Org) renderAssignee(m *assignee) map[string]any {
	return map[string]any{
		"id": m.id, "created": stamp(m.created), "lastUpdated": stamp(m.updated), "_links": map[string]any{"self": o.link(m.path)},
	}
}
