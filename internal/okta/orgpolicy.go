package okta

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const orgPolicies = "/api/v1/policies"

// orgPolicy names a policy with rules: how people sign in, what they enrol, or which
// scopes they get. Names are not unique in Okta; the mark in the description tells which
// is the owner's.
type orgPolicy struct {
	// base is where policies of its kind are.
	base  string
	kind  string
	owner identity.Mark
	name  string
}

// list is the path of a list with the policy in it. Of sign-on policies it has all: which
// others come first matters.
func (p orgPolicy) list() string {
	switch {
	case p.base != orgPolicies:
		return p.base
	case p.kind == signOnPolicy:
		return p.base + "?type=" + p.kind
	}
	return p.base + "?type=" + p.kind + "&q=" + url.QueryEscape(p.name)
}

// listAll is the path of a list of all of its kind.
func (p orgPolicy) listAll() string {
	if p.base != orgPolicies {
		return p.base
	}
	return p.base + "?type=" + p.kind
}

func (p orgPolicy) path(id string) string { return p.base + "/" + url.PathEscape(id) }

// madePolicies remember what was made a moment ago, and what may have been.
type madePolicies struct {
	mu   sync.Mutex
	made map[orgPolicy]madePolicy
	// equal are those that were found, or made, equal to what was wanted.
	equal map[orgPolicy]equalPolicy
}

type equalPolicy struct {
	id, body string
	until    time.Time
}

// verifiedFor is how long a policy is believed to be what it was made.
const verifiedFor = time.Hour

// known gives the id of a policy that was equal to body a while ago.
func (m *madePolicies) known(p orgPolicy, body string, now time.Time) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, is := m.equal[p]
	return e.id, is && e.body == body && now.Before(e.until)
}

func (m *madePolicies) verified(p orgPolicy, id, body string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until := now.Add(verifiedFor)
	if made, is := m.made[p]; is && now.Sub(made.at) < lagging {
		// A twin made by a process before this one shows then.
		until = made.at.Add(lagging)
	}
	m.equal[p] = equalPolicy{id, body, until}
}

// unsettled tells for how long twins of what was made may still show; zero for none.
func (m *madePolicies) unsettled(now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var longest time.Duration
	for _, made := range m.made {
		longest = max(longest, lagging-now.Sub(made.at))
	}
	return longest
}

// UnsettledPolicies implements identity.Unsettled.
func (d *Directory) UnsettledPolicies() time.Duration {
	return d.madePolicies.unsettled(d.clock.Now())
}

// changing says that the policy is about to be written.
func (m *madePolicies) changing(p orgPolicy) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.equal, p)
}

// distrust has every policy looked at again: one of them is not what it was.
func (m *madePolicies) distrust() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.equal)
}

type madePolicy struct {
	// id is empty when the creation brought no clear answer.
	id string
	at time.Time
}

func (m *madePolicies) put(p orgPolicy, id string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made[p] = madePolicy{id, now}
}

func (m *madePolicies) forget(p orgPolicy) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.made, p)
	delete(m.equal, p)
}

// recent gives what was made within the last minute, which lists may not show yet.
func (m *madePolicies) recent(p orgPolicy, now time.Time) (madePolicy, time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	made, is := m.made[p]
	if !is || now.Sub(made.at) >= lagging {
		return madePolicy{}, 0
	}
	return made, lagging - now.Sub(made.at)
}

// findOrgPolicies gives all policies that are the owner's, the one to use first. There is
// one, but for what a request made that was carried out late. One that a person has renamed
// is found only among all of its kind.
func (d *Directory) findOrgPolicies(ctx context.Context, p orgPolicy) ([]object, error) {
	ours, err := d.markedOrgPolicies(ctx, p, p.list())
	if all := p.listAll(); err == nil && len(ours) == 0 && all != p.list() {
		ours, err = d.markedOrgPolicies(ctx, p, all)
	}
	return ours, err
}

