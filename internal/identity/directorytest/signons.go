package directorytest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// RunSignOns holds the promises of identity.SignOns against a Directory before a directory
// that asks once for all apps.
func RunSignOns(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, func(*testing.T) Harness){
		"SignOn":        testSignOn,
		"SignOnLost":    testSignOnLost,
		"SignOnEarlier": testSignOnEarlier,
		"SignInRefused": testSignInRefused,
	} {
		t.Run(name, func(t *testing.T) { test(t, newHarness) })
	}
}

// wholeSignOn says everything that a SignOn can say.
func wholeSignOn(h Harness) identity.SignOn {
	zone := h.Hand.Zone("Office")
	groups := []string{
		h.Plant(Plant{What: PlantGroup, Name: "k8s/" + h.Cluster + "/team-a/people"}),
		h.Plant(Plant{What: PlantGroup, Name: "k8s/" + h.Cluster + "/team-a/others"}),
	}
	slices.Sort(groups)
	return identity.SignOn{
		Mark: policyMark(h), Name: "k8s/" + h.Cluster + "/team-a/console", Groups: groups,
		Rules: []identity.SignOnRule{
			{Name: "office", FromZones: []string{zone}, Lifetime: 12 * time.Hour},
			{Name: "elsewhere", NotFromZones: []string{zone}, TwoFactors: true, Lifetime: time.Hour},
			{Name: "anywhere", TwoFactors: true, Lifetime: time.Minute},
		},
	}
}

func putSignOn(t *testing.T, h Harness, d identity.Directory, want identity.SignOn) (id string, earlier []string) {
	t.Helper()
	until(t, h, "writing the sign-on", func() (err error) {
		id, earlier, err = d.PutSignOn(t.Context(), want)
		return err
	})
	return id, earlier
}

// testSignOn writes all that can be said, again without writing, and otherwise.
func testSignOn(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	if byApp, err := h.Directory.AsksByApp(t.Context()); err != nil || byApp {
		t.Fatalf("the directory asks by app: %v, %v", byApp, err)
	}
	want := wholeSignOn(h)
	id, _ := putSignOn(t, h, h.Directory, want)
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		writes := h.Writes()
		if again, _ := putSignOn(t, h, d, want); again != id || h.Writes() != writes {
			t.Errorf("writing the same again gives policy %s after %s, with %d writes", again, id, h.Writes()-writes)
		}
	}
	for _, step := range []struct {
		what   string
		change func()
	}{
		{"another order", func() { want.Rules[0], want.Rules[2] = want.Rules[2], want.Rules[0] }},
		{"one factor", func() { want.Rules[1].TwoFactors = false }},
		{"a longer life", func() { want.Rules[2].Lifetime += time.Hour }},
		{"another name", func() { want.Rules[0].Name = "renamed" }},
		{"one more rule", func() { want.Rules = append(want.Rules, identity.SignOnRule{Name: "more", Lifetime: time.Hour}) }},
		{"one rule fewer", func() { want.Rules = want.Rules[1:] }},
		{"one group fewer", func() { want.Groups = want.Groups[:1] }},
	} {
		before := h.Objects()
		step.change()
		putSignOn(t, h, h.Directory, want)
		if diff := cmp.Diff(before, h.Objects()); diff == "" {
			t.Errorf("%s changes nothing", step.what)
		}
		fresh, writes := h.Reopen(), h.Writes()
		if putSignOn(t, h, fresh, want); h.Writes() != writes {
			t.Errorf("%s is not what was wanted: %d writes", step.what, h.Writes()-writes)
		}
	}
	h.Step(time.Minute)
	for range 2 {
		until(t, h, "deleting it", func() error { return h.Directory.DeleteSignOn(t.Context(), want.Mark, want.Name) })
	}
	empty, left := newHarness(t), h.Objects()
	wholeSignOn(empty)
	if diff := cmp.Diff(empty.Objects(), left); diff != "" {
		t.Errorf("left after its deletion (-want +got):\n%s", diff)
	}
}

// testSignOnLost loses the answer to each write in turn, and holds that there is one
// policy, with the right rules, in the end.
func testSignOnLost(t *testing.T, newHarness func(*testing.T) Harness) {
	reference := newHarness(t)
	putSignOn(t, reference, reference.Directory, wholeSignOn(reference))
	want := reference.Objects()
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		for nth := 1; nth <= 6; nth++ {
			h := newHarness(t)
			signOn := wholeSignOn(h)
			h.Lag(30 * time.Second)
			h.Lose(when, nth)
			putSignOn(t, h, h.Directory, signOn)
			if diff := cmp.Diff(want, h.Objects()); diff != "" {
				t.Errorf("answer %d lost %s (-want +got):\n%s", nth, when, diff)
			}
		}
	}
}

// testSignOnEarlier holds that what is asked before is told, and left alone.
func testSignOnEarlier(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	want := wholeSignOn(h)
	other := h.Plant(Plant{What: PlantGroup, Name: "somebody else's"})
	h.Hand.SignOn("for all", "", true)
	h.Hand.SignOn("for the same", want.Groups[1], true)
	h.Hand.SignOn("for others", other, true)
	h.Hand.SignOn("refusing", "", false)
	before := h.Objects()
	told := []string{"for all", "for the same"}
	for _, d := range []identity.Directory{h.Directory, h.Directory, h.Reopen()} {
		if _, earlier := putSignOn(t, h, d, want); cmp.Diff(told, earlier) != "" {
			t.Errorf("asked before are %v, want %v", earlier, told)
		}
	}
	for _, line := range before {
		if !slices.Contains(h.Objects(), line) {
			t.Errorf("changed, or moved: %s", line)
		}
	}
}

// testSignInRefused holds that the other way to say how people sign in is refused, and what
// goes with it.
func testSignInRefused(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	_, err := h.Directory.PutSignIn(t.Context(), identity.SignIn{
		Mark: policyMark(h), Name: "k8s/x", Rules: []identity.SignInRule{{Name: "all", Groups: []string{"00g1"}}},
	})
	mustBeFeature(t, "writing a sign-in", err)
	_, err = h.Directory.PutEnrollment(t.Context(), identity.Enrollment{
		Mark: policyMark(h), Name: "k8s/x", Group: "00g1", Required: []identity.FactorKind{identity.FactorPush},
	})
	mustBeFeature(t, "writing an enrolment", err)
	if err := h.Directory.DeleteEnrollment(t.Context(), policyMark(h), "k8s/x"); err != nil {
		t.Errorf("deleting an enrolment that there cannot be: %v", err)
	}
}

// testSignOnRefused is the same of a directory that asks by app.
func testSignOnRefused(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	if byApp, err := h.Directory.AsksByApp(t.Context()); err != nil || !byApp {
		t.Fatalf("the directory asks by app: %v, %v", byApp, err)
	}
	want := wholeSignOn(h)
	writes := h.Writes()
	_, _, err := h.Directory.PutSignOn(t.Context(), want)
	mustBeFeature(t, "writing a sign-on", err)
	if h.Writes() != writes {
		t.Error("it is refused, and written")
	}
	if err := h.Directory.DeleteSignOn(t.Context(), want.Mark, want.Name); err != nil {
		t.Errorf("deleting what there cannot be: %v", err)
	}
}

func mustBeFeature(t *testing.T, what string, err error) {
	t.Helper()
	mustBeKind(t, what, err, identity.Rejected)
	if reason := mustBeTyped(t, what, err).Reason; reason != identity.ReasonFeatureUnavailable {
		t.Errorf("%s: the reason is %s, want %s", what, reason, identity.ReasonFeatureUnavailable)
	}
}
