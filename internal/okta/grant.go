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

func seenGrant(role identity.Mark, p policy) *identity.Grant {
	// The name in the policy may have been cut short; of a namesake it is the same.
	role.UID, role.Since = p.mark.UID, p.mark.Since
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
	if found && !have.mayChange(grant.Mark) {
		return notGrantOf(have.Name, grant.Mark)
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
	foreign := func(p policy) bool { return p.Name == grant.Name && !p.mayChange(grant.Mark) }
	all, err := d.policies.all(ctx, func(n namesakes) bool { return slices.ContainsFunc(n, foreign) })
	if err != nil {
		return err
	}
	for _, n := range all {
		if slices.ContainsFunc(n, foreign) {
			return notGrantOf(grant.Name, grant.Mark)
		}
	}
	return nil
}

func notGrantOf(name string, role identity.Mark) error {
	return conflict(fmt.Sprintf("access policy %q stands on the operator's authorization server and does not carry the mark of %s; "+
		"delete or rename the policy in Okta", name, role.Ref()))
}

// putPolicy makes the policy equal to the grant and gives it back.
func (d *Directory) putPolicy(ctx context.Context, serverID string, grant identity.Grant, have policy, found bool) (policy, error) {
	key := policyKey(grant.Mark)
	clients := slices.Sorted(slices.Values(grant.Clients))
	mark := policyMark(grant.Mark)
	if found && have.mark == mark && !policyDiffers(have, grant.Name, clients) {
		return d.activatePolicy(ctx, serverID, key, have)
	}
	body := sdk.AuthorizationServerPolicy{
		Type: "OAUTH_AUTHORIZATION_POLICY", Status: statusActive, Name: grant.Name, Description: mark.String(),
		Conditions: &sdk.PolicyRuleConditions{Clients: &sdk.ClientPolicyCondition{Include: clients}},
	}
	if found {
		body.Status = have.Status
	}
	id, err := d.writePolicy(ctx, serverID, have, body)
	if err != nil {
		return policy{}, d.policyFailed(key, err)
	}
	now := policy{
		ID: id, Name: grant.Name, Description: body.Description, Status: body.Status, Priority: have.Priority,
		mark: mark, rule: have.rule, rulesRead: true,
	}
	now.Conditions.Clients.Include = clients
	d.rememberPolicy(key, now)
	return d.activatePolicy(ctx, serverID, key, now)
}

// policyFailed lists the clients anew when Okta refuses a policy: a person may have
// deleted one that is in it. What the new list misses is looked up after the lag.
func (d *Directory) policyFailed(key string, err error) error {
	err = d.failed(d.policies, key, err)
	if status, _ := fault.StatusOf(err); status.HTTP != http.StatusBadRequest || status.Exists || !d.clients.distrustList() {
		return err
	}
	return waitingUntil(err, lagging+lagging/2,
		"Okta refuses the access policy, perhaps because a client in it was deleted; the clients are listed anew")
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
	d.rememberPolicy(key, p)
	return p, nil
}

// DeleteGrant implements identity.Roles. It deletes every policy the role may change:
// each of them would go on letting clients in.
func (d *Directory) DeleteGrant(ctx context.Context, role identity.Mark) error {
	s, found, err := d.own(ctx)
	if err != nil || !found {
		return err
	}
	key := policyKey(role)
	n, found, err := d.policies.get(ctx, key, query[namesakes]{
		certain: true, blocks: func(n namesakes) bool { return len(n.mine(role)) == 0 },
	})
	if err != nil {
		return err
	}
	if !found {
		return unsettled(d.policies.open(key))
	}
	mine := n.mine(role)
	if len(mine) == 0 {
		return notGrantOf(n[0].Name, role)
	}
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	for _, p := range mine {
		_, err = d.org.client.AuthorizationServer.DeleteAuthorizationServerPolicy(ctx, url.PathEscape(s.ID), url.PathEscape(p.ID))
		if err = typed(ctx, err); err != nil && !fault.IsGone(err) {
			return d.failed(d.policies, key, err)
		}
		if n = n.without(p.ID); len(n) > 0 {
			d.policies.put(key, n)
			continue
		}
		d.policies.drop(key)
	}
	return nil
}

// sameSet compares without order.
func sameSet(a, b []string) bool {
	return strings.Join(slices.Sorted(slices.Values(a)), "\n") == strings.Join(slices.Sorted(slices.Values(b)), "\n")
}
