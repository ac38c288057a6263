package oktasim

import (
	"slices"
	"strings"
)

// listUsers lists users. Those who are deprovisioned show only where the caller
// says with filter or search whom to show, as Okta's description has it.
func (o *Org) listUsers(c *call) (*reply, error) {
	p, keep, err := readUserQuery(c)
	if err != nil {
		return nil, err
	}
	r, err := list200(o, c, p, &o.users, keep, func(u *user) any { return o.renderUser(u) })
	if c.query.Get("q") != "" && err == nil {
		// What does not fit is not told: this search has no next page.
		r.header.Del("Link")
	}
	return r, err
}

// peopleLimit is how many users a people picker gets unless it asks for more.
const peopleLimit, usersLimit = 10, 200

func readUserQuery(c *call) (page, func(*user) bool, error) {
	q, filter, search := strings.ToLower(c.query.Get("q")), c.query.Get("filter"), c.query.Get("search")
	asked := slices.DeleteFunc([]string{q, filter, search, c.query.Get("after")}, func(text string) bool { return text == "" })
	standard := usersLimit
	switch {
	case q != "" && len(asked) > 1:
		return page{}, nil, validation("q", "q: Searching with q goes with neither filter, search nor after.")
	case filter != "" && search != "":
		return page{}, nil, validation("search", "search: The parameters filter and search are mutually exclusive.")
	case q != "":
		standard = peopleLimit
	}
	p, err := readPage(c, standard, usersLimit)
	if err != nil {
		return page{}, nil, err
	}
	switch {
	case filter != "":
		e, err := readExpression(filter, userFilter())
		return p, func(u *user) bool { return e.holds(u.properties(), false) }, err
	case search != "":
		e, err := readExpression(search, userSearch())
		return p, func(u *user) bool { return e.holds(u.properties(), true) }, err
	}
	return p, func(u *user) bool { return !u.gone() && u.startsWith(q) }, nil
}

func (u *user) startsWith(q string) bool {
	for _, text := range []string{u.firstName, u.lastName, u.email} {
		if strings.HasPrefix(strings.ToLower(text), q) {
			return true
		}
	}
	return false
}

// properties are what users are filtered and searched by.
func (u *user) properties() map[string]string {
	return map[string]string{
		"id": u.id, "status": u.status, "profile.login": u.login, "profile.email": u.email,
		"profile.firstName": u.firstName, "profile.lastName": u.lastName, "profile.mobilePhone": u.mobilePhone,
	}
}

// userFilter gives the operators of each property in filter; lastUpdated, which
// Okta compares with times, is not simulated.
func userFilter() map[string][]string {
	operators := map[string][]string{}
	for _, name := range []string{"id", "status", "profile.login", "profile.email", "profile.firstName", "profile.lastName"} {
		operators[name] = []string{"eq"}
	}
	return operators
}

// userSearch is userFilter for search, of which the simulated properties are few.
func userSearch() map[string][]string {
	operators := map[string][]string{}
	for _, name := range []string{"id", "status", "profile.mobilePhone"} {
		operators[name] = []string{"eq", "sw"}
	}
	for _, name := range []string{"profile.login", "profile.email", "profile.firstName", "profile.lastName"} {
		operators[name] = []string{"eq", "sw", "co"}
	}
	return operators
}
