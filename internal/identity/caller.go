package identity

import (
	"context"
	"time"
)

// Urgency orders calls that compete for the directory's rate limit.
type Urgency int

const (
	// Routine is the urgency of everything that can wait for the next window.
	Routine Urgency = iota
	// Revocation is the urgency of taking access away; a part of every rate limit
	// is kept for it.
	Revocation
)

// Caller says on whose behalf the directory is called, so that rate limits can be
// shared fairly between namespaces.
type Caller struct {
	Namespace string
	Urgency   Urgency
	// Kind and Name are those of the object, for the record of what was done, and so that its
	// turn in a rate limit is its own. Those without share one turn in their namespace.
	Kind, Name string
}

type callerKey struct{}

// WithCaller returns a context whose directory calls are made on behalf of caller.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerFrom gives the caller set by WithCaller, or a routine caller without a name.
func CallerFrom(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}

// Urgently returns a context for the same caller whose calls go before all routine ones, from
// what is kept of every rate limit for taking access away.
func Urgently(ctx context.Context) context.Context {
	caller := CallerFrom(ctx)
	caller.Urgency = Revocation
	return WithCaller(ctx, caller)
}

// Action is one thing that the operator asked of the directory, other than to be shown
// something. It holds no secret.
type Action struct {
	Caller Caller
	At     time.Time
	// Call is what was asked, such as "POST /api/v1/apps".
	Call string
	// Err is why it was not done; nil when it was. An *Error has the directory's own words.
	Err error
	// RequestID is the directory's name for the call, for its support and its log; "" when
	// there was no answer.
	RequestID string
}
