package okta

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	statusActive = "ACTIVE"
	allClients   = "ALL_CLIENTS"
)

// policy is an access policy of our server, as listed, with its rule once read.
type policy struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Status      string `json:"status"`
	// Priority says where it stands; zero is the end, where Okta puts a new one.
	Priority   int64 `json:"priority"`
	Conditions struct {
		Clients struct {
			Include []string `json:"include"`
		} `json:"clients"`
	} `json:"conditions"`

	// mark is the one in the description, zero when there is none.
	mark identity.Mark
	// rule is the policy's one rule, nil when it has none; rulesRead tells whether
	// that was looked up.
	rule      *rule
	rulesRead bool
}

// namesakes are the policies of all the owners of one name, by id. There is one, but
// for what was left behind. One without a mark stands alone.
type namesakes []policy

// policyKey is where the policies of an owner are remembered: under its name, so that
// one whose creation brought no answer can be asked for, and so can what an owner
// left who is no more.
func policyKey(mark identity.Mark) string {
	short := policyMark(mark)
	return short.Cluster + "/" + short.Ref()
}

func (p policy) key() string {
	if p.mark.IsZero() {
		return p.ID
	}
	return policyKey(p.mark)
}

// of chooses the owner's policy, as every process must: its own, or else that of the
// latest of its namesakes.
func (n namesakes) of(owner identity.Mark) (policy, bool) {
	if len(n) == 0 {
		return policy{}, false
	}
	want := policyMark(owner)
	best := n[0]
	for _, p := range n {
		if p.mark == want {
			return p, true
		}
		if p.mark.Since > best.mark.Since {
			best = p
		}
	}
	return best, true
}

func (n namesakes) byID(id string) (policy, bool) {
	at := slices.IndexFunc(n, func(p policy) bool { return p.ID == id })
	if at < 0 {
		return policy{}, false
	}
	return n[at], true
}

// with gives namesakes in which p stands in the place of what had its id.
func (n namesakes) with(p policy) namesakes {
	changed := append(n.without(p.ID), p)
	slices.SortFunc(changed, func(a, b policy) int { return strings.Compare(a.ID, b.ID) })
	return changed
}

func (n namesakes) without(id string) namesakes {
	return slices.DeleteFunc(slices.Clone(n), func(p policy) bool { return p.ID == id })
}

// mine are the policies the owner may change.
func (n namesakes) mine(owner identity.Mark) namesakes {
	return slices.DeleteFunc(slices.Clone(n), func(p policy) bool { return !p.mayChange(owner) })
}

// mayChange tells that the owner may change the policy.
func (p policy) mayChange(owner identity.Mark) bool { return policyMark(owner).MayChange(p.mark) }

func policiesPath(serverID string) string {
	return "/api/v1/authorizationServers/" + url.PathEscape(serverID) + "/policies"
}

func (d *Directory) listPolicies(ctx context.Context) (map[string]namesakes, time.Time, error) {
	s, err := d.need(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	w := walk[policy]{org: d.org, clock: d.clock, id: func(p policy) string { return p.ID }}
	listed, begun, err := w.all(ctx, policiesPath(s.ID))
	if err != nil {
		return nil, begun, d.childless(err)
	}
	keyed := make(map[string]namesakes, len(listed))
	for _, p := range listed {
		p.mark, _ = identity.ParseMark(p.Description)
		keyed[p.key()] = keyed[p.key()].with(p)
	}
	return keyed, begun, nil
}

func (d *Directory) findPolicy(ctx context.Context, key string, _ hint) (namesakes, bool, error) {
	keyed, _, err := d.listPolicies(ctx)
	n, found := keyed[key]
	return n, found, err
}

// policyOf gives the role's policy with its rule.
func (d *Directory) policyOf(ctx context.Context, role identity.Mark) (policy, bool, error) {
	key := policyKey(role)
	n, _, err := d.policies.get(ctx, key, query[namesakes]{})
	if err != nil {
		return policy{}, false, err
	}
	p, found := n.of(role)
	if !found || p.rulesRead {
		return p, found, nil
	}
	if err := d.readRule(ctx, key, p); err != nil {
		return policy{}, false, err
	}
	n, _, err = d.policies.get(ctx, key, query[namesakes]{})
	p, found = n.of(role)
	return p, found, err
}

// rememberPolicy keeps the result of a write, beside the namesakes that are there.
func (d *Directory) rememberPolicy(key string, p policy) {
	n, present := d.policies.last(key)
	if !present {
		n = nil
	}
	d.policies.put(key, n.with(p))
}

// shadows names the active policies of others that let every client in and come before
// p. Okta looks no further than the first policy that has the client.
func (d *Directory) shadows(ctx context.Context, p policy) ([]string, error) {
	shadow := func(other policy) bool {
		return other.mark.Cluster != d.cluster && other.Status == statusActive &&
			slices.Contains(other.Conditions.Clients.Include, allClients) &&
			other.Priority != 0 && (p.Priority == 0 || other.Priority < p.Priority)
	}
	all, err := d.policies.all(ctx, func(n namesakes) bool { return slices.ContainsFunc(n, shadow) })
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range all {
		for _, other := range n {
			if shadow(other) {
				names = append(names, other.Name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}
