package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// minutes after the beginning, later than at can tell.
func minutes(n int) time.Time { return at(0).Add(time.Duration(n) * time.Minute) }

func orphanMark(kind string, n int) identity.Mark {
	return identity.Mark{Cluster: "c", Kind: kind, Namespace: "ns", Name: fmt.Sprintf("o%03d", n), UID: fmt.Sprintf("u%d", n), Since: 100}
}

func orphanClient(n int) identity.ClientSeen {
	return identity.ClientSeen{ID: fmt.Sprintf("0oa%d", n), ClientID: fmt.Sprintf("aik-%d", n), Mark: orphanMark(keyKind, n), Active: true}
}

func orphanStone(n int) identity.Tombstone {
	c := orphanClient(n)
	return identity.Tombstone{Mark: c.Mark, ClientID: c.ClientID, AppID: c.ID, Why: "abandoned", Since: at(0)}
}

// seenFirst is the history of client 1 as earlier sweeps wrote it.
func seenFirst(h OrphanHistory) map[OrphanID]OrphanHistory {
	return map[OrphanID]OrphanHistory{{Mark: orphanMark(keyKind, 1), ClientID: "aik-1"}: h}
}

// TestOrphanClient: one client without an owner, two hours after the first sweep.
func TestOrphanClient(t *testing.T) {
	now := minutes(120)
	long := OrphanHistory{FirstSeen: at(0)}
	tests := map[string]struct {
		reason  string
		policy  OrphanPolicy
		change  func(*OrphanSeen, *OrphanRules)
		verb    OrphanVerb // "" for no step
		state   OrphanState
		history OrphanHistory
	}{
		"Owned": {
			reason: "what has its owner is no orphan", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) { s.Living = append(s.Living, orphanMark(keyKind, 1)) },
		},
		"OwnerTerminating": {
			reason: "an owner that is being deleted works on it itself, and is listed as long as it exists", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				owner := orphanMark(keyKind, 1)
				owner.Since = 0 // whatever else the mark says, the uid is the owner's
				s.Living = append(s.Living, owner)
			},
		},
		"OtherCluster": {
			reason: "a mark of another cluster is no proof of ownership", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) { s.Clients[0].Mark.Cluster = "d" },
		},
		"OtherKind": {
			reason: "a mark of a kind this version does not know may be a later version's", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) { s.Clients[0].Mark.Kind = "AgentThing" },
		},
		"OtherNamespace": {
			reason: "in a namespace that another operator serves, nobody here knows what lives", policy: OrphanDelete,
			change: func(_ *OrphanSeen, r *OrphanRules) { r.Namespaces = []string{"elsewhere"} },
		},
		"ServedNamespace": {
			reason: "in one of its own the operator knows", policy: OrphanDelete,
			change: func(_ *OrphanSeen, r *OrphanRules) { r.Namespaces = []string{"elsewhere", "ns"} },
			verb:   DeactivateOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: at(0), Deactivating: now},
		},
		"RoleOfTheName": {
			reason: "a role is no key, though it has the name", policy: OrphanDeactivate,
			change: func(s *OrphanSeen, _ *OrphanRules) { s.Living = append(s.Living, orphanMark(roleKind, 1)) },
			verb:   DeactivateOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: at(0), Deactivating: now},
		},
		"YoungerNamesake": {
			reason: "the key created again under the name succeeds the old one and takes the client over", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				namesake := orphanMark(keyKind, 1)
				namesake.UID, namesake.Since = "u9", 200
				s.Living = append(s.Living, namesake)
			},
			verb: ReportOrphan, state: OrphanLeft,
		},
		"OlderNamesake": {
			reason: "a namesake that cannot succeed, as after a restore, still proves that the name is in use", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				namesake := orphanMark(keyKind, 1)
				namesake.UID, namesake.Since = "u9", 50
				s.Living = append(s.Living, namesake)
			},
			verb: ReportOrphan, state: OrphanLeft,
		},
		"Report": {
			reason: "nothing is done that nobody configured", policy: OrphanReport,
			verb: ReportOrphan, state: OrphanActive, history: long,
		},
		"NoPolicy": {
			reason: "nor when the policy is not known", policy: "",
			verb: ReportOrphan, state: OrphanActive, history: long,
		},
		"FirstSweep": {
			reason: "one sweep is no proof: a list may lag", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) { s.History = nil },
			verb:   ReportOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: now},
		},
		"ExactlyTheGrace": {
			reason: "the sweeps must be more than the grace apart", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) { s.History = seenFirst(OrphanHistory{FirstSeen: minutes(60)}) },
			verb:   ReportOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: minutes(60)},
		},
		"SecondSweep": {
			reason: "orphaned in two sweeps that are far enough apart", policy: OrphanDeactivate,
			verb: DeactivateOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: at(0), Deactivating: now},
		},
		"DeleteBeginsWithDeactivate": {
			reason: "between the end of access and the end of everything there is time to notice a mistake", policy: OrphanDelete,
			verb: DeactivateOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: at(0), Deactivating: now},
		},
		"DeactivateAgain": {
			reason: "the deactivation that was begun earlier did not succeed", policy: OrphanDeactivate,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.History = seenFirst(OrphanHistory{FirstSeen: at(0), Deactivating: minutes(90)})
			},
			verb: DeactivateOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: at(0), Deactivating: now},
		},
		"Deactivated": {
			reason: "the policy Deactivate does no more", policy: OrphanDeactivate,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.Clients[0].Active = false
				s.History = seenFirst(OrphanHistory{FirstSeen: at(0), Deactivated: minutes(30)})
			},
			verb: ReportOrphan, state: OrphanInactive, history: OrphanHistory{FirstSeen: at(0), Deactivated: minutes(30)},
		},
		"DeactivatedAWhileAgo": {
			reason: "within the grace it can still be undone", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.Clients[0].Active = false
				s.History = seenFirst(OrphanHistory{FirstSeen: at(0), Deactivated: minutes(60)})
			},
			verb: ReportOrphan, state: OrphanInactive, history: OrphanHistory{FirstSeen: at(0), Deactivated: minutes(60)},
		},
		"DeactivatedLongAgo": {
			reason: "after the grace it goes", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.Clients[0].Active = false
				s.History = seenFirst(OrphanHistory{FirstSeen: at(0), Deactivated: minutes(59)})
			},
			verb: DeleteOrphan, state: OrphanInactive, history: OrphanHistory{FirstSeen: at(0), Deactivated: minutes(59)},
		},
		"DiedAfterDeactivating": {
			reason: "a process that died between the call and its note had written down what it set out to do", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.Clients[0].Active = false
				s.History = seenFirst(OrphanHistory{FirstSeen: at(0), Deactivating: minutes(59)})
			},
			verb: DeleteOrphan, state: OrphanInactive, history: OrphanHistory{FirstSeen: at(0), Deactivating: minutes(59)},
		},
		"DeactivatedByItsKey": {
			reason: "deletionPolicy Deactivate keeps a client for whoever looks into what it did", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) { s.Clients[0].Active = false },
			verb:   ReportOrphan, state: OrphanInactive, history: long,
		},
		"ActivatedAgain": {
			reason: "a person who activates it in Okta wants it", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.History = seenFirst(OrphanHistory{FirstSeen: at(0), Deactivated: minutes(30)})
			},
			verb: ReportOrphan, state: OrphanActive, history: OrphanHistory{FirstSeen: at(0), Deactivated: minutes(30)},
		},
		"Abandoned": {
			reason: "a tombstone allows it at once, whatever the policy", policy: OrphanReport,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.History, s.Tombstones = nil, []identity.Tombstone{orphanStone(1)}
			},
			verb: DeleteOrphan, state: OrphanAbandoned, history: OrphanHistory{FirstSeen: now},
		},
		"AbandonedAndInactive": {
			reason: "also when it is inactive", policy: OrphanReport,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				s.Clients[0].Active = false
				s.Tombstones = []identity.Tombstone{orphanStone(1)}
			},
			verb: DeleteOrphan, state: OrphanAbandoned, history: long,
		},
		"AbandonedToBeKept": {
			reason: "the key wanted its client deactivated and kept; no policy may delete it later, so no history tells of it", policy: OrphanReport,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				stone := orphanStone(1)
				stone.Keep = true
				s.Tombstones = []identity.Tombstone{stone}
			},
			verb: DeactivateOrphan, state: OrphanAbandoned, history: long,
		},
		"AbandonedAndKept": {
			reason: "then the tombstone has done its work", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				stone := orphanStone(1)
				stone.Keep = true
				s.Tombstones, s.Clients[0].Active = []identity.Tombstone{stone}, false
			},
			verb: ForgetTombstone, state: OrphanAbandoned, history: long,
		},
		"AbandonedNamesake": {
			reason: "a key created again under the name takes the client over; deleting it would end a living key", policy: OrphanDelete,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				namesake := orphanMark(keyKind, 1)
				namesake.UID, namesake.Since = "u9", 200
				s.Living = append(s.Living, namesake)
				s.Tombstones = []identity.Tombstone{orphanStone(1)}
			},
			verb: ReportOrphan, state: OrphanLeft,
		},
		"AnothersTombstone": {
			reason: "a tombstone stands for one key, not for its client id", policy: OrphanReport,
			change: func(s *OrphanSeen, _ *OrphanRules) {
				stone := orphanStone(1)
				stone.Mark.UID = "u0"
				s.Tombstones = []identity.Tombstone{stone}
			},
			verb: ReportOrphan, state: OrphanActive, history: long,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			seen := OrphanSeen{
				Clients: []identity.ClientSeen{orphanClient(1)}, Living: []identity.Mark{orphanMark(keyKind, 2)}, History: seenFirst(long),
			}
			rules := OrphanRules{Cluster: "c", Policy: tc.policy, Grace: time.Hour}
			if tc.change != nil {
				tc.change(&seen, &rules)
			}
			got := Orphans(seen, rules, now)
			got.Steps = slices.DeleteFunc(got.Steps, func(s OrphanStep) bool { return s.Client == nil })
			var want []OrphanStep
			if tc.verb != "" {
				want = []OrphanStep{{
					Verb: tc.verb, OrphanID: OrphanID{Mark: orphanMark(keyKind, 1), ClientID: "aik-1"},
					State: tc.state, Client: &seen.Clients[0], History: tc.history,
				}}
				if len(got.Steps) == 1 {
					want[0].Reason, want[0].Tombstone = got.Steps[0].Reason, got.Steps[0].Tombstone
				}
			}
			if diff := cmp.Diff(want, got.Steps); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			for _, step := range got.Steps {
				if step.Reason == "" {
					t.Errorf("step %s gives no reason", step.Verb)
				}
			}
		})
	}
}

