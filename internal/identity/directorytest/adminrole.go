package directorytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// wholeAdminRole gives a group a permission over everything that the hand has resources of.
func wholeAdminRole(h Harness) identity.AdminRole {
	r := newRole(h, "admins", identity.PrivateKeyJWT)
	return identity.AdminRole{
		Mark: r.mark, Label: "k8s." + h.Cluster + ".team-a.admins",
		Group:       h.Plant(Plant{What: PlantGroup, Name: r.group.Name, Mark: r.mark}),
		Permissions: []string{"okta.groups.read", "okta.users.read"}, Resources: h.Hand.Resources(),
	}
}

func putAdminRole(t *testing.T, h Harness, d identity.Directory, want identity.AdminRole) {
	t.Helper()
	until(t, h, "writing the admin role", func() error { return d.PutAdminRole(t.Context(), want) })
}

// mustAdminister holds what there is, and that it is the group's and nobody else's.
func mustAdminister(t *testing.T, h Harness, want identity.AdminRole) {
	t.Helper()
	role := fmt.Sprintf("admin role %s %q %v", want.Label, want.Mark.String(), want.Permissions)
	set := fmt.Sprintf("resource set %s %q", want.Label, want.Mark.String())
	bound := fmt.Sprintf("over %d resources bound to [%s:[%s]]", len(want.Resources), want.Label, want.Group)
	objects := h.Objects()
	if !slices.Contains(objects, role) {
		t.Errorf("missing %s among:\n%s", role, strings.Join(objects, "\n"))
	}
	if !slices.ContainsFunc(objects, func(o string) bool { return strings.HasPrefix(o, set) && strings.HasSuffix(o, bound) }) {
		t.Errorf("missing %s %s among:\n%s", set, bound, strings.Join(objects, "\n"))
	}
}

// testAdminRole gives, again without writing, otherwise, less, and nothing any more.
func testAdminRole(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	want := wholeAdminRole(h)
	before := h.Objects()
	putAdminRole(t, h, h.Directory, want)
	mustAdminister(t, h, want)
	writes := h.Writes()
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		putAdminRole(t, h, d, want)
		if err := d.NarrowAdminRole(t.Context(), want); err != nil || h.Writes() != writes {
			t.Errorf("writing the same again takes %d writes: %v", h.Writes()-writes, err)
		}
	}
	changes := map[string]func(){
		"another permission":  func() { want.Permissions = []string{"okta.apps.read", "okta.users.read"} },
		"other permissions":   func() { want.Permissions = []string{"okta.groups.read"} },
		"fewer resources":     func() { want.Resources = want.Resources[:1] },
		"other resources":     func() { want.Resources = h.Hand.Resources()[1:] },
		"everything is other": func() { want.Permissions, want.Resources = []string{"okta.apps.read"}, h.Hand.Resources()[:1] },
		"another group":       func() { want.Group = h.Plant(Plant{What: PlantGroup, Name: "another"}) },
	}
	for _, what := range []string{
		"another permission", "other permissions", "fewer resources", "other resources", "everything is other", "another group",
	} {
		changes[what]()
		putAdminRole(t, h, h.Directory, want)
		mustAdminister(t, h, want)
	}
	h.Step(time.Minute)
	for range 2 {
		until(t, h, "deleting it", func() error { return h.Directory.DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group) })
	}
	left := slices.DeleteFunc(h.Objects(), func(o string) bool { return strings.HasPrefix(o, "group another ") })
	if diff := cmp.Diff(before, left); diff != "" {
		t.Errorf("after its deletion (-want +got):\n%s", diff)
	}
}

// testAdminRoleNarrowed takes away and gives nothing.
func testAdminRoleNarrowed(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	whole := wholeAdminRole(h)
	putAdminRole(t, h, h.Directory, whole)
	less := whole
	less.Permissions, less.Resources = []string{"okta.apps.read", "okta.users.read"}, whole.Resources[:1]
	until(t, h, "narrowing", func() error { return h.Reopen().NarrowAdminRole(t.Context(), less) })
	less.Permissions = []string{"okta.users.read"}
	mustAdminister(t, h, less)
	none := whole
	none.Permissions = []string{"okta.apps.read"}
	until(t, h, "narrowing to nothing", func() error { return h.Directory.NarrowAdminRole(t.Context(), none) })
	for _, o := range h.Objects() {
		if strings.HasPrefix(o, "admin role ") || strings.Contains(o, "bound to [k8s") {
			t.Errorf("after all was taken away there is %s", o)
		}
	}
	putAdminRole(t, h, h.Directory, whole)
	mustAdminister(t, h, whole)
}

// testAdminRoleMended undoes what a person has done to it.
func testAdminRoleMended(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	want := wholeAdminRole(h)
	want.Permissions, want.Resources = want.Permissions[:1], want.Resources[:1]
	putAdminRole(t, h, h.Directory, want)
	before := h.Objects()
	for what, meddle := range map[string]func(){
		"given more":   func() { h.Hand.Empower(want.Label) },
		"renamed":      func() { h.Hand.Relabel(want.Label, "Renamed") },
		"taken away":   func() { h.Hand.Disempower(want.Label) },
		"done nothing": func() {},
	} {
		meddle()
		h.Step(time.Hour)
		putAdminRole(t, h, h.Directory, want)
		if diff := cmp.Diff(before, h.Objects()); diff != "" {
			t.Errorf("after somebody has %s it (-want +got):\n%s", what, diff)
		}
	}
	h.Hand.Relabel(want.Label, "Renamed")
	until(t, h, "deleting it", func() error { return h.Reopen().DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group) })
	for _, o := range h.Objects() {
		if strings.Contains(o, "Renamed") {
			t.Errorf("after its deletion there is %s", o)
		}
	}
}

