package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestTombstones: what becomes of a tombstone when no orphan is its client.
func TestTombstones(t *testing.T) {
	tests := map[string]struct {
		reason string
		change func(*OrphanSeen, *identity.Tombstone, *OrphanRules)
		verb   OrphanVerb
	}{
		"Gone": {
			reason: "a client that is not listed may only be late: it must be certain",
			change: func(*OrphanSeen, *identity.Tombstone, *OrphanRules) {}, verb: ConfirmGone,
		},
		"TakenOver": {
			reason: "the client has another owner, which the tombstone says nothing of", verb: ForgetTombstone,
			change: func(s *OrphanSeen, _ *identity.Tombstone, _ *OrphanRules) {
				c := orphanClient(1)
				c.Mark.UID = "u9"
				s.Clients, s.Living = []identity.ClientSeen{c}, []identity.Mark{c.Mark}
			},
		},
		"KeyStillThere": {
			reason: "it was put before the key is let go, and a restore can bring a key back", verb: ReportOrphan,
			change: func(s *OrphanSeen, _ *identity.Tombstone, _ *OrphanRules) {
				s.Clients, s.Living = []identity.ClientSeen{orphanClient(1)}, []identity.Mark{orphanMark(keyKind, 1)}
			},
		},
		"OtherCluster": {
			reason: "after a change of the clusterID nothing of the old one is ours", verb: ReportOrphan,
			change: func(_ *OrphanSeen, s *identity.Tombstone, _ *OrphanRules) { s.Mark.Cluster = "d" },
		},
		"OtherNamespace": {
			reason: "nobody here knows what lives there now", verb: ReportOrphan,
			change: func(_ *OrphanSeen, _ *identity.Tombstone, r *OrphanRules) { r.Namespaces = []string{"elsewhere"} },
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			seen, stone, rules := OrphanSeen{}, orphanStone(1), OrphanRules{Cluster: "c", Policy: OrphanReport, Grace: time.Hour}
			tc.change(&seen, &stone, &rules)
			seen.Tombstones = []identity.Tombstone{stone}
			got := Orphans(seen, rules, minutes(120)).Steps
			if len(got) != 1 || got[0].Verb != tc.verb || got[0].Tombstone == nil || got[0].Client != nil || got[0].Reason == "" {
				t.Errorf("%s: steps are %v, want one %s of the tombstone", tc.reason, got, tc.verb)
			}
		})
	}
}

// TestMass: the brake on sweeps. All orphans were seen long ago.
func TestMass(t *testing.T) {
	type all struct{ living, orphans, inactive, deactivated, abandoned, roles int }
	tests := map[string]struct {
		reason string
		all    all
		want   map[OrphanVerb]int
		held   bool
	}{
		"Few": {
			reason: "ten may go though they are all there is: a small installation was taken down",
			all:    all{orphans: 10}, want: map[OrphanVerb]int{DeactivateOrphan: 10},
		},
		"AllGone": {
			reason: "the CRDs were deleted, or this is another cluster",
			all:    all{orphans: 11}, want: map[OrphanVerb]int{ReportOrphan: 11}, held: true,
		},
		"Half": {
			reason: "half of them may go",
			all:    all{living: 20, orphans: 20}, want: map[OrphanVerb]int{DeactivateOrphan: 20},
		},
		"MoreThanHalf": {
			reason: "more may not",
			all:    all{living: 20, orphans: 21}, want: map[OrphanVerb]int{ReportOrphan: 21}, held: true,
		},
		"DeadWeight": {
			reason: "what has been inactive for years does not hide that all that is in use is gone",
			all:    all{orphans: 20, inactive: 100}, want: map[OrphanVerb]int{ReportOrphan: 120}, held: true,
		},
		"DeleteWhatWasDeactivated": {
			reason: "more than half of the clients would be deleted",
			all:    all{living: 5, deactivated: 20}, want: map[OrphanVerb]int{ReportOrphan: 20}, held: true,
		},
		"Abandoned": {
			reason: "each tombstone is a person's word",
			all:    all{abandoned: 50}, want: map[OrphanVerb]int{DeleteOrphan: 50},
		},
		"AbandonedBesideHeld": {
			reason: "and goes on while the policy is held",
			all:    all{orphans: 30, abandoned: 2}, want: map[OrphanVerb]int{ReportOrphan: 30, DeleteOrphan: 2}, held: true,
		},
		"Roles": {
			reason: "roles are counted by themselves",
			all:    all{living: 100, roles: 11}, want: map[OrphanVerb]int{ReportOrphan: 11}, held: true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			seen := OrphanSeen{History: map[OrphanID]OrphanHistory{}}
			n := 0
			add := func(count int, do func(*identity.ClientSeen, *OrphanHistory)) {
				for range count {
					n++
					c, h := orphanClient(n), OrphanHistory{FirstSeen: at(0)}
					do(&c, &h)
					seen.Clients = append(seen.Clients, c)
					seen.History[OrphanID{Mark: c.Mark, ClientID: c.ClientID}] = h
				}
			}
			add(tc.all.living, func(c *identity.ClientSeen, _ *OrphanHistory) { seen.Living = append(seen.Living, c.Mark) })
			add(tc.all.orphans, func(*identity.ClientSeen, *OrphanHistory) {})
			add(tc.all.inactive, func(c *identity.ClientSeen, _ *OrphanHistory) { c.Active = false })
			add(tc.all.deactivated, func(c *identity.ClientSeen, h *OrphanHistory) { c.Active, h.Deactivated = false, at(1) })
			add(tc.all.abandoned, func(*identity.ClientSeen, *OrphanHistory) {
				seen.Tombstones = append(seen.Tombstones, orphanStone(n))
			})
			for r := range tc.all.roles {
				mark := orphanMark(roleKind, r)
				seen.Roles = append(seen.Roles, mark)
				seen.History[OrphanID{Mark: mark}] = OrphanHistory{FirstSeen: at(0)}
			}
			got := Orphans(seen, OrphanRules{Cluster: "c", Policy: OrphanDelete, Grace: time.Hour}, minutes(120))
			verbs := map[OrphanVerb]int{}
			for _, step := range got.Steps {
				verbs[step.Verb]++
				if !step.History.Deactivating.IsZero() != (step.Verb == DeactivateOrphan) {
					t.Errorf("%s: a step %s is written down as deactivating at %v", tc.reason, step.Verb, step.History.Deactivating)
				}
			}
			if diff := cmp.Diff(tc.want, verbs); diff != "" || (got.Held != "") != tc.held {
				t.Errorf("%s: held is %q, steps (-want +got):\n%s", tc.reason, got.Held, diff)
			}
		})
	}
}

