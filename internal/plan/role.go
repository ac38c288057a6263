package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Coalesce is how long a registered client waits at most for others of its role to
// be registered too, so that one write of the access policy serves them all.
const Coalesce = 3 * time.Second

// Succession is how long after its creation a role keeps clients in its policy whose
// keys do not exist: while a backup is being restored they may be about to.
const Succession = 10 * time.Minute

// serverShows is how long an authorization server that an earlier process asked for may
// be missing from Okta's list.
const serverShows = time.Minute + NoteReused

// NoteReused is for how long a process that has written down that it is about to create the
// server may try without writing it down again.
const NoteReused = 20 * time.Second

// RoleVerb names what a step does.
type RoleVerb string

// The steps of a role, in the order in which they are taken.
const (
	CreateServer  RoleVerb = "CreateServer"
	PutPermission RoleVerb = "PutPermission"
	PutGroup      RoleVerb = "PutGroup"
	DeleteGrant   RoleVerb = "DeleteGrant"
	PutGrant      RoleVerb = "PutGrant"
	DropTwin      RoleVerb = "DropTwin"
)

// RoleStep is one small repeatable step, with the reason for it. Only the field
// that belongs to the verb is set.
type RoleStep struct {
	Verb       RoleVerb
	Reason     string
	Permission identity.Permission
	Group      identity.Group
	Grant      identity.Grant
	// Tried tells, of CreateServer, that an earlier process may have made it.
	Tried bool
}

// Member is a client that is registered for a key bound to the role.
type Member struct {
	ClientID  string
	FirstSeen time.Time
}

// RoleSeen is what a role's plan is made from.
type RoleSeen struct {
	identity.RoleSeen
	// ServerRequested is when another process was last about to create the authorization
	// server; zero when none was.
	ServerRequested time.Time
	// Members are the registered clients of the keys bound to the role.
	Members []Member
	// Ownerless are clients in the grant whose keys do not exist in the cluster.
	Ownerless []string
	// KeptUntil is when the first of the members that have access only because of an
	// earlier namesake may lose it; zero when there is none.
	KeptUntil time.Time
	// Underway counts the keys bound to the role whose client is about to be registered.
	Underway int
}

// RolePlan is what to do about a role.
type RolePlan struct {
	Steps []RoleStep
	// Again is when to plan again although nothing happens; zero for never.
	Again time.Duration
	// Then says what is wrong although the steps were taken; nil when nothing is.
	Then error
}

// Role plans a role. What is in the way until a person acts is told as Then; access
// that is to end, ends all the same.
func Role(want desired.Role, seen RoleSeen, now time.Time) RolePlan {
	for _, check := range []func(desired.Role, RoleSeen) error{permissionsAllowed, permissionsOurs, groupOurs} {
		if err := check(want, seen); err != nil {
			return RolePlan{Steps: revocation(want, seen, now), Then: err}
		}
	}
	var result RolePlan
	if seen.Server == nil {
		if err := serverUnderway(seen, now); err != nil {
			return RolePlan{Then: err}
		}
		result.Steps = append(result.Steps, RoleStep{
			Verb: CreateServer, Reason: "the operator has no authorization server yet", Tried: !seen.ServerRequested.IsZero(),
		})
	}
	result.Steps = append(result.Steps, permissionSteps(want, seen)...)
	result.Steps = append(result.Steps, groupSteps(want, seen)...)
	steps, again := grantSteps(want, seen, now)
	result.Steps = append(result.Steps, steps...)
	if seen.Twin != "" {
		result.Steps = append(result.Steps, RoleStep{Verb: DropTwin, Reason: "authorization server " + seen.Twin + " is a second one of ours"})
	}
	result.Again = Sooner(again, seen.Unsettled)
	result.Then = shadowed(seen)
	return result
}

