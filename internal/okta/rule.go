package okta

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const (
	grantType = "client_credentials"
	everyone  = "EVERYONE"
)

type include struct {
	Include []string `json:"include"`
}

// rule is a rule of an access policy, to be sent and as listed. The SDK's type
// would send lifetimes of refresh tokens as null.
type rule struct {
	ID         string         `json:"id,omitempty"`
	Type       string         `json:"type"`
	Name       string         `json:"name"`
	Status     string         `json:"status,omitempty"`
	System     bool           `json:"system,omitempty"`
	Conditions ruleConditions `json:"conditions"`
	Actions    ruleActions    `json:"actions"`
}

type ruleConditions struct {
	People struct {
		Groups include `json:"groups"`
	} `json:"people"`
	GrantTypes include `json:"grantTypes"`
	Scopes     include `json:"scopes"`
}

type ruleActions struct {
	Token struct {
		Lifetime int64 `json:"accessTokenLifetimeMinutes"`
	} `json:"token"`
}

// grants tells that the rule lets clients in by themselves.
func (r rule) grants() bool { return slices.Contains(r.Conditions.GrantTypes.Include, grantType) }

// equals compares what we send; what Okta adds is its own.
func (r rule) equals(want rule) bool {
	return r.Name == want.Name && r.Actions.Token.Lifetime == want.Actions.Token.Lifetime &&
		sameSet(r.Conditions.Scopes.Include, want.Conditions.Scopes.Include) &&
		sameSet(r.Conditions.GrantTypes.Include, want.Conditions.GrantTypes.Include) &&
		sameSet(r.Conditions.People.Groups.Include, want.Conditions.People.Groups.Include)
}

func wantedRule(grant identity.Grant) rule {
	want := rule{Type: "RESOURCE_ACCESS", Name: grant.Name}
	// No person asks for a token in this flow; without a group Okta takes no rule.
	want.Conditions.People.Groups.Include = []string{everyone}
	want.Conditions.GrantTypes.Include = []string{grantType}
	want.Conditions.Scopes.Include = slices.Sorted(slices.Values(grant.Permissions))
	want.Actions.Token.Lifetime = int64(grant.TokenLifetime / time.Minute)
	return want
}

// readRule looks up the policy's rule.
func (d *Directory) readRule(ctx context.Context, key string, p policy) error {
	s, err := d.need(ctx)
	if err != nil {
		return err
	}
	result := d.rules.DoChan(p.ID, func() (any, error) {
		var rules []rule
		_, err := d.org.call(context.WithoutCancel(ctx), http.MethodGet, policiesPath(s.ID)+"/"+url.PathEscape(p.ID)+"/rules", nil, &rules)
		if fault.IsGone(err) {
			d.policies.question(key)
		}
		if err != nil {
			return nil, err
		}
		d.refineRule(key, p.ID, func(p policy) (*rule, bool) { return chooseRule(p, rules), true })
		return nil, nil
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case r := <-result:
		return r.Err
	}
}

// chooseRule finds our rule: by its name, which is the policy's, and else the only
// one there is.
func chooseRule(p policy, rules []rule) *rule {
	for i := range rules {
		if rules[i].Name == p.Name && !rules[i].System {
			return &rules[i]
		}
	}
	if len(rules) == 1 && !rules[0].System {
		return &rules[0]
	}
	return nil
}

// putRule makes the policy's rule equal to the grant.
func (d *Directory) putRule(ctx context.Context, serverID string, grant identity.Grant, p policy) error {
	key := policyKey(grant.Mark)
	want := wantedRule(grant)
	base := policiesPath(serverID) + "/" + url.PathEscape(p.ID) + "/rules"
	made := p.rule
	if p.rule == nil || !p.rule.equals(want) {
		method, path := http.MethodPost, base
		want.Status = statusActive
		if p.rule != nil {
			method, path, want.Status = http.MethodPut, base+"/"+url.PathEscape(p.rule.ID), p.rule.Status
		}
		made = &rule{}
		_, err := d.org.call(ctx, method, path, want, made)
		if err == nil && made.ID == "" {
			err = incomplete()
		}
		if err != nil {
			return d.ruleFailed(key, p.ID, err)
		}
		want.ID = made.ID
		made = &want
		d.rememberRule(key, p, made)
	}
	if made.Status == statusActive {
		return nil
	}
	if _, err := d.org.call(ctx, http.MethodPost, base+"/"+url.PathEscape(made.ID)+"/lifecycle/activate", nil, nil); err != nil {
		return d.ruleFailed(key, p.ID, err)
	}
	active := *made
	active.Status = statusActive
	d.rememberRule(key, p, &active)
	return nil
}

func (d *Directory) rememberRule(key string, p policy, r *rule) {
	p.rule, p.rulesRead = r, true
	d.rememberPolicy(key, p)
}

// refineRule changes what is known of the rule of one policy.
func (d *Directory) refineRule(key, id string, change func(policy) (*rule, bool)) {
	d.policies.refine(key, func(n *namesakes) {
		if p, found := n.byID(id); found {
			p.rule, p.rulesRead = change(p)
			*n = n.with(p)
		}
	})
}

// ruleFailed makes the next observation read the rule anew.
func (d *Directory) ruleFailed(key, policyID string, err error) error {
	if fault.IsGone(err) {
		d.policies.question(key)
	}
	d.refineRule(key, policyID, func(policy) (*rule, bool) { return nil, false })
	if status, _ := fault.StatusOf(err); status.Exists {
		return waitingFor(err, "the access policy has a rule of that name already, it may be ours; it is looked at again")
	}
	if status, _ := fault.StatusOf(err); status.HTTP == http.StatusBadRequest && d.scopes.distrustList() {
		return waitingFor(err, "Okta refuses the rule, perhaps because a scope in it was deleted; the scopes are listed anew")
	}
	return err
}