func (d *Directory) markedOrgPolicies(ctx context.Context, p orgPolicy, list string) ([]object, error) {
	listed, _, err := objects(d.org, d.clock).all(ctx, list)
	if err != nil {
		return nil, err
	}
	ours := slices.DeleteFunc(listed, func(o object) bool {
		mark, _ := identity.ParseMark(text(o, "description"))
		return !policyMark(p.owner).MayChange(mark)
	})
	slices.SortFunc(ours, func(a, b object) int {
		return cmp.Or(cmp.Compare(text(a, "created"), text(b, "created")), cmp.Compare(text(a, "id"), text(b, "id")))
	})
	return ours, nil
}

// ensureOrgPolicy makes the policy and its rules equal to what is wanted, unless that was
// so a while ago, and last of all makes it active. Policies are written one at a time.
func (d *Directory) ensureOrgPolicy(ctx context.Context, p orgPolicy, body object, rules []object, last object) (string, error) {
	everything := string(mustJSON([]any{body, rules, last, policyMark(p.owner).String()}))
	if id, is := d.madePolicies.known(p, everything, d.clock.Now()); is {
		return id, nil
	}
	if !d.granting.TryLock() {
		return "", busy()
	}
	defer d.granting.Unlock()
	id, active, err := d.putOrgPolicy(ctx, p, body)
	if err != nil {
		return "", err
	}
	if err := d.putOrgRules(ctx, p.path(id)+"/rules", rules, last); err != nil {
		return "", err
	}
	if !active {
		if _, err := d.org.call(ctx, http.MethodPost, p.path(id)+"/lifecycle/activate", nil, nil); err != nil {
			return "", err
		}
	}
	d.madePolicies.verified(p, id, everything, d.clock.Now())
	return id, nil
}

// putOrgPolicy creates the policy, or makes it say what body says. It gives its id, and
// whether it is active.
func (d *Directory) putOrgPolicy(ctx context.Context, p orgPolicy, body object) (id string, active bool, err error) {
	wanted := plain(body)
	wanted["type"], wanted["name"], wanted["description"] = p.kind, p.name, policyMark(p.owner).String()
	found, err := d.findOrgPolicies(ctx, p)
	if err != nil {
		return "", false, err
	}
	if len(found) == 0 {
		return d.createOrgPolicy(ctx, p, wanted)
	}
	for _, twin := range found[1:] {
		if err := d.dropOrgPolicy(ctx, p, text(twin, "id")); err != nil {
			return "", false, err
		}
	}
	have := found[0]
	id, active = text(have, "id"), text(have, "status") == statusActive
	if covers(wanted, have) {
		return id, active, nil
	}
	wanted["priority"] = have["priority"]
	_, err = d.org.call(ctx, http.MethodPut, p.path(id), wanted, nil)
	return id, active, err
}

func (d *Directory) createOrgPolicy(ctx context.Context, p orgPolicy, body object) (id string, active bool, err error) {
	made, left := d.madePolicies.recent(p, d.clock.Now())
	if made.id != "" {
		active, err := d.isActive(ctx, p, made.id)
		return made.id, active, err
	}
	if err := unsettled(left); err != nil {
		return "", false, err
	}
	path := p.base
	if p.kind == signOnPolicy {
		// It binds people as soon as it has rules: all of them are to be there.
		path += "?activate=false"
	}
	var answer object
	_, err = d.org.call(ctx, http.MethodPost, path, body, &answer)
	if err == nil && text(answer, "id") == "" {
		err = incomplete()
	}
	if fault.Ambiguous(err) {
		d.madePolicies.put(p, "", d.clock.Now())
	}
	if err != nil {
		return "", false, err
	}
	d.madePolicies.put(p, text(answer, "id"), d.clock.Now())
	return text(answer, "id"), text(answer, "status") == statusActive, nil
}

// isActive looks at a policy that lists do not show yet.
func (d *Directory) isActive(ctx context.Context, p orgPolicy, id string) (bool, error) {
	if p.kind != signOnPolicy {
		return true, nil
	}
	var have object
	_, err := d.org.call(ctx, http.MethodGet, p.path(id), nil, &have)
	if fault.IsGone(err) {
		return false, waitingFor(err, "Okta has the policy and does not show it yet; it is looked at again")
	}
	return text(have, "status") == statusActive, err
}

