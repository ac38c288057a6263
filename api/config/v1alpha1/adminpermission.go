package v1alpha1

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// AdminPermission allows a permission of Okta's own administration.
type AdminPermission struct {
	// permission is its name, such as okta.users.read. One by which its holder could gain
	// more than it says is refused.
	Permission string `json:"permission"`

	// resources are what it may be given over, as Okta's resource sets take them: addresses
	// under okta.orgURL, of all of a kind, of one object, or of the users of a group, such as
	// https://example.okta.com/api/v1/groups/00g…/users; or names, such as
	// orn:okta:directory:00o…:users. 1 to 1000. Where Okta shows one as another, nothing is
	// given, and the role says so.
	Resources []string `json:"resources"`
}

// maxResources is Okta's limit for a resource set.
const maxResources = 1000

func (o Okta) validateAdminPermissions() error {
	var all []error
	seen := map[string]bool{}
	for i, allowed := range o.AdminPermissions {
		field := fmt.Sprintf("okta.adminPermissions[%d].", i)
		name := allowed.Permission
		all = append(all,
			validAdminPermission(field+"permission", name),
			require(!seen[name], field+"permission", "must be allowed once", name),
			require(len(allowed.Resources) > 0 && len(allowed.Resources) <= maxResources,
				field+"resources", "must be 1 to 1000 resources", len(allowed.Resources)))
		seen[name] = true
		for j, resource := range allowed.Resources {
			all = append(all, require(!slices.Contains(allowed.Resources[:j], resource), fmt.Sprintf("%sresources[%d]", field, j),
				"must be named once", resource))
			all = append(all, require(o.isResource(resource), fmt.Sprintf("%sresources[%d]", field, j),
				"must be the address of all of a kind, of one object, or of the users of a group, "+
					"under okta.orgURL + /api/v1/, without a slash at its end, or a name that begins with orn:", resource))
		}
	}
	return errors.Join(all...)
}

func validAdminPermission(field, name string) error {
	if !strings.HasPrefix(name, identity.AdminPrefix) {
		return require(false, field, "must be a permission of Okta's, which begin with "+identity.AdminPrefix, name)
	}
	why := identity.Escalates(name)
	return require(why == "", field, "cannot be allowed, for "+why, name)
}

func (o Okta) isResource(text string) bool {
	below, isAddress := strings.CutPrefix(text, strings.TrimSuffix(o.OrgURL, "/")+"/api/v1/")
	return isAddress && regexp.MustCompile(`^([A-Za-z][A-Za-z-]*(/[A-Za-z0-9_-]+)?|groups/[A-Za-z0-9_-]+/users)$`).MatchString(below) ||
		regexp.MustCompile(`^orn:[a-z]+(:[A-Za-z0-9_-]+)+$`).MatchString(text)
}
