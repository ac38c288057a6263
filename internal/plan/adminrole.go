package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// AdminVerb names what a step does about what the people of a role administer.
type AdminVerb string

// The steps about it.
const (
	NarrowAdminRole AdminVerb = "NarrowAdminRole"
	DeleteAdminRole AdminVerb = "DeleteAdminRole"
	PutAdminRole    AdminVerb = "PutAdminRole"
)

// AdminStep is one repeatable step, with the reason for it.
type AdminStep struct {
	Verb   AdminVerb
	Admin  identity.AdminRole
	Reason string
}

// Administers tells that the people of the role are to administer something.
func Administers(want desired.Role) bool { return len(grantable(want)) > 0 }

// AdminFirst is what comes before everything else: what may not stay is taken away. A group
// that does not say that there may be something has nothing; before it says so, the step
// shows that the operator may see to it.
func AdminFirst(want desired.Role, roster identity.Roster) *AdminStep {
	step := adminStep(want, roster)
	if len(step.Admin.Permissions) == 0 {
		if !roster.Administering {
			return nil
		}
		step.Verb, step.Reason = DeleteAdminRole, "the role gives no permission to administer Okta"
		return &step
	}
	step.Verb, step.Reason = NarrowAdminRole, "no more than the role gives may stay"
	return &step
}

// AdminLast is what comes after everything else, once the group says that it is coming.
// Where something of the role is refused, nothing is given.
func AdminLast(want desired.Role, roster identity.Roster) *AdminStep {
	if !roster.Administering || !Administers(want) || AdminRefused(want) != nil {
		return nil
	}
	step := adminStep(want, roster)
	step.Verb, step.Reason = PutAdminRole, "the role gives permissions to administer Okta"
	return &step
}

// adminAgain is how soon an admin role is looked at again: it gives power over the directory,
// and what somebody adds to it is not to stay for as long as other drift may.
const adminAgain = time.Hour

// AdminAgain is when to look again at what people administer; zero when it is nothing.
func AdminAgain(want desired.Role) time.Duration {
	if !Administers(want) {
		return 0
	}
	return adminAgain
}

func adminStep(want desired.Role, roster identity.Roster) AdminStep {
	permissions := grantable(want)
	names := make([]string, 0, len(permissions))
	var resources []string
	for _, p := range permissions {
		names, resources = append(names, p.Name), p.Resources
	}
	return AdminStep{Admin: want.AdminRole(roster.GroupID, names, slices.Sorted(slices.Values(resources)))}
}

// grantable are the okta.* permissions that the role may give: allowed by the configuration
// and by ceilings, and none by which anybody gains more. All of them are over the same, or
// none is given: one over less would be given over what another is over.
func grantable(want desired.Role) []desired.AdminPermission {
	may := slices.DeleteFunc(slices.Clone(want.Admin), func(p desired.AdminPermission) bool {
		return p.Excessive || adminRefused(p) != ""
	})
	if _, _, differ := differing(may); differ {
		return nil
	}
	return may
}

// adminRefused says why a permission is not given; "" when it may be.
func adminRefused(p desired.AdminPermission) string {
	if why := identity.Escalates(p.Name); why != "" {
		return why + ", so no configuration can allow it; remove it from spec.permissions"
	}
	if len(p.Resources) == 0 {
		return "it administers the Okta organization itself, and okta.adminPermissions of the operator's configuration does not allow it; " +
			"have it allowed there, or remove it from spec.permissions"
	}
	return ""
}

// AdminRefused says what of the role's okta.* permissions is not given, though ceilings let
// it; nil for nothing. Agents are not touched by that.
func AdminRefused(want desired.Role) error {
	for _, p := range want.Admin {
		if why := adminRefused(p); why != "" {
			return reserved(fmt.Sprintf("permission %q cannot be granted: %s", p.Name, why))
		}
	}
	may := slices.DeleteFunc(slices.Clone(want.Admin), func(p desired.AdminPermission) bool { return p.Excessive })
	if a, b, differ := differing(may); differ {
		return reserved(fmt.Sprintf("permissions %q and %q cannot be granted by one role: okta.adminPermissions of the operator's "+
			"configuration allows them over different resources; put them into two roles", a, b))
	}
	return nil
}

func reserved(message string) error {
	return &identity.Error{Kind: identity.Rejected, Reason: "ReservedPermission", Message: message}
}

// differing names two of the permissions that are over different resources.
func differing(all []desired.AdminPermission) (a, b string, differ bool) {
	for _, p := range all {
		if !slices.Equal(slices.Sorted(slices.Values(all[0].Resources)), slices.Sorted(slices.Values(p.Resources))) {
			return all[0].Name, p.Name, true
		}
	}
	return "", "", false
}
