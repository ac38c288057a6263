package oktasim

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// group is a set of users. The group Everyone is built in and keeps no members of
// its own: everybody is in it.
type group struct {
	meta
	name, description string
	builtIn           bool
	membership        time.Time
	members           []string
}

// everyone is how rules name the group of that name.
const everyone = "EVERYONE"

func (o *Org) addEveryone() {
	g := &group{meta: o.newMeta("00g", o.longAgo()), name: "Everyone", description: "All users in your organization", builtIn: true}
	g.membership = g.created
	o.groups.add(g)
}

// longAgo is when the org was founded: what was made then has no lag.
func (o *Org) longAgo() time.Time { return o.clock.Now().Add(-365 * 24 * time.Hour) }

func (g *group) kind() string {
	if g.builtIn {
		return "BUILT_IN"
	}
	return "OKTA_GROUP"
}

func (o *Org) renderGroup(g *group) map[string]any {
	self := "/api/v1/groups/" + g.id
	logos := []any{}
	for _, size := range []string{"medium", "large"} {
		logos = append(logos, map[string]any{
			"name": size, "href": o.url("/assets/img/logos/groups/odyssey/okta-" + size + ".png"), "type": "image/png",
		})
	}
	return map[string]any{
		"id": g.id, "created": stamp(g.created), "lastUpdated": stamp(g.updated), "lastMembershipUpdated": stamp(g.membership),
		"objectClass": []any{"okta:user_group"}, "type": g.kind(),
		"profile": map[string]any{"name": g.name, "description": g.description},
		"_links": map[string]any{
			"logo": logos, "owners": o.link(self + "/owners"), "users": o.link(self + "/users"), "apps": o.link(self + "/apps"),
		},
	}
}

func groupShape() shape.Shape {
	return shape.Object{
		"id": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{}, "lastMembershipUpdated": shape.ReadOnly{},
		"objectClass": shape.ReadOnly{}, "type": shape.ReadOnly{}, "_links": shape.ReadOnly{}, "_embedded": shape.ReadOnly{},
		"profile": shape.Object{"name": shape.Text{Min: 1, Max: 255}, "description": shape.Text{Max: 1024}},
	}
}

// readGroup also holds the name unique among the other groups, as the org does.
func (o *Org) readGroup(c *call, self *group) (name, description string, err error) {
	body, err := parse(c, groupShape(), "profile")
	if err != nil {
		return "", "", err
	}
	name = body.text("profile", "name")
	if name == "" {
		return "", "", validation("name", "name: The field cannot be left blank")
	}
	for _, other := range o.groups.order {
		if other != self && other.name == name {
			return "", "", validation("name", "name: An object with this field already exists in the current organization")
		}
	}
	return name, body.text("profile", "description"), nil
}

func (o *Org) createGroup(c *call) (*reply, error) {
	name, description, err := o.readGroup(c, nil)
	if err != nil {
		return nil, err
	}
	g := &group{meta: o.newMeta("00g", c.now), name: name, description: description, membership: c.now}
	o.groups.add(g)
	return ok(o.renderGroup(g))
}

func (o *Org) findGroup(c *call) (*group, error) {
	g, found := o.groups.get(c.params["groupId"])
	if !found || c.request.Method == http.MethodGet && !o.readable(g, c.now) {
		return nil, notFound(c.params["groupId"], "UserGroup")
	}
	return g, nil
}

// findOwnGroup finds a group that people may change.
func (o *Org) findOwnGroup(c *call) (*group, error) {
	g, err := o.findGroup(c)
	if err != nil {
		return nil, err
	}
	if g.builtIn {
		return nil, accessDenied("The group " + g.name + " is built in.")
	}
	return g, nil
}

func (o *Org) getGroup(c *call) (*reply, error) {
	g, err := o.findGroup(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderGroup(g))
}

func (o *Org) putGroup(c *call) (*reply, error) {
	g, err := o.findOwnGroup(c)
	if err != nil {
		return nil, err
	}
	name, description, err := o.readGroup(c, g)
	if err != nil {
		return nil, err
	}
	g.name, g.description = name, description
	g.touch(c.now)
	return ok(o.renderGroup(g))
}

