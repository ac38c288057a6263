package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Purpose says what a call is for, because the same status means different things
// to the operator's own calls and to those made with an agent's credential.
type Purpose int

const (
	// Manage is a call of the management API.
	Manage Purpose = iota
	// ManageSecret is one whose request carries a secret: nothing Okta says about
	// it is repeated but its error code, for the words might quote the request.
	ManageSecret
	// OperatorToken is the operator asking for its own access token.
	OperatorToken
	// AgentToken asks for a token with an agent's credential.
	AgentToken
	// AgentRevocation takes a token back with an agent's credential.
	AgentRevocation
)

type purposeKey struct{}

// WithPurpose returns a context whose calls are for purpose.
func WithPurpose(ctx context.Context, purpose Purpose) context.Context {
	return context.WithValue(ctx, purposeKey{}, purpose)
}

// PurposeOf gives the purpose set by WithPurpose, or Manage.
func PurposeOf(ctx context.Context) Purpose {
	purpose, _ := ctx.Value(purposeKey{}).(Purpose)
	return purpose
}

// Answer is an answer that is not a success.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Method  string
	Path    string
	Purpose Purpose
	// Known are secrets of the request; they are cut out of every text.
	Known []string
}

// Status is the cause inside an *identity.Error made from an answer: the part a
// machine may branch on.
type Status struct {
	// HTTP is the status code.
	HTTP int
	// Code is Okta's error code (E0000001) or OAuth's error name (invalid_client).
	Code string
	// Nonce is what a proof of possession must have (RFC 9449, section 8); it may be empty.
	Nonce string
	// Exists is a guess from Okta's words that the object exists already. It may
	// choose how soon to look again, never whether to create a second one.
	Exists bool
}

// Error implements error.
func (s *Status) Error() string {
	if s.Code == "" {
		return fmt.Sprintf("HTTP %d", s.HTTP)
	}
	return fmt.Sprintf("HTTP %d %s", s.HTTP, s.Code)
}

// StatusOf finds the Status in err's chain.
func StatusOf(err error) (Status, bool) {
	if status, ok := errors.AsType[*Status](err); ok {
		return *status, true
	}
	return Status{}, false
}

// IsGone tells Okta's own answer to a call about an object that does not exist. A 404
// that does not say so is a proxy's, or an address that is none, and proves nothing.
func IsGone(err error) bool {
	status, ok := StatusOf(err)
	return ok && status.HTTP == http.StatusNotFound && (status.Code == "E0000007" || status.Code == "E0000048")
}

// IsWrongState tells the answer to a call that does not go with the state of the
// object: somebody else has changed it.
func IsWrongState(err error) bool {
	status, ok := StatusOf(err)
	return ok && (status.Code == "E0000016" || status.Code == "E0000038" || status.Code == "E0000056")
}

// Ambiguous tells that a write may or may not have taken place.
func Ambiguous(err error) bool {
	status, answered := StatusOf(err)
	if answered {
		return status.HTTP >= http.StatusInternalServerError || status.HTTP == http.StatusRequestTimeout
	}
	typed, ok := errors.AsType[*identity.Error](err)
	// Without an answer only what was never sent is certain.
	return !ok || (typed.Kind == identity.Unavailable)
}

// Translate makes the error for an answer.
func Translate(a Answer) *identity.Error {
	body := parseBody(a.Body)
	if challenge := a.Header.Get("Www-Authenticate"); body.code() == "" {
		body.OAuth = challengeError(challenge)
	}
	found := lookUp(a, body)
	return &identity.Error{
		Kind: found.kind, Reason: found.reason, Message: found.message(a, body), RetryAfter: found.after,
		RequestID: requestID(a.Header),
		Err:       &Status{HTTP: a.Status, Code: body.code(), Exists: body.exists(), Nonce: a.Header.Get("Dpop-Nonce")},
	}
}

// requestID bounds what a server may put into our log.
func requestID(header http.Header) string {
	id := header.Get("X-Okta-Request-Id")
	if len(id) > 64 {
		id = id[:64]
	}
	return plain(id)
}

// Unreachable is the error for a call that brought no answer. The cause is told by
// class only: an address or a certificate's text would make the message unstable.
func Unreachable(what string) *identity.Error {
	return &identity.Error{
		Kind: identity.Unavailable, Reason: identity.ReasonUnreachable,
		Message: "Okta gave no answer (" + what + "); check okta.orgURL, the network policy, the proxy and the CA bundle",
	}
}

// Broken is the error for an answer that cannot be used.
func Broken(what string, header http.Header) *identity.Error {
	return &identity.Error{
		Kind: identity.Unavailable, Reason: identity.ReasonDirectoryError,
		Message:   "Okta's answer cannot be used (" + what + "); if this stays, look for a proxy that changes answers",
		RequestID: requestID(header),
	}
}

// Throttled is the error for a call that has no budget, or was told so by Okta.
func Throttled(wait time.Duration, header http.Header) *identity.Error {
	return &identity.Error{
		Kind: identity.Throttled, Reason: identity.ReasonThrottled, RetryAfter: wait, RequestID: requestID(header),
		Message: "the operator's share of Okta's rate limit is used up; calls go on when it is their turn, within a few minutes",
	}
}
