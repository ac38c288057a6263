package identity

import "context"

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
