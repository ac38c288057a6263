// Package output is the port to the receivers of audit events; each package below it is
// one kind of receiver. It refuses to know what events mean, which are sent, and
// what is kept of where the reading stands.
package output

import (
	"context"
	"fmt"
	"time"
)

// Record is one event in the form in which it is sent.
type Record struct {
	// ID is the same each time the event is sent: a receiver can tell that it has it.
	ID string
	// Time is when it happened.
	Time time.Time
	// Type is Okta's eventType.
	Type string
	// Severity is Okta's: DEBUG, INFO, WARN or ERROR.
	Severity string
	// Agent is namespace/name of the AgentAPIKey concerned, or "".
	Agent string
	// Body is a JSON object without line breaks. It is not changed by who gets it.
	Body []byte
}

// Output is one receiver. Whoever implements it promises:
//
//   - Deliver returns nil only when the receiver has acknowledged every record.
//   - The same batch delivered again is recognisable: it has the same ids in the same
//     order and, where the protocol has room for it, the same id of the batch.
//   - It returns within the context's deadline, tries only once where the protocol's
//     client lets it, and keeps nothing of a batch that failed.
//   - Every error is an *Error, or the context's own. None holds a credential.
//
// One batch is delivered at a time.
type Output interface {
	Deliver(ctx context.Context, batch []Record) error
	// Close lets go of connections.
	Close()
}

// Kind says what may be done about an error.
type Kind int

const (
	// Unreachable is no answer, or a fault of the receiver's: try again later.
	Unreachable Kind = iota
	// Busy means that the receiver asks to be left alone, for RetryAfter.
	Busy
	// Refused means that it does not take our credentials, or anything from us.
	Refused
	// Rejected means that it refuses what events say, or the size of the batch, and
	// will again.
	Rejected
	// Forbidden means that it is in a network that the operator does not send to.
	Forbidden
)

// Error is what went wrong.
type Error struct {
	Kind Kind
	// Message is for people; it stands in conditions, so it is stable: no times, no ids.
	Message string
	// RetryAfter is how long to wait at least; zero leaves it to the caller.
	RetryAfter time.Duration
	// Rejected are the places in the batch of the records that were refused while all
	// others were taken; nil when the batch was refused as a whole.
	Rejected []int
	// Err is the cause; it never holds a credential.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return fmt.Sprintf("%s: %v", e.Message, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