func (o *Org) deleteGroup(c *call) (*reply, error) {
	g, err := o.findOwnGroup(c)
	if err != nil {
		return nil, err
	}
	o.groups.remove(g.id)
	o.unassignAll(o.caller(c), "/api/v1/groups/"+g.id)
	return noContent()
}

// queryLimit is how many groups a search by name gives at most: it has no pages.
const queryLimit = 300

func (o *Org) listGroups(c *call) (*reply, error) {
	p, keep, err := readGroupQuery(c)
	if err != nil {
		return nil, err
	}
	r, err := list200(o, c, p, &o.groups, keep, func(g *group) any { return o.renderGroup(g) })
	if c.query.Get("q") != "" && err == nil {
		// What does not fit is not told: this search has no next page.
		r.header.Del("Link")
	}
	return r, err
}

func readGroupQuery(c *call) (page, func(*group) bool, error) {
	p, err := readPage(c, 200, 10000)
	if err != nil {
		return p, nil, err
	}
	q, search, filter := strings.ToLower(c.query.Get("q")), c.query.Get("search"), c.query.Get("filter")
	switch {
	case search != "" && (q != "" || filter != ""):
		return p, nil, validation("search", "search: The parameter goes with neither q nor filter.")
	case search != "":
		e, err := readExpression(search, groupSearch())
		return p, func(g *group) bool { return e.holds(g.properties(), true) }, err
	case q != "" && c.query.Get("after") != "":
		return p, nil, validation("after", "after: Paging and searching with q are mutually exclusive.")
	case q != "" && (c.query.Get("limit") == "" || p.limit > queryLimit):
		p.limit = queryLimit
	}
	terms, err := readFilter(filter, "id", "type")
	return p, func(g *group) bool {
		properties := g.properties()
		return strings.HasPrefix(strings.ToLower(g.name), q) && !slices.ContainsFunc(terms, func(t term) bool {
			return properties[t.name] != t.value
		})
	}, err
}

// properties are what groups are searched by.
func (g *group) properties() map[string]string {
	return map[string]string{"id": g.id, "type": g.kind(), "profile.name": g.name, "profile.description": g.description}
}

// groupSearch gives the operators of each property in search; the times of a group, its source
// and further attributes are not simulated.
func groupSearch() map[string][]string {
	operators := map[string][]string{}
	for _, name := range []string{"id", "type"} {
		operators[name] = []string{"eq"}
	}
	for _, name := range []string{"profile.name", "profile.description"} {
		operators[name] = []string{"eq", "sw"}
	}
	return operators
}

func (o *Org) listMembers(c *call) (*reply, error) {
	g, err := o.findGroup(c)
	if err != nil {
		return nil, err
	}
	p, err := readPage(c, 1000, 1000)
	if err != nil {
		return nil, err
	}
	return list200(o, c, p, &o.users, func(u *user) bool {
		return !u.gone() && (g.builtIn || slices.Contains(g.members, u.id))
	}, func(u *user) any { return o.renderUser(u) })
}

func (o *Org) addMember(c *call) (*reply, error) {
	g, u, err := o.findMember(c)
	if err != nil {
		return nil, err
	}
	if u.gone() {
		return nil, wrongState("Deactivated users can't be members of a group.")
	}
	if !slices.Contains(g.members, u.id) {
		g.members = append(g.members, u.id)
		g.membership = c.now
		o.log(o.caller(c), memberAdded, u, g)
	}
	return noContent()
}

func (o *Org) removeMember(c *call) (*reply, error) {
	g, u, err := o.findMember(c)
	if err != nil {
		return nil, err
	}
	if slices.Contains(g.members, u.id) {
		g.members = slices.DeleteFunc(g.members, func(id string) bool { return id == u.id })
		g.membership = c.now
		o.log(o.caller(c), memberRemoved, u, g)
	}
	return noContent()
}

// findMember takes a user's id only: these two operations know no logins.
func (o *Org) findMember(c *call) (*group, *user, error) {
	g, err := o.findOwnGroup(c)
	if err != nil {
		return nil, nil, err
	}
	u, found := o.users.get(c.params["userId"])
	if !found {
		return nil, nil, notFound(c.params["userId"], "User")
	}
	return g, u, nil
}
