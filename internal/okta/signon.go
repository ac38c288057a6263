package okta

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const signOnPolicy = "OKTA_SIGN_ON"

// nobodyElse is the rule behind all others. Okta would ask the next policy, in the end its
// default, about whom no rule matches. Names of rules that people give have no capitals.
const nobodyElse = "Nobody else"

// longestIdle is how long a session may be idle: Okta's default.
const longestIdle = 2 * time.Hour

func signOnOf(owner identity.Mark, name string) orgPolicy {
	return orgPolicy{orgPolicies, signOnPolicy, owner, name}
}

// PutSignOn implements identity.SignOns.
func (d *Directory) PutSignOn(ctx context.Context, want identity.SignOn) (string, []string, error) {
	if err := d.classic(ctx); err != nil {
		return "", nil, err
	}
	p := signOnOf(want.Mark, want.Name)
	rules := make([]object, 0, len(want.Rules)+1)
	for _, rule := range want.Rules {
		rules = append(rules, sessionRule(rule.Name, network(rule.FromZones, rule.NotFromZones), allowing(rule)))
	}
	rules = append(rules, sessionRule(nobodyElse, network(nil, nil), object{"access": "DENY"}))
	body := object{"conditions": forGroups(want.Groups)}
	id, err := d.ensureOrgPolicy(ctx, p, body, orgRules{wanted: rules, first: 1})
	if err != nil {
		return id, nil, err
	}
	earlier, err := d.earlier(ctx, p, id, want.Groups)
	return id, earlier, err
}

// DeleteSignOn implements identity.SignOns.
func (d *Directory) DeleteSignOn(ctx context.Context, owner identity.Mark, name string) error {
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	return d.deleteOrgPolicy(ctx, signOnOf(owner, name))
}

// sessionRule is a rule in Okta's words. Whom it is for says its policy: a rule that made
// an exception would leave somebody to the next policy. So would one that was for some
// providers or risks only.
func sessionRule(name string, network, signon object) object {
	return object{
		"type": "SIGN_ON", "name": name,
		"conditions": object{
			"people":  object{"users": object{"include": nil, "exclude": []string{}}, "groups": nil},
			"network": network, "authContext": object{"authType": "ANY"},
			"identityProvider": nil, "risk": nil, "riskScore": nil,
		},
		"actions": object{"signon": signon},
	}
}

// allowing lets people in for one session. Okta does not ask for a factor again before a
// session ends, however short the life of the factor, so that it is the session that ends.
func allowing(rule identity.SignOnRule) object {
	signon := object{
		"access": "ALLOW", "requireFactor": rule.TwoFactors, "rememberDeviceByDefault": false,
		"session": object{
			"usePersistentCookie":       false,
			"maxSessionIdleMinutes":     int(min(rule.Lifetime, longestIdle) / time.Minute),
			"maxSessionLifetimeMinutes": int(rule.Lifetime / time.Minute),
		},
	}
	if rule.TwoFactors {
		signon["factorPromptMode"] = "ALWAYS"
	}
	return signon
}

// earlier names what Okta asks before the policy of that id about the same people, and that
// may let them in. That there is nothing is believed for an hour.
func (d *Directory) earlier(ctx context.Context, p orgPolicy, id string, groups []string) ([]string, error) {
	key := id + " " + strings.Join(groups, " ")
	if d.leading.within(key, d.clock.Now(), verifiedFor) {
		return nil, nil
	}
	listed, begun, err := objects(d.org, d.clock).all(ctx, p.list())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, other := range before(listed, id, groups) {
		lets, err := d.letsIn(ctx, p.path(text(other, "id")))
		if err != nil {
			return nil, err
		}
		if lets {
			names = append(names, text(other, "name"))
		}
	}
	if len(names) == 0 {
		d.leading.put(key, begun)
	}
	slices.Sort(names)
	return names, nil
}

// before gives the active policies that come before the one of that id, or that are there
// while lists do not show it, for a new one is the last: those for one of the groups, or
// for everybody, like the system's.
func before(listed []object, id string, groups []string) []object {
	for _, policy := range listed {
		if policy["system"] == true {
			groups = append(slices.Clone(groups), groupsOf(policy)...)
		}
	}
	own := slices.IndexFunc(listed, func(o object) bool { return text(o, "id") == id })
	return slices.DeleteFunc(slices.Clone(listed), func(other object) bool {
		return other["system"] == true || text(other, "id") == id || text(other, "status") != statusActive ||
			own >= 0 && priorityOf(other) > priorityOf(listed[own]) ||
			!slices.ContainsFunc(groupsOf(other), func(group string) bool { return slices.Contains(groups, group) })
	})
}

func priorityOf(policy object) float64 {
	priority, _ := policy["priority"].(float64)
	return priority
}

// groupsOf are the groups a policy is for.
func groupsOf(policy object) []string {
	var ids []string
	at := any(policy)
	for _, name := range []string{"conditions", "people", "groups", "include"} {
		within, _ := at.(object)
		at = within[name]
	}
	list, _ := at.([]any)
	for _, each := range list {
		if id, is := each.(string); is {
			ids = append(ids, id)
		}
	}
	return ids
}

// letsIn tells whether one of a policy's rules lets anybody in. One that only refuses takes
// nothing away from what comes behind it.
func (d *Directory) letsIn(ctx context.Context, path string) (bool, error) {
	var rules []struct {
		Status  string `json:"status"`
		Actions struct {
			SignOn struct {
				Access string `json:"access"`
			} `json:"signon"`
		} `json:"actions"`
	}
	_, err := d.org.call(ctx, http.MethodGet, path+"/rules", nil, &rules)
	if fault.IsGone(err) {
		return false, nil
	}
	for _, rule := range rules {
		if rule.Status == statusActive && rule.Actions.SignOn.Access != "DENY" {
			return true, nil
		}
	}
	return false, err
}
