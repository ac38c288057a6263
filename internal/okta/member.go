package okta

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// user is a person, as listed. Of the profile no more than the login is looked at.
type user struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Profile struct {
		Login string `json:"login"`
	} `json:"profile"`
}

// person is the user in the terms of the port. Who is STAGED or SUSPENDED cannot sign in
// (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/).
func (u user) person() identity.Person {
	return identity.Person{ID: u.ID, Login: u.Profile.Login, Active: u.Status != "STAGED" && u.Status != statusSuspended}
}

const statusSuspended = "SUSPENDED"

// rosters remember the members of groups, by the group's id and then by the user's.
type rosters struct {
	lifetime time.Duration
	mu       sync.Mutex
	byGroup  map[string]*family[user]
}

// roster gives the family that holds the members of one group.
func (d *Directory) roster(groupID string) *family[user] {
	d.rosters.mu.Lock()
	defer d.rosters.mu.Unlock()
	r, known := d.rosters.byGroup[groupID]
	if !known {
		list := func(ctx context.Context) (map[string]user, time.Time, error) { return d.listMembers(ctx, groupID) }
		find := func(ctx context.Context, id string, _ hint) (user, bool, error) {
			// A membership cannot be asked for by itself.
			listed, _, err := d.listMembers(ctx, groupID)
			u, found := listed[id]
			return u, found, err
		}
		r = newFamily(d.clock, d.rosters.lifetime, list, find)
		d.rosters.byGroup[groupID] = r
	}
	return r
}

func (d *Directory) forgetRoster(groupID string) {
	d.rosters.mu.Lock()
	defer d.rosters.mu.Unlock()
	delete(d.rosters.byGroup, groupID)
}

func membersOf(groupID string) string { return "/api/v1/groups/" + url.PathEscape(groupID) + "/users" }

func (d *Directory) listMembers(ctx context.Context, groupID string) (map[string]user, time.Time, error) {
	w := walk[user]{org: d.org, clock: d.clock, id: func(u user) string { return u.ID }}
	listed, begun, err := w.all(ctx, membersOf(groupID)+"?limit=200")
	if err != nil {
		return nil, begun, err
	}
	byID := make(map[string]user, len(listed))
	for _, u := range listed {
		byID[u.ID] = u
	}
	return byID, begun, nil
}

// ObserveMembers implements identity.Members.
func (d *Directory) ObserveMembers(ctx context.Context, role identity.Mark, name string) (identity.Roster, error) {
	g, found, err := d.groupOf(ctx, role, name)
	if err != nil || !found || !role.MayChange(g.mark()) {
		return identity.Roster{}, err
	}
	seen := seenGroup(g)
	roster := identity.Roster{GroupID: g.ID, Enrolling: seen.Enrolling, Administering: seen.Administering, Managed: seen.Managed}
	if !roster.Managed {
		return roster, nil
	}
	listed, err := d.roster(g.ID).all(ctx, nil)
	if err != nil {
		return roster, d.groupless(g, err)
	}
	for _, u := range listed {
		roster.Members = append(roster.Members, u.person())
	}
	slices.SortFunc(roster.Members, func(a, b identity.Person) int { return strings.Compare(a.ID, b.ID) })
	return roster, nil
}

// FindPerson implements identity.Members.
func (d *Directory) FindPerson(ctx context.Context, login string) (*identity.Person, error) {
	login = strings.ToLower(login)
	if d.strangers.within(login, d.clock.Now(), revisit) {
		return nil, nil
	}
	var u user
	_, err := d.org.call(ctx, http.MethodGet, "/api/v1/users/"+url.PathEscape(login), nil, &u)
	switch {
	case err == nil && u.ID == "":
		return nil, incomplete()
	case fault.IsGone(err), err == nil && (u.Status == "DEPROVISIONED" || !strings.EqualFold(u.Profile.Login, login)):
		// For a login Okta also takes an id, and the part before the @ if that is unique.
		d.strangers.put(login, d.clock.Now())
		return nil, nil
	case err != nil:
		return nil, err
	}
	found := u.person()
	return &found, nil
}

// AddMember implements identity.Members.
func (d *Directory) AddMember(ctx context.Context, role identity.Mark, name string, person identity.Person) error {
	return d.changeMember(ctx, role, name, person, http.MethodPut)
}

// RemoveMember implements identity.Members.
func (d *Directory) RemoveMember(ctx context.Context, role identity.Mark, name string, person identity.Person) error {
	return d.changeMember(ctx, role, name, person, http.MethodDelete)
}

// changeMember puts a person in or takes one out; Okta takes both when it is so already.
func (d *Directory) changeMember(ctx context.Context, role identity.Mark, name string, person identity.Person, method string) error {
	g, found, err := d.groupOf(ctx, role, name)
	if err != nil {
		return err
	}
	if !found {
		return waiting("the role's group is not there yet; it is looked at again")
	}
	if err := ownGroup(g, role); err != nil {
		return err
	}
	roster := d.roster(g.ID)
	_, err = d.org.call(ctx, method, membersOf(g.ID)+"/"+url.PathEscape(person.ID), nil, nil)
	if fault.IsGone(err) {
		// It may be the group itself that a person has deleted.
		d.groups.question(g.Profile.Name)
	}
	switch {
	case method == http.MethodDelete && (err == nil || fault.IsGone(err)):
		roster.drop(person.ID)
		return nil
	case fault.IsGone(err):
		return waitingFor(err, "somebody who was to be a member, or the role's group, is gone in Okta; it is looked at again")
	case err != nil:
		return d.failed(roster, person.ID, err)
	}
	u := user{ID: person.ID, Status: statusActive}
	if !person.Active {
		u.Status = statusSuspended
	}
	u.Profile.Login = person.Login
	roster.put(person.ID, u)
	return nil
}

// groupless makes the next observation look the group up when its own list says that
// it is gone.
func (d *Directory) groupless(g group, err error) error {
	if fault.IsGone(err) {
		d.groups.question(g.Profile.Name)
		d.forgetRoster(g.ID)
	}
	return err
}
