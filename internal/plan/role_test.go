package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func wantRole() desired.Role {
	mark := identity.Mark{Cluster: "c", Kind: "AIAgentRole", Namespace: "ns", Name: "r", UID: "u1"}
	return desired.Role{
		Mark:          mark,
		Group:         identity.Group{Mark: mark, Name: "k8s-c-ns-r", Description: "A role"},
		Permissions:   []identity.Permission{{Name: "chat", Description: "Chat."}, {Name: "logs"}},
		TokenLifetime: 15 * time.Minute,
	}
}

func seenRole() RoleSeen {
	want := wantRole()
	group, grant := want.Group, want.Grant([]string{"aik-1"})
	group.ID = "00g1"
	return RoleSeen{
		RoleSeen: identity.RoleSeen{
			Server: &identity.Server{ID: "aus1"},
			Permissions: map[string]identity.Permission{
				"chat": {Name: "chat", Description: "Chat."}, "logs": {Name: "logs", Description: "Another role's words."},
			},
			Group: &group, Grant: &grant,
		},
		Members: []Member{{ClientID: "aik-1", FirstSeen: at(0)}},
	}
}

func TestRole(t *testing.T) {
	type want struct {
		verbs   []RoleVerb
		clients []string
		again   time.Duration
		kind    identity.Kind
		reason  string
		tried   bool
	}
	tests := map[string]struct {
		reason string
		change func(*desired.Role, *RoleSeen)
		want   want
	}{
		"Complete": {
			reason: "a role of which everything stands needs nothing",
			change: func(*desired.Role, *RoleSeen) {},
		},
		"Fresh": {
			reason: "the server comes first, and no policy is made while no client would be in it",
			change: func(_ *desired.Role, s *RoleSeen) { *s = RoleSeen{} },
			want:   want{verbs: []RoleVerb{CreateServer, PutPermission, PutPermission, PutGroup}},
		},
		"ServerRequested": {
			reason: "a server that another process may just have made is given time to show",
			change: func(_ *desired.Role, s *RoleSeen) { *s = RoleSeen{ServerRequested: at(-69)} },
			want:   want{kind: identity.Waiting, reason: identity.ReasonWaiting},
		},
		"ServerRequestedByAFastClock": {
			reason: "another process's clock may be a little ahead",
			change: func(_ *desired.Role, s *RoleSeen) { *s = RoleSeen{ServerRequested: at(12)} },
			want:   want{kind: identity.Waiting, reason: identity.ReasonWaiting},
		},
		"ServerNeverCame": {
			reason: "what does not show in time was never made",
			change: func(_ *desired.Role, s *RoleSeen) { *s = RoleSeen{ServerRequested: at(-70)} },
			want:   want{verbs: []RoleVerb{CreateServer, PutPermission, PutPermission, PutGroup}, tried: true},
		},
		"TwinServer": {
			reason: "a second server of ours goes last of all, for it is in nobody's way",
			change: func(w *desired.Role, s *RoleSeen) {
				s.Twin = "aus2"
				w.TokenLifetime = time.Hour
			},
			want: want{verbs: []RoleVerb{PutGrant, DropTwin}, clients: []string{"aik-1"}},
		},
		"FirstKey": {
			reason: "a lone client is listed at once",
			change: func(_ *desired.Role, s *RoleSeen) { s.Grant = nil },
			want:   want{verbs: []RoleVerb{PutGrant}, clients: []string{"aik-1"}},
		},
		"OthersUnderway": {
			reason: "a client waits a little for others, so that one write serves all",
			change: func(_ *desired.Role, s *RoleSeen) {
				s.Members = append(s.Members, Member{"aik-2", at(8)}, Member{"aik-3", at(9)})
				s.Underway = 5
			},
			want: want{again: time.Second},
		},
		"OthersUnderwayTooLong": {
			reason: "and no longer",
			change: func(_ *desired.Role, s *RoleSeen) {
				s.Members = append(s.Members, Member{"aik-2", at(1)})
				s.Underway = 5
			},
			want: want{verbs: []RoleVerb{PutGrant}, clients: []string{"aik-1", "aik-2"}},
		},
		"KeyGone": {
			reason: "access is taken away at once, whoever is under way",
			change: func(_ *desired.Role, s *RoleSeen) {
				s.Members = []Member{{"aik-2", at(10)}}
				s.Underway = 5
			},
			want: want{verbs: []RoleVerb{PutGrant}, clients: []string{"aik-2"}},
		},
		"LastKeyGone": {
			reason: "a policy without clients is no policy",
			change: func(_ *desired.Role, s *RoleSeen) { s.Members = nil },
			want:   want{verbs: []RoleVerb{DeleteGrant}},
		},
		"PermissionRemoved": {
			reason: "fewer permissions reach the policy; the scope itself may be shared and stays",
			change: func(w *desired.Role, _ *RoleSeen) { w.Permissions = w.Permissions[:1] },
			want:   want{verbs: []RoleVerb{PutGrant}, clients: []string{"aik-1"}},
		},
		"PermissionAdded": {
			reason: "the scope must exist before a rule can name it",
			change: func(w *desired.Role, _ *RoleSeen) {
				w.Permissions = append(w.Permissions, identity.Permission{Name: "train"})
			},
			want: want{verbs: []RoleVerb{PutPermission, PutGrant}, clients: []string{"aik-1"}},
		},
		"LifetimeChanged": {
			reason: "the token lifetime is part of the rule",
			change: func(w *desired.Role, _ *RoleSeen) { w.TokenLifetime = time.Hour },
			want:   want{verbs: []RoleVerb{PutGrant}, clients: []string{"aik-1"}},
		},
		"DescriptionChanged": {
			reason: "words of the group follow the role",
			change: func(w *desired.Role, _ *RoleSeen) { w.Group.Description = "Other words" },
			want:   want{verbs: []RoleVerb{PutGroup}},
		},
		"GroupRenamed": {
			reason: "people find the group by its name",
			change: func(_ *desired.Role, s *RoleSeen) { s.Group.Name = "Renamed" },
			want:   want{verbs: []RoleVerb{PutGroup}},
		},
		"ReservedPermission": {
			reason: "okta.* would administer the org; refused even when admission was passed by",
			change: func(w *desired.Role, _ *RoleSeen) {
				w.Permissions = append(w.Permissions, identity.Permission{Name: "okta.users.manage"})
			},
			want: want{kind: identity.Rejected, reason: "ReservedPermission"},
		},
		"AdminPermission": {
			reason: "what people administer is no scope",
			change: func(w *desired.Role, _ *RoleSeen) {
				w.Admin = []desired.AdminPermission{over("okta.users.read", "users")}
			},
		},
		"AdminPermissionOnly": {
			reason: "a role without anything for agents has no policy",
			change: func(w *desired.Role, _ *RoleSeen) {
				w.Permissions, w.Admin = nil, []desired.AdminPermission{over("okta.users.read", "users")}
			},
			want: want{verbs: []RoleVerb{DeleteGrant}},
		},
		"AdminPermissionNotAllowed": {
			reason: "what people are refused is nothing to agents",
			change: func(w *desired.Role, _ *RoleSeen) { w.Admin = []desired.AdminPermission{over("okta.users.read")} },
		},
		"Administering": {
			reason: "the group says first that its members administer something",
			change: func(w *desired.Role, _ *RoleSeen) { w.Group.Administering = true },
			want:   want{verbs: []RoleVerb{PutGroup}},
		},
		"ForeignScope": {
			reason: "a scope somebody else made on our server is not ours to hand out",
			change: func(_ *desired.Role, s *RoleSeen) { s.Foreign = map[string]bool{"chat": true} },
			want:   want{kind: identity.Conflict, reason: identity.ReasonConflict},
		},
		"KeyGoneWhileInConflict": {
			reason: "access ends although something else is in the way",
			change: func(_ *desired.Role, s *RoleSeen) {
				s.Group.Mark = identity.Mark{}
				s.Grant.Clients = []string{"aik-1", "aik-2"}
			},
			want: want{verbs: []RoleVerb{PutGrant}, clients: []string{"aik-1"}, kind: identity.Conflict, reason: identity.ReasonConflict},
		},
		"NewKeyWhileInConflict": {
			reason: "and does not begin",
			change: func(_ *desired.Role, s *RoleSeen) {
				s.Group.Mark = identity.Mark{}
				s.Members = append(s.Members, Member{"aik-2", at(0)})
			},
			want: want{kind: identity.Conflict, reason: identity.ReasonConflict},
		},
		"LastKeyGoneWhileInConflict": {
			reason: "and ends for all",
			change: func(_ *desired.Role, s *RoleSeen) { s.Group.Mark, s.Members = identity.Mark{}, nil },
			want:   want{verbs: []RoleVerb{DeleteGrant}, kind: identity.Conflict, reason: identity.ReasonConflict},
		},
		"Shadowed": {
			reason: "what comes before ours is told",
			change: func(_ *desired.Role, s *RoleSeen) { s.Shadows = []string{"Default Policy"} },
			want:   want{kind: identity.Rejected, reason: "Shadowed"},
		},
		"Restored": {
			reason: "what an earlier namesake left is taken over, and its clients stay while their keys may be on their way",
			change: func(w *desired.Role, s *RoleSeen) {
				w.Mark.UID, w.Mark.Since = "u2", at(0).Unix()
				w.Group.Mark = w.Mark
				s.Members, s.Ownerless = nil, []string{"aik-1"}
			},
			want: want{verbs: []RoleVerb{PutGroup, PutGrant}, clients: []string{"aik-1"}, again: Succession - 10*time.Second},
		},
		"MissedByOneList": {
			reason: "what one list has missed is looked at again when that can be proved",
			change: func(_ *desired.Role, s *RoleSeen) { s.Unsettled = time.Minute },
			want:   want{again: time.Minute},
		},
		"KeptForAWhile": {
			reason: "what a restored key has until it proves itself, is looked at again when the time is over",
			change: func(_ *desired.Role, s *RoleSeen) { s.KeptUntil = at(70) },
			want:   want{again: time.Minute},
		},
		"RestoredLongAgo": {
			reason: "and not for ever",
			change: func(w *desired.Role, s *RoleSeen) {
				w.Mark.UID, w.Mark.Since = "u2", at(0).Add(-Succession).Unix()
				w.Group.Mark = w.Mark
				s.Members, s.Ownerless = nil, []string{"aik-1"}
			},
			want: want{verbs: []RoleVerb{PutGroup, DeleteGrant}},
		},
		"UnmarkedGroup": {
			reason: "a group without our mark is never taken over",
			change: func(_ *desired.Role, s *RoleSeen) { s.Group.Mark = identity.Mark{} },
			want:   want{kind: identity.Conflict, reason: identity.ReasonConflict},
		},
		"NamesakesGroup": {
			reason: "nor one of a namesake that lived before",
			change: func(_ *desired.Role, s *RoleSeen) { s.Group.Mark.UID = "u0" },
			want:   want{kind: identity.Conflict, reason: identity.ReasonConflict},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			wish, seen := wantRole(), seenRole()
			tc.change(&wish, &seen)
			got := Role(wish, seen, at(10))
			wantError(t, tc.reason, got.Then, tc.want.kind, tc.want.reason)
			var verbs []RoleVerb
			var clients []string
			tried := false
			for _, step := range got.Steps {
				verbs = append(verbs, step.Verb)
				tried = tried || step.Tried
				if step.Verb == PutGrant {
					clients = step.Grant.Clients
				}
			}
			if diff := cmp.Diff(tc.want.verbs, verbs); diff != "" {
				t.Errorf("%s: steps (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.want.clients, clients); diff != "" {
				t.Errorf("%s: clients of the grant (-want +got):\n%s", tc.reason, diff)
			}
			if tried != tc.want.tried {
				t.Errorf("%s: an earlier process may have made the server: %t, want %t", tc.reason, tried, tc.want.tried)
			}
			if got.Again != tc.want.again {
				t.Errorf("%s: again after %v, want %v", tc.reason, got.Again, tc.want.again)
			}
		})
	}
}
