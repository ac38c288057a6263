package oktasim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	iamRoles     = "/api/v1/iam/roles"
	resourceSets = "/api/v1/iam/resource-sets"
)

func (w *world) roleBody(label string, permissions ...string) object {
	return object{"label": label, "description": "a role", "permissions": permissions}
}

func (w *world) setBody(label string, resources ...string) object {
	return object{"label": label, "description": "a set", "resources": resources}
}

// driveAdminRoles uses every operation on custom admin roles once.
func (w *world) driveAdminRoles() {
	user := w.org.AddUser("admin@example.com")
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "admins"}}).text("id")
	role := w.do(200, "POST", iamRoles, w.roleBody("readers", "okta.users.read")).text("id")
	one := iamRoles + "/" + role
	w.do(200, "GET", iamRoles, nil)
	w.do(200, "GET", iamRoles+"/readers", nil)
	w.do(200, "PUT", one, object{"label": "readers", "description": "who read"})
	w.do(204, "POST", one+"/permissions/okta.groups.read", nil)
	w.do(200, "GET", one+"/permissions", nil)
	w.do(200, "GET", one+"/permissions/okta.groups.read", nil)
	w.do(204, "DELETE", one+"/permissions/okta.groups.read", nil)

	set := resourceSets + "/" + w.do(200, "POST", resourceSets, w.setBody("people", w.url+"/api/v1/users")).text("id")
	w.do(200, "GET", resourceSets, nil)
	w.do(200, "GET", set, nil)
	w.do(200, "PUT", set, object{"label": "people", "description": "all people"})
	w.do(200, "PATCH", set+"/resources", object{"additions": []string{w.url + "/api/v1/groups/" + group}})
	resources := w.do(200, "GET", set+"/resources?limit=200", nil).Object["resources"].([]any)
	resource := set + "/resources/" + resources[1].(object)["id"].(string)
	w.do(200, "GET", resource, nil)
	w.do(204, "DELETE", resource, nil)

	w.do(200, "POST", set+"/bindings", object{"role": role, "members": []string{w.url + "/api/v1/groups/" + group}})
	w.do(200, "GET", set+"/bindings", nil)
	binding := set + "/bindings/readers"
	w.do(200, "GET", binding, nil)
	w.do(200, "PATCH", binding+"/members", object{"additions": []string{w.url + "/api/v1/users/" + user}})
	members := w.do(200, "GET", binding+"/members", nil).Object["members"].([]any)
	member := binding + "/members/" + members[1].(object)["id"].(string)
	w.do(200, "GET", member, nil)
	w.do(204, "DELETE", member, nil)
	w.do(204, "DELETE", binding, nil)
	w.do(204, "DELETE", one, nil)
	w.do(204, "DELETE", set, nil)
	w.do(204, "DELETE", "/api/v1/groups/"+group, nil)
}

