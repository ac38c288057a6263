package model

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// administering are the permissions of Okta's own that the configuration allows.
var administering = []string{"okta.groups.read", "okta.users.read"}

// adminResources are what it allows them over.
func adminResources() map[string][]string {
	allowed := map[string][]string{}
	for _, name := range administering {
		allowed[name] = []string{orgURL + "/api/v1/users"}
	}
	return allowed
}

// adminActions are about what people administer in Okta.
func adminActions() []action {
	return []action{
		{"Administer", 6, administer},
		{"EditAdminRole", 4, editAdminRole},
	}
}

// administer gives those who hold a role permissions of Okta's own, or takes them.
func administer(w *world, a args) string {
	role, is := pick[*v1alpha1.AIAgentRole](w, "AIAgentRole", a[0])
	if !is {
		return ""
	}
	role.Spec.Permissions = slices.DeleteFunc(role.Spec.Permissions, func(p v1alpha1.Permission) bool {
		return slices.Contains(administering, string(p.Name))
	})
	for i, name := range administering {
		if a[1]>>i&1 == 1 {
			role.Spec.Permissions = append(role.Spec.Permissions, v1alpha1.Permission{Name: v1alpha1.PermissionName(name)})
		}
	}
	return said(w.kube.update(role, false), "a person lets those in AIAgentRole %s/%s administer %v", role.Namespace, role.Name, administered(role))
}

// administered are the permissions of Okta's own that the role names, sorted.
func administered(role *v1alpha1.AIAgentRole) []string {
	var names []string
	for _, p := range role.Spec.Permissions {
		if slices.Contains(administering, string(p.Name)) {
			names = append(names, string(p.Name))
		}
	}
	slices.Sort(names)
	return names
}

// editAdminRole lets a person in Okta give more by an admin role of the operator's, or
// delete it.
func editAdminRole(w *world, a args) string {
	roles := w.ownAdminRoles(w.org.Snapshot())
	if len(roles) == 0 {
		return ""
	}
	role := roles[a.of(0, len(roles))]
	path := "/api/v1/iam/roles/" + role.ID
	w.memory.stale = true
	switch a.of(1, 3) {
	case 0:
		_, err := w.person.call(http.MethodPost, path+"/permissions/okta.apps.read", nil)
		return said(err, "a person in Okta adds okta.apps.read to admin role %s", role.Label)
	case 1:
		_, err := w.person.call(http.MethodPut, path, map[string]any{"label": role.Label + " (renamed)", "description": role.Description})
		return said(err, "a person in Okta renames admin role %s", role.Label)
	}
	_, err := w.person.call(http.MethodDelete, path, nil)
	return said(err, "a person in Okta deletes admin role %s", role.Label)
}

func (w *world) ownAdminRoles(state oktasim.State) []oktasim.AdminRole {
	return kept(state.AdminRoles, func(r oktasim.AdminRole) bool { return strings.Contains(r.Description, "cluster="+cluster+";") })
}

// administeringAsNamed holds that the group of a role administers exactly what the role
// names, when no ceiling is over it, and that nobody else does.
func administeringAsNamed(v *view) error {
	owners := map[string]bool{}
	for _, role := range v.roles {
		mark := "uid=" + string(role.UID)
		owners[mark] = true
		group, found := v.groupOf(role)
		if !found || v.heldUp(role) {
			continue
		}
		want := administered(role)
		if v.ceiling() != nil {
			want = nil
		}
		if got := v.administers(mark, group.ID); !slices.Equal(got, want) {
			return fmt.Errorf("those in %s/%s administer %v, and it names %v", role.Namespace, role.Name, got, want)
		}
	}
	for _, set := range v.state.ResourceSets {
		at := strings.Index(set.Description, "uid=")
		if !strings.Contains(set.Description, "cluster="+cluster+";") || at < 0 || v.memory.anyRoleLost() {
			continue
		}
		mark, _, _ := strings.Cut(set.Description[at:], ";")
		if !owners[mark] {
			return fmt.Errorf("resource set %s belongs to no role", set.Label)
		}
	}
	return nil
}

// heldUp tells that something else is in the way of the role.
func (v *view) heldUp(role *v1alpha1.AIAgentRole) bool {
	return v.memory.names[inOkta(role)] || slices.ContainsFunc(namesOf(role), func(name string) bool { return v.memory.scopes[name] })
}

// administers are the permissions that the group has by the owner's admin role, sorted.
func (v *view) administers(mark, group string) []string {
	var names []string
	for _, set := range v.state.ResourceSets {
		for _, binding := range set.Bindings {
			at := slices.IndexFunc(v.state.AdminRoles, func(r oktasim.AdminRole) bool { return r.ID == binding.RoleID })
			if at < 0 || !strings.Contains(set.Description, mark) || !slices.Equal(binding.Members, []string{group}) {
				continue
			}
			names = append(names, v.state.AdminRoles[at].Permissions...)
		}
	}
	slices.Sort(names)
	return names
}
