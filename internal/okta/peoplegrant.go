package okta

import (
	"context"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// openID are the scopes by which an app learns who has signed in.
var openID = []string{"openid", "profile", "email"} //nolint:gochecknoglobals // a list of words

// PutPeopleGrant implements identity.SignIns.
func (d *Directory) PutPeopleGrant(ctx context.Context, want identity.PeopleGrant) error {
	s, err := d.need(ctx)
	if err != nil {
		return err
	}
	body := object{"status": statusActive, "conditions": object{"clients": object{"include": want.Clients}}}
	rules := make([]object, 0, len(want.Rules))
	for _, rule := range want.Rules {
		people := object{"groups": object{"include": rule.Groups}}
		if len(rule.Users) > 0 {
			people = object{"users": object{"include": rule.Users}, "groups": nil}
		}
		rules = append(rules, object{
			"type": "RESOURCE_ACCESS", "name": rule.Name, "status": statusActive,
			"conditions": object{
				"people": people, "grantTypes": object{"include": []string{"authorization_code"}},
				"scopes": object{"include": append(append([]string{}, rule.Permissions...), openID...)},
			},
			"actions": object{"token": object{"accessTokenLifetimeMinutes": int(want.TokenLifetime / time.Minute)}},
		})
	}
	_, err = d.ensureOrgPolicy(ctx, grantToPeople(s, want.Mark, want.Name), body, orgRules{wanted: rules, first: 1, revoking: true})
	return d.childless(err)
}

// DeletePeopleGrant implements identity.SignIns.
func (d *Directory) DeletePeopleGrant(ctx context.Context, owner identity.Mark, name string) error {
	s, found, err := d.own(ctx)
	if err != nil || !found {
		return err
	}
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	return d.childless(d.deleteOrgPolicy(ctx, grantToPeople(s, owner, name)))
}

func grantToPeople(s server, owner identity.Mark, name string) orgPolicy {
	return orgPolicy{policiesPath(s.ID), "OAUTH_AUTHORIZATION_POLICY", owner, name}
}
