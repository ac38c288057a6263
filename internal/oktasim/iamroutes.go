package oktasim

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

const (
	rolesRead   = "okta.roles.read"
	rolesManage = "okta.roles.manage"
)

// The paths of custom admin roles and of what they are assigned by.
const (
	iamRoles      = "/api/v1/iam/roles"
	iamRole       = iamRoles + "/{roleIdOrLabel}"
	resourceSets  = "/api/v1/iam/resource-sets"
	oneSet        = resourceSets + "/{resourceSetIdOrLabel}"
	setBinding    = oneSet + "/bindings/{roleIdOrLabel}"
	bindingMember = setBinding + "/members/{memberId}"
)

func iamRoutes() []route {
	return inBucket(throttle.Management, slices.Concat(customRoleRoutes(), resourceSetRoutes(), bindingRoutes()))
}

func customRoleRoutes() []route {
	return []route{
		{method: "GET", template: iamRoles, scope: rolesRead, handle: (*Org).listCustomRoles, query: []string{"after"}},
		{method: "POST", template: iamRoles, scope: rolesManage, handle: (*Org).createCustomRole},
		{method: "GET", template: iamRole, scope: rolesRead, handle: (*Org).getCustomRole},
		{method: "PUT", template: iamRole, scope: rolesManage, handle: (*Org).putCustomRole},
		{method: "DELETE", template: iamRole, scope: rolesManage, handle: (*Org).deleteCustomRole},
		{method: "GET", template: iamRole + "/permissions", scope: rolesRead, handle: (*Org).listRolePermissions},
		{method: "GET", template: iamRole + "/permissions/{permissionType}", scope: rolesRead, handle: (*Org).getRolePermission},
		{method: "POST", template: iamRole + "/permissions/{permissionType}", scope: rolesManage, handle: (*Org).addRolePermission},
		{method: "DELETE", template: iamRole + "/permissions/{permissionType}", scope: rolesManage, handle: (*Org).removeRolePermission},
	}
}

func resourceSetRoutes() []route {
	return []route{
		{method: "GET", template: resourceSets, scope: rolesRead, handle: (*Org).listResourceSets, query: []string{"after"}},
		{method: "POST", template: resourceSets, scope: rolesManage, handle: (*Org).createResourceSet},
		{method: "GET", template: oneSet, scope: rolesRead, handle: (*Org).getResourceSet},
		{method: "PUT", template: oneSet, scope: rolesManage, handle: (*Org).putResourceSet},
		{method: "DELETE", template: oneSet, scope: rolesManage, handle: (*Org).deleteResourceSet},
		{
			method: "GET", template: oneSet + "/resources", scope: rolesRead, handle: (*Org).listSetResources,
			query: []string{"after", "limit"},
		},
		{method: "PATCH", template: oneSet + "/resources", scope: rolesManage, handle: (*Org).addSetResources},
		{method: "GET", template: oneSet + "/resources/{resourceId}", scope: rolesRead, handle: (*Org).getSetResource},
		{method: "DELETE", template: oneSet + "/resources/{resourceId}", scope: rolesManage, handle: (*Org).removeSetResource},
	}
}

func bindingRoutes() []route {
	return []route{
		{method: "GET", template: oneSet + "/bindings", scope: rolesRead, handle: (*Org).listBindings, query: []string{"after"}},
		{method: "POST", template: oneSet + "/bindings", scope: rolesManage, handle: (*Org).createBinding},
		{method: "GET", template: setBinding, scope: rolesRead, handle: (*Org).getBinding},
		{method: "DELETE", template: setBinding, scope: rolesManage, handle: (*Org).deleteBinding},
		{
			// The limit is recorded, and not described.
			method: "GET", template: setBinding + "/members", scope: rolesRead, handle: (*Org).listBindingMembers,
			query: []string{"after", "limit"},
		},
		{method: "PATCH", template: setBinding + "/members", scope: rolesManage, handle: (*Org).addBindingMembers},
		{method: "GET", template: bindingMember, scope: rolesRead, handle: (*Org).getBindingMember},
		{method: "DELETE", template: bindingMember, scope: rolesManage, handle: (*Org).removeBindingMember},
	}
}

// iamPage is how many objects one answer lists; the next link stands in the body.
const iamPage = 100

// longestPage is the longest that is recorded where an answer may be longer.
const longestPage = 200

// iamList answers with one page of a collection below its name in an object.
func iamList[T entity](o *Org, c *call, name string, p page, all *collection[T], links map[string]any, render func(T) any) (*reply, error) {
	rendered := []any{}
	last := 0
	for _, object := range all.order {
		if object.base().seq <= p.after || !o.listed(object, c.now) {
			continue
		}
		if len(rendered) == p.limit {
			links["next"] = map[string]any{"href": o.selfLink(c, cursor(last))}
			break
		}
		last = object.base().seq
		rendered = append(rendered, render(object))
	}
	return ok(map[string]any{name: rendered, "_links": links})
}

// takenLabel is the refusal of a second object with a label.
func takenLabel() error {
	return validation("label", "label: An object with this field already exists in the current organization")
}

// readLabelled checks what every object with a label must have.
func readLabelled(body document) error {
	for _, required := range []string{"label", "description"} {
		if body.text(required) == "" {
			return validation(required, required+": The field cannot be left blank")
		}
	}
	return nil
}
