package oktasim_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// varies are fields that some recorded answers have and others do not, for Okta has
// added them over the years or by edition. An org that has them or has them not is
// as good as a real one.
func varies() map[string]string {
	return map[string]string{
		`^(\[\]\.)?orn$`:                  "added in 2024",
		`^(\[\]\.)?universalLogout(\.|$)`: "an edition of Okta",
		`^(\[\]\.)?settings\.(emOptInStatus|implicitAssignment|manualProvisioning)$`:                                                  "added over the years",
		`^(\[\]\.)?settings\.oauthClient\.(dpop_bound_access_tokens|participate_slo|consent_method)$`:                                 "added over the years, or by edition",
		`^(\[\]\.)?credentials\.oauthClient\.pkce_required$`:                                                                          "added over the years",
		`^(\[\]\.)?_links\.(accessPolicy|policies|profileEnrollment)(\.|$)`:                                                           "Identity Engine only",
		`^(\[\]\.)?_links\.(owners|resourceServerCredentialsKeys)(\.|$)`:                                                              "added over the years",
		`^settings\.(analyticsCollectionEnabled|bugReportingEnabled|omEnabled|pssoEnabled|desktopMFAEnabled|itpEnabled|op4wEnabled)$`: "features of an org",
		`^(\[\]\.)?_links\.mappings(\.|$)`:                                                                                            "added over the years",
		`^(\[\]\.)?_embedded(\.|$)`:                                                                                                   "added over the years",
		`^(\[\]\.)?conditions\.riskScore(\.|$)`:                                                                                       "an edition of Okta",
		`^(\[\]\.)?actions\.appSignOn\.keepMeSignedIn(\.|$)`:                                                                          "added over the years",
		`^displayRemediationMode$`:                                                                                                    "an edition of Okta",
		`^(\[\]\.)?settings\.(factors\.|type$)`:                                                                                       "what an org offers",
		`^(\[\]\.)?(realmId|type\.id|activated)$`:                                                                                     "an edition of Okta",

		`^isCloneable$`: "added in 2025, and not described",

		// Users and authenticators.
		`^_links\.resetFactors(\.|$)`: "what the caller's admin role allows",
		`^_links\.aaguids(\.|$)`:      "a feature of an org",
		`^settings\.(enrollmentSecurityLevel|userVerificationMethods(\[\])?)$`: "added over the years",
	}
}

// variable is all of varies in one expression.
func variable() *regexp.Regexp {
	return regexp.MustCompile(strings.Join(slices.Sorted(maps.Keys(varies())), "|"))
}

// sameShape compares the fields two bodies have and their types. A null may stand
// for anything, and for an absent field; an empty array has no fields to compare.
func sameShape(vary *regexp.Regexp, want, got any) error {
	wanted, given := map[string]string{}, map[string]string{}
	describe("", want, wanted)
	describe("", got, given)
	differences := append(missing(vary, wanted, given), surplus(vary, wanted, given)...)
	if len(differences) > 0 {
		return fmt.Errorf("another shape: %s", strings.Join(differences, ", "))
	}
	return nil
}

func missing(vary *regexp.Regexp, wanted, given map[string]string) []string {
	var found []string
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		switch {
		case vary.MatchString(path), wanted[path] == "null", given[path] == "null", inEmpty(path, given):
		case given[path] == "":
			found = append(found, path+" is missing")
		case given[path] != wanted[path]:
			found = append(found, fmt.Sprintf("%s is %s instead of %s", path, given[path], wanted[path]))
		}
	}
	return found
}

func surplus(vary *regexp.Regexp, wanted, given map[string]string) []string {
	var found []string
	for _, path := range slices.Sorted(maps.Keys(given)) {
		if wanted[path] == "" && given[path] != "null" && !vary.MatchString(path) && !inEmpty(path, wanted) {
			found = append(found, path+" is too much")
		}
	}
	return found
}

// inEmpty tells a path that lies in an array without elements, in an object that
// is null, or in one that is not there at all.
func inEmpty(path string, shape map[string]string) bool {
	for i, r := range path {
		if r != '.' && r != '[' {
			continue
		}
		switch shape[path[:i]] {
		case "empty array", "null":
			return true
		}
	}
	return false
}

func describe(path string, value any, into map[string]string) {
	switch v := value.(type) {
	case nil:
		if into[path] == "" {
			into[path] = "null"
		}
	case object:
		into[path] = "object"
		for name, each := range v {
			describe(strings.TrimPrefix(path+"."+name, "."), each, into)
		}
	case []any:
		if len(v) == 0 {
			into[path] = "empty array"
			return
		}
		into[path] = "array"
		for _, each := range v {
			describe(path+"[]", each, into)
		}
	default:
		into[path] = fmt.Sprintf("%T", v)
	}
}
