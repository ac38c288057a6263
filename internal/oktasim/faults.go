package oktasim

import (
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/fault"
)

// Fault is one thing that goes wrong: which request it strikes, when, and how.
type Fault = fault.Fault

// Phase is when a fault strikes.
type Phase = fault.Phase

// Action is what a fault does; the functions below make actions.
type Action = fault.Action

// The phases of a request a fault may strike.
const (
	Before      = fault.Before
	AfterCommit = fault.AfterCommit
	Body        = fault.Body
)

// Status answers with a status and one of Okta's error codes.
func Status(status int, errorCode string) Action {
	return Action{Kind: fault.KindStatus, Status: status, ErrorCode: errorCode}
}

// Drop closes the connection without an answer. Served in process, without a
// server, the handler panics with http.ErrAbortHandler instead.
func Drop() Action { return Action{Kind: fault.KindDrop} }

// Slow waits, and then goes on.
func Slow(delay time.Duration) Action { return Action{Kind: fault.KindSlow, Delay: delay} }

// RateLimited answers 429 with a reset after the delay.
func RateLimited(reset time.Duration) Action {
	return Action{Kind: fault.KindRateLimited, Delay: reset}
}

// ConcurrencyLimited answers 429 the way Okta does for too many requests in flight:
// the limit told is 0.
func ConcurrencyLimited() Action { return Action{Kind: fault.KindConcurrencyLimited} }

// HTML502 answers what a proxy in between would.
func HTML502() Action { return Action{Kind: fault.KindHTML502} }

// TruncatedBody breaks the connection off in the middle of the answer's body.
func TruncatedBody() Action { return Action{Kind: fault.KindTruncatedBody} }

// EchoSecrets answers with an error that repeats the whole request body, to find
// out whether secrets get from there into logs, events and conditions.
func EchoSecrets(status int) Action {
	return Action{Kind: fault.KindEchoSecrets, Status: status, ErrorCode: "E0000001"}
}

// Inject arms a fault. It panics on a path that is not a regular expression and on
// an action that does not exist, for such a fault would never strike.
func (o *Org) Inject(f Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.faults.Add(f); err != nil {
		panic(err)
	}
}

// ClearFaults disarms all faults.
func (o *Org) ClearFaults() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults.Clear()
}
