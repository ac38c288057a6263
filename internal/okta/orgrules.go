package okta

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// orgRules are the rules that a policy is to have: Okta asks them in their order, and the
// first that matches decides.
//
// Any call may be the last for a while: the rate limit is used up, or the process dies. So
// each is chosen so that between two of them every sign-in is decided as the old rules
// decide it or as the new ones do:
//
//   - The rule that catches the rest is closed first. It never is to be open, so that
//     whom it lets in a person let in past the policy.
//   - Then the new rules are put into their places from the first on. Whoever one of them
//     matches is under the new rules from then on, everybody else still under the old. A
//     stricter rule binds as soon as it is written, though a wider one still stands behind it.
//   - To replace a rule is safe while whom it lets go then meets new rules only: it goes on
//     matching the same sign-ins, or nothing but new rules is behind it. Otherwise the new
//     rule is made before it, and since names are unique, it is given another name first.
//   - Last go the rules that are not wanted, from the end: whom the last of them lets go
//     meets only new rules.
type orgRules struct {
	wanted []object
	// rest is what the system's rule says that catches the rest; nil leaves it alone.
	rest object
	// first is the priority of the first rule.
	first float64
	// revoking deletes before it writes. So it is where what no rule matches is refused:
	// nobody gains by a rule that is gone, and what is to end must not wait for what Okta
	// may refuse to write.
	revoking bool
}

// ruleStep is one change of a policy's rules.
type ruleStep struct {
	verb ruleVerb
	// at is where the rule stands that is changed, to where it stands afterwards.
	at, to int
	// body is what is sent.
	body object
}

type ruleVerb string

const (
	makeRule     ruleVerb = "make"
	replaceRule  ruleVerb = "replace"
	activateRule ruleVerb = "activate"
	dropRule     ruleVerb = "drop"
)

// roomForRules is by how much the priority of a rule may be above its place. Some policies
// have no priorities from 99 on.
const roomForRules = 40

// next is the change that comes next; false when the rules are those that are wanted.
func (r orgRules) next(have []object) (ruleStep, bool) {
	if at := r.lastUnwanted(have); at >= 0 && (r.revoking || r.stands(have)) {
		return ruleStep{verb: dropRule, at: at}, true
	}
	for k, want := range r.wanted {
		switch {
		case k >= len(have) || !says(have[k], want) || priorityOf(have[k]) > r.first+float64(k+roomForRules):
			return r.place(have, k), true
		case text(have[k], "status") != statusActive:
			return ruleStep{verb: activateRule, at: k, to: k}, true
		}
	}
	return ruleStep{}, false
}

// place puts the kth wanted rule into its place; those before it are in theirs.
func (r orgRules) place(have []object, k int) ruleStep {
	want := plain(r.wanted[k])
	want["priority"] = r.first
	if k > 0 {
		want["priority"] = priorityOf(have[k-1]) + 1
	}
	at := slices.IndexFunc(have, func(h object) bool { return sameName(h, want) })
	switch {
	case at >= 0 && (r.revoking || r.replaceable(have, at, k)):
		return ruleStep{replaceRule, at, k, want}
	case at >= 0:
		return ruleStep{replaceRule, at, at, renamed(have, at)}
	}
	for at := k; at < len(have); at++ {
		if !r.wants(have[at]) && r.replaceable(have, at, k) {
			return ruleStep{replaceRule, at, k, want}
		}
	}
	return ruleStep{verb: makeRule, to: k, body: want}
}

// replaceable tells that the rule at that place may become the kth wanted one by one call.
func (r orgRules) replaceable(have []object, at, k int) bool {
	if text(have[at], "status") != statusActive || covers(plain(r.wanted[k])["conditions"], have[at]["conditions"]) {
		return true
	}
	behind, rest := have[at+1:], r.wanted[k+1:]
	return slices.EqualFunc(behind, rest, standsAs)
}

// stands tells that the wanted rules are there, in their order, among others.
func (r orgRules) stands(have []object) bool {
	kept := make([]object, 0, len(have))
	for i, rule := range have {
		if !r.unwanted(have, i) {
			kept = append(kept, rule)
		}
	}
	return slices.EqualFunc(kept, r.wanted, standsAs)
}

// lastUnwanted is where the last rule stands that is not wanted; -1 for none.
func (r orgRules) lastUnwanted(have []object) int {
	for i := len(have) - 1; i >= 0; i-- {
		if r.unwanted(have, i) {
			return i
		}
	}
	return -1
}

func (r orgRules) unwanted(have []object, i int) bool {
	return !r.wants(have[i]) || slices.ContainsFunc(have[:i], func(h object) bool { return sameName(h, have[i]) })
}

// wants tells that a rule of that name is wanted.
func (r orgRules) wants(rule object) bool {
	return slices.ContainsFunc(r.wanted, func(w object) bool { return sameName(w, rule) })
}

func sameName(a, b object) bool { return text(a, "name") == text(b, "name") }

