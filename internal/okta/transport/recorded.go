package transport

import (
	"errors"
	"net/http"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// recorded tells of every call that was to change something, whatever became of it. One
// that the rate limits left no room for was never made, and is not told.
type recorded struct {
	record func(identity.Action)
	time   *ServerTime
	next   http.RoundTripper
}

func (r recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if r.record == nil || req.Method == http.MethodGet || errors.Is(err, errWithheld) {
		return resp, err
	}
	action := identity.Action{
		Caller: identity.CallerFrom(req.Context()), At: r.time.Now(), Call: req.Method + " " + req.URL.Path, Err: err,
	}
	if resp != nil {
		action.RequestID = resp.Header.Get("X-Okta-Request-Id")
	} else if typed, ok := errors.AsType[*identity.Error](err); ok {
		action.RequestID = typed.RequestID
	}
	r.record(action)
	return resp, err
}
