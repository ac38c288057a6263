package directorytest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// testFactors starts factors of a person, and sees the person finish them.
func testFactors(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	ada := identity.Person{ID: h.Hand.Hire("ada@example.com"), Login: "ada@example.com", Active: true}
	h.Hand.Call("ada@example.com", "+4915112345678")
	mustHaveFactors(t, h.Directory, ada)
	for _, kind := range []identity.FactorKind{identity.FactorPush, identity.FactorSMS} {
		until(t, h, "starting "+string(kind), func() error { return h.Directory.StartFactor(t.Context(), ada, kind, identity.Secret{}) })
	}
	begun := []identity.FactorSeen{{Kind: identity.FactorPush}, {Kind: identity.FactorSMS, Active: true}}
	mustHaveFactors(t, h.Directory, ada, begun...)
	mustHaveFactors(t, h.Reopen(), ada, begun...)
	h.Hand.Confirm("ada@example.com")
	h.Step(5 * time.Minute)
	done := []identity.FactorSeen{
		{Kind: identity.FactorPush, Active: true}, {Kind: identity.FactorSMS, Active: true}, {Kind: identity.FactorTOTP, Active: true},
	}
	mustHaveFactors(t, h.Directory, ada, done...)
}

// testFactorsRefused holds what cannot be started, and that it is not tried over and over.
func testFactorsRefused(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	bob := identity.Person{ID: h.Hand.Hire("bob@example.com"), Login: "bob@example.com", Active: true}
	err := h.Directory.StartFactor(t.Context(), bob, identity.FactorSMS, identity.Secret{})
	mustBeKind(t, "starting SMS without a number", err, identity.Rejected)
	if reason := mustBeTyped(t, "starting SMS without a number", err).Reason; reason != identity.ReasonNoPhoneNumber {
		t.Errorf("the reason is %s, want %s", reason, identity.ReasonNoPhoneNumber)
	}
	h.Hand.Call("bob@example.com", "+4915112345678")
	mustBeKind(t, "starting it again at once", h.Directory.StartFactor(t.Context(), bob, identity.FactorSMS, identity.Secret{}), identity.Rejected)
	h.Step(time.Hour)
	until(t, h, "starting it later", func() error { return h.Directory.StartFactor(t.Context(), bob, identity.FactorSMS, identity.Secret{}) })
	mustBeKind(t, "starting a security key", h.Directory.StartFactor(t.Context(), bob, identity.FactorWebAuthn, identity.Secret{}), identity.Rejected)
}

// testFactorNumbers holds which number is believed, which is sent a code, and which is left
// where it is.
func testFactorNumbers(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	ada := identity.Person{ID: h.Hand.Hire("ada@example.com"), Login: "ada@example.com", Active: true}
	bob := identity.Person{ID: h.Hand.Hire("bob@example.com"), Login: "bob@example.com", Active: true}
	h.Hand.Call("bob@example.com", "+49 151 1234-5678")
	profile, first, second := identity.NewSecret([]byte("+4915112345678")), identity.NewSecret([]byte("+4915100000001")), identity.NewSecret([]byte("+4915100000002"))
	start := func(person identity.Person, number identity.Secret) {
		t.Helper()
		until(t, h, "starting SMS", func() error { return h.Directory.StartFactor(t.Context(), person, identity.FactorSMS, number) })
	}
	mustHave := func(what string, person identity.Person, active bool, number identity.Secret) {
		t.Helper()
		want := []identity.FactorSeen{{Kind: identity.FactorSMS, Active: active, Number: number}}
		for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
			got, err := d.ObserveFactors(t.Context(), person)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(identity.FactorSeen{}, "Since")); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
			}
		}
	}
	mustBeKind(t, "without a number", h.Directory.StartFactor(t.Context(), ada, identity.FactorSMS, identity.Secret{}), identity.Rejected)
	start(ada, first)
	mustHave("a number that the profile has not", ada, false, first)
	start(ada, second)
	mustHave("another one, before the first was confirmed", ada, false, second)
	start(bob, profile)
	mustHave("the number of the profile", bob, true, profile)
	err := h.Directory.StartFactor(t.Context(), bob, identity.FactorSMS, first)
	mustBeKind(t, "replacing a number that is in use", err, identity.Rejected)
	mustNotShow(t, err, identity.Credential{Material: first})
	mustHave("the number that was to be replaced", bob, true, profile)
}

func mustHaveFactors(t *testing.T, d identity.Directory, person identity.Person, want ...identity.FactorSeen) {
	t.Helper()
	got, err := d.ObserveFactors(t.Context(), person)
	if err != nil {
		t.Fatalf("observing the factors: %v", err)
	}
	byKind := cmpopts.SortSlices(func(a, b identity.FactorSeen) bool { return a.Kind < b.Kind })
	if diff := cmp.Diff(want, got, byKind, cmpopts.IgnoreFields(identity.FactorSeen{}, "Since", "Number"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("factors (-want +got):\n%s", diff)
	}
	for _, f := range got {
		if f.Since.IsZero() {
			t.Errorf("nobody knows since when %s is enrolled", f.Kind)
		}
	}
}
