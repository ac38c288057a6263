package preview

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// role says what is done in Okta about a role; old is nil for a new one.
func (c comparison) role(old, role *v1alpha1.AIAgentRole) []string {
	after := desired.RoleOf(role, desired.Settings{})
	if old == nil {
		does := []string{"creates a group for its people"}
		does = append(does, c.scopes(after, nil)...)
		if len(after.Permissions) > 0 {
			does = append(does, "creates an access policy: its agents' tokens can hold "+listed(after.PermissionNames()))
		}
		does = append(does, people(desired.Role{}, after)...)
		return append(does, admin(nil, after.Admin)...)
	}
	before := desired.RoleOf(old, desired.Settings{})
	var does []string
	if before.Group.Description != after.Group.Description {
		does = append(does, "changes the description of its group")
	}
	does = append(does, c.scopes(after, before.Permissions)...)
	more, fewer := difference(before.PermissionNames(), after.PermissionNames())
	keys := c.keysOf(role)
	if len(more) > 0 {
		does = append(does, fmt.Sprintf("changes its access policy: tokens of its %s can hold %s too", count(keys, "key"), listed(more)))
	}
	if len(fewer) > 0 {
		does = append(does, fmt.Sprintf("changes its access policy: new tokens of its %s hold no %s any more; the scope stays",
			count(keys, "key"), listed(fewer)))
	}
	does = append(does, people(before, after)...)
	return append(does, admin(before.Admin, after.Admin)...)
}

// scopes are those that no role names yet, and those that are described in other words.
func (c comparison) scopes(after desired.Role, before []identity.Permission) []string {
	var fresh, reworded []string
	for _, p := range after.Permissions {
		at := slices.IndexFunc(before, func(b identity.Permission) bool { return b.Name == p.Name })
		switch {
		case at >= 0 && before[at].Description != p.Description:
			reworded = append(reworded, p.Name)
		case at < 0 && !c.named(p.Name):
			fresh = append(fresh, p.Name)
		}
	}
	var does []string
	if len(fresh) > 0 {
		does = append(does, "creates the scope, where it is not there yet: "+listed(fresh))
	}
	if len(reworded) > 0 {
		does = append(does, "changes the description of the scope "+listed(reworded))
	}
	return does
}

// named tells that a role that was there before names the permission.
func (c comparison) named(permission string) bool {
	return slices.ContainsFunc(all[*v1alpha1.AIAgentRole](c.before), func(role *v1alpha1.AIAgentRole) bool {
		return slices.Contains(desired.RoleOf(role, desired.Settings{}).PermissionNames(), permission)
	})
}

// keysOf counts the keys that name the role.
func (c comparison) keysOf(role *v1alpha1.AIAgentRole) int {
	n := 0
	for _, key := range all[*v1alpha1.AgentAPIKey](c.after) {
		if reference.RoleOf(key) == client.ObjectKeyFromObject(role) {
			n++
		}
	}
	return n
}

func people(before, after desired.Role) []string {
	var does []string
	switch {
	case before.Members != nil && after.Members == nil:
		return append(does, fmt.Sprintf("takes %s out of its group, which is people's to fill from then on",
			count(len(before.Members), "person")))
	case before.Members == nil && after.Members != nil && before.Group.Name != "":
		does = append(does, "takes out of its group who is in it and not named")
	}
	more, fewer := difference(before.Members, after.Members)
	if len(more) > 0 {
		does = append(does, fmt.Sprintf("puts %s into its group: %s", count(len(more), "person"), listed(more)))
	}
	if len(fewer) > 0 {
		does = append(does, fmt.Sprintf("takes %s out of its group: %s", count(len(fewer), "person"), listed(fewer)))
	}
	return append(does, factors(before, after)...)
}

func factors(before, after desired.Role) []string {
	var does []string
	if len(after.Factors) > 0 && (!slices.Equal(before.Factors, after.Factors) || before.StartFactors != after.StartFactors) {
		kinds := make([]string, len(after.Factors))
		for i, kind := range after.Factors {
			kinds[i] = string(kind)
		}
		how := "looks whether its people have enrolled "
		if after.StartFactors {
			how = "starts the enrolment, where it is missing, of "
		}
		does = append(does, how+listed(kinds))
	}
	if len(after.Factors) == 0 && len(before.Factors) > 0 {
		does = append(does, "looks no longer after the second factors of its people, which stay")
	}
	return does
}

func admin(before, after []desired.AdminPermission) []string {
	names := func(all []desired.AdminPermission) []string {
		names := make([]string, len(all))
		for i, p := range all {
			names[i] = p.Name
		}
		return names
	}
	more, fewer := difference(names(before), names(after))
	var does []string
	if len(more) > 0 {
		does = append(does, "gives its people, by a custom admin role, "+listed(more))
	}
	if len(fewer) > 0 {
		does = append(does, "takes from its people "+listed(fewer))
	}
	return does
}

// difference gives what only the one or only the other has.
func difference(before, after []string) (more, fewer []string) {
	for _, name := range after {
		if !slices.Contains(before, name) {
			more = append(more, name)
		}
	}
	for _, name := range before {
		if !slices.Contains(after, name) {
			fewer = append(fewer, name)
		}
	}
	return more, fewer
}

// listed names at most ten.
func listed(names []string) string {
	const most = 10
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if what == "person" {
		return fmt.Sprintf("%d people", n)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