// testAdminRoleLost loses the answer to each write in turn, with lag, and goes on in the same
// process or a fresh one.
func testAdminRoleLost(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		for nth := 1; nth <= 3; nth++ {
			for _, restart := range []bool{false, true} {
				h := newHarness(t)
				want := wholeAdminRole(h)
				before := h.Objects()
				h.Lag(30 * time.Second)
				h.Lose(when, nth)
				loseAndGoOn(t, h, restart, func(d identity.Directory) error { return d.PutAdminRole(t.Context(), want) })
				mustAdminister(t, h, want)
				h.Step(time.Minute)
				h.Lose(when, nth)
				loseAndGoOn(t, h, restart, func(d identity.Directory) error {
					return d.DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group)
				})
				if diff := cmp.Diff(before, h.Objects()); diff != "" {
					t.Errorf("answer %d lost %s: after the deletion (-want +got):\n%s", nth, when, diff)
				}
			}
		}
	}
}

// testAdminRoleDeletedAtOnce holds that a deletion waits for what does not show yet.
func testAdminRoleDeletedAtOnce(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	want := wholeAdminRole(h)
	before := h.Objects()
	h.Lag(30 * time.Second)
	putAdminRole(t, h, h.Directory, want)
	mustBeKind(t, "deleting it at once", h.Directory.DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group), identity.Waiting)
	until(t, h, "deleting it", func() error { return h.Directory.DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group) })
	if diff := cmp.Diff(before, h.Objects()); diff != "" {
		t.Errorf("after the deletion (-want +got):\n%s", diff)
	}
}

// testAdminRoleForeign leaves alone what is somebody else's, and takes over what an earlier
// namesake has left.
func testAdminRoleForeign(t *testing.T, newHarness func(*testing.T) Harness) {
	stranger := func(m identity.Mark) identity.Mark { m.Cluster = "another"; return m }
	earlier := func(m identity.Mark) identity.Mark { m.UID, m.Since = "before", m.Since-1; return m }
	for what, plant := range map[string]func(identity.Mark) identity.Mark{
		"nobody's": func(identity.Mark) identity.Mark { return identity.Mark{} }, "another cluster's": stranger,
	} {
		h := newHarness(t)
		want := wholeAdminRole(h)
		h.Plant(Plant{What: PlantAdminRole, Name: want.Label, Mark: plant(want.Mark)})
		before := h.Objects()
		for call, err := range map[string]error{
			"PutAdminRole":    h.Directory.PutAdminRole(t.Context(), want),
			"NarrowAdminRole": h.Directory.NarrowAdminRole(t.Context(), want),
			"DeleteAdminRole": h.Directory.DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group),
		} {
			mustBeKind(t, call+" of "+what, err, identity.Conflict)
		}
		if diff := cmp.Diff(before, h.Objects()); diff != "" {
			t.Errorf("what is %s has changed (-before +after):\n%s", what, diff)
		}
	}
	h := newHarness(t)
	want := wholeAdminRole(h)
	h.Plant(Plant{What: PlantAdminRole, Name: want.Label, Mark: earlier(want.Mark)})
	putAdminRole(t, h, h.Directory, want)
	mustAdminister(t, h, want)
}

// testAdminRoleClaimed takes the owner's group out of what a person has taken the mark off,
// and changes nothing else of it: by whatever is asked for, and whoever else has it.
func testAdminRoleClaimed(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, part := range []struct{ role, set bool }{{true, false}, {false, true}, {true, true}} {
		for what, call := range map[string]func(identity.Directory, identity.AdminRole) error{
			"PutAdminRole":    func(d identity.Directory, a identity.AdminRole) error { return d.PutAdminRole(t.Context(), a) },
			"NarrowAdminRole": func(d identity.Directory, a identity.AdminRole) error { return d.NarrowAdminRole(t.Context(), a) },
			"DeleteAdminRole": func(d identity.Directory, a identity.AdminRole) error {
				return d.DeleteAdminRole(t.Context(), a.Mark, a.Label, a.Group)
			},
		} {
			h := newHarness(t)
			want := wholeAdminRole(h)
			putAdminRole(t, h, h.Directory, want)
			h.Hand.Empower(want.Label)
			h.Hand.Claim(want.Label, part.role, part.set)
			before := h.Objects()
			mustBeKind(t, what, call(h.Reopen(), want), identity.Conflict)
			left := strings.Join(h.Objects(), "\n")
			if strings.Contains(left, want.Group) {
				t.Errorf("after %s, the group has the admin role still:\n%s", what, left)
			}
			same := strings.NewReplacer("["+want.Group+" ", "[", want.Group, "")
			if diff := cmp.Diff(same.Replace(strings.Join(before, "\n")), left); diff != "" {
				t.Errorf("%s has changed more than that (-before +after):\n%s", what, diff)
			}
		}
	}
}
