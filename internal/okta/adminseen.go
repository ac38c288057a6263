package okta

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// labelled is a custom admin role or a resource set; without id there is none.
type labelled struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Description string `json:"description"`
}

func pathOf(base string, l labelled) string { return base + "/" + url.PathEscape(l.ID) }

// adminSeen is what there is of an admin role.
type adminSeen struct {
	role, set   labelled
	permissions []string
	resources   []adminResource
	// bound tells that there is a binding; members are whom it gives the role.
	bound   bool
	members []adminMember
}

func (s adminSeen) binding() string {
	return pathOf(resourceSets, s.set) + "/bindings/" + url.PathEscape(s.role.ID)
}

// binds tells that the group has the admin role.
func (s adminSeen) binds(group string) bool {
	_, is := s.member(group)
	return is
}

// linkedSelf is an object that says where it is.
type linkedSelf struct {
	Self struct {
		Href string `json:"href"`
	} `json:"self"`
}

// adminResource is a resource of a set.
type adminResource struct {
	ID    string     `json:"id"`
	ORN   string     `json:"orn"`
	Links linkedSelf `json:"_links"`
}

// is tells that the text names the resource, in either of the forms that Okta takes.
func (r adminResource) is(text string) bool {
	if text == r.ORN {
		return true
	}
	want, err := url.Parse(text)
	have, bad := url.Parse(r.Links.Self.Href)
	return err == nil && bad == nil && want.Host != "" && want.Path == have.Path
}

func (r adminResource) wantedIn(texts []string) bool { return slices.ContainsFunc(texts, r.is) }