// TestOrphanOrder: what ends access comes first, and what a person asked for before all.
func TestOrphanOrder(t *testing.T) {
	seen := OrphanSeen{History: map[OrphanID]OrphanHistory{}, Tombstones: []identity.Tombstone{orphanStone(4)}}
	for n, h := range map[int]OrphanHistory{
		1: {}, 2: {FirstSeen: at(0), Deactivated: at(1)}, 3: {FirstSeen: at(0)}, 4: {},
	} {
		c := orphanClient(n)
		c.Active = h.Deactivated.IsZero()
		seen.Clients = append(seen.Clients, c)
		seen.History[OrphanID{Mark: c.Mark, ClientID: c.ClientID}] = h
	}
	var got []string
	for _, step := range Orphans(seen, OrphanRules{Cluster: "c", Policy: OrphanDelete, Grace: time.Hour}, minutes(120)).Steps {
		got = append(got, string(step.Verb)+" "+step.ClientID)
	}
	want := "Delete aik-4, Deactivate aik-3, Delete aik-2, Report aik-1"
	if strings.Join(got, ", ") != want {
		t.Errorf("steps are %v, want %s", got, want)
	}
}

// TestSweeps follows an orphan through the sweeps of the policy Delete: each plan is
// made from what the one before left.
func TestSweeps(t *testing.T) {
	c := orphanClient(1)
	seen := OrphanSeen{Clients: []identity.ClientSeen{c}}
	rules := OrphanRules{Cluster: "c", Policy: OrphanDelete, Grace: time.Hour}
	var got []OrphanVerb
	for hour := range 6 {
		now := minutes(61 * hour)
		seen.History = map[OrphanID]OrphanHistory{{Mark: c.Mark, ClientID: c.ClientID}: seen.History[OrphanID{Mark: c.Mark, ClientID: c.ClientID}]}
		steps := Orphans(seen, rules, now).Steps
		for _, step := range steps {
			got = append(got, step.Verb)
			seen.History[step.OrphanID] = step.History
			switch step.Verb {
			case DeactivateOrphan:
				seen.Clients[0].Active = false
				h := step.History
				h.Deactivated = now
				seen.History[step.OrphanID] = h
			case DeleteOrphan:
				seen.Clients = nil
			}
		}
	}
	if diff := cmp.Diff([]OrphanVerb{ReportOrphan, DeactivateOrphan, DeleteOrphan}, got); diff != "" {
		t.Errorf("sweeps (-want +got):\n%s", diff)
	}
}
