package okta

import (
	"cmp"
	"context"
	"maps"
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
		return !policyMark(p.owner).MayChange(mark) && (!isUnfinished(o) || !shortMark(p.owner, maxUnfinished).MayChange(mark))
	})
	slices.SortFunc(ours, func(a, b object) int {
		return cmp.Or(cmp.Compare(text(a, "created"), text(b, "created")), cmp.Compare(text(a, "id"), text(b, "id")))
	})
	return ours, nil
}

// ensureOrgPolicy makes the policy and its rules equal to what is wanted, unless that was
// so a while ago. One that a person has switched off it leaves alone, and says so. Policies
// are written one at a time.
func (d *Directory) ensureOrgPolicy(ctx context.Context, p orgPolicy, body object, rules orgRules) (string, error) {
	everything := string(mustJSON([]any{body, rules.wanted, rules.rest, policyMark(p.owner).String()}))
	if id, is := d.madePolicies.known(p, everything, d.clock.Now()); is {
		return id, nil
	}
	if !d.granting.TryLock() {
		return "", busy()
	}
	defer d.granting.Unlock()
	wanted := plain(body)
	wanted["type"], wanted["name"], wanted["description"] = p.kind, p.name, policyMark(p.owner).String()
	have, err := d.holdOrgPolicy(ctx, p, wanted)
	if err != nil {
		return "", err
	}
	id := text(have, "id")
	if p.switchedOff(have) {
		return id, p.leftAlone(have)
	}
	if have, err = d.putOrgPolicy(ctx, p, have, beforeRules(have, wanted, rules)); err != nil {
		return "", err
	}
	if err := d.putOrgRules(ctx, p.path(id)+"/rules", rules); err != nil {
		return "", err
	}
	if have, err = d.finish(ctx, p, have, wanted); err != nil {
		return "", err
	}
	if _, err = d.putOrgPolicy(ctx, p, have, wanted); err != nil {
		return "", err
	}
	d.madePolicies.verified(p, id, everything, d.clock.Now())
	return id, nil
}

// beforeRules is what the policy says while its rules are changed. Nobody is to be under
// rules that were written for others: whom it is for no more it lets go of before, and whom
// it is for besides it takes on afterwards, by another call. Where all are replaced at once
// those who go are under the new rules for that long.
func beforeRules(have, wanted object, rules orgRules) object {
	if rules.revoking {
		return wanted
	}
	stay := slices.DeleteFunc(groupsOf(have), func(group string) bool { return !slices.Contains(groupsOf(wanted), group) })
	if len(stay) == 0 || len(stay) == len(groupsOf(have)) {
		return have
	}
	fewer := maps.Clone(wanted)
	fewer["description"] = have["description"]
	fewer["conditions"] = plain(forGroups(stay))
	return fewer
}

// forGroups are the conditions of a policy for the members of groups.
func forGroups(ids []string) object {
	return object{"people": object{"groups": object{"include": ids}}}
}

// holdOrgPolicy finds the policy, or creates it.
func (d *Directory) holdOrgPolicy(ctx context.Context, p orgPolicy, wanted object) (object, error) {
	found, err := d.findOrgPolicies(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return d.createOrgPolicy(ctx, p, wanted)
	}
	for _, twin := range found[1:] {
		if err := d.dropOrgPolicy(ctx, p, text(twin, "id")); err != nil {
			return nil, err
		}
	}
	return found[0], nil
}

// putOrgPolicy makes the policy say what is wanted, and gives it as it is then.
func (d *Directory) putOrgPolicy(ctx context.Context, p orgPolicy, have, wanted object) (object, error) {
	if covers(wanted, have) {
		return have, nil
	}
	body := maps.Clone(wanted)
	body["priority"] = have["priority"]
	if _, err := d.org.call(ctx, http.MethodPut, p.path(text(have, "id")), body, nil); err != nil {
		return nil, err
	}
	now := maps.Clone(have)
	maps.Copy(now, wanted)
	return now, nil
}

func (d *Directory) createOrgPolicy(ctx context.Context, p orgPolicy, body object) (object, error) {
	made, left := d.madePolicies.recent(p, d.clock.Now())
	if made.id != "" {
		return d.unlisted(ctx, p, made.id, body)
	}
	if err := unsettled(left); err != nil {
		return nil, err
	}
	path := p.base
	if p.kind == signOnPolicy {
		// It binds people as soon as it has rules: all of them are to be there.
		path += "?activate=false"
		body = maps.Clone(body)
		body["description"] = unfinished(p.owner)
	}
	var answer object
	_, err := d.org.call(ctx, http.MethodPost, path, body, &answer)
	if err == nil && text(answer, "id") == "" {
		err = incomplete()
	}
	if fault.Ambiguous(err) {
		d.madePolicies.put(p, "", d.clock.Now())
	}
	if err != nil {
		return nil, err
	}
	d.madePolicies.put(p, text(answer, "id"), d.clock.Now())
	return answer, nil
}

// unlisted is a policy that was made a moment ago and that lists do not show yet. Of those
// that are made active it is known what they say.
func (d *Directory) unlisted(ctx context.Context, p orgPolicy, id string, body object) (object, error) {
	have := maps.Clone(body)
	have["id"], have["status"] = id, statusActive
	if p.kind != signOnPolicy {
		return have, nil
	}
	_, err := d.org.call(ctx, http.MethodGet, p.path(id), nil, &have)
	if fault.IsGone(err) {
		return nil, waitingFor(err, "Okta has the policy and does not show it yet; it is looked at again")
	}
	return have, err
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
