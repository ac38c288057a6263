package main

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/discovery"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// calls are what the org was asked for by the operator.
type calls struct {
	management, reads, writes, tokens, refused, secrets int
	byTemplate                                          map[string]int
	// operations are all of them, in their order.
	operations []oktasim.Operation
}

// since counts the org's operations from that one on.
func (s *stage) since(first int) calls {
	return tally(s.org.OperationsSince(first), s.others)
}

// tally counts operations but those of other principals.
func tally(operations []oktasim.Operation, others map[string]bool) calls {
	c := calls{byTemplate: map[string]int{}}
	for _, op := range operations {
		if others[op.Principal] {
			continue
		}
		c.operations = append(c.operations, op)
		switch {
		case op.TokenRequest:
			c.tokens++
		case op.Management:
			c.management++
			c.byTemplate[op.Method+" "+op.Template]++
			if op.Write {
				c.writes++
			} else {
				c.reads++
			}
		}
		if op.Status == 429 {
			c.refused++
		}
		if op.SecretRead {
			c.secrets++
		}
	}
	return c
}

// of is how many calls there were, with a template such as "GET /api/v1/logs".
func (c calls) of(template string) int { return c.byTemplate[template] }

// most gives the templates that were called most.
func (c calls) most() string {
	names := make([]string, 0, len(c.byTemplate))
	for name := range c.byTemplate {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return c.byTemplate[b] - c.byTemplate[a] })
	var all []string
	for _, name := range names[:min(8, len(names))] {
		all = append(all, strconv.Itoa(c.byTemplate[name])+" "+name)
	}
	return strings.Join(all, ", ")
}

var requestTotal = regexp.MustCompile(`(?m)^apiserver_request_total\{([^}]*)\} (\S+)$`)

// writes counts what the API server was asked to change, by "verb resource".
func (s *stage) writes(ctx context.Context) (map[string]int, error) {
	d, err := discovery.NewDiscoveryClientForConfig(s.rest)
	if err != nil {
		return nil, err
	}
	text, err := d.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, found := range requestTotal.FindAllStringSubmatch(string(text), -1) {
		labels := map[string]string{}
		for _, pair := range strings.Split(found[1], ",") {
			name, value, _ := strings.Cut(pair, "=")
			labels[name] = strings.Trim(value, `"`)
		}
		if !slices.Contains([]string{"POST", "PUT", "PATCH", "APPLY", "DELETE"}, labels["verb"]) || labels["resource"] == "leases" {
			continue
		}
		n, err := strconv.ParseFloat(found[2], 64)
		if err != nil {
			return nil, err
		}
		name := labels["verb"] + " " + labels["resource"]
		if sub := labels["subresource"]; sub != "" {
			name += "/" + sub
		}
		counts[name] += int(n)
	}
	return counts, nil
}

// more is what was counted since.
func more(before, after map[string]int) (total, events int, which string) {
	var all []string
	for name, n := range after {
		n -= before[name]
		if n == 0 {
			continue
		}
		if strings.HasSuffix(name, " events") {
			events += n
			continue
		}
		total += n
		all = append(all, strconv.Itoa(n)+" "+name)
	}
	slices.Sort(all)
	return total, events, strings.Join(all, ", ")
}

// interval is a time over which calls and writes are counted.
type interval struct {
	stage  *stage
	first  int
	writes map[string]int
	began  time.Time
}

// begin begins to count.
func (s *stage) begin(ctx context.Context) (interval, error) {
	writes, err := s.writes(ctx)
	return interval{s, s.org.OperationCount(), writes, time.Now()}, err
}

// spent is what was counted in an interval.
type spent struct {
	calls
	// changes are writes to the cluster but events.
	changes, events int
}

// end counts, and tells what was called and written most.
func (i interval) end(ctx context.Context) (spent, error) {
	after, err := i.stage.writes(ctx)
	if err != nil {
		return spent{}, err
	}
	sum := spent{calls: i.stage.since(i.first)}
	say("  %s", sum.most())
	which := ""
	sum.changes, sum.events, which = more(i.writes, after)
	say("  %s", which)
	return sum, nil
}

// asked tells that the operator has made a call of the management API in the interval.
func (i interval) asked() (bool, error) { return i.stage.since(i.first).management > 0, nil }

// at gives the value below which that part of the sorted durations is, in seconds.
func at(sorted []time.Duration, part float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*part))].Seconds()
}
