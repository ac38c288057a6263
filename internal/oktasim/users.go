package oktasim

import (
	"strings"
)

// user is a person, as little of one as membership needs.
type user struct {
	meta
	login string
}

// AddUser makes an active user and gives the id. A login that exists gives the id
// of its user.
func (o *Org) AddUser(login string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if u, found := o.findUser(login); found {
		return u.id
	}
	u := &user{meta: o.newMeta("00u", o.clock.Now()), login: login}
	o.users.add(u)
	return u.id
}

// findUser finds by id or by login, whose case does not matter.
func (o *Org) findUser(idOrLogin string) (*user, bool) {
	if u, found := o.users.get(idOrLogin); found {
		return u, true
	}
	for _, u := range o.users.order {
		if strings.EqualFold(u.login, idOrLogin) {
			return u, true
		}
	}
	return nil, false
}

func (o *Org) getUser(c *call) (*reply, error) {
	u, found := o.findUser(c.params["id"])
	if !found {
		return nil, notFound(c.params["id"], "User")
	}
	return ok(o.renderUser(u))
}

func (o *Org) renderUser(u *user) map[string]any {
	name, _, _ := strings.Cut(u.login, "@")
	return map[string]any{
		"id": u.id, "status": "ACTIVE", "created": stamp(u.created), "activated": stamp(u.created),
		"statusChanged": stamp(u.created), "lastLogin": nil, "lastUpdated": stamp(u.updated), "passwordChanged": nil,
		"type": map[string]any{"id": o.userType()},
		"profile": map[string]any{
			"firstName": name, "lastName": "Simulated", "mobilePhone": nil, "secondEmail": nil,
			"login": u.login, "email": u.login,
		},
		"credentials": map[string]any{"provider": map[string]any{"type": "OKTA", "name": "OKTA"}},
		"_links":      map[string]any{"self": map[string]any{"href": o.url("/api/v1/users/" + u.id)}},
	}
}