// deleteOrgPolicy removes all that is the owner's of that name.
func (d *Directory) deleteOrgPolicy(ctx context.Context, p orgPolicy) error {
	found, err := d.findOrgPolicies(ctx, p)
	if err != nil {
		return err
	}
	made, left := d.madePolicies.recent(p, d.clock.Now())
	if len(found) == 0 && made.id == "" {
		return unsettled(left)
	}
	if len(found) == 0 {
		return d.dropOrgPolicy(ctx, p, made.id)
	}
	for _, policy := range found {
		if err := d.dropOrgPolicy(ctx, p, text(policy, "id")); err != nil {
			return err
		}
	}
	return nil
}

func (d *Directory) dropOrgPolicy(ctx context.Context, p orgPolicy, id string) error {
	_, err := d.org.call(ctx, http.MethodDelete, p.path(id), nil, nil)
	if err != nil && !fault.IsGone(err) {
		return err
	}
	d.madePolicies.forget(p)
	return nil
}

// maxPasses bounds how often rules are looked at again: each write may move others.
const maxPasses = 6

// putOrgRules makes the policy's rules the wanted ones, in their order, and has the rule
// that catches the rest say what last says; nil leaves that alone. Access that is to end
// ends first.
func (d *Directory) putOrgRules(ctx context.Context, path string, wanted []object, last object) error {
	for range maxPasses {
		var have []object
		if _, err := d.org.call(ctx, http.MethodGet, path, nil, &have); err != nil {
			return err
		}
		changed, err := d.mendOrgRules(ctx, path, have, wanted, last)
		if err != nil || !changed {
			return err
		}
	}
	return waiting("Okta goes on moving the rules of a policy; they are looked at again")
}

func (d *Directory) mendOrgRules(ctx context.Context, path string, have, wanted []object, last object) (bool, error) {
	ended, err := d.endOrgRules(ctx, path, have, wanted, last)
	if err != nil {
		return ended, err
	}
	written, err := d.writeOrgRules(ctx, path, have, wanted)
	return ended || written, err
}

// endOrgRules closes what is open behind the rules, and deletes those that are not wanted.
func (d *Directory) endOrgRules(ctx context.Context, path string, have, wanted []object, last object) (changed bool, err error) {
	for i, rule := range have {
		is := func(w object) bool { return text(w, "name") == text(rule, "name") }
		switch {
		case rule["system"] == true && last != nil && !covers(plain(last), rule):
			err = d.putOrgRule(ctx, path, rule, last)
		case rule["system"] != true && (!slices.ContainsFunc(wanted, is) || slices.ContainsFunc(have[:i], is)):
			_, err = d.org.call(ctx, http.MethodDelete, path+"/"+url.PathEscape(text(rule, "id")), nil, nil)
		default:
			continue
		}
		if err != nil && !fault.IsGone(err) {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

func (d *Directory) writeOrgRules(ctx context.Context, path string, have, wanted []object) (changed bool, err error) {
	for _, rule := range wanted {
		at := slices.IndexFunc(have, func(h object) bool { return text(h, "name") == text(rule, "name") })
		switch {
		case at < 0:
			_, err = d.org.call(ctx, http.MethodPost, path, pruned(plain(rule)), nil)
			if status, _ := fault.StatusOf(err); status.Exists {
				err = waitingFor(err, "Okta has the rule and does not show it yet; it is looked at again")
			}
		case !covers(plain(rule), have[at]):
			err = d.putOrgRule(ctx, path, have[at], rule)
		case text(have[at], "status") != statusActive:
			_, err = d.org.call(ctx, http.MethodPost, path+"/"+url.PathEscape(text(have[at], "id"))+"/lifecycle/activate", nil, nil)
		default:
			continue
		}
		if err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// putOrgRule replaces a rule. What is not sent Okta takes for its default.
func (d *Directory) putOrgRule(ctx context.Context, path string, have, want object) error {
	body := pruned(plain(want))
	body["type"], body["name"] = have["type"], have["name"]
	if _, given := body["priority"]; !given {
		body["priority"] = have["priority"]
	}
	_, err := d.org.call(ctx, http.MethodPut, path+"/"+url.PathEscape(text(have, "id")), body, nil)
	return err
}
