package oktasim

import (
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// wellKnown is the org's public description.
func (o *Org) wellKnown(*call) (*reply, error) {
	pipeline := "idx"
	if o.options.Classic {
		pipeline = "v1"
	}
	return ok(map[string]any{
		"id": o.id, "cell": "sim", "pipeline": pipeline,
		"_links": map[string]any{"organization": map[string]any{"href": o.url("")}},
		"settings": map[string]any{
			"analyticsCollectionEnabled": false, "bugReportingEnabled": true, "omEnabled": false,
			"pssoEnabled": false, "desktopMFAEnabled": false, "itpEnabled": false,
		},
	})
}

func (o *Org) getPrivileges(*call) (*reply, error) {
	return ok(map[string]any{"clientPrivilegesSetting": o.options.ClientsGetSuperAdmin})
}

func (o *Org) putPrivileges(c *call) (*reply, error) {
	body, err := parse(c, shape.Object{"clientPrivilegesSetting": shape.Bool{}}, "clientPrivilegesSetting")
	if err != nil {
		return nil, err
	}
	if body["clientPrivilegesSetting"] == nil {
		return nil, validation("clientPrivilegesSetting", "clientPrivilegesSetting: The field cannot be left blank")
	}
	o.options.ClientsGetSuperAdmin = body.flag("clientPrivilegesSetting")
	return o.getPrivileges(c)
}
