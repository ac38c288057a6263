package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func TestFactors(t *testing.T) {
	const now = 100_000
	ada := identity.Person{ID: "00u1", Login: "ada@x", Active: true}
	seen := func(kind identity.FactorKind, active bool, since int) identity.FactorSeen {
		return identity.FactorSeen{Kind: kind, Active: active, Since: at(since)}
	}
	one, two := identity.NewSecret([]byte("+4915100000001")), identity.NewSecret([]byte("+4915100000002"))
	number := func(number identity.Secret, active bool) identity.FactorSeen {
		return identity.FactorSeen{Kind: identity.FactorSMS, Active: active, Since: at(now), Number: number}
	}
	aged := func(seconds int) identity.FactorSeen {
		f := number(two, false)
		f.Since = at(now - seconds)
		return f
	}
	old := number(two, false)
	old.Since = at(now - 86_400)
	both := []identity.FactorKind{identity.FactorPush, identity.FactorSMS}
	tests := map[string]struct {
		reason  string
		factors []identity.FactorKind
		watch   bool
		member  MemberFactors
		steps   string
		again   time.Duration
		missing string
	}{
		"Nothing": {
			reason: "what a member lacks is started", factors: both, member: MemberFactors{Person: ada},
			steps: "Push SMS", missing: "ada@x has not enrolled Push; ada@x has not enrolled SMS",
		},
		"Watched": {
			reason: "a role that only watches starts nothing", factors: both, watch: true, member: MemberFactors{Person: ada},
			missing: "ada@x has not enrolled Push; ada@x has not enrolled SMS",
		},
		"All": {
			reason: "a member who has everything is left alone", factors: both,
			member: MemberFactors{Person: ada, Seen: []identity.FactorSeen{seen(identity.FactorPush, true, 0), seen(identity.FactorSMS, true, 0)}},
		},
		"SecondPhone": {
			reason: "an open enrolment of a second phone does not make the first one worth less", factors: both[:1],
			member: MemberFactors{Person: ada, Seen: []identity.FactorSeen{seen(identity.FactorPush, true, 0), seen(identity.FactorPush, false, now)}},
		},
		"Pending": {
			reason: "nobody is sent a second message before a day is over", factors: both[:1],
			member: MemberFactors{Person: ada, Seen: []identity.FactorSeen{seen(identity.FactorPush, false, now-3600)}},
			again:  23 * time.Hour, missing: "ada@x has not finished enrolling Push",
		},
		"TooLate": {
			reason: "whoever missed it gets another", factors: both[:1],
			member: MemberFactors{Person: ada, Seen: []identity.FactorSeen{seen(identity.FactorPush, false, now-86_400)}},
			steps:  "Push", missing: "ada@x has not finished enrolling Push",
		},
		"Refused": {
			reason: "what was refused is told with the reason, and not tried over and over", factors: both[1:],
			member:  MemberFactors{Person: ada, Refused: map[identity.FactorKind]error{identity.FactorSMS: errors.New("no number")}},
			missing: "ada@x has not enrolled SMS (no number)",
		},
		"OtherNumber": {
			reason: "a member who does what they should at another number is told of, and left alone", factors: both[1:],
			member:  MemberFactors{Person: ada, Phone: one, Seen: []identity.FactorSeen{number(two, true)}},
			missing: "ada@x has enrolled SMS with another number than the Secret has: reset the factor in Okta, or correct the Secret",
		},
		"SameNumber": {
			reason: "a member with the number of the Secret lacks nothing", factors: both[1:],
			member: MemberFactors{Person: ada, Phone: one, Seen: []identity.FactorSeen{number(one, true)}},
		},
		"NumberCorrected": {
			reason: "a code that went to another number is sent again when that one is over", factors: both[1:],
			member: MemberFactors{Person: ada, Phone: one, Seen: []identity.FactorSeen{aged(300)}},
			steps:  "SMS", missing: "ada@x has not finished enrolling SMS",
		},
		"NumberChangedAgain": {
			reason: "and not before, however often the number is changed", factors: both[1:],
			member: MemberFactors{Person: ada, Phone: one, Seen: []identity.FactorSeen{aged(299)}},
			again:  time.Second, missing: "ada@x has not finished enrolling SMS",
		},
		"Contested": {
			reason: "two roles with two numbers do not send codes in turns, not even the next day", factors: both[1:],
			member:  MemberFactors{Person: ada, Phone: one, Contested: true, Seen: []identity.FactorSeen{old}},
			missing: "ada@x was sent a code at another number, which another AIAgentRole has in a Secret of its own",
		},
		"ContestedAtFirst": {
			reason: "one of them begins", factors: both[1:], member: MemberFactors{Person: ada, Phone: one, Contested: true},
			steps: "SMS", missing: "ada@x has not enrolled SMS",
		},
		"NumberUnknown": {
			reason: "of a number that the directory does not tell nothing is concluded", factors: both[1:],
			member: MemberFactors{Person: ada, Phone: one, Seen: []identity.FactorSeen{number(identity.Secret{}, false)}},
			again:  24 * time.Hour, missing: "ada@x has not finished enrolling SMS",
		},
		"OwnHands": {
			reason: "a security key only the person can set up", factors: []identity.FactorKind{identity.FactorWebAuthn},
			member: MemberFactors{Person: ada}, missing: "ada@x has not enrolled WebAuthn",
		},
		"Suspended": {
			reason: "of somebody who cannot sign in nothing is asked", factors: both,
			member: MemberFactors{Person: identity.Person{ID: "00u1", Login: "ada@x"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := wantRole()
			want.Factors, want.StartFactors = tt.factors, !tt.watch
			steps, again := Factors(want, []MemberFactors{tt.member}, at(now))
			var kinds []string
			for _, step := range steps {
				kinds = append(kinds, string(step.Kind))
			}
			if diff := cmp.Diff(tt.steps, strings.Join(kinds, " ")); diff != "" || again != tt.again {
				t.Errorf("%s: again in %v, want %v; steps (-want +got):\n%s", tt.reason, again, tt.again, diff)
			}
			if diff := cmp.Diff(tt.missing, MissingFactors(want, []MemberFactors{tt.member})); diff != "" {
				t.Errorf("%s: missing (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

// TestManyMissing: a condition has room for a few.
func TestManyMissing(t *testing.T) {
	want := wantRole()
	want.Factors = []identity.FactorKind{identity.FactorPush}
	var members []MemberFactors
	for _, login := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		members = append(members, MemberFactors{Person: identity.Person{ID: login, Login: login, Active: true}})
	}
	if got := MissingFactors(want, members); !strings.HasSuffix(got, "e has not enrolled Push; and 2 more") {
		t.Errorf("what is missing is told as %q", got)
	}
}
