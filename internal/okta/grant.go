package okta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	sdk "github.com/okta/okta-sdk-golang/v2/okta"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const statusActive = "ACTIVE"

// policy is an access policy of our server, as listed, with its rule once read.
type policy struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Status      string `json:"status"`
	Conditions  struct {
		Clients struct {
			Include []string `json:"include"`
		} `json:"clients"`
	} `json:"conditions"`

	// rule is the policy's one rule, nil when it has none; rulesRead tells whether
	// that was looked up.
	rule      *rule
	rulesRead bool
	// twins are the ids of other policies with the same mark.
	twins []string
}

// policyKey is where a policy is remembered: under the mark of its owner, so that
// a policy whose creation brought no answer can be asked for; one without a mark
// under its id.
func policyKey(mark identity.Mark) string { return policyMark(mark).String() }

func (p policy) key() string {
	if mark, ok := identity.ParseMark(p.Description); ok {
		return mark.String()
	}
	return p.ID
}

func policiesPath(serverID string) string {
	return "/api/v1/authorizationServers/" + url.PathEscape(serverID) + "/policies"
}

func (d *Directory) listPolicies(ctx context.Context) (map[string]policy, time.Time, error) {
	s, err := d.need(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	w := walk[policy]{org: d.org, clock: d.clock, id: func(p policy) string { return p.ID }}
	listed, begun, err := w.all(ctx, policiesPath(s.ID))
	if err != nil {
		return nil, begun, d.childless(err)
	}
	// Of several with one mark, every process must choose the same.
	slices.SortFunc(listed, func(a, b policy) int { return strings.Compare(a.ID, b.ID) })
	keyed := make(map[string]policy, len(listed))
	for _, p := range listed {
		if first, twice := keyed[p.key()]; twice {
			first.twins = append(first.twins, p.ID)
			p = first
		}
		keyed[p.key()] = p
	}
	return keyed, begun, nil
}

func (d *Directory) findPolicy(ctx context.Context, key string, _ hint) (policy, bool, error) {
	keyed, _, err := d.listPolicies(ctx)
	p, found := keyed[key]
	return p, found, err
}

// policyOf gives the role's policy with its rule.
func (d *Directory) policyOf(ctx context.Context, role identity.Mark) (policy, bool, error) {
	key := policyKey(role)
	p, found, err := d.policies.get(ctx, key, query[policy]{})
	if err != nil || !found || p.rulesRead {
		return p, found, err
	}
	if err := d.readRule(ctx, key, p); err != nil {
		return policy{}, false, err
	}
	return d.policies.get(ctx, key, query[policy]{})
}

func seenGrant(role identity.Mark, p policy) *identity.Grant {
	grant := &identity.Grant{Mark: role, Name: p.Name, Clients: slices.Sorted(slices.Values(p.Conditions.Clients.Include))}
	if p.rule == nil {
		return grant
	}
	grant.TokenLifetime = time.Duration(p.rule.Actions.Token.Lifetime) * time.Minute
	if p.Status == statusActive && p.rule.Status == statusActive && p.rule.grants() {
		grant.Permissions = slices.Sorted(slices.Values(p.rule.Conditions.Scopes.Include))
	}
	return grant
}

// PutGrant implements identity.Roles. It makes only the calls the difference to
// what is there asks for, so that it also mends what a crash left half done.
func (d *Directory) PutGrant(ctx context.Context, grant identity.Grant) error {
	s, err := d.need(ctx)
	if err != nil {
		return err
	}
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	have, found, err := d.policyOf(ctx, grant.Mark)
	if err != nil {
		return err
	}
	if err := d.nameFree(ctx, grant); err != nil {
		return err
	}
	if have, err = d.putPolicy(ctx, s.ID, grant, have, found); err != nil {
		return err
	}
	return d.putRule(ctx, s.ID, grant, have)
}

// nameFree holds that no policy of somebody else has the grant's name.
func (d *Directory) nameFree(ctx context.Context, grant identity.Grant) error {
	foreign := func(p policy) bool { return p.Name == grant.Name && p.key() != policyKey(grant.Mark) }
	all, err := d.policies.all(ctx, foreign)
	if err != nil {
		return err
	}
	for _, p := range all {
		if foreign(p) {
			return conflict(fmt.Sprintf("access policy %q stands on the operator's authorization server and does not carry the mark of %s; "+
				"delete or rename the policy in Okta", grant.Name, grant.Mark.Ref()))
		}
	}
	return nil
}

// putPolicy makes the policy equal to the grant and gives it back.
func (d *Directory) putPolicy(ctx context.Context, serverID string, grant identity.Grant, have policy, found bool) (policy, error) {
	key := policyKey(grant.Mark)
	clients := slices.Sorted(slices.Values(grant.Clients))
	if found && !policyDiffers(have, grant.Name, clients) {
		return d.activatePolicy(ctx, serverID, key, have)
	}
	body := sdk.AuthorizationServerPolicy{
		Type: "OAUTH_AUTHORIZATION_POLICY", Status: statusActive, Name: grant.Name, Description: policyMark(grant.Mark).String(),
		Conditions: &sdk.PolicyRuleConditions{Clients: &sdk.ClientPolicyCondition{Include: clients}},
	}
	if found {
		body.Status = have.Status
	}
	id, err := d.writePolicy(ctx, serverID, have, body)
	if err != nil {
		return policy{}, d.failed(d.policies, key, err)
	}
	now := policy{
		ID: id, Name: grant.Name, Description: body.Description, Status: body.Status,
		rule: have.rule, rulesRead: true, twins: have.twins,
	}
	now.Conditions.Clients.Include = clients
	d.policies.put(key, now)
	return d.activatePolicy(ctx, serverID, key, now)
}

// writePolicy creates the policy, or replaces the one there is, whose status is left
// to the calls made for it.
func (d *Directory) writePolicy(
	ctx context.Context, serverID string, have policy, body sdk.AuthorizationServerPolicy,
) (string, error) {
	servers, server := d.org.client.AuthorizationServer, url.PathEscape(serverID)
	made := done[*sdk.AuthorizationServerPolicy](ctx)
	var now *sdk.AuthorizationServerPolicy
	var err error
	if have.ID == "" {
		now, err = made(servers.CreateAuthorizationServerPolicy(ctx, server, body))
	} else {
		now, err = made(servers.UpdateAuthorizationServerPolicy(ctx, server, url.PathEscape(have.ID), body))
	}
	if err != nil {
		return "", err
	}
	if now == nil || now.Id == "" {
		return "", incomplete()
	}
	return now.Id, nil
}

func policyDiffers(have policy, name string, clients []string) bool {
	return have.Name != name || !slices.Equal(slices.Sorted(slices.Values(have.Conditions.Clients.Include)), clients)
}

// activatePolicy switches a policy on again: access is given by the role, and a
// policy that is off would look as if it were.
func (d *Directory) activatePolicy(ctx context.Context, serverID, key string, p policy) (policy, error) {
	if p.Status == statusActive {
		return p, nil
	}
	_, err := d.org.call(ctx, http.MethodPost, policiesPath(serverID)+"/"+url.PathEscape(p.ID)+"/lifecycle/activate", nil, nil)
	if err != nil {
		return policy{}, d.failed(d.policies, key, err)
	}
	p.Status = statusActive
	d.policies.put(key, p)
	return p, nil
}

// DeleteGrant implements identity.Roles. It deletes every policy with the mark: each
// of them would go on letting clients in.
func (d *Directory) DeleteGrant(ctx context.Context, role identity.Mark) error {
	s, found, err := d.own(ctx)
	if err != nil || !found {
		return err
	}
	key := policyKey(role)
	p, found, err := d.policies.get(ctx, key, query[policy]{certain: true})
	if err != nil {
		return err
	}
	if !found {
		return unsettled(d.policies.open(key))
	}
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	for _, id := range append([]string{p.ID}, p.twins...) {
		_, err = d.org.client.AuthorizationServer.DeleteAuthorizationServerPolicy(ctx, url.PathEscape(s.ID), url.PathEscape(id))
		if err = typed(ctx, err); err != nil && !fault.IsGone(err) {
			if id != p.ID {
				// The one that is remembered is gone, and others are not.
				d.policies.question(key)
			}
			return d.failed(d.policies, key, err)
		}
	}
	d.policies.drop(key)
	return nil
}

// sameSet compares without order.
func sameSet(a, b []string) bool {
	return strings.Join(slices.Sorted(slices.Values(a)), "\n") == strings.Join(slices.Sorted(slices.Values(b)), "\n")
}
