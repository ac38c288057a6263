package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// AtOnce is how many people are let in by one plan: other roles wait meanwhile.
const AtOnce = 50

// PersonVerb names what a step does about a person.
type PersonVerb string

// The steps about people.
const (
	AddMember    PersonVerb = "AddMember"
	RemoveMember PersonVerb = "RemoveMember"
)

// PersonStep is one small repeatable step, with the reason for it.
type PersonStep struct {
	Verb   PersonVerb
	Person identity.Person
	Reason string
}

// PeopleSeen is what the plan of a role's people is made from.
type PeopleSeen struct {
	identity.Roster
	// Others are the people who are wanted, exist and are no members.
	Others []identity.Person
	// Unknown are the logins that are wanted and of which there is no person.
	Unknown []string
}

// PeoplePlan is what to do about a role's people.
type PeoplePlan struct {
	// Steps are in order: who is to leave comes first.
	Steps []PersonStep
	// More tells that there are more to let in.
	More bool
	// Then says what is wrong although the steps were taken; nil when nothing is.
	Then error
}

// People plans who is in a role's group: exactly the people whom the role names. A role
// that names nobody leaves the group to people in the directory, once those are out whom
// it named before.
func People(want desired.Role, seen PeopleSeen) PeoplePlan {
	var plan PeoplePlan
	if !seen.Managed {
		// The group is to say of itself first that the role decides.
		return plan
	}
	for _, member := range seen.Members {
		if !want.HasMember(member.Login) {
			plan.Steps = append(plan.Steps, PersonStep{Verb: RemoveMember, Person: member, Reason: "the role does not name " + member.Login})
		}
	}
	for i, other := range seen.Others {
		if plan.More = i == AtOnce; plan.More {
			break
		}
		plan.Steps = append(plan.Steps, PersonStep{Verb: AddMember, Person: other, Reason: "the role names " + other.Login})
	}
	if len(seen.Unknown) > 0 {
		plan.Then = &identity.Error{
			Kind: identity.Rejected, Reason: "UnknownMembers", RetryAfter: lookAgain,
			Message: fmt.Sprintf("Okta knows nobody with the login %s, or has deactivated them; "+
				"correct spec.members.users, or create the user in Okta. Everybody else is a member", SomeOf(seen.Unknown)),
		}
	}
	return plan
}

// SomeOf names the first few, for a condition.
func SomeOf(names []string) string {
	const few = 5
	sorted := slices.Sorted(slices.Values(names))
	if len(sorted) <= few {
		return strings.Join(sorted, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(sorted[:few], ", "), len(sorted)-few)
}