// serverUnderway tells that the server may be there although Okta does not show it:
// nothing keeps Okta from making a second one of the same name.
func serverUnderway(seen RoleSeen, now time.Time) error {
	age := now.Sub(seen.ServerRequested)
	if seen.ServerRequested.IsZero() || age.Abs() >= serverShows {
		return nil
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: identity.ReasonWaiting, RetryAfter: min(serverShows, serverShows-age),
		Message: "an earlier process of the operator was about to create its authorization server, which may take a minute to show; " +
			"it is looked for then",
	}
}

// revocation makes the grant smaller and never larger: without the clients that are
// not bound any more, and the permissions that are not wanted any more.
func revocation(want desired.Role, seen RoleSeen, now time.Time) []RoleStep {
	if seen.Grant == nil {
		return nil
	}
	bound, _ := boundClients(want, seen, now)
	smaller := *seen.Grant
	smaller.Mark = want.Mark
	smaller.Clients = common(seen.Grant.Clients, bound)
	smaller.Permissions = common(seen.Grant.Permissions, want.PermissionNames())
	switch {
	case len(smaller.Clients) == 0 || len(smaller.Permissions) == 0 && len(seen.Grant.Permissions) > 0:
		return []RoleStep{{Verb: DeleteGrant, Grant: identity.Grant{Mark: want.Mark}, Reason: "nobody has access by the role any more"}}
	case len(smaller.Clients) == len(seen.Grant.Clients) && len(smaller.Permissions) == len(seen.Grant.Permissions):
		return nil
	}
	return []RoleStep{{Verb: PutGrant, Grant: smaller, Reason: "access ends, whatever else is in the way"}}
}

// common are the elements of a that are also in b.
func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// shadowed tells that Okta asks somebody else's policy first. To move or delete that
// is a person's decision.
func shadowed(seen RoleSeen) error {
	if len(seen.Shadows) == 0 {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: "Shadowed", RetryAfter: lookAgain,
		Message: fmt.Sprintf("access policies that let every client in stand before the role's on the operator's authorization server: %s; "+
			"deactivate or delete them in Okta, or move them to the end", strings.Join(seen.Shadows, ", ")),
	}
}

// permissionsAllowed repeats what admission checks, for objects that came round it.
func permissionsAllowed(want desired.Role, _ RoleSeen) error {
	for _, p := range want.Permissions {
		if why := identity.Reserved(p.Name); why != "" {
			return reserved(fmt.Sprintf("permission %q cannot be granted: %s; rename or remove it in spec.permissions", p.Name, why))
		}
	}
	return nil
}

func permissionsOurs(want desired.Role, seen RoleSeen) error {
	for _, p := range want.Permissions {
		if seen.Foreign[p.Name] {
			return &identity.Error{
				Kind: identity.Conflict, Reason: identity.ReasonConflict,
				Message: fmt.Sprintf("scope %q stands on the operator's authorization server and was not made by it; "+
					"delete the scope in Okta or choose another permission name", p.Name),
			}
		}
	}
	return nil
}

func groupOurs(want desired.Role, seen RoleSeen) error {
	if seen.Group == nil || want.Mark.MayChange(seen.Group.Mark) {
		return nil
	}
	return &identity.Error{
		Kind: identity.Conflict, Reason: identity.ReasonConflict,
		Message: fmt.Sprintf("group %q exists in Okta and does not belong to this role (%s); "+
			"delete or rename the group in Okta", want.Group.Name, owner(seen.Group.Mark)),
	}
}

func permissionSteps(want desired.Role, seen RoleSeen) []RoleStep {
	var steps []RoleStep
	for _, p := range want.Permissions {
		have, found := seen.Permissions[p.Name]
		switch {
		case !found:
			steps = append(steps, RoleStep{Verb: PutPermission, Permission: p, Reason: "scope " + p.Name + " does not exist yet"})
		case p.Description != "" && have.Description != p.Description:
			// A role that gives no description leaves another role's words alone.
			steps = append(steps, RoleStep{Verb: PutPermission, Permission: p, Reason: "scope " + p.Name + " is described otherwise"})
		}
	}
	return steps
}

