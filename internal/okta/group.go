package okta

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	sdk "github.com/okta/okta-sdk-golang/v2/okta"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// maxFound is how many groups Okta finds by q, which cannot be paged.
const maxFound = 300

// group is a group, as listed.
type group struct {
	ID      string `json:"id"`
	Profile struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"profile"`
}

func (d *Directory) groupPrefix() string { return "k8s/" + d.cluster + "/" }

// listGroups finds groups by the prefix of their names: by q, which shows what was
// just written but at most 300; beyond that by search, which is paged but lags.
func (d *Directory) listGroups(ctx context.Context) (map[string]group, time.Time, error) {
	listed, begun, err := d.groupsBy(ctx, "q="+url.QueryEscape(d.groupPrefix()))
	if err == nil && len(listed) >= maxFound {
		listed, begun, err = d.groupsBy(ctx, "limit=200&search="+url.QueryEscape(fmt.Sprintf("profile.name sw %q", d.groupPrefix())))
	}
	return listed, begun, err
}

func (d *Directory) findGroup(ctx context.Context, name string, _ hint) (group, bool, error) {
	listed, _, err := d.groupsBy(ctx, "q="+url.QueryEscape(name))
	g, found := listed[name]
	return g, found, err
}

func (d *Directory) groupsBy(ctx context.Context, query string) (map[string]group, time.Time, error) {
	w := walk[group]{org: d.org, clock: d.clock, id: func(g group) string { return g.ID }}
	listed, begun, err := w.all(ctx, "/api/v1/groups?"+query)
	if err != nil {
		return nil, begun, err
	}
	named := make(map[string]group, len(listed))
	for _, g := range listed {
		named[g.Profile.Name] = g
	}
	return named, begun, nil
}

func (g group) mark() identity.Mark {
	_, mark := splitMark(g.Profile.Description)
	return mark
}

// groupOf finds the role's group: by its mark, for a person may have renamed it, then
// by that of a namesake, of several the latest, and else by its name.
func (d *Directory) groupOf(ctx context.Context, role identity.Mark, name string) (group, bool, error) {
	named, found, err := d.groups.get(ctx, name, query[group]{
		blocks: func(g group) bool { return !role.MayChange(g.mark()) }, certain: true,
	})
	if err != nil || found && named.mark() == role {
		return named, found, err
	}
	marked, err := d.markedGroups(ctx, role)
	if err != nil {
		return group{}, false, err
	}
	best, left := named, found && role.Namesake(named.mark())
	for _, g := range marked {
		if g.mark() == role {
			return g, true, nil
		}
		if !left || later(g, best) {
			best, left = g, true
		}
	}
	return best, found || left, nil
}

// markedGroups are the groups that carry the mark of the role or of a namesake. Each is
// asked for by its name, for it may be one from which we have renamed it.
func (d *Directory) markedGroups(ctx context.Context, role identity.Mark) ([]group, error) {
	all, err := d.groups.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	carries := func(g group) bool { return g.mark() == role || role.Namesake(g.mark()) }
	var marked []group
	for name, g := range all {
		if !carries(g) {
			continue
		}
		g, is, err := d.groups.get(ctx, name, query[group]{})
		if err != nil {
			return nil, err
		}
		if is && carries(g) {
			marked = append(marked, g)
		}
	}
	return marked, nil
}

// later tells which of two groups every process must choose.
func later(g, than group) bool {
	since, other := g.mark().Since, than.mark().Since
	return since > other || since == other && g.ID < than.ID
}

// What a group says of itself stands in lines behind the mark, in this order. What people
// write into a role comes before the mark.
const (
	managedLine   = "\nmembers=managed"
	enrollingLine = "\nfactors=required"
	adminLine     = "\nadmin=bound"
)

func describeGroup(want identity.Group) string {
	description := withMark(want.Description, want.Mark)
	if want.Managed {
		description += managedLine
	}
	if want.Enrolling {
		description += enrollingLine
	}
	if want.Administering {
		description += adminLine
	}
	return description
}

func seenGroup(g group) *identity.Group {
	description, admin := strings.CutSuffix(g.Profile.Description, adminLine)
	description, enrolling := strings.CutSuffix(description, enrollingLine)
	description, managed := strings.CutSuffix(description, managedLine)
	text, mark := splitMark(description)
	ours := !mark.IsZero()
	return &identity.Group{
		ID: g.ID, Mark: mark, Name: g.Profile.Name, Description: text,
		Managed: managed && ours, Enrolling: enrolling && ours, Administering: admin && ours,
	}
}

// PutGroup implements identity.Roles.
func (d *Directory) PutGroup(ctx context.Context, want identity.Group) error {
	have, found, err := d.groupOf(ctx, want.Mark, want.Name)
	if err != nil {
		return err
	}
	description := describeGroup(want)
	if found {
		if err := ownGroup(have, want.Mark); err != nil {
			return err
		}
		if have.Profile.Name == want.Name && have.Profile.Description == description {
			return nil
		}
	}
	id, err := d.writeGroup(ctx, have.ID, want.Name, description)
	if err != nil {
		if found && (fault.Ambiguous(err) || fault.IsGone(err)) {
			d.groups.question(have.Profile.Name)
		}
		return d.failed(d.groups, want.Name, err)
	}
	now := group{ID: id}
	now.Profile.Name, now.Profile.Description = want.Name, description
	d.rememberGroup(have, now)
	return nil
}

// rememberGroup puts what was written in the place of what was there, if anything was.
func (d *Directory) rememberGroup(before, now group) {
	switch before.Profile.Name {
	case "":
		// Nobody is in a new group; that saves listing it.
		d.roster(now.ID).startWith(map[string]user{})
	case now.Profile.Name:
	default:
		d.groups.drop(before.Profile.Name)
	}
	d.groups.put(now.Profile.Name, now)
}

// writeGroup creates the group, or replaces the one of that id.
func (d *Directory) writeGroup(ctx context.Context, id, name, description string) (string, error) {
	body := sdk.Group{Profile: &sdk.GroupProfile{Name: name, Description: description}}
	groups := d.org.client.Group
	var made *sdk.Group
	var err error
	if id == "" {
		made, err = done[*sdk.Group](ctx)(groups.CreateGroup(ctx, body))
	} else {
		made, err = done[*sdk.Group](ctx)(groups.UpdateGroup(ctx, url.PathEscape(id), body))
	}
	if err != nil {
		return "", err
	}
	if made == nil || made.Id == "" {
		return "", incomplete()
	}
	return made.Id, nil
}

func ownGroup(have group, mark identity.Mark) error {
	if !mark.MayChange(have.mark()) {
		return conflict(fmt.Sprintf("group %q exists in Okta and does not carry the mark of %s; "+
			"delete or rename the group in Okta", have.Profile.Name, mark.Ref()))
	}
	return nil
}

// DeleteGroup implements identity.Roles.
func (d *Directory) DeleteGroup(ctx context.Context, role identity.Mark, name string) error {
	have, found, err := d.groupOf(ctx, role, name)
	if err != nil {
		return err
	}
	if !found {
		return unsettled(d.groups.open(name))
	}
	if err := ownGroup(have, role); err != nil {
		return err
	}
	_, err = d.org.client.Group.DeleteGroup(ctx, url.PathEscape(have.ID))
	if err = typed(ctx, err); err != nil && !fault.IsGone(err) {
		return d.failed(d.groups, have.Profile.Name, err)
	}
	d.groups.drop(have.Profile.Name)
	return nil
}
