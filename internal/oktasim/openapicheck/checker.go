package openapicheck

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// The files Okta publishes, in the directory OKTA_DATA names.
const (
	managementFile = "management-2026.06.3.yaml"
	oauthFile      = "oauth-2026.06.3.yaml"
)

// Checker knows Okta's operations. It is safe for concurrent use.
type Checker struct {
	bySize map[int][]*operation
}

// operation is one method on one path of one description.
type operation struct {
	spec     *openapi3.T
	method   string
	template string
	segments []string
	item     *openapi3.PathItem
	what     *openapi3.Operation
	oauth    bool
}

// New reads the descriptions of the management and the OAuth API in dir.
func New(dir string) (*Checker, error) {
	c := &Checker{bySize: map[int][]*operation{}}
	for _, file := range []string{managementFile, oauthFile} {
		spec, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, file))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		c.add(spec, file == oauthFile)
	}
	return c, nil
}

func (c *Checker) add(spec *openapi3.T, oauth bool) {
	for template, item := range spec.Paths.Map() {
		segments := strings.Split(template, "/")
		for method, what := range item.Operations() {
			c.bySize[len(segments)] = append(c.bySize[len(segments)], &operation{
				spec: spec, method: method, template: template, segments: segments, item: item, what: what, oauth: oauth,
			})
		}
	}
}

// find gives the operation whose template has the most literal segments.
func (c *Checker) find(method, path string) *operation {
	segments := strings.Split(path, "/")
	var best *operation
	most := -1
	for _, candidate := range c.bySize[len(segments)] {
		if candidate.method != method {
			continue
		}
		if literal := literals(candidate.segments, segments); literal > most {
			best, most = candidate, literal
		}
	}
	return best
}

// literals counts the segments of a path that its template spells out; -1 is a path
// of another template.
func literals(template, segments []string) int {
	count := 0
	for i, part := range template {
		switch {
		case strings.HasPrefix(part, "{") && segments[i] != "":
		case part == segments[i]:
			count++
		default:
			return -1
		}
	}
	return count
}

// exchange is a request and, unless the connection was cut, its answer.
type exchange struct {
	request  *http.Request
	body     []byte
	answered bool
	status   int
	header   http.Header
	answer   []byte
}

// check gives everything that is wrong with an exchange.
func (c *Checker) check(x exchange) []string {
	op := c.find(x.request.Method, x.request.URL.Path)
	where := x.request.Method + " " + x.request.URL.Path
	if op == nil {
		for pattern := range undescribed() {
			if regexp.MustCompile(pattern).MatchString(where) {
				return nil
			}
		}
		return []string{where + ": the operation is not in Okta's descriptions"}
	}
	problems := op.checkRequest(x)
	if x.answered {
		problems = append(problems, op.checkAnswer(x)...)
	}
	var told []string
	for _, p := range problems {
		if !known(op, p) {
			told = append(told, fmt.Sprintf("%s %s: %s", op.method, op.template, p))
		}
	}
	return told
}
