package detect

import (
	"context"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// Answer is what is known of a question; the empty value is that nothing is.
type Answer int

// The answers.
const (
	Unknown Answer = iota
	No
	Yes
)

// Facts is what only the operator knows. Whoever implements it answers Unknown rather than
// guess: No and Yes may end an agent's access. It is asked about matching events only.
type Facts interface {
	// CutOff is when Okta had confirmed that the agent was suspended, quarantined or expired;
	// zero if it is not now, or that is not known.
	CutOff(agent string) time.Time
	// Inside tells whether the event's client is where the agent may be used from. It is Unknown
	// without an AccessPolicy that names zones, and where a zone's extent is not known.
	Inside(e *event.Event) Answer
	// Held tells whether any pod held the agent's Secret when the event happened. No is said only
	// of a time at which all pods were known. It may be costly.
	Held(ctx context.Context, agent string, at time.Time) Answer
	// Own tells whether the event's actor is the operator, by its client id or the id of its API
	// token. It must not rest on what a process remembers: events come late, and after a restart.
	Own(e *event.Event) Answer
	// FromHere tells whether the operator itself sent the request, whoever's credential it used: it
	// tries each credential it publishes. Yes is told by a request that it knows, No by an address
	// that its requests do not leave from; all else is Unknown, above all after a restart.
	FromHere(e *event.Event) Answer
	// Kept tells whether the id is that of an object in Okta that the operator keeps.
	Kept(id string) bool
}
