package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// StartAgain is how long after an enrolment was started that the person did not finish
// it is started again: they get a message a day.
const StartAgain = 24 * time.Hour

// NumberAgain is how long after a member was sent a code another number may be sent one: as
// long as Okta takes the code. Who writes the numbers down sends nobody messages without end.
const NumberAgain = 5 * time.Minute

// MemberFactors are the factors of a member.
type MemberFactors struct {
	Person identity.Person
	// Phone is where the member is to get text messages; zero leaves it to the directory.
	Phone identity.Secret
	// Contested tells that another role says so, too, by another Secret. Who began first
	// wins: the member is not to be sent codes in turns.
	Contested bool
	// Seen are those that are enrolled or begun.
	Seen []identity.FactorSeen
	// Refused says of a factor why its enrolment could not be started.
	Refused map[identity.FactorKind]error
}

// State says how far the member is with a kind: the best of the factors of that kind, of
// which a person may have several.
func (m MemberFactors) State(kind identity.FactorKind) (seen identity.FactorSeen, begun bool) {
	for _, f := range m.Seen {
		if f.Kind == kind && (!begun || f.Active && !seen.Active || f.Active == seen.Active && f.Since.After(seen.Since)) {
			seen, begun = f, true
		}
	}
	return seen, begun
}

// elsewhere tells that text messages go to another number than they are to.
func (m MemberFactors) elsewhere(seen identity.FactorSeen) bool {
	return seen.Kind == identity.FactorSMS && !m.Phone.IsZero() && !seen.Number.IsZero() && !seen.Number.Equal(m.Phone)
}

// FactorStep starts the enrolment of one factor.
type FactorStep struct {
	Person identity.Person
	Kind   identity.FactorKind
	Phone  identity.Secret
	Reason string
}

// Factors plans which enrolments to start now: of what an active member lacks and somebody
// else can start. again is when the next is due; zero when none is.
func Factors(want desired.Role, members []MemberFactors, now time.Time) (steps []FactorStep, again time.Duration) {
	if !want.StartFactors {
		return nil, 0
	}
	for _, member := range members {
		for _, kind := range want.Factors {
			if !member.Person.Active || !kind.Startable() || member.Refused[kind] != nil {
				continue
			}
			reason, later := member.start(kind, now)
			if reason != "" {
				steps = append(steps, FactorStep{member.Person, kind, member.Phone, reason})
			}
			again = Sooner(again, later)
		}
	}
	return steps, again
}

// start says why an enrolment is to be started now; "" when it is not, and then in how long
// it will be.
func (m MemberFactors) start(kind identity.FactorKind, now time.Time) (reason string, later time.Duration) {
	seen, begun := m.State(kind)
	due := seen.Since.Add(StartAgain)
	switch {
	case seen.Active, m.elsewhere(seen) && m.Contested:
		return "", 0
	case !begun:
		return "the member has not enrolled it", 0
	case m.elsewhere(seen) && now.Before(seen.Since.Add(NumberAgain)):
		return "", seen.Since.Add(NumberAgain).Sub(now)
	case m.elsewhere(seen):
		return "the member was sent a code at another number", 0
	case !now.Before(due):
		return "the member did not finish it in time", 0
	}
	return "", due.Sub(now)
}

// MissingFactors says what members lack, in words; "" when they lack nothing.
func MissingFactors(want desired.Role, members []MemberFactors) string {
	var missing []string
	for _, member := range members {
		for _, kind := range want.Factors {
			seen, begun := member.State(kind)
			if seen.Active && !member.elsewhere(seen) || !member.Person.Active {
				continue
			}
			what := fmt.Sprintf("%s has not enrolled %s", member.Person.Login, kind)
			switch {
			case seen.Active:
				what = fmt.Sprintf("%s has enrolled %s with another number than the Secret has: reset the factor in Okta, or correct the Secret",
					member.Person.Login, kind)
			case member.elsewhere(seen) && member.Contested:
				what = fmt.Sprintf("%s was sent a code at another number, which another AIAgentRole has in a Secret of its own", member.Person.Login)
			case begun:
				what = fmt.Sprintf("%s has not finished enrolling %s", member.Person.Login, kind)
			}
			if why := member.Refused[kind]; why != nil {
				what += " (" + why.Error() + ")"
			}
			missing = append(missing, what)
		}
	}
	return someOfThese(missing)
}

// someOfThese says the first few.
func someOfThese(texts []string) string {
	const few = 5
	if len(texts) <= few {
		return strings.Join(texts, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(slices.Clone(texts[:few]), "; "), len(texts)-few)
}
