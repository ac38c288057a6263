package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Coalesce is how long a registered client waits at most for others of its role to
// be registered too, so that one write of the access policy serves them all.
const Coalesce = 3 * time.Second

// RoleVerb names what a step does.
type RoleVerb string

// The steps of a role, in the order in which they are taken.
const (
	CreateServer  RoleVerb = "CreateServer"
	PutPermission RoleVerb = "PutPermission"
	PutGroup      RoleVerb = "PutGroup"
	DeleteGrant   RoleVerb = "DeleteGrant"
	PutGrant      RoleVerb = "PutGrant"
)

// RoleStep is one small repeatable step, with the reason for it. Only the field
// that belongs to the verb is set.
type RoleStep struct {
	Verb       RoleVerb
	Reason     string
	Permission identity.Permission
	Group      identity.Group
	Grant      identity.Grant
}

// Member is a client that is registered for a key bound to the role.
type Member struct {
	ClientID  string
	FirstSeen time.Time
}

// RoleSeen is what a role's plan is made from.
type RoleSeen struct {
	identity.RoleSeen
	// Members are the registered clients of the keys bound to the role.
	Members []Member
	// Underway counts the keys bound to the role whose client is about to be registered.
	Underway int
}

// RolePlan is what to do about a role.
type RolePlan struct {
	Steps []RoleStep
	// Again is when to plan again although nothing happens; zero for never.
	Again time.Duration
}

// Role plans a role. An error means that no step may be taken until a person acts.
func Role(want desired.Role, seen RoleSeen, now time.Time) (RolePlan, error) {
	for _, check := range []func(desired.Role, RoleSeen) error{permissionsAllowed, permissionsOurs, groupOurs} {
		if err := check(want, seen); err != nil {
			return RolePlan{}, err
		}
	}
	var result RolePlan
	if seen.Server == nil {
		result.Steps = append(result.Steps, RoleStep{Verb: CreateServer, Reason: "the operator has no authorization server yet"})
	}
	result.Steps = append(result.Steps, permissionSteps(want, seen)...)
	result.Steps = append(result.Steps, groupSteps(want, seen)...)
	steps, again := grantSteps(want, seen, now)
	result.Steps = append(result.Steps, steps...)
	result.Again = again
	return result, nil
}

// permissionsAllowed repeats what admission checks, for objects that came round it.
func permissionsAllowed(want desired.Role, _ RoleSeen) error {
	for _, p := range want.Permissions {
		if why := identity.Reserved(p.Name); why != "" {
			return &identity.Error{
				Kind: identity.Rejected, Reason: "ReservedPermission",
				Message: fmt.Sprintf("permission %q cannot be granted: %s; rename or remove it in spec.permissions", p.Name, why),
			}
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
	if seen.Group == nil || seen.Group.Mark == want.Mark {
		return nil
	}
	return &identity.Error{
		Kind: identity.Conflict, Reason: identity.ReasonConflict,
		Message: fmt.Sprintf("group %q exists in Okta and does not belong to this role (%s); "+
			"delete or rename the group in Okta", want.Group.Name, owner(seen.Group.Mark)),
	}
}

// owner says in words to whom a mark belongs.
func owner(mark identity.Mark) string {
	if mark.IsZero() {
		return "it carries no mark of this operator"
	}
	return fmt.Sprintf("it is marked for %s of cluster %s, uid %s", mark.Ref(), mark.Cluster, mark.UID)
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
	case seen.Group.Description != want.Group.Description:
		return []RoleStep{{Verb: PutGroup, Group: want.Group, Reason: "the group is described otherwise"}}
	}
	return nil
}

// grantSteps takes access away at once and gives it in bulk: a client that is new
// waits a little while others of its role are under way.
func grantSteps(want desired.Role, seen RoleSeen, now time.Time) ([]RoleStep, time.Duration) {
	clients := make([]string, 0, len(seen.Members))
	for _, m := range seen.Members {
		clients = append(clients, m.ClientID)
	}
	if len(clients) == 0 {
		if seen.Grant == nil {
			return nil, 0
		}
		return []RoleStep{{Verb: DeleteGrant, Grant: *seen.Grant, Reason: "no key is bound to the role any more"}}, 0
	}
	grant := want.Grant(clients)
	reason := grantDiffers(grant, seen.Grant)
	if reason == "" {
		return nil, 0
	}
	if wait := coalesce(seen, now); wait > 0 && reason == reasonNewClients {
		return nil, wait
	}
	return []RoleStep{{Verb: PutGrant, Grant: grant, Reason: reason}}, 0
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
