package oktasim

import "strings"

// setResource is a resource of a set: an object, or all of a kind.
type setResource struct {
	meta
	// orn is Okta's name of it, path where its objects are.
	orn, path string
}

// readResource understands both forms in which Okta takes a resource.
func (o *Org) readResource(text string) (*setResource, bool) {
	for _, known := range o.resourceForms() {
		if text == known.orn || text == o.url(known.path) {
			return &setResource{orn: known.orn, path: known.path}, true
		}
		id, isOne := strings.CutPrefix(text, known.orn+":")
		if !isOne {
			id, isOne = strings.CutPrefix(text, o.url(known.path)+"/")
		}
		if isOne {
			if r, exists := o.oneResource(known, id); exists {
				return r, true
			}
		}
	}
	return nil, false
}

// resourceForms are the kinds that are simulated: users, groups, apps and authorization servers.
func (o *Org) resourceForms() []setResource {
	return []setResource{
		{orn: "orn:okta:directory:" + o.id + ":users", path: "/api/v1/users"},
		{orn: "orn:okta:directory:" + o.id + ":groups", path: "/api/v1/groups"},
		{orn: "orn:okta:idp:" + o.id + ":apps", path: "/api/v1/apps"},
		{orn: "orn:okta:idp:" + o.id + ":authorization_servers", path: "/api/v1/authorizationServers"},
	}
}

// oneResource is one object of a kind; the people of a group are one, too.
func (o *Org) oneResource(of setResource, id string) (*setResource, bool) {
	switch of.path {
	case "/api/v1/users":
		_, exists := o.users.get(id)
		return below(of, id), exists
	case "/api/v1/groups":
		group, ofPeople := strings.CutSuffix(id, "/users")
		if !ofPeople {
			group, ofPeople = strings.CutSuffix(id, ":contained_resources")
		}
		_, exists := o.groups.get(group)
		r := below(of, group)
		if ofPeople {
			r.orn, r.path = r.orn+":contained_resources", r.path+"/users"
		}
		return r, exists
	case "/api/v1/apps":
		id = strings.TrimPrefix(id, "oidc_client:")
		_, exists := o.apps.get(id)
		return &setResource{orn: of.orn + ":oidc_client:" + id, path: of.path + "/" + id}, exists
	}
	_, exists := o.findServer(id)
	return below(of, id), exists
}

func below(of setResource, id string) *setResource {
	return &setResource{orn: of.orn + ":" + id, path: of.path + "/" + id}
}

func (o *Org) renderSetResource(s *resourceSet, r *setResource) map[string]any {
	links := map[string]any{
		"self": o.link(r.path), "resource": o.link(resourceSets + "/" + s.id + "/resources/" + r.id),
	}
	if kind := strings.TrimPrefix(r.path, "/api/v1/"); kind == "users" || kind == "groups" {
		links[kind] = o.link(r.path)
	}
	return map[string]any{
		"id": r.id, "orn": r.orn, "created": stamp(r.created), "lastUpdated": stamp(r.updated), "_links": links,
	}
}