func TestAdminRolesRefused(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	user := w.url + "/api/v1/users/" + w.org.AddUser("jane@example.com")
	role := w.do(200, "POST", iamRoles, w.roleBody("readers", "okta.users.read")).text("id")
	set := w.do(200, "POST", resourceSets, w.setBody("people", w.url+"/api/v1/users")).text("id")
	bindings := resourceSets + "/" + set + "/bindings"
	w.do(200, "POST", bindings, object{"role": role, "members": []string{user}})
	resource := w.do(200, "GET", resourceSets+"/people/resources", nil).Object["resources"].([]any)[0].(object)["id"].(string)
	tests := map[string]struct {
		reason       string
		want         int
		method, path string
		body         any
	}{
		"SameRole":       {"labels are unique", 400, "POST", iamRoles, w.roleBody("readers", "okta.users.read")},
		"SameSet":        {"labels are unique", 400, "POST", resourceSets, w.setBody("people", w.url+"/api/v1/users")},
		"NoDescription":  {"it is required", 400, "POST", iamRoles, object{"label": "x", "permissions": []string{"okta.users.read"}}},
		"NoPermission":   {"a role must have one", 400, "POST", iamRoles, w.roleBody("x")},
		"NoSuch":         {"there is no such permission", 400, "POST", iamRoles, w.roleBody("x", "okta.users.frobnicate")},
		"Governance":     {"standard roles only", 400, "POST", iamRoles, w.roleBody("x", "okta.governance.accessRequests.manage")},
		"Twice":          {"it has it", 400, "POST", iamRoles + "/" + role + "/permissions/okta.users.read", nil},
		"LastPermission": {"a role must have one", 400, "DELETE", iamRoles + "/" + role + "/permissions/okta.users.read", nil},
		"NotHad":         {"it has it not", 404, "DELETE", iamRoles + "/" + role + "/permissions/okta.apps.read", nil},
		"PutPermissions": {"PUT is for words", 400, "PUT", iamRoles + "/" + role, w.roleBody("readers", "okta.apps.read")},
		"NoResource":     {"a set must have one", 400, "POST", resourceSets, w.setBody("x")},
		"LastResource":   {"a set must have one", 400, "DELETE", resourceSets + "/people/resources/" + resource, nil},
		"SameResource": {
			"a URL and a name of the same", 400, "PATCH", resourceSets + "/people/resources",
			object{"additions": []string{"orn:okta:directory:" + w.orgID() + ":users"}},
		},
		"OtherOrg":     {"it is not of the org", 400, "POST", resourceSets, w.setBody("x", "https://example.okta.com/api/v1/users")},
		"NoGroup":      {"there is no such group", 400, "POST", resourceSets, w.setBody("x", w.url+"/api/v1/groups/00gNone")},
		"Bound":        {"one binding for a role", 409, "POST", bindings, object{"role": role, "members": []string{user}}},
		"Nobody":       {"nothing is added", 400, "PATCH", bindings + "/readers/members", object{"additions": []string{}}},
		"ByLabel":      {"a binding names the id", 404, "POST", bindings, object{"role": "readers", "members": []string{user}}},
		"BoundRole":    {"its binding comes first", 400, "DELETE", iamRoles + "/" + role, nil},
		"BoundSet":     {"its binding comes first", 400, "DELETE", resourceSets + "/" + set, nil},
		"UnknownField": {"it would be ignored", 400, "POST", bindings, object{"role": role, "members": []string{user}, "x": 1}},
		"NoRole":       {"there is none", 404, "GET", iamRoles + "/nobody", nil},
		"NoBinding":    {"there is none", 404, "GET", bindings + "/cr0None", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			before := w.org.Snapshot()
			if r, err := w.try(test.method, test.path, test.body); err != nil || r.Status != test.want {
				t.Errorf("%s: got %d, %v, want %d: %s", test.reason, r.Status, err, test.want, r.Raw)
			}
			if diff := cmp.Diff(before, w.org.Snapshot()); diff != "" {
				t.Errorf("%s: what was refused has changed something:\n%s", test.reason, diff)
			}
		})
	}
}

func (w *world) orgID() string {
	return w.do(200, "GET", "/.well-known/okta-organization", nil).text("id")
}

