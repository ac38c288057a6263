package directorytest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// policyMark is the mark of the policy that the suite writes.
func policyMark(h Harness) identity.Mark {
	return identity.Mark{Cluster: h.Cluster, Kind: "AccessPolicy", Namespace: "team-a", Name: "console", UID: "uid-of-policy", Since: created}
}

// wholeSignIn says everything that a SignIn can say.
func wholeSignIn(t *testing.T, h Harness) identity.SignIn {
	t.Helper()
	zone := h.Hand.Zone("Office")
	found, err := h.Directory.FindZone(t.Context(), "Office")
	if err != nil || found != zone {
		t.Fatalf("the zone is found as %q, want %q: %v", found, zone, err)
	}
	assurance := ""
	until(t, h, "making the assurance", func() (err error) {
		assurance, err = h.Directory.PutAssurance(t.Context(), identity.Assurance{
			Name: "k8s/test/team-a/console/office/macos", Platform: "MACOS", MinimumOS: "14.6.1", Encrypted: true, Locked: true, SecureHardware: true,
		})
		return err
	})
	group := h.Plant(Plant{What: PlantGroup, Name: "k8s/" + h.Cluster + "/team-a/people"})
	return identity.SignIn{
		Mark: policyMark(h), Name: "k8s/" + h.Cluster + "/team-a/console",
		Rules: []identity.SignInRule{
			{
				Name: "office", Groups: []string{group}, FromZones: []string{zone}, Registered: true, Managed: true,
				Assurances: []string{assurance}, Risk: "LOW", Platforms: []string{"MACOS", "IOS", "OTHER"},
				Proof: identity.Proof{
					TwoFactors: true, Factors: []identity.FactorKind{identity.FactorPush, identity.FactorTOTP},
					Properties:     []identity.FactorProperty{identity.UserPresence, identity.DeviceBound},
					Reauthenticate: 90 * time.Minute,
				},
			},
			{Name: "elsewhere", Groups: []string{group}, NotFromZones: []string{zone}, Proof: identity.Proof{TwoFactors: true, Reauthenticate: 0}},
			{Name: "anywhere", Groups: []string{group}, Proof: identity.Proof{Reauthenticate: -1}},
		},
	}
}

// testSignIn writes all that can be said, again without writing, and otherwise.
func testSignIn(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	want := wholeSignIn(t, h)
	id := putSignIn(t, h, h.Directory, want)
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		writes := h.Writes()
		if again := putSignIn(t, h, d, want); again != id || h.Writes() != writes {
			t.Errorf("writing the same again gives policy %s after %s, with %d writes", again, id, h.Writes()-writes)
		}
	}
	before := h.Objects()
	want.Rules[0], want.Rules[2] = want.Rules[2], want.Rules[0]
	want.Rules[1].Proof.TwoFactors = false
	want.Rules[0].Name = "renamed"
	putSignIn(t, h, h.Directory, want)
	if diff := cmp.Diff(before, h.Objects()); diff == "" {
		t.Error("other rules change nothing")
	}
	fresh, writes := h.Reopen(), h.Writes()
	if putSignIn(t, h, fresh, want); h.Writes() != writes {
		t.Errorf("what was changed is not what was wanted: %d writes", h.Writes()-writes)
	}
	h.Step(time.Minute)
	for range 2 {
		until(t, h, "deleting it", func() error { return h.Directory.DeleteSignIn(t.Context(), want.Mark, want.Name) })
	}
	if found, err := h.Reopen().FindSignIn(t.Context(), want.Mark, want.Name); err != nil || found != "" {
		t.Errorf("after its deletion policy %q is found: %v", found, err)
	}
}

// testSignInLost loses the answer to each write in turn, and holds that there is one
// policy, with the right rules, in the end.
func testSignInLost(t *testing.T, newHarness func(*testing.T) Harness) {
	reference := newHarness(t)
	putSignIn(t, reference, reference.Directory, wholeSignIn(t, reference))
	want := reference.Objects()
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		for nth := 1; nth <= 5; nth++ {
			h := newHarness(t)
			signIn := wholeSignIn(t, h)
			h.Lag(30 * time.Second)
			h.Lose(when, nth)
			putSignIn(t, h, h.Directory, signIn)
			if diff := cmp.Diff(want, h.Objects()); diff != "" {
				t.Errorf("answer %d lost %s (-want +got):\n%s", nth, when, diff)
			}
		}
	}
}

func putSignIn(t *testing.T, h Harness, d identity.Directory, want identity.SignIn) (id string) {
	t.Helper()
	until(t, h, "writing the sign-in", func() (err error) {
		id, err = d.PutSignIn(t.Context(), want)
		return err
	})
	return id
}

