package openapicheck

import (
	"regexp"
	"strings"
)

// deviation is a place where Okta's description and Okta differ, as its recorded
// answers show. Every other difference is a problem.
type deviation struct {
	// template is the beginning of the operation's path.
	template string
	// part is the half of the exchange it is known for; empty is both.
	part string
	// path is a regular expression for the field.
	path   string
	reason string
}

func deviations() []deviation {
	const apps, servers = "/api/v1/apps", "/api/v1/authorizationServers"
	return []deviation{
		{apps, "", `^settings\.(app|manualProvisioning)$`, "in every recorded app, and sent back by Okta's Terraform provider"},
		{apps, "", `(^|\.)crv$`, "the schema of EC keys has forgotten the curve, without which RFC 7518 allows no EC key"},
		{
			apps, "", `(^|\.|\])(jwks\.keys\[\]\.)?(alg|use)$`,
			"the schema of answers with keys has forgotten what the schema of requests and Okta's own examples have",
		},
		{"/oauth2", "answer", `^keys\[\]\.(e|n|x|y|crv)$`, "the schema of published keys has forgotten the keys"},
		{servers, "", `^default$`, "in every recorded authorization server"},
		{servers, "answer", `^apiResourceId$`, "in every recorded scope"},
		{servers, "", `^conditions\.people\.users\.exclude$`, "in every recorded rule"},
		{"/.well-known/okta-organization", "answer", `^(cell|settings)$`, "in every recorded answer"},
		{"/api/v1/policies/{policyId}/app", "answer", `^settings\.(app|manualProvisioning)$`, "in every recorded app"},
		{"/api/v1/policies", "answer", `^settings\.factors$`, "in recorded enrolment policies of orgs without authenticators"},
		{"/api/v1/device-assurances", "answer", `^resource(Id|Type|DisplayName)$`, "in every recorded device assurance"},
		{
			"/api/v1/users/{userId}/factors/{factorId}/lifecycle/activate", "answer", `^(expiresAt|factorResult)$`,
			"the schema of answers has forgotten the push that waits, which stands beside it as UserFactorActivatePush",
		},
		{"/api/v1/authenticators", "answer", `^settings$`, "in every recorded Google Authenticator"},
		{"/api/v1/users", "answer", `^(realmId|type)`, "in recorded users"},
	}
}

// embedded tells the type of resource of an app sign-in policy, which one half of its
// schema calls a string, as recorded, and the other an object.
func embedded(op *operation, p problem) bool {
	return strings.HasPrefix(op.template, "/api/v1/policies") && strings.HasSuffix(p.path, "_embedded.resourceType")
}

// undescribed gives the operations that Okta has and does not describe, as regular
// expressions with the reason.
func undescribed() map[string]string {
	return map[string]string{
		`^POST /api/v1/users/[^/]+/factors/[^/]+/lifecycle/activate/(poll|email)$`: "a link in Okta's examples, which clients are told to follow",
	}
}

// passcode tells a passcode that fits the schemas of several factors, which are
// described as exclusive and are the same.
func passcode(op *operation, p problem) bool {
	return strings.HasSuffix(op.template, "/factors/{factorId}/lifecycle/activate") && strings.HasPrefix(p.text, "value matches more than one")
}

// boundToken tells the type of a token that is bound to a key, which RFC 9449, section 5,
// names DPoP; Okta's description lists Bearer only, and describes DPoP in its guides.
func boundToken(op *operation, p problem) bool {
	return strings.HasSuffix(op.template, "/v1/token") && p.path == "token_type" &&
		strings.HasPrefix(p.text, "value is not one of the allowed values")
}

// known also lets the two lifecycle operations of apps answer {}, as recorded, where
// the description says that there is no body.
func known(op *operation, p problem) bool {
	if strings.HasPrefix(op.template, "/api/v1/apps/{appId}/lifecycle/") && p.text == noContentType {
		return true
	}
	if embedded(op, p) || passcode(op, p) || boundToken(op, p) {
		return true
	}
	path := strings.TrimPrefix(p.path, "[].")
	for _, d := range deviations() {
		if strings.HasPrefix(op.template, d.template) && (d.part == "" || d.part == p.part) &&
			p.text == "is not in the schema" && regexp.MustCompile(d.path).MatchString(path) {
			return true
		}
	}
	return false
}
