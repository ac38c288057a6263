package identity

import (
	"slices"
	"strings"
	"testing"
)

// TestEscalates holds Okta's whole catalogue, as of 2026.06, against the decision.
func TestEscalates(t *testing.T) {
	for _, permission := range []string{
		"okta.agents.manage", "okta.agents.register", "okta.apps.assignment.manage", "okta.apps.clientCredentials.read", "okta.apps.manage",
		"okta.apps.manageFirstPartyApps", "okta.authzServers.manage", "okta.customizations.manage", "okta.devices.lifecycle.activate",
		"okta.devices.lifecycle.deactivate", "okta.devices.lifecycle.delete", "okta.devices.lifecycle.manage", "okta.devices.lifecycle.suspend",
		"okta.devices.lifecycle.unsuspend", "okta.devices.manage", "okta.directories.manage", "okta.governance.accessCertifications.manage",
		"okta.governance.accessRequests.manage", "okta.groups.appAssignment.manage", "okta.groups.create", "okta.groups.manage",
		"okta.groups.members.manage", "okta.iam.read", "okta.identityProviders.manage", "okta.policies.manage", "okta.profilesources.import.run",
		"okta.realms.manage", "okta.ssf.securityEventsProviders.manage", "okta.support.cases.manage", "okta.users.apitokens.clear",
		"okta.users.apitokens.manage", "okta.users.apitokens.read", "okta.users.appAssignment.manage", "okta.users.create",
		"okta.users.credentials.expirePassword", "okta.users.credentials.manage", "okta.users.credentials.manageTemporaryAccessCode",
		"okta.users.credentials.resetFactors", "okta.users.credentials.resetPassword", "okta.users.groupMembership.manage",
		"okta.users.lifecycle.activate", "okta.users.lifecycle.clearSessions", "okta.users.lifecycle.deactivate", "okta.users.lifecycle.delete",
		"okta.users.lifecycle.manage", "okta.users.lifecycle.suspend", "okta.users.lifecycle.unlock", "okta.users.lifecycle.unsuspend",
		"okta.users.manage", "okta.users.risk.manage", "okta.users.userprofile.manage", "okta.workflows.invoke",
	} {
		if why := Escalates(permission); why == "" || strings.Contains(why, "not among") {
			t.Errorf("Escalates(%q) = %q, want why its holder could gain more", permission, why)
		}
	}
	for _, permission := range Harmless() {
		if why := Escalates(permission); why != "" {
			t.Errorf("Escalates(%q) = %q, want nothing", permission, why)
		}
		if !strings.HasSuffix(permission, ".read") {
			t.Errorf("%q changes something, and is called harmless", permission)
		}
	}
	for _, permission := range []string{"", "okta.", "okta.users.read.all", "okta.USERS.read", "okta.newThing.read", "okta.users.*", "chat"} {
		if Escalates(permission) == "" {
			t.Errorf("%q, which nobody knows, may be allowed", permission)
		}
	}
}

// TestEveryEscalationIsReached: a line behind one that takes its permissions says nothing.
func TestEveryEscalationIsReached(t *testing.T) {
	all := escalations()
	for i, e := range all {
		if e.why == "" || !strings.HasPrefix(e.permission, AdminPrefix) {
			t.Errorf("%+v is no escalation", e)
		}
		if slices.ContainsFunc(all[:i], func(before escalation) bool {
			beginning, open := strings.CutSuffix(before.permission, "*")
			return before.permission == e.permission || open && strings.HasPrefix(e.permission, beginning)
		}) {
			t.Errorf("%q is never reached", e.permission)
		}
	}
}
