package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func over(name string, resources ...string) desired.AdminPermission {
	return desired.AdminPermission{Name: name, Resources: resources}
}

func excessive(p desired.AdminPermission) desired.AdminPermission {
	p.Excessive = true
	return p
}

func TestAdmin(t *testing.T) {
	const read, groups, manage = "okta.users.read", "okta.groups.read", "okta.users.manage"
	tests := map[string]struct {
		reason string
		admin  []desired.AdminPermission
		bound  bool // whether the group says that there may be something
		first  AdminVerb
		last   AdminVerb
		given  []string
		over   []string
	}{
		"Nothing": {reason: "of a role that gives nothing nothing is done"},
		"New": {
			reason: "the group must say so before anything is given, and does not before it is known that it can be taken away",
			admin:  []desired.AdminPermission{over(read, "b", "a")},
			first:  NarrowAdminRole, given: []string{read}, over: []string{"a", "b"},
		},
		"Said": {
			reason: "then it is given, over all it may be given over",
			admin:  []desired.AdminPermission{over(read, "b", "a")}, bound: true,
			first: NarrowAdminRole, last: PutAdminRole, given: []string{read}, over: []string{"a", "b"},
		},
		"Removed": {
			reason: "what is not wanted any more goes first, whole",
			bound:  true, first: DeleteAdminRole,
		},
		"Fewer": {
			reason: "of two that are over the same, in whatever order, both are given",
			admin:  []desired.AdminPermission{over(groups, "a", "b"), over(read, "b", "a")}, bound: true,
			first: NarrowAdminRole, last: PutAdminRole, given: []string{groups, read}, over: []string{"a", "b"},
		},
		"NotAllowed": {
			reason: "what was allowed once and is not any more is taken away",
			admin:  []desired.AdminPermission{over(read)}, bound: true, first: DeleteAdminRole,
		},
		"OneNotAllowed": {
			reason: "what is allowed stays, and nothing is given beside what is refused",
			admin:  []desired.AdminPermission{over(groups), over(read, "a")}, bound: true,
			first: NarrowAdminRole, given: []string{read}, over: []string{"a"},
		},
		"Escalation": {
			reason: "no configuration can allow it, were it read or not",
			admin:  []desired.AdminPermission{over(manage, "a")}, bound: true, first: DeleteAdminRole,
		},
		"EscalationBeside": {
			reason: "nor does it take along what is harmless",
			admin:  []desired.AdminPermission{over(manage, "a"), over(read, "a")}, bound: true,
			first: NarrowAdminRole, given: []string{read}, over: []string{"a"},
		},
		"Excessive": {
			reason: "what a ceiling forbids is taken away",
			admin:  []desired.AdminPermission{excessive(over(read, "a"))}, bound: true, first: DeleteAdminRole,
		},
		"OneExcessive": {
			reason: "and the rest is given",
			admin:  []desired.AdminPermission{excessive(over(groups, "b")), over(read, "a")}, bound: true,
			first: NarrowAdminRole, last: PutAdminRole, given: []string{read}, over: []string{"a"},
		},
		"Differing": {
			reason: "one role in Okta has one set: each would be over what the other is over",
			admin:  []desired.AdminPermission{over(groups, "a", "b"), over(read, "a")}, bound: true, first: DeleteAdminRole,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			wish := wantRole()
			wish.Admin = tc.admin
			roster := identity.Roster{GroupID: "00g1", Administering: tc.bound}
			first, last := AdminFirst(wish, roster), AdminLast(wish, roster)
			for _, step := range []struct {
				want AdminVerb
				got  *AdminStep
			}{{tc.first, first}, {tc.last, last}} {
				if step.want == "" && step.got == nil {
					continue
				}
				if step.got == nil || step.got.Verb != step.want || step.got.Reason == "" {
					t.Fatalf("%s: the step is %+v, want %q", tc.reason, step.got, step.want)
				}
				want := identity.AdminRole{Mark: wish.Mark, Label: "k8s.c.ns.r", Group: "00g1", Permissions: tc.given, Resources: tc.over}
				if diff := cmp.Diff(want, step.got.Admin, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: (-want +got):\n%s", tc.reason, diff)
				}
			}
		})
	}
}

// TestAdminIsRefusedWithTheWayOut: who reads the condition knows what to do.
func TestAdminIsRefusedWithTheWayOut(t *testing.T) {
	for says, admin := range map[string][]desired.AdminPermission{
		"okta.adminPermissions of the operator's configuration does not allow it": {over("okta.users.read")},
		"no configuration can allow it; remove it from spec.permissions":          {over("okta.apps.manage", "a")},
		"put them into two roles": {over("okta.groups.read", "a"), over("okta.users.read", "b")},
	} {
		wish := wantRole()
		wish.Admin = admin
		err := AdminRefused(wish)
		wantError(t, says, err, identity.Rejected, "ReservedPermission")
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), admin[0].Name) {
			t.Errorf("the error is %v, want one that names %s and says %q", err, admin[0].Name, says)
		}
	}
}

// TestAdminAgain: who may administer something is looked at within the hour, and nobody else
// for that.
func TestAdminAgain(t *testing.T) {
	one := desired.AdminPermission{Name: "okta.users.read", Resources: []string{"a"}}
	over := one
	over.Excessive = true
	for reason, tt := range map[string]struct {
		admin []desired.AdminPermission
		want  time.Duration
	}{
		"a role that gives nothing of it waits for the resync": {nil, 0},
		"one that may give nothing, too":                       {[]desired.AdminPermission{over}, 0},
		"one that does is looked at every hour":                {[]desired.AdminPermission{one}, time.Hour},
	} {
		if got := AdminAgain(desired.Role{Admin: tt.admin}); got != tt.want {
			t.Errorf("%s: again in %s, want %s", reason, got, tt.want)
		}
	}
}
