package directorytest

import (
	"slices"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// testMembers lets people into a role's group and takes them out again, each call twice,
// with lost answers and through a fresh process.
func testMembers(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	r := managedRole(t, h)
	ada, bob := h.Hand.Hire("ada@example.com"), h.Hand.Hire("bob@example.com")
	mustBeMembers(t, h.Directory, r)
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		person, err := d.FindPerson(t.Context(), "Ada@Example.com")
		if err != nil || person == nil || person.ID != ada || !person.Active {
			t.Fatalf("looking for Ada gives %+v and %v", person, err)
		}
		for range 2 {
			until(t, h, "letting Ada in", func() error { return d.AddMember(t.Context(), r.mark, r.group.Name, *person) })
		}
		mustBeMembers(t, d, r, ada)
	}
	h.Lose(AfterCommit, 1)
	d := h.Reopen()
	until(t, h, "letting Bob in", func() error {
		return d.AddMember(t.Context(), r.mark, r.group.Name, identity.Person{ID: bob, Login: "bob@example.com"})
	})
	mustBeMembers(t, d, r, ada, bob)
	h.Lose(BeforeCommit, 1)
	for range 2 {
		until(t, h, "taking Ada out", func() error {
			return d.RemoveMember(t.Context(), r.mark, r.group.Name, identity.Person{ID: ada})
		})
	}
	mustBeMembers(t, d, r, bob)
	mustBeMembers(t, h.Reopen(), r, bob)
}

// testMembersGone holds what is said of people and groups that are not there.
func testMembersGone(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	r := managedRole(t, h)
	person, err := h.Directory.FindPerson(t.Context(), "nobody@example.com")
	if err != nil || person != nil {
		t.Errorf("looking for nobody gives %+v and %v", person, err)
	}
	late := h.Hand.Hire("nobody@example.com")
	h.Step(5 * time.Minute)
	if person, err = h.Directory.FindPerson(t.Context(), "nobody@example.com"); err != nil || person == nil || person.ID != late {
		t.Errorf("looking for somebody who has come since gives %+v and %v", person, err)
	}
	ghost := identity.Person{ID: "00u0000000000ghost00", Login: "ghost@example.com"}
	mustBeKind(t, "letting somebody in who is gone", h.Directory.AddMember(t.Context(), r.mark, r.group.Name, ghost), identity.Waiting)
	if err := h.Directory.RemoveMember(t.Context(), r.mark, r.group.Name, ghost); err != nil {
		t.Errorf("taking somebody out who is gone: %v", err)
	}
	stranger := r.mark
	stranger.UID, stranger.Since = "another", r.mark.Since-1
	mustBeKind(t, "letting somebody into another's group",
		h.Directory.AddMember(t.Context(), stranger, r.group.Name, *person), identity.Conflict)
	roster, err := h.Directory.ObserveMembers(t.Context(), stranger, r.group.Name)
	if err != nil || roster.Managed || len(roster.Members) > 0 {
		t.Errorf("another's group has the roster %+v, %v", roster, err)
	}
}

// testMembersUnmanaged holds that a group of which people decide has no roster, and that
// saying so changes nobody's membership.
func testMembersUnmanaged(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	r := managedRole(t, h)
	ada := identity.Person{ID: h.Hand.Hire("ada@example.com"), Login: "ada@example.com"}
	until(t, h, "letting Ada in", func() error { return h.Directory.AddMember(t.Context(), r.mark, r.group.Name, ada) })
	r.group.Managed = false
	until(t, h, "leaving the group to people", func() error { return h.Directory.PutGroup(t.Context(), r.group) })
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		if roster, err := d.ObserveMembers(t.Context(), r.mark, r.group.Name); err != nil || roster.Managed || len(roster.Members) > 0 {
			t.Errorf("a group left to people has the roster %+v, %v", roster, err)
		}
	}
	r.group.Managed = true
	until(t, h, "taking the group back", func() error { return h.Directory.PutGroup(t.Context(), r.group) })
	mustBeMembers(t, h.Directory, r, ada.ID)
	mustBeMembers(t, h.Reopen(), r, ada.ID)
}

// managedRole is a role whose group stands and has nobody in it.
func managedRole(t *testing.T, h Harness) role {
	t.Helper()
	r := newRole(h, "staffed", identity.PrivateKeyJWT)
	r.group.Managed = true
	until(t, h, "making the group", func() error { return h.Directory.PutGroup(t.Context(), r.group) })
	return r
}

func mustBeMembers(t *testing.T, d identity.Directory, r role, want ...string) {
	t.Helper()
	roster, err := d.ObserveMembers(t.Context(), r.mark, r.group.Name)
	if err != nil {
		t.Fatalf("observing the members: %v", err)
	}
	var got []string
	for _, member := range roster.Members {
		got = append(got, member.ID)
	}
	slices.Sort(want)
	if !roster.Managed || !slices.Equal(got, want) {
		t.Errorf("members %v of a group that is managed: %v, want %v", got, roster.Managed, want)
	}
}
