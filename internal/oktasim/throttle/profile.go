package throttle

import (
	"fmt"
	"strconv"
	"strings"
)

// Bucket names a set of endpoints that are counted together.
type Bucket string

// The buckets, named by the path that leads them.
const (
	// Apps holds list, create and everything below one app.
	Apps Bucket = "/api/v1/apps"
	// App holds GET, PUT and DELETE of one app.
	App Bucket = "/api/v1/apps/{appId}"
	// Groups holds list, create and the members of one group.
	Groups Bucket = "/api/v1/groups"
	// Group holds GET, PUT and DELETE of one group.
	Group Bucket = "/api/v1/groups/{groupId}"
	// Users holds list, and everything below one user.
	Users Bucket = "/api/v1/users"
	// User holds GET of one user.
	User Bucket = "/api/v1/users/{userId}"
	// Logs holds the System Log.
	Logs Bucket = "/api/v1/logs"
	// Management holds all other management endpoints.
	Management Bucket = "/api/v1"
	// OAuth holds the token and introspection endpoints.
	OAuth Bucket = "/oauth2/v1/token"
	// None is for endpoints Okta does not limit.
	None Bucket = ""
)

// Buckets lists every limited bucket.
func Buckets() []Bucket {
	return []Bucket{Apps, App, Groups, Group, Users, User, Management, OAuth, Logs}
}

// Limits names a set of limits: a profile, by name, times a factor. It is a string
// so that it can be a constant and a flag.
type Limits string

// The profiles Okta sells, and one without limits.
const (
	Workforce      Limits = "workforce"
	Enterprise     Limits = "enterprise"
	IntegratorFree Limits = "integrator-free"
	Unlimited      Limits = "unlimited"
)

// Scaled multiplies every limit by factor, for load tests that cannot wait.
func (l Limits) Scaled(factor int) Limits {
	return Limits(fmt.Sprintf("%s*%d", l, factor))
}

// Profile is limits per minute for each bucket.
type Profile map[Bucket]int

// Limit is the number of requests a minute; a bucket that is not in the profile
// has no limit worth the name.
func (p Profile) Limit(bucket Bucket) int {
	if limit, ok := p[bucket]; ok {
		return limit
	}
	return unlimited
}

const unlimited = 1_000_000_000

// Profile reads the name: "workforce", "workforce*60".
func (l Limits) Profile() (Profile, error) {
	name, factors, _ := strings.Cut(string(l), "*")
	base, ok := profiles()[Limits(name)]
	if !ok {
		return nil, fmt.Errorf("reading limits %q: there is no such profile", l)
	}
	product := 1
	for text := range strings.SplitSeq(factors, "*") {
		if text == "" {
			continue
		}
		factor, err := strconv.Atoi(text)
		if err != nil || factor < 1 {
			return nil, fmt.Errorf("reading limits %q: the factor must be a whole number above 0", l)
		}
		product *= factor
	}
	scaled := Profile{}
	for bucket, limit := range base {
		scaled[bucket] = limit * product
	}
	return scaled, nil
}

// profiles holds the last numbers Okta has published for its management APIs. The
// OAuth bucket of Workforce and Enterprise orgs is not among them: its numbers are
// what Okta's documentation said about /oauth2/v1 before.
func profiles() map[Limits]Profile {
	return map[Limits]Profile{
		Workforce:      {Apps: 100, App: 500, Groups: 500, Group: 1000, Users: 600, User: 2000, Management: 1200, Logs: 120, OAuth: 2000},
		Enterprise:     {Apps: 100, App: 600, Groups: 600, Group: 600, Users: 600, User: 1000, Management: 600, Logs: 50, OAuth: 1200},
		IntegratorFree: {Apps: 20, App: 100, Groups: 100, Group: 100, Users: 100, User: 100, Management: 100, Logs: 20, OAuth: 300},
		Unlimited:      {},
	}
}