// TestOrphanRole: one role without an owner.
func TestOrphanRole(t *testing.T) {
	tests := map[string]struct {
		reason string
		policy OrphanPolicy
		first  time.Time
		living []identity.Mark
		mark   func(*identity.Mark)
		verb   OrphanVerb
	}{
		"Owned":    {reason: "it has its owner", policy: OrphanDelete, living: []identity.Mark{orphanMark(roleKind, 1)}},
		"Report":   {reason: "nothing is done that nobody configured", policy: OrphanReport, verb: ReportOrphan},
		"Switched": {reason: "nothing of a role can be switched off and on again", policy: OrphanDeactivate, verb: ReportOrphan},
		"Early":    {reason: "a role has the same grace", policy: OrphanDelete, first: minutes(60), verb: ReportOrphan},
		"Delete":   {reason: "its people and its policy stand for nothing", policy: OrphanDelete, verb: DeleteOrphan},
		"Namesake": {
			reason: "the role created again takes over", policy: OrphanDelete, verb: ReportOrphan,
			living: []identity.Mark{{Cluster: "c", Kind: roleKind, Namespace: "ns", Name: "o001", UID: "u9"}},
		},
		"KeyOfTheName": {
			reason: "a key is no role", policy: OrphanDelete, verb: DeleteOrphan,
			living: []identity.Mark{orphanMark(keyKind, 1)},
		},
		"CutName": {
			reason: "a mark that was cut to fit may be that of any role that begins so", policy: OrphanDelete, verb: ReportOrphan,
			mark:   func(m *identity.Mark) { m.Name = "o00~0123456789abcdef" },
			living: []identity.Mark{{Cluster: "c", Kind: roleKind, Namespace: "ns", Name: "o001", UID: "u9"}},
		},
		"CutNameOfNone": {
			reason: "unless there is none", policy: OrphanDelete, verb: DeleteOrphan,
			mark:   func(m *identity.Mark) { m.Name = "o00~0123456789abcdef" },
			living: []identity.Mark{{Cluster: "c", Kind: roleKind, Namespace: "ns", Name: "p001", UID: "u9"}},
		},
		"Operator": {
			reason: "the operator's own mark has no object", policy: OrphanDelete,
			mark: func(m *identity.Mark) { m.Kind = "Operator" },
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			mark := orphanMark(roleKind, 1)
			if tc.mark != nil {
				tc.mark(&mark)
			}
			seen := OrphanSeen{
				Roles: []identity.Mark{mark}, Living: tc.living,
				History: map[OrphanID]OrphanHistory{{Mark: mark}: {FirstSeen: tc.first}},
			}
			if tc.first.IsZero() {
				seen.History = map[OrphanID]OrphanHistory{{Mark: mark}: {FirstSeen: at(0)}}
			}
			got := Orphans(seen, OrphanRules{Cluster: "c", Policy: tc.policy, Grace: time.Hour}, minutes(120))
			var verb OrphanVerb
			if len(got.Steps) > 0 {
				verb = got.Steps[0].Verb
			}
			if verb != tc.verb || len(got.Steps) > 1 {
				t.Errorf("%s: steps are %v, want %q", tc.reason, got.Steps, tc.verb)
			}
		})
	}
}
