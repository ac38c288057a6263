package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func TestPeople(t *testing.T) {
	people := func(logins ...string) []identity.Person {
		var all []identity.Person
		for _, login := range logins {
			all = append(all, identity.Person{ID: "00u-" + login, Login: login, Active: true})
		}
		return all
	}
	var crowd []string
	for i := range AtOnce + 7 {
		crowd = append(crowd, fmt.Sprintf("p%03d", i))
	}
	tests := map[string]struct {
		reason string
		want   []string // nil for a role that says nothing of people
		seen   PeopleSeen
		steps  []string
		more   bool
		told   string
	}{
		"Complete": {
			reason: "a group with exactly the wanted people needs nothing, whatever the case of their logins",
			want:   []string{"ada@x", "bob@x"},
			seen:   PeopleSeen{Roster: identity.Roster{Managed: true, Members: people("Ada@x", "bob@x")}},
		},
		"Changed": {
			reason: "who is to leave leaves before anybody is let in",
			want:   []string{"ada@x", "bob@x"},
			seen:   PeopleSeen{Roster: identity.Roster{Managed: true, Members: people("eve@x", "bob@x")}, Others: people("ada@x")},
			steps:  []string{"RemoveMember eve@x", "AddMember ada@x"},
		},
		"NotYetManaged": {
			reason: "the group must say that the role decides before anybody is taken out of it",
			want:   []string{"ada@x"},
			seen:   PeopleSeen{Others: people("ada@x")},
		},
		"NotManaged": {
			reason: "a role that says nothing of people leaves them to Okta",
			seen:   PeopleSeen{Roster: identity.Roster{Members: people("eve@x")}},
		},
		"NoLongerManaged": {
			reason: "whom the role named before it said nothing any more must not keep the role",
			seen:   PeopleSeen{Roster: identity.Roster{Managed: true, Members: people("ada@x")}},
			steps:  []string{"RemoveMember ada@x"},
		},
		"Unknown": {
			reason: "somebody whom Okta does not know is told by name, and keeps nobody else out",
			want:   []string{"ada@x", "typo@x"},
			seen:   PeopleSeen{Roster: identity.Roster{Managed: true}, Others: people("ada@x"), Unknown: []string{"typo@x"}},
			steps:  []string{"AddMember ada@x"},
			told:   "typo@x,",
		},
		"ManyUnknown": {
			reason: "a condition has room for a few names",
			want:   []string{"a", "b", "c", "d", "e", "f", "g"},
			seen:   PeopleSeen{Roster: identity.Roster{Managed: true}, Unknown: []string{"g", "f", "e", "d", "c", "b", "a"}},
			told:   "a, b, c, d, e and 2 more",
		},
		"Crowd": {
			reason: "other roles need not wait until all are in",
			want:   crowd,
			seen:   PeopleSeen{Roster: identity.Roster{Managed: true}, Others: people(crowd...)},
			steps:  prefixed("AddMember ", crowd[:AtOnce]),
			more:   true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := wantRole()
			want.Members, want.Group.Managed = tt.want, tt.want != nil
			got := People(want, tt.seen)
			var steps []string
			for _, step := range got.Steps {
				steps = append(steps, string(step.Verb)+" "+step.Person.Login)
			}
			if diff := cmp.Diff(tt.steps, steps); diff != "" || got.More != tt.more {
				t.Errorf("%s: steps (-want +got), more %v:\n%s", tt.reason, got.More, diff)
			}
			if (got.Then != nil) != (tt.told != "") || got.Then != nil && !strings.Contains(got.Then.Error(), tt.told) {
				t.Errorf("%s: it is told %v, want %q in it", tt.reason, got.Then, tt.told)
			}
		})
	}
}

func prefixed(prefix string, names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, prefix+name)
	}
	return all
}
