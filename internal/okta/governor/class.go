package governor

import "strings"

// Class is a set of endpoints that share one rate limit in Okta.
type Class struct {
	// Name stands in metrics.
	Name string
	// Assumed is the limit per minute until an answer tells the real one: the
	// smallest Okta has published (Integrator Free).
	Assumed int
}

// endpoint is one line of the table of classes. A "*" stands for one segment, a
// last "**" for one or more.
type endpoint struct {
	pattern string
	class   Class
}

// endpoints is the table, first match first. Numbers and grouping are Okta's last
// published ones; what is not listed shares the limit of the API as a whole.
func endpoints() []endpoint {
	return []endpoint{
		{"/api/v1/apps", Class{"apps", 20}},
		{"/api/v1/apps/*", Class{"app", 100}},
		{"/api/v1/apps/**", Class{"apps", 20}},
		{"/api/v1/groups", Class{"groups", 100}},
		{"/api/v1/groups/*", Class{"group", 100}},
		{"/api/v1/groups/**", Class{"groups", 100}},
		{"/api/v1/users", Class{"users", 100}},
		{"/api/v1/users/*", Class{"user", 100}},
		{"/api/v1/users/**", Class{"users", 100}},
		{"/api/v1/logs", Class{"logs", 20}},
		{"/api/v1/iam/**", Class{"iam", 100}},
		{"/api/v1/device-assurances", Class{"devices", 100}},
		{"/api/v1/device-assurances/**", Class{"devices", 100}},
		{"/api/v1/principal-rate-limits", Class{"principal-rate-limits", 20}},
		{"/api/v1/**", Class{"api", 100}},
		{"/oauth2/v1/clients", Class{"clients", 25}},
		{"/oauth2/v1/clients/**", Class{"clients", 25}},
		{"/oauth2/v1/token", Class{"token", 100}},
		{"/oauth2/*/v1/token", Class{"token", 100}},
		{"/oauth2/*/v1/revoke", Class{"token", 100}},
	}
}

// ClassOf gives the class of a path.
func ClassOf(path string) Class {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for _, e := range endpoints() {
		if matches(strings.Split(strings.Trim(e.pattern, "/"), "/"), segments) {
			return e.class
		}
	}
	return Class{"other", 20}
}

func matches(pattern, segments []string) bool {
	for i, want := range pattern {
		if i == len(segments) {
			return false
		}
		if want == "**" {
			return true
		}
		if want != "*" && want != segments[i] {
			return false
		}
	}
	return len(pattern) == len(segments)
}
