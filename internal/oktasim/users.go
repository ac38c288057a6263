package oktasim

import (
	"slices"
	"strings"
	"time"
)

// user is a person of the org's own directory.
type user struct {
	meta
	login, email, firstName, lastName, mobilePhone string

	status string
	// changed is when the status did; activated is zero before it first left STAGED.
	changed, activated time.Time

	factors []*factor
	// phone is the number that text messages go to, which outlives its factor. lastSMS
	// is the code in the last one.
	phone, lastSMS string
	// attempts are when the user last tried to activate a factor.
	attempts []time.Time
}

// The statuses of a user that mean something to the org.
const (
	userActive        = "ACTIVE"
	userStaged        = "STAGED"
	userSuspended     = "SUSPENDED"
	userDeprovisioned = "DEPROVISIONED"
)

// userStatuses are those a test can give; the others are on the way between them.
func userStatuses() []string {
	return []string{
		userStaged, "PROVISIONED", userActive, "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT", userSuspended, userDeprovisioned,
	}
}

// gone tells a user who has been deactivated: lists omit them and groups lose them.
func (u *user) gone() bool { return u.status == userDeprovisioned }

func (u *user) profile() document {
	profile := document{
		"firstName": u.firstName, "lastName": u.lastName, "mobilePhone": nil, "secondEmail": nil,
		"login": u.login, "email": u.email,
	}
	if u.mobilePhone != "" {
		profile["mobilePhone"] = u.mobilePhone
	}
	return profile
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

// findByShortName finds by what stands before the @ of a login, unless it is of two.
func (o *Org) findByShortName(name string) (*user, bool) {
	var found []*user
	for _, u := range o.users.order {
		if short, _, _ := strings.Cut(u.login, "@"); strings.EqualFold(short, name) {
			found = append(found, u)
		}
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

func (o *Org) getUser(c *call) (*reply, error) {
	u, found := o.findUser(c.params["id"])
	if !found {
		u, found = o.findByShortName(c.params["id"])
	}
	if !found {
		return nil, notFound(c.params["id"], "User")
	}
	rendered := o.renderUser(u)
	rendered["_links"] = o.userLinks(u)
	return ok(rendered)
}

// renderUser gives a user as lists do: of the links only the one to the user.
func (o *Org) renderUser(u *user) map[string]any {
	rendered := map[string]any{
		"id": u.id, "status": u.status, "created": stamp(u.created), "activated": nil,
		"statusChanged": stamp(u.changed), "lastLogin": nil, "lastUpdated": stamp(u.updated), "passwordChanged": nil,
		"type":        map[string]any{"id": o.userType()},
		"profile":     u.profile(),
		"credentials": map[string]any{"provider": map[string]any{"type": "OKTA", "name": "OKTA"}},
		"_links":      map[string]any{"self": o.link("/api/v1/users/" + u.id)},
	}
	if !u.activated.IsZero() {
		rendered["activated"] = stamp(u.activated)
	}
	return rendered
}

// userLinks are all links of one user: what may be done depends on the status.
func (o *Org) userLinks(u *user) map[string]any {
	self := "/api/v1/users/" + u.id
	links := map[string]any{
		"self":   o.link(self),
		"schema": o.link("/api/v1/meta/schemas/user/osc" + o.id[3:]),
		"type":   o.link("/api/v1/meta/types/user/" + o.userType()),
	}
	operations := map[string]string{
		"activate": "activate", "reactivate": "reactivate", "suspend": "suspend", "unsuspend": "unsuspend", "unlock": "unlock",
		"resetPassword": "reset_password", "resetFactors": "reset_factors", "deactivate": "deactivate",
	}
	for _, name := range userOperations(u.status) {
		links[name] = map[string]any{"href": o.url(self + "/lifecycle/" + operations[name]), "method": "POST"}
	}
	return links
}

func userOperations(status string) []string {
	common := []string{"deactivate", "resetFactors", "resetPassword"}
	switch status {
	case userStaged:
		return []string{"activate", "deactivate"}
	case userDeprovisioned:
		return []string{"activate"}
	case userSuspended:
		return []string{"deactivate", "unsuspend"}
	case "PROVISIONED":
		return append(common, "reactivate", "suspend")
	case "LOCKED_OUT":
		return append(common, "unlock")
	}
	return append(common, "suspend")
}

// setStatus also takes a deactivated user out of all groups, as Okta does.
func (o *Org) setStatus(u *user, status string, now time.Time) {
	if u.status == status {
		return
	}
	was, before := u.gone(), u.status
	u.status, u.changed = status, now
	if u.activated.IsZero() && status != userStaged {
		u.activated = now
	}
	u.touch(now)
	o.logStatus(u, before)
	if u.gone() {
		o.leaveGroups(u, now)
	}
	if was != u.gone() {
		o.moveEveryone(now)
	}
}

func (o *Org) leaveGroups(u *user, now time.Time) {
	for _, g := range o.groups.order {
		if at := slices.Index(g.members, u.id); at >= 0 {
			g.members = slices.Delete(g.members, at, at+1)
			g.membership = now
			o.log(o.console(), memberRemoved, u, g)
		}
	}
}

// moveEveryone says that the group Everyone has gained or lost a member.
func (o *Org) moveEveryone(now time.Time) {
	for _, g := range o.groups.order {
		if g.builtIn {
			g.membership = now
		}
	}
}
