package oktasim

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// The OAuth scopes of what decides who may sign in, and from where.
const (
	policiesRead     = "okta.policies.read"
	policiesManage   = "okta.policies.manage"
	zonesRead        = "okta.networkZones.read"
	zonesManage      = "okta.networkZones.manage"
	assurancesRead   = "okta.deviceAssurance.read"
	assurancesManage = "okta.deviceAssurance.manage"
)

// accessRoutes lists every operation on what decides who may sign in.
func accessRoutes() []route {
	return slices.Concat(orgPolicyRoutes(), orgRuleRoutes(), zoneRoutes(), assuranceRoutes())
}

func orgPolicyRoutes() []route {
	const (
		all = "/api/v1/policies"
		one = all + "/{policyId}"
		// together names no path parameter: all policies of the org are one list of
		// priorities for each type, and a writer cannot tell from the path which.
		together = "the policies of the org"
	)
	listed := []route{
		{
			method: "GET", template: all, scope: policiesRead, handle: (*Org).listOrgPolicies,
			query: []string{"type", "q", "status", "limit", "after"},
		},
		{
			method: "POST", template: all, scope: policiesManage, handle: (*Org).createOrgPolicy, locks: together,
			query: []string{"activate"},
		},
		{method: "GET", template: one, scope: policiesRead, handle: (*Org).getOrgPolicy},
		{method: "PUT", template: one, scope: policiesManage, handle: (*Org).putOrgPolicy, locks: together},
		{method: "DELETE", template: one, scope: policiesManage, handle: (*Org).deleteOrgPolicy, locks: together},
		{method: "POST", template: one + "/lifecycle/activate", scope: policiesManage, handle: (*Org).activateOrgPolicy},
		{method: "POST", template: one + "/lifecycle/deactivate", scope: policiesManage, handle: (*Org).deactivateOrgPolicy},
		{method: "GET", template: one + "/mappings", scope: policiesRead, handle: (*Org).listMappings},
		{method: "GET", template: one + "/mappings/{mappingId}", scope: policiesRead, handle: (*Org).getMapping},
		{method: "GET", template: one + "/app", scope: policiesRead, handle: (*Org).listMappedApps},
	}
	return append(inBucket(throttle.Management, listed), route{
		method: "PUT", template: "/api/v1/apps/{appId}/policies/{policyId}", bucket: throttle.Apps, scope: appsManage,
		handle: (*Org).mapApp,
	})
}

func orgRuleRoutes() []route {
	const (
		all      = "/api/v1/policies/{policyId}/rules"
		one      = all + "/{ruleId}"
		byPolicy = "policyId"
	)
	listed := []route{
		{method: "GET", template: all, scope: policiesRead, handle: (*Org).listOrgRules},
		{
			method: "POST", template: all, scope: policiesManage, handle: (*Org).createOrgRule, locks: byPolicy,
			query: []string{"activate"},
		},
		{method: "GET", template: one, scope: policiesRead, handle: (*Org).getOrgRule},
		{method: "PUT", template: one, scope: policiesManage, handle: (*Org).putOrgRule, locks: byPolicy},
		{method: "DELETE", template: one, scope: policiesManage, handle: (*Org).deleteOrgRule, locks: byPolicy},
		{method: "POST", template: one + "/lifecycle/activate", scope: policiesManage, handle: (*Org).activateOrgRule},
		{method: "POST", template: one + "/lifecycle/deactivate", scope: policiesManage, handle: (*Org).deactivateOrgRule},
	}
	return inBucket(throttle.Management, listed)
}

func zoneRoutes() []route {
	const (
		all = "/api/v1/zones"
		one = all + "/{zoneId}"
	)
	listed := []route{
		{
			method: "GET", template: all, scope: zonesRead, handle: (*Org).listZones,
			query: []string{"filter", "limit", "after"},
		},
		{method: "POST", template: all, scope: zonesManage, handle: (*Org).createZone},
		{method: "GET", template: one, scope: zonesRead, handle: (*Org).getZone},
		{method: "PUT", template: one, scope: zonesManage, handle: (*Org).putZone},
		{method: "DELETE", template: one, scope: zonesManage, handle: (*Org).deleteZone},
		{method: "POST", template: one + "/lifecycle/activate", scope: zonesManage, handle: (*Org).activateZone},
		{method: "POST", template: one + "/lifecycle/deactivate", scope: zonesManage, handle: (*Org).deactivateZone},
	}
	return inBucket(throttle.Management, listed)
}

// assuranceRoutes are counted with the management bucket: Okta has one of their own
// for them, and does not say how large it is.
func assuranceRoutes() []route {
	const (
		all = "/api/v1/device-assurances"
		one = all + "/{deviceAssuranceId}"
	)
	listed := []route{
		{method: "GET", template: all, scope: assurancesRead, handle: (*Org).listAssurances},
		{method: "POST", template: all, scope: assurancesManage, handle: (*Org).createAssurance},
		{method: "GET", template: one, scope: assurancesRead, handle: (*Org).getAssurance},
		{method: "PUT", template: one, scope: assurancesManage, handle: (*Org).putAssurance},
		{method: "DELETE", template: one, scope: assurancesManage, handle: (*Org).deleteAssurance},
	}
	return inBucket(throttle.Management, listed)
}
