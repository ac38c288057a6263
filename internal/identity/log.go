package identity

import (
	"context"
	"time"
)

// SystemLog is the directory's own record of what happened in it.
//
// Whoever implements it promises: every error is an *Error, or the context's own; a
// place that the directory does not know, or no longer, is an error for which
// PlaceLost is true, and nothing else is.
type SystemLog interface {
	// ReadLog reads one page, of at most LogPageSize events, in the order in which the directory
	// wrote them down, which need not be the order in which they happened. An empty
	// page means that everything written down before the call has been read.
	ReadLog(ctx context.Context, from LogPlace) (LogPage, error)
}

// LogPlace is a place in the log: an earlier page's Next, or a time to begin at.
// Exactly one of the two is set.
type LogPlace struct {
	// Since is the time from which on events are read, by the directory's clock.
	Since time.Time
	// Next is opaque, and is followed as it was given.
	Next string
}

// LogPage is what was read.
type LogPage struct {
	// Events are JSON objects as the directory gave them, byte for byte.
	Events [][]byte
	// Next is the place after them; it is never the zero place.
	Next LogPlace
	// Now is the directory's clock when it answered, to the second.
	Now time.Time
}

// LogPageSize is the most events on a page. A page with fewer may be the last there is
// now; only an empty one surely is.
const LogPageSize = 1000

// LogRetention is how long the directory keeps its log: 90 days (Okta's documentation
// of the System Log API).
const LogRetention = 90 * 24 * time.Hour

// Reasons of errors of a SystemLog.
const (
	// ReasonPlaceLost is the reason of PlaceLost.
	ReasonPlaceLost = "CursorRejected"
)

// UserAgent is what the operator calls itself in its requests, and so in the directory's log.
// Anybody may call themselves so: it proves nothing.
const UserAgent = "agent-identity-operator"