// TestResourcesHaveTwoNames: a URL and a name of Okta's lead to the same resource.
func TestResourcesHaveTwoNames(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "team"}}).text("id")
	app := w.do(200, "POST", "/api/v1/apps", serviceApp("agent-app", "app")).text("id")
	directory, idp := "orn:okta:directory:"+w.orgID(), "orn:okta:idp:"+w.orgID()
	for url, orn := range map[string]string{
		"/api/v1/users":                        directory + ":users",
		"/api/v1/groups":                       directory + ":groups",
		"/api/v1/groups/" + group:              directory + ":groups:" + group,
		"/api/v1/groups/" + group + "/users":   directory + ":groups:" + group + ":contained_resources",
		"/api/v1/apps":                         idp + ":apps",
		"/api/v1/apps/" + app:                  idp + ":apps:oidc_client:" + app,
		"/api/v1/authorizationServers":         idp + ":authorization_servers",
		"/api/v1/authorizationServers/default": idp + ":authorization_servers:default",
	} {
		for i, text := range []string{w.url + url, orn} {
			set := w.do(200, "POST", resourceSets, w.setBody(fmt.Sprintf("%d %s", i, orn[30:]), text)).text("id")
			r := w.do(200, "GET", resourceSets+"/"+set+"/resources", nil).Object["resources"].([]any)[0].(object)
			if r["orn"] != orn || dig(r, "_links", "self", "href") != w.url+url {
				t.Errorf("%s is shown as %v at %v", text, r["orn"], dig(r, "_links", "self", "href"))
			}
		}
	}
}

// TestAdminListsHavePages: the link to the next page stands in the body.
func TestAdminListsHavePages(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	for i := range 101 {
		w.do(200, "POST", iamRoles, w.roleBody(fmt.Sprintf("role-%d", i), "okta.users.read"))
	}
	first := w.do(200, "GET", iamRoles, nil)
	next, _ := dig(first.Object, "_links", "next", "href").(string)
	if len(first.Object["roles"].([]any)) != 100 || next == "" {
		t.Fatalf("the first page: %s", first.Raw)
	}
	second := w.do(200, "GET", next, nil)
	if len(second.Object["roles"].([]any)) != 1 || dig(second.Object, "_links", "next") != nil {
		t.Errorf("the second page: %s", second.Raw)
	}
}

// TestAdminsLag: what was just made is taken, and not shown yet.
func TestAdminsLag(t *testing.T) {
	w := newWorld(t, oktasim.Options{ListLag: time.Minute, GetLag: time.Minute})
	w.do(200, "POST", iamRoles, w.roleBody("readers", "okta.users.read"))
	w.do(404, "GET", iamRoles+"/readers", nil)
	w.do(400, "POST", iamRoles, w.roleBody("readers", "okta.users.read"))
	if listed := w.do(200, "GET", iamRoles, nil).Object["roles"].([]any); len(listed) != 0 {
		t.Errorf("a list shows at once %v", listed)
	}
	w.clock.Step(time.Minute)
	w.do(200, "GET", iamRoles+"/readers", nil)
}

// TestGroupTakesItsAssignmentsAlong: who is gone has no privilege left.
func TestGroupTakesItsAssignmentsAlong(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "admins"}}).text("id")
	role := w.do(200, "POST", iamRoles, w.roleBody("readers", "okta.users.read")).text("id")
	w.do(200, "POST", resourceSets, w.setBody("people", w.url+"/api/v1/users"))
	members := []string{w.url + "/api/v1/groups/" + group, w.url + "/api/v1/users/" + w.org.AddUser("jane@example.com")}
	w.do(200, "POST", resourceSets+"/people/bindings", object{"role": role, "members": members})
	w.do(204, "DELETE", "/api/v1/groups/"+group, nil)
	if err := w.org.DeleteUser("jane@example.com"); err != nil {
		t.Fatal(err)
	}
	want := []oktasim.ResourceSet{{Label: "people", Description: "a set", Resources: []string{"orn:okta:directory:" + w.orgID() + ":users"}}}
	got := w.org.Snapshot().ResourceSets
	got[0].ID = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}
}

// TestAdminScopes: Okta asks for scopes of their own.
func TestAdminScopes(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.auth = "Bearer " + w.orgToken("groups-only", "okta.groups.manage", "okta.groups.read")
	for _, path := range []string{iamRoles, resourceSets} {
		if r := w.do(403, "GET", path, nil); r.text("errorCode") != "E0000006" {
			t.Errorf("without the scope %s answers %s", path, r.Raw)
		}
	}
}
