package oktasim

import (
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// handler decides a request. It is called with the org's lock held.
type handler func(o *Org, c *call) (*reply, error)

// route is one operation of Okta's API.
type route struct {
	method, template string
	bucket           throttle.Bucket
	// scope is what an OAuth principal must have been granted, from the security
	// section of the operation in Okta's OpenAPI description.
	scope string
	// query names the parameters that are understood; all others are refused.
	query  []string
	handle handler
	kind   kind
	// locks names the path parameter whose object's priorities the operation
	// changes: Okta answers 423 when two such operations meet. What is no parameter
	// of the path stands for itself.
	locks string
	// secrets tells an operation whose answer holds secrets that exist already.
	secrets bool
}

// inBucket has the rate limit of the bucket count the routes.
func inBucket(bucket throttle.Bucket, routes []route) []route {
	for i := range routes {
		routes[i].bucket = bucket
	}
	return routes
}

// kind tells how a caller proves itself, and which error bodies it gets.
type kind int

const (
	// management operations want an API token or an access token.
	management kind = iota
	// public operations want nothing.
	public
	// oauth operations want the proof of a client in the request itself.
	oauth
)

// router finds operations by method and path.
type router struct {
	// bySize holds the routes with that many path segments.
	bySize map[int][]entry
}

type entry struct {
	segments []string
	route    *route
}

func newRouter(routes []route) router {
	r := router{bySize: map[int][]entry{}}
	for i := range routes {
		segments := strings.Split(routes[i].template, "/")
		r.bySize[len(segments)] = append(r.bySize[len(segments)], entry{segments, &routes[i]})
	}
	return r
}

// find gives the operation; when there is none, the second result tells whether
// the path exists with another method. A route listed earlier wins.
func (r router) find(method, path string) (*route, map[string]string, bool) {
	segments := strings.Split(path, "/")
	exists := false
	for _, candidate := range r.bySize[len(segments)] {
		params, ok := match(candidate.segments, segments)
		if !ok {
			continue
		}
		exists = true
		if candidate.route.method == method {
			return candidate.route, params, true
		}
	}
	return nil, nil, exists
}

func match(template, segments []string) (map[string]string, bool) {
	params := map[string]string{}
	for i, part := range template {
		if name, ok := strings.CutPrefix(part, "{"); ok && segments[i] != "" {
			params[strings.TrimSuffix(name, "}")] = segments[i]
			continue
		}
		if part != segments[i] {
			return nil, false
		}
	}
	return params, true
}
