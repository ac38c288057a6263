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
		until(t, h, "starting "+string(kind), func() error { return h.Directory.StartFactor(t.Context(), ada, kind) })
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
	err := h.Directory.StartFactor(t.Context(), bob, identity.FactorSMS)
	mustBeKind(t, "starting SMS without a number", err, identity.Rejected)
	if reason := mustBeTyped(t, "starting SMS without a number", err).Reason; reason != identity.ReasonNoPhoneNumber {
		t.Errorf("the reason is %s, want %s", reason, identity.ReasonNoPhoneNumber)
	}
	h.Hand.Call("bob@example.com", "+4915112345678")
	mustBeKind(t, "starting it again at once", h.Directory.StartFactor(t.Context(), bob, identity.FactorSMS), identity.Rejected)
	h.Step(time.Hour)
	until(t, h, "starting it later", func() error { return h.Directory.StartFactor(t.Context(), bob, identity.FactorSMS) })
	mustBeKind(t, "starting a security key", h.Directory.StartFactor(t.Context(), bob, identity.FactorWebAuthn), identity.Rejected)
}

func mustHaveFactors(t *testing.T, d identity.Directory, person identity.Person, want ...identity.FactorSeen) {
	t.Helper()
	got, err := d.ObserveFactors(t.Context(), person)
	if err != nil {
		t.Fatalf("observing the factors: %v", err)
	}
	byKind := cmpopts.SortSlices(func(a, b identity.FactorSeen) bool { return a.Kind < b.Kind })
	if diff := cmp.Diff(want, got, byKind, cmpopts.IgnoreFields(identity.FactorSeen{}, "Since"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("factors (-want +got):\n%s", diff)
	}
	for _, f := range got {
		if f.Since.IsZero() {
			t.Errorf("nobody knows since when %s is enrolled", f.Kind)
		}
	}
}
