package okta_test

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	iamRoles = "/api/v1/iam/roles"
	iamSets  = "/api/v1/iam/resource-sets"
)

// administration writes down what admins may do.
func administration(s oktasim.State) directorytest.Objects {
	var all directorytest.Objects
	labels := map[string]string{}
	for _, r := range s.AdminRoles {
		labels[r.ID] = r.Label
		all = append(all, fmt.Sprintf("admin role %s %q %v", r.Label, r.Description, slices.Sorted(slices.Values(r.Permissions))))
	}
	for _, set := range s.ResourceSets {
		var bound []string
		for _, b := range set.Bindings {
			bound = append(bound, fmt.Sprintf("%s:%v", labels[b.RoleID], b.Members))
		}
		all = append(all, fmt.Sprintf("resource set %s %q %v over %d resources bound to %v",
			set.Label, set.Description, slices.Sorted(slices.Values(set.Resources)), len(set.Resources), bound))
	}
	return all
}

// resources are all users, by address, and all groups, by Okta's name of them.
func (w *world) resources() []string {
	var known struct{ ID string }
	w.ask(http.MethodGet, "/.well-known/okta-organization", nil, &known)
	return []string{w.url + "/api/v1/users", "orn:okta:directory:" + known.ID + ":groups"}
}

func (w *world) empower(label string) {
	w.send(http.MethodPost, iamRoles+"/"+label+"/permissions/okta.users.manage")
	w.ask(http.MethodPatch, iamSets+"/"+label+"/resources", map[string]any{"additions": []string{w.url + "/api/v1/apps"}}, nil)
	w.ask(http.MethodPatch, iamSets+"/"+label+"/bindings/"+label+"/members", map[string]any{
		"additions": []string{w.url + "/api/v1/users/" + w.org.AddUser("mallory@example.com")},
	}, nil)
}

func (w *world) disempower(label string) {
	w.send(http.MethodDelete, iamSets+"/"+label+"/bindings/"+label)
	w.send(http.MethodDelete, iamSets+"/"+label)
}

func (w *world) claim(label string, role, set bool) {
	mine := map[string]any{"label": label, "description": "Mine"}
	if role {
		w.ask(http.MethodPut, iamRoles+"/"+label, mine, nil)
	}
	if set {
		w.ask(http.MethodPut, iamSets+"/"+label, mine, nil)
	}
}

func (w *world) relabel(label, other string) {
	for _, l := range w.org.Snapshot().AdminRoles {
		if l.Label == label {
			w.ask(http.MethodPut, iamRoles+"/"+l.ID, map[string]any{"label": other, "description": l.Description}, nil)
		}
	}
	for _, l := range w.org.Snapshot().ResourceSets {
		if l.Label == label {
			w.ask(http.MethodPut, iamSets+"/"+l.ID, map[string]any{"label": other, "description": l.Description}, nil)
		}
	}
}
