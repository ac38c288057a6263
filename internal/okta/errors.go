package okta

import (
	"errors"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// soon is how long to wait for what Okta has under way.
const soon = 5 * time.Second

func conflict(message string) error {
	return &identity.Error{Kind: identity.Conflict, Reason: identity.ReasonConflict, Message: message}
}

func waiting(message string) error {
	return &identity.Error{Kind: identity.Waiting, Reason: identity.ReasonWaiting, Message: message, RetryAfter: soon}
}

// waitingFor is waiting with the error that it comes from.
func waitingFor(err error, message string) error { return waitingUntil(err, soon, message) }

// waitingUntil is the same with the time after which to look again.
func waitingUntil(err error, after time.Duration, message string) error {
	var cause error
	requestID := ""
	if from, ok := errors.AsType[*identity.Error](err); ok {
		cause, requestID = from.Err, from.RequestID
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: identity.ReasonWaiting, Message: message, RetryAfter: after,
		RequestID: requestID, Err: cause,
	}
}

// unsettled is the answer to who wants to know that something is gone while it may
// still show; nil when nothing can.
func unsettled(left time.Duration) error {
	if left <= 0 {
		return nil
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: identity.ReasonWaiting, RetryAfter: left,
		Message: "Okta shows nothing, but what was written last may still show; it is looked at again before it is taken for gone",
	}
}

// busy is the answer to a second write of policies while one is under way.
func busy() error {
	return &identity.Error{
		Kind: identity.Waiting, Reason: identity.ReasonWaiting, RetryAfter: time.Second,
		Message: "another change of the authorization server is under way",
	}
}

// incomplete is a success whose answer does not say what was made.
func incomplete() error { return fault.Broken("it does not name what was made", nil) }