func groupSteps(want desired.Role, seen RoleSeen) []RoleStep {
	switch {
	case seen.Group == nil:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "the group does not exist yet"}}
	case seen.Group.Name != want.Group.Name:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "the group was renamed"}}
	case seen.Group.Mark != want.Mark:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "the group is that of the role this one was restored from"}}
	case seen.Group.Managed != want.Group.Managed:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "who decides on its members has changed"}}
	case seen.Group.Enrolling != want.Group.Enrolling:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "whether its members must have factors has changed"}}
	case seen.Group.Administering != want.Group.Administering:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "whether its members administer Okta has changed"}}
	case seen.Group.Description != want.Group.Description:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "the group is described otherwise"}}
	}
	return nil
}

// grantSteps takes access away at once and gives it in bulk: a client that is new
// waits a little while others of its role are under way.
func grantSteps(want desired.Role, seen RoleSeen, now time.Time) ([]RoleStep, time.Duration) {
	clients, again := boundClients(want, seen, now)
	if len(clients) == 0 || len(want.Permissions) == 0 {
		if seen.Grant == nil {
			return nil, 0
		}
		return []RoleStep{{Verb: DeleteGrant, Grant: identity.Grant{Mark: want.Mark}, Reason: nobodyLeft(clients)}}, 0
	}
	grant := want.Grant(clients)
	reason := grantDiffers(grant, seen.Grant)
	if reason == "" {
		return nil, again
	}
	if wait := coalesce(seen, now); wait > 0 && reason == reasonNewClients {
		return nil, wait
	}
	return []RoleStep{{Verb: PutGrant, Grant: grant, Reason: reason}}, again
}

func nobodyLeft(clients []string) string {
	if len(clients) == 0 {
		return "no key is bound to the role any more"
	}
	return "the role has nothing for agents any more"
}

// boundClients are those that the role lets in, and when that may change by itself.
func boundClients(want desired.Role, seen RoleSeen, now time.Time) ([]string, time.Duration) {
	clients := make([]string, 0, len(seen.Members))
	for _, m := range seen.Members {
		clients = append(clients, m.ClientID)
	}
	var again time.Duration
	if !seen.KeptUntil.IsZero() {
		again = seen.KeptUntil.Sub(now)
	}
	left := Succession - now.Sub(time.Unix(want.Mark.Since, 0))
	if left <= 0 || len(seen.Ownerless) == 0 {
		return clients, again
	}
	for _, id := range seen.Ownerless {
		if !slices.Contains(clients, id) {
			clients = append(clients, id)
		}
	}
	return clients, Sooner(again, left)
}

const reasonNewClients = "new clients are to be listed"

// grantDiffers says in what way the grant seen is not the one wanted; "" when it is.
func grantDiffers(want identity.Grant, seen *identity.Grant) string {
	if seen == nil {
		return reasonNewClients
	}
	switch {
	case slices.ContainsFunc(seen.Clients, func(c string) bool { return !slices.Contains(want.Clients, c) }):
		return "clients are to be listed no more"
	case !slices.Equal(seen.Permissions, want.Permissions):
		return "the permissions differ"
	case seen.TokenLifetime != want.TokenLifetime:
		return "the token lifetime differs"
	case seen.Name != want.Name:
		return "the name differs"
	case seen.Mark != want.Mark:
		return "the policy is that of the role this one was restored from"
	case !slices.Equal(seen.Clients, want.Clients):
		return reasonNewClients
	}
	return ""
}

// coalesce is how long the oldest client not yet listed may still wait for others.
func coalesce(seen RoleSeen, now time.Time) time.Duration {
	if seen.Underway == 0 {
		return 0
	}
	var listed []string
	if seen.Grant != nil {
		listed = seen.Grant.Clients
	}
	waiting := slices.DeleteFunc(slices.Clone(seen.Members), func(m Member) bool {
		return slices.Contains(listed, m.ClientID)
	})
	if len(waiting) == 0 {
		return 0
	}
	oldest := slices.MinFunc(waiting, func(a, b Member) int { return cmp.Compare(a.FirstSeen.UnixNano(), b.FirstSeen.UnixNano()) })
	return max(0, Coalesce-now.Sub(oldest.FirstSeen))
}