// standsAs tells that a rule is active, and says what is wanted.
func standsAs(have, want object) bool {
	return text(have, "status") == statusActive && says(have, want)
}

// says tells that a rule says what is wanted, wherever it stands.
func says(have, want object) bool {
	w := plain(want)
	delete(w, "status")
	return covers(w, have)
}

// renamed is the rule at that place under a name that no other has.
func renamed(have []object, at int) object {
	rule := have[at]
	name := text(rule, "name") + " (before)"
	for n := 2; slices.ContainsFunc(have, func(h object) bool { return text(h, "name") == name }); n++ {
		name = fmt.Sprintf("%s (before %d)", text(rule, "name"), n)
	}
	return object{
		"type": rule["type"], "name": name, "priority": rule["priority"], "conditions": rule["conditions"], "actions": rule["actions"],
	}
}

// after are the rules after a step, numbered as Okta does it: one that is put where another
// stands moves that and those behind it, by as little as it takes.
func (r orgRules) after(have []object, step ruleStep) []object {
	after := slices.Clone(have)
	rule := object{"status": statusActive}
	if step.verb != makeRule {
		rule = maps.Clone(have[step.at])
		after = slices.Delete(after, step.at, step.at+1)
	}
	for name, value := range step.body {
		if name != "status" {
			rule[name] = value
		}
	}
	if step.verb == activateRule {
		rule["status"] = statusActive
	}
	if step.verb != dropRule {
		after = slices.Insert(after, step.to, rule)
	}
	lowest := r.first
	for i, rule := range after {
		if priorityOf(rule) < lowest || r.gapless() {
			after[i] = maps.Clone(rule)
			after[i]["priority"] = lowest
		}
		lowest = priorityOf(after[i]) + 1
	}
	return after
}

// gapless tells that Okta numbers the rules from 1 on without gaps; those of app sign-in
// policies begin with 0 and keep the priority that they are given.
func (r orgRules) gapless() bool { return r.first == 1 }

// maxPasses bounds how often rules are looked at again: each write may move others.
const maxPasses = 6

// putOrgRules makes the policy's rules the wanted ones, in their order.
func (d *Directory) putOrgRules(ctx context.Context, path string, rules orgRules) error {
	for range maxPasses {
		var listed []object
		if _, err := d.org.call(ctx, http.MethodGet, path, nil, &listed); err != nil {
			return err
		}
		changed, err := d.mendOrgRules(ctx, path, listed, rules)
		if err != nil || !changed {
			return err
		}
	}
	return waiting("Okta goes on moving the rules of a policy; they are looked at again")
}

func (d *Directory) mendOrgRules(ctx context.Context, path string, listed []object, rules orgRules) (bool, error) {
	changed, err := d.closeRest(ctx, path, listed, rules.rest)
	if err != nil {
		return changed, err
	}
	have := slices.DeleteFunc(slices.Clone(listed), func(rule object) bool { return rule["system"] == true })
	slices.SortStableFunc(have, func(a, b object) int { return cmp.Compare(priorityOf(a), priorityOf(b)) })
	for range 4 * (len(have) + len(rules.wanted)) {
		step, is := rules.next(have)
		if !is {
			break
		}
		if err := d.takeRuleStep(ctx, path, have, step); err != nil {
			return changed, err
		}
		changed, have = true, rules.after(have, step)
	}
	return changed, nil
}

// closeRest has the rule that catches the rest say what it is to say.
func (d *Directory) closeRest(ctx context.Context, path string, listed []object, rest object) (changed bool, err error) {
	for _, rule := range listed {
		if rule["system"] != true || rest == nil || covers(plain(rest), rule) {
			continue
		}
		body := pruned(plain(rest))
		body["type"], body["name"], body["priority"] = rule["type"], rule["name"], rule["priority"]
		if _, err := d.org.call(ctx, http.MethodPut, path+"/"+url.PathEscape(text(rule, "id")), body, nil); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// takeRuleStep makes the call of one step. What is not sent Okta takes for its default.
func (d *Directory) takeRuleStep(ctx context.Context, path string, have []object, step ruleStep) error {
	method, body := http.MethodPost, object(nil)
	if step.verb != makeRule {
		path += "/" + url.PathEscape(text(have[step.at], "id"))
	}
	switch step.verb {
	case dropRule:
		_, err := d.org.call(ctx, http.MethodDelete, path, nil, nil)
		if fault.IsGone(err) {
			return nil
		}
		return err
	case activateRule:
		_, err := d.org.call(ctx, method, path+"/lifecycle/activate", nil, nil)
		return err
	case replaceRule:
		method = http.MethodPut
	case makeRule:
	}
	body = pruned(step.body)
	_, err := d.org.call(ctx, method, path, body, nil)
	if status, _ := fault.StatusOf(err); status.Exists {
		return waitingFor(err, "Okta has the rule and does not show it yet; it is looked at again")
	}
	return err
}
