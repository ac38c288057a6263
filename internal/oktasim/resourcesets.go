package oktasim

import (
	"net/http"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// resourceSet is what permissions are over, and to whom which custom role over it is assigned.
type resourceSet struct {
	meta
	label, description string
	resources          collection[*setResource]
	bindings           collection[*binding]
}

// resourceLimit is how many resources a set may have.
const resourceLimit = 1000

func (s *resourceSet) resource(orn string) *setResource {
	for _, r := range s.resources.order {
		if r.orn == orn {
			return r
		}
	}
	return nil
}

func resourceSetShape(fields shape.Object) shape.Shape {
	for _, name := range []string{"id", "created", "lastUpdated", "_links"} {
		fields[name] = shape.ReadOnly{}
	}
	fields["label"], fields["description"] = shape.Text{Min: 1, Max: 100}, shape.Text{Min: 1, Max: 255}
	return fields
}

func (o *Org) createResourceSet(c *call) (*reply, error) {
	body, err := parse(c, resourceSetShape(shape.Object{"resources": shape.List{Of: shape.Text{Min: 1}}}), "resourceSet")
	if err != nil {
		return nil, err
	}
	if err := readLabelled(body); err != nil {
		return nil, err
	}
	if _, taken := o.setLabelled(body.text("label")); taken {
		return nil, takenLabel()
	}
	s := &resourceSet{meta: o.newMeta("iam", c.now), label: body.text("label"), description: body.text("description")}
	if err := o.addResources(c, s, body.texts("resources"), "resources"); err != nil {
		return nil, err
	}
	o.resourceSets.add(s)
	o.log(o.caller(c), resourceSetMade, s)
	return ok(o.renderResourceSet(s))
}

// addResources reads all of them before the first one is added.
func (o *Org) addResources(c *call, s *resourceSet, texts []string, field string) error {
	if len(texts) == 0 {
		return validation(field, field+": The field cannot be left blank")
	}
	if len(s.resources.order)+len(texts) > resourceLimit {
		return validation(field, field+": can't be more than 1000 resources")
	}
	seen := map[string]bool{}
	var all []*setResource
	for _, text := range texts {
		r, known := o.readResource(text)
		if !known || seen[r.orn] || s.resource(r.orn) != nil {
			return validation(field, field+": '"+text+"' is no resource of the org, or is named twice")
		}
		seen[r.orn] = true
		r.meta = o.newMeta("ire", c.now)
		all = append(all, r)
	}
	for _, r := range all {
		s.resources.add(r)
	}
	return nil
}

func (o *Org) setLabelled(idOrLabel string) (*resourceSet, bool) {
	if s, found := o.resourceSets.get(idOrLabel); found {
		return s, true
	}
	for _, s := range o.resourceSets.order {
		if s.label == idOrLabel {
			return s, true
		}
	}
	return nil, false
}

func (o *Org) findResourceSet(c *call) (*resourceSet, error) {
	s, found := o.setLabelled(c.params["resourceSetIdOrLabel"])
	if !found || c.request.Method == http.MethodGet && !o.readable(s, c.now) {
		return nil, notFound(c.params["resourceSetIdOrLabel"], "IAMPolicy")
	}
	return s, nil
}

func (o *Org) listResourceSets(c *call) (*reply, error) {
	p, err := readPage(c, iamPage, iamPage)
	if err != nil {
		return nil, err
	}
	return iamList(o, c, "resource-sets", p, &o.resourceSets, map[string]any{}, func(s *resourceSet) any { return o.renderResourceSet(s) })
}

func (o *Org) getResourceSet(c *call) (*reply, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderResourceSet(s))
}

// putResourceSet changes label and description only.
func (o *Org) putResourceSet(c *call) (*reply, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, err
	}
	body, err := parse(c, resourceSetShape(shape.Object{}), "resourceSet")
	if err != nil {
		return nil, err
	}
	if err := readLabelled(body); err != nil {
		return nil, err
	}
	if other, taken := o.setLabelled(body.text("label")); taken && other != s {
		return nil, takenLabel()
	}
	s.label, s.description = body.text("label"), body.text("description")
	s.touch(c.now)
	o.log(o.caller(c), resourceSetChanged, s)
	return ok(o.renderResourceSet(s))
}

func (o *Org) deleteResourceSet(c *call) (*reply, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, err
	}
	if len(s.bindings.order) > 0 {
		return nil, validation("resourceSet", "resourceSet: has bindings; delete them first")
	}
	o.resourceSets.remove(s.id)
	o.log(o.caller(c), resourceSetDeleted, s)
	return noContent()
}

func (o *Org) listSetResources(c *call) (*reply, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, err
	}
	p, err := readPage(c, iamPage, longestPage)
	if err != nil {
		return nil, err
	}
	self := resourceSets + "/" + s.id
	links := map[string]any{"resource-set": o.link(self), "self": o.link(self + "/resources")}
	return iamList(o, c, "resources", p, &s.resources, links, func(r *setResource) any { return o.renderSetResource(s, r) })
}

func (o *Org) addSetResources(c *call) (*reply, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, err
	}
	body, err := parse(c, shape.Object{"additions": shape.List{Of: shape.Text{Min: 1}}}, "resourceSet")
	if err != nil {
		return nil, err
	}
	if err := o.addResources(c, s, body.texts("additions"), "additions"); err != nil {
		return nil, err
	}
	s.touch(c.now)
	o.log(o.caller(c), resourcesAdded, s)
	return ok(o.renderResourceSet(s))
}

func (o *Org) findSetResource(c *call) (*resourceSet, *setResource, error) {
	s, err := o.findResourceSet(c)
	if err != nil {
		return nil, nil, err
	}
	r, found := s.resources.get(c.params["resourceId"])
	if !found {
		return nil, nil, notFound(c.params["resourceId"], "IAMPolicyResource")
	}
	return s, r, nil
}

func (o *Org) getSetResource(c *call) (*reply, error) {
	s, r, err := o.findSetResource(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderSetResource(s, r))
}

func (o *Org) removeSetResource(c *call) (*reply, error) {
	s, r, err := o.findSetResource(c)
	if err != nil {
		return nil, err
	}
	if len(s.resources.order) == 1 {
		return nil, validation("resourceId", "resourceId: A resource set must have at least one resource")
	}
	s.resources.remove(r.id)
	s.touch(c.now)
	o.log(o.caller(c), resourcesRemoved, s)
	return noContent()
}

func (o *Org) renderResourceSet(s *resourceSet) map[string]any {
	self := resourceSets + "/" + s.id
	return map[string]any{
		"id": s.id, "label": s.label, "description": s.description, "created": stamp(s.created), "lastUpdated": stamp(s.updated),
		"_links": map[string]any{
			"self": o.link(self), "resources": o.link(self + "/resources"), "bindings": o.link(self + "/bindings"),
		},
	}
}