func wantedIn(names []string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// adminMember is a user or a group of a binding.
type adminMember struct {
	ID    string     `json:"id"`
	Links linkedSelf `json:"_links"`
}

// group is the group's id; empty for a user.
func (m adminMember) group() string {
	u, err := url.Parse(m.Links.Self.Href)
	if err != nil || !strings.HasPrefix(u.Path, "/api/v1/groups/") {
		return ""
	}
	return path.Base(u.Path)
}

// member is the group's place among those who have the admin role.
func (s adminSeen) member(group string) (id string, is bool) {
	at := slices.IndexFunc(s.members, func(m adminMember) bool { return m.group() == group })
	if at < 0 {
		return "", false
	}
	return s.members[at].ID, true
}

// asking makes calls that only look ordinary ones: how often is looked the owners of roles
// decide, and what is kept for taking access away is for that alone.
func asking(ctx context.Context) context.Context {
	caller := identity.CallerFrom(ctx)
	caller.Urgency = identity.Routine
	return identity.WithCaller(ctx, caller)
}

// findAdmin finds the two parts that have a label, and makes sure that they are the owner's.
// Where one is not, its group is: it is taken out before that is told, for nobody knows what
// it is given by what somebody else decides on.
func (d *Directory) findAdmin(ctx context.Context, owner identity.Mark, label, group string) (role, set labelled, err error) {
	role, foreign, err := d.findLabelled(asking(ctx), adminRoles, "admin role", owner, label)
	if err != nil {
		return role, set, err
	}
	set, other, err := d.findLabelled(asking(ctx), resourceSets, "resource set", owner, label)
	if err != nil {
		return role, set, err
	}
	if foreign = cmp.Or(foreign, other); foreign == nil {
		return role, set, nil
	}
	if err := d.takeOut(ctx, adminSeen{role: role, set: set}, group); err != nil {
		return labelled{}, labelled{}, err
	}
	return labelled{}, labelled{}, foreign
}

// takeOut takes the group out of those who have the admin role, and changes nothing else of it.
func (d *Directory) takeOut(ctx context.Context, seen adminSeen, group string) error {
	if seen.role.ID == "" || seen.set.ID == "" || group == "" {
		return nil
	}
	if err := d.observeBound(asking(ctx), &seen); err != nil {
		return err
	}
	id, is := seen.member(group)
	if !is {
		return nil
	}
	return d.drop(ctx, seen.binding()+"/members/"+url.PathEscape(id))
}

// findLabelled finds what has the label. foreign tells that it is not the owner's.
func (d *Directory) findLabelled(
	ctx context.Context, base, what string, owner identity.Mark, label string,
) (found labelled, foreign, err error) {
	_, err = d.org.call(ctx, http.MethodGet, base+"/"+url.PathEscape(label), nil, &found)
	switch {
	case fault.IsGone(err):
		found, err = d.findRenamed(ctx, base, owner)
		return found, nil, err
	case err != nil:
		return labelled{}, nil, err
	case found.ID == "":
		return labelled{}, nil, incomplete()
	}
	if mark, _ := identity.ParseMark(found.Description); !policyMark(owner).MayChange(mark) {
		return found, conflict(fmt.Sprintf("the %s %q exists in Okta and does not carry the mark of %s; delete or rename it in Okta. "+
			"The role's group does not have it", what, label, owner.Ref())), nil
	}
	return found, nil, nil
}

// findRenamed finds by its mark what a person has given another label.
func (d *Directory) findRenamed(ctx context.Context, base string, owner identity.Mark) (labelled, error) {
	listed, err := adminList[labelled](ctx, d.org, base, path.Base(base))
	if err != nil {
		return labelled{}, err
	}
	for _, l := range listed {
		if mark, _ := identity.ParseMark(l.Description); l.ID != "" && policyMark(owner).MayChange(mark) {
			return l, nil
		}
	}
	return labelled{}, nil
}

// observeAdmin looks at all of an admin role, by calls of its own.
func (d *Directory) observeAdmin(ctx context.Context, owner identity.Mark, label, group string) (adminSeen, error) {
	var seen adminSeen
	var err error
	if seen.role, seen.set, err = d.findAdmin(ctx, owner, label, group); err != nil {
		return seen, err
	}
	ctx = asking(ctx)
	if seen.role.ID != "" {
		permissions, err := adminList[struct{ Label string }](ctx, d.org, pathOf(adminRoles, seen.role)+"/permissions", "permissions")
		if err != nil {
			return seen, gone(err)
		}
		for _, p := range permissions {
			seen.permissions = append(seen.permissions, p.Label)
		}
	}
	if seen.set.ID != "" {
		if seen.resources, err = adminList[adminResource](ctx, d.org, pathOf(resourceSets, seen.set)+"/resources", "resources"); err != nil {
			return seen, gone(err)
		}
	}
	if seen.role.ID == "" || seen.set.ID == "" {
		return seen, nil
	}
	return seen, d.observeBound(ctx, &seen)
}

// observeBound looks who has the admin role.
func (d *Directory) observeBound(ctx context.Context, seen *adminSeen) error {
	var err error
	seen.members, err = adminList[adminMember](ctx, d.org, seen.binding()+"/members", "members")
	if fault.IsGone(err) {
		return nil
	}
	seen.bound = err == nil
	return err
}

// gone makes a wait of an object that has gone while it was looked at.
func gone(err error) error {
	if fault.IsGone(err) {
		return waitingFor(err, "a part of the admin role is gone in Okta; it is looked at again")
	}
	return err
}

// adminList reads a list that stands below a name in an object, as do the links to its pages.
func adminList[T any](ctx context.Context, org *org, path, name string) ([]T, error) {
	var all []T
	for range maxPages {
		var answer document
		if _, err := org.call(ctx, http.MethodGet, path, nil, &answer); err != nil {
			return nil, err
		}
		var page []T
		if raw := answer.at(name); raw == nil || json.Unmarshal(raw, &page) != nil {
			return nil, fault.Broken("a list is missing in it", nil)
		}
		all = append(all, page...)
		raw := answer.at("_links", "next", "href")
		if raw == nil {
			return all, nil
		}
		var next string
		if json.Unmarshal(raw, &next) != nil {
			return nil, fault.Broken("the link to the next page is no text", nil)
		}
		u, err := url.Parse(next)
		if err != nil || !strings.HasPrefix(u.Path, "/") {
			return nil, fault.Broken("the link to the next page leads nowhere", nil)
		}
		path = u.RequestURI()
	}
	return nil, fault.Broken("the pages of a list do not end", nil)
}
