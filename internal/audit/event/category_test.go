package event_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event/eventtest"
)

// catalogue is every type of event that Okta has published.
func catalogue(t *testing.T) []string {
	t.Helper()
	types, there := eventtest.Catalogue(t)
	if !there {
		t.Skip("OKTA_DATA is unset: the catalogue of Okta's event types is not there")
	}
	return types
}

func TestEveryTypeOfTheCatalogueHasTheCategoryThatWasMeant(t *testing.T) {
	// A type that moves, or a family that Okta adds, is looked at by somebody before
	// this table is changed: who has chosen a category gets more or fewer events.
	want := map[v1alpha1.EventCategory]int{
		v1alpha1.CategoryAuditing:            16,
		v1alpha1.CategoryAuthorizationServer: 48,
		v1alpha1.CategoryClient:              100,
		v1alpha1.CategoryOther:               830,
		v1alpha1.CategoryPolicy:              76,
		v1alpha1.CategoryRoleAndGroup:        52,
		v1alpha1.CategorySignIn:              83,
		v1alpha1.CategoryThreat:              31,
		v1alpha1.CategoryToken:               38,
	}
	got := map[v1alpha1.EventCategory]int{}
	for _, known := range catalogue(t) {
		got[event.Category(known)]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types by category (-want +got):\n%s", diff)
	}
}

func TestCategory(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		want   v1alpha1.EventCategory
		types  string
	}{
		"tokens": {
			reason: "what is granted, refused and revoked at a token or authorization endpoint",
			want:   v1alpha1.CategoryToken,
			types: `app.oauth2.as.token.grant app.oauth2.as.token.grant.access_token app.oauth2.token.grant app.oauth2.token.grant.access_token
				app.oauth2.token.grant.id_jag app.oauth2.as.token.revoke app.oauth2.invalid_client_credentials
				app.oauth2.as.authorize.scope_denied`,
		},
		"clients": {
			reason: "an agent is a client, and so is what Okta itself calls an AI agent",
			want:   v1alpha1.CategoryClient,
			types: `application.lifecycle.create application.lifecycle.update application.lifecycle.activate application.lifecycle.deactivate
				application.lifecycle.delete app.oauth2.client.lifecycle.create app.oauth2.client.lifecycle.delete
				app.oauth2.credentials.lifecycle.create app.oauth2.credentials.lifecycle.activate
				app.oauth2.credentials.lifecycle.deactivate app.oauth2.credentials.lifecycle.delete app.oauth2.client.read_client_secret
				app.oauth2.client.privilege.grant app.oauth2.client.privilege.revoke app.oauth2.admin.consent.grant
				app.oauth2.admin.consent.revoke workload_principal.register workload_principal.ai_agent.credential.create`,
		},
		"authorization servers": {
			reason: "the key that signs tokens belongs to the server, though its type is in the family of clients",
			want:   v1alpha1.CategoryAuthorizationServer,
			types: `oauth2.as.created oauth2.as.updated oauth2.as.activated oauth2.as.deactivated oauth2.as.deleted oauth2.scope.created
				oauth2.claim.deleted app.oauth2.as.key.rollover`,
		},
		"policies": {
			reason: "rules, what they decided, and the zones they speak of",
			want:   v1alpha1.CategoryPolicy,
			types: `policy.lifecycle.update policy.lifecycle.activate policy.lifecycle.deactivate policy.lifecycle.create policy.lifecycle.delete
				policy.rule.add policy.rule.update policy.rule.activate policy.rule.deactivate policy.rule.delete policy.evaluate_sign_on
				application.policy.sign_on.deny_access policy.auth_reevaluate.fail policy.entity_risk.evaluate zone.update`,
		},
		"roles and groups": {
			reason: "who is in a group and who may administer, not who the person is",
			want:   v1alpha1.CategoryRoleAndGroup,
			types: `iam.role.create iam.role.permissions.add iam.resourceset.create iam.resourceset.bindings.add group.lifecycle.create
				group.user_membership.add group.user_membership.remove group.privilege.grant group.privilege.revoke
				user.account.privilege.grant user.account.privilege.revoke`,
		},
		"sign-in": {
			reason: "sessions and factors of people",
			want:   v1alpha1.CategorySignIn,
			types: `user.mfa.factor.activate user.mfa.factor.deactivate user.mfa.factor.reset_all user.mfa.factor.update
				user.authentication.auth_via_mfa user.session.start user.session.end user.session.context.change`,
		},
		"threats": {
			reason: "a credential used from outside its range is an attack, whatever family it is in",
			want:   v1alpha1.CategoryThreat,
			types: `security.threat.detected security.request.blocked security.attack.start security.attack.end user.risk.detect user.risk.change
				system.api_token.request_outside_allowed_range system.oauth2.token.request_outside_allowed_range`,
		},
		"auditing": {
			reason: "who turns these off is not seen any more; the API promises API tokens here",
			want:   v1alpha1.CategoryAuditing,
			types: `system.log_stream.lifecycle.create system.log_stream.lifecycle.deactivate event_hook.created event_hook.deactivated
				system.api_token.create system.api_token.revoke`,
		},
		"the operator's own": {
			reason: "no type of Okta's begins so",
			want:   v1alpha1.CategoryOperator,
			types:  `agentidentity.key.rotated agentidentity.detection.matched`,
		},
		"others": {
			reason: "what is in no family, what only looks as if it were, and what is no type at all",
			want:   v1alpha1.CategoryOther,
			types:  `system.org.rate_limit.warning agentidentityx.key.rotated groups.lifecycle.create .group .. x`,
		},
		"new ones": {
			reason: "a type that Okta adds goes with its family",
			want:   v1alpha1.CategoryToken,
			types:  `app.oauth2.as.token.grant.of_tomorrow app.oauth2.token.of.the.day.after`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for eventType := range strings.FieldsSeq(test.types) {
				if got := event.Category(eventType); got != test.want {
					t.Errorf("%s is %s, want %s, for %s", eventType, got, test.want, test.reason)
				}
			}
		})
	}
	if got := event.Category(""); got != v1alpha1.CategoryOther {
		t.Errorf("no type is %s, want %s", got, v1alpha1.CategoryOther)
	}
}
