package identity

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what may be done about an error.
type Kind int

const (
	// Unavailable is a passing fault (a lost answer, a server error): try again,
	// each time later.
	Unavailable Kind = iota
	// Waiting means that something is on its way: try again after RetryAfter.
	Waiting
	// Throttled means that the rate limit is used up: try again after RetryAfter.
	Throttled
	// Rejected means that trying again is of no use until a person changes
	// something; look again after RetryAfter, slowly.
	Rejected
	// Conflict means that what is wanted belongs to somebody else.
	Conflict
)

// String names the kind.
func (k Kind) String() string {
	names := map[Kind]string{
		Unavailable: "unavailable", Waiting: "waiting", Throttled: "throttled",
		Rejected: "rejected", Conflict: "conflict",
	}
	return names[k]
}

// Error is a foreign error translated at the border.
type Error struct {
	Kind Kind
	// Reason is a CamelCase word fit for a condition; see the Reason constants.
	Reason string
	// Message is for people: what is wrong, where, and the next action. It is
	// stable: no times, counters or request ids, for it stands in conditions.
	Message string
	// RetryAfter is when to look again; zero leaves it to the caller's backoff.
	RetryAfter time.Duration
	// RequestID is the directory's name for the call, for its support and its log.
	RequestID string
	// Err is the cause; it never holds a secret.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Message
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	if e.Err != nil {
		text = fmt.Sprintf("%s: %v", text, e.Err)
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reasons an Error may carry.
const (
	ReasonAuthenticationFailed      = "AuthenticationFailed"
	ReasonPermissionDenied          = "PermissionDenied"
	ReasonFeatureUnavailable        = "FeatureUnavailable"
	ReasonUnsafeOrganizationSetting = "UnsafeOrganizationSetting"
	ReasonUnreachable               = "DirectoryUnreachable"
	ReasonDirectoryError            = "DirectoryError"
	ReasonThrottled                 = "Throttled"
	ReasonInvalidRequest            = "InvalidRequest"
	ReasonConflict                  = "DirectoryConflict"
	ReasonWaiting                   = "WaitingForDirectory"
	ReasonTokenRefused              = "TokenRefused"
	ReasonNoPhoneNumber             = "NoPhoneNumber"
	ReasonDeactivatedInDirectory    = "DeactivatedInDirectory"
	ReasonCredentialLimit           = "CredentialLimit" //nolint:gosec // a reason is no credential
)

// KindOf gives the kind of the first *Error in err's chain; anything else is Unavailable.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unavailable
}

// PlaceLost tells that the directory does not know the place it was asked to read from.
func PlaceLost(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == ReasonPlaceLost
}