// testGoverned puts an app under a sign-in and gives it back.
func testGoverned(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	app := h.Hand.App("Console")
	h.Hand.App("Console of others")
	found, err := h.Directory.FindApps(t.Context(), "Console")
	if err != nil || len(found) != 1 || found[0].ID != app || found[0].Service || found[0].SignIn == "" {
		t.Fatalf("looking for the app gives %+v and %v", found, err)
	}
	id := putSignIn(t, h, h.Directory, wholeSignIn(t, h))
	until(t, h, "governing the app", func() error { return h.Directory.GovernApp(t.Context(), app, id) })
	governed, err := h.Directory.Governed(t.Context(), id)
	if err != nil || len(governed) != 1 || governed[0] != app {
		t.Errorf("the policy governs %v, want %s: %v", governed, app, err)
	}
	for _, previous := range []string{found[0].SignIn, "rst000000000gone0000", ""} {
		until(t, h, "giving the app back", func() error { return h.Directory.ReleaseApp(t.Context(), app, previous) })
		if now, err := h.Directory.GetApp(t.Context(), app); err != nil || now == nil || now.SignIn != found[0].SignIn {
			t.Errorf("given back to %q, the app is %+v, want under %s: %v", previous, now, found[0].SignIn, err)
		}
	}
	if gone, err := h.Directory.GetApp(t.Context(), "0oa000000000gone0000"); err != nil || gone != nil {
		t.Errorf("looking for an app that is none gives %+v and %v", gone, err)
	}
	mustBeKind(t, "governing with a policy that is gone", h.Directory.GovernApp(t.Context(), app, "rst000000000gone0000"), identity.Waiting)
}

// testAssurances makes, mends and deletes device assurances.
func testAssurances(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	all := []identity.Assurance{
		{Name: "k8s/a/macos", Platform: "MACOS", MinimumOS: "14", Encrypted: true, Biometric: true, SecureHardware: true},
		{Name: "k8s/a/windows", Platform: "WINDOWS", MinimumOS: "10.0.19041", Encrypted: true, Locked: true},
		{Name: "k8s/a/android", Platform: "ANDROID", Encrypted: true, Locked: true, SecureHardware: true, Unbroken: true},
		{Name: "k8s/a/ios", Platform: "IOS", MinimumOS: "17.1", Locked: true, Unbroken: true},
		{Name: "k8s/b/ios", Platform: "IOS", Unbroken: true},
	}
	ids := map[string]string{}
	put := func(want identity.Assurance) {
		until(t, h, "writing "+want.Name, func() (err error) {
			ids[want.Name], err = h.Directory.PutAssurance(t.Context(), want)
			return err
		})
	}
	for _, want := range all {
		put(want)
	}
	writes := h.Writes()
	for _, want := range all {
		put(want)
	}
	if h.Writes() != writes {
		t.Errorf("writing the same again takes %d writes", h.Writes()-writes)
	}
	all[0].Encrypted, all[0].Biometric, all[0].Locked = false, false, true
	put(all[0])
	if h.Writes() != writes+1 {
		t.Errorf("a change takes %d writes, want 1", h.Writes()-writes)
	}
	if id, err := h.Directory.FindAssurance(t.Context(), "k8s/a/macos", "MACOS"); err != nil || id != ids["k8s/a/macos"] {
		t.Errorf("it is found as %q: %v", id, err)
	}
	if id, err := h.Directory.FindAssurance(t.Context(), "k8s/a/macos", "WINDOWS"); err != nil || id != "" {
		t.Errorf("for another platform it is found as %q: %v", id, err)
	}
	until(t, h, "deleting", func() error { return h.Directory.DeleteAssurances(t.Context(), "k8s/a/", []string{ids["k8s/a/ios"]}) })
	for name, id := range ids {
		want := ""
		if name == "k8s/a/ios" || name == "k8s/b/ios" {
			want = id
		}
		if got, err := h.Directory.FindAssurance(t.Context(), name, platformOf(all, name)); err != nil || got != want {
			t.Errorf("after the deletion %s is found as %q, want %q: %v", name, got, want, err)
		}
	}
}

func platformOf(all []identity.Assurance, name string) string {
	for _, a := range all {
		if a.Name == name {
			return a.Platform
		}
	}
	return ""
}

// testEnrollment asks a group for factors, otherwise, and no more.
func testEnrollment(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	r := newRole(h, "guarded", identity.PrivateKeyJWT)
	group := h.Plant(Plant{What: PlantGroup, Name: r.group.Name, Mark: r.mark})
	want := identity.Enrollment{Mark: r.mark, Name: r.group.Name, Group: group, Required: []identity.FactorKind{identity.FactorPush}}
	put := func(d identity.Directory) {
		t.Helper()
		until(t, h, "writing the enrolment", func() error { _, err := d.PutEnrollment(t.Context(), want); return err })
	}
	put(h.Directory)
	writes := h.Writes()
	put(h.Directory)
	put(h.Reopen())
	if h.Writes() != writes {
		t.Errorf("writing the same again takes %d writes", h.Writes()-writes)
	}
	before := h.Objects()
	want.Required = append(want.Required, identity.FactorSMS)
	put(h.Directory)
	if diff := cmp.Diff(before, h.Objects()); diff == "" {
		t.Error("to ask for more changes nothing")
	}
	want.Required = []identity.FactorKind{identity.FactorWebAuthn}
	_, err := h.Directory.PutEnrollment(t.Context(), want)
	mustBeKind(t, "asking for what the org does not have", err, identity.Rejected)
	for range 2 {
		until(t, h, "deleting it", func() error { return h.Directory.DeleteEnrollment(t.Context(), want.Mark, want.Name) })
	}
}
