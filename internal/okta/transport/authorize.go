package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
)

// authorized puts the operator's proof on calls of the management API.
type authorized struct {
	source credential.Source
	// purses are asked in their order; the last covers every call.
	purses []purse
	next   http.RoundTripper
}

// Authority is what a call needs of the operator's service app. Each has a token of its
// own: Okta refuses a token altogether when one of its scopes is not granted, and an org
// that does not use a feature need not grant what only that feature needs.
type Authority struct {
	// Scopes are okta.* scopes.
	Scopes []string
	// Covers tells the calls that need them.
	Covers func(method, path string) bool
}

// purse holds the token of an authority.
type purse struct {
	covers func(method, path string) bool
	tokens *tokens
}

func (a authorized) purse(req *http.Request) *tokens {
	for _, p := range a.purses[:len(a.purses)-1] {
		if p.covers(req.Method, req.URL.Path) {
			return p.tokens
		}
	}
	return a.purses[len(a.purses)-1].tokens
}

func (a authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := drain(req)
	if err != nil {
		return nil, err
	}
	credentials, err := a.credentials(req.Context())
	if err != nil {
		return nil, err
	}
	if credentials.IsToken() {
		return a.send(req, body, "SSWS", credentials.APIToken)
	}
	tokens := a.purse(req)
	token, err := tokens.get(req.Context(), credentials)
	if err != nil {
		return nil, err
	}
	resp, err := a.send(req, body, "Bearer", token)
	if tokens.stale(token, err) {
		// The token was revoked, or is one from before the app's key was changed.
		// Nothing was done with it, so the call may be repeated.
		if token, err = tokens.get(req.Context(), credentials); err != nil {
			return nil, err
		}
		resp, err = a.send(req, body, "Bearer", token)
	}
	return resp, err
}

// credentials are the operator's own.
func (a authorized) credentials(ctx context.Context) (credential.Credentials, error) {
	credentials, err := a.source(ctx)
	if err != nil {
		return credential.Credentials{}, &identity.Error{
			Kind: identity.Rejected, Reason: identity.ReasonAuthenticationFailed,
			Message: err.Error(), RetryAfter: time.Minute,
		}
	}
	return credentials, nil
}

func (a authorized) send(req *http.Request, body []byte, scheme string, token identity.Secret) (*http.Response, error) {
	attempt := req.Clone(req.Context())
	attempt.Header.Set("Authorization", scheme+" "+string(token.Reveal()))
	// An answer is read whole by one layer further in; compression is the base's.
	attempt.Body, attempt.GetBody = http.NoBody, nil
	if body != nil {
		attempt.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		attempt.Body, _ = attempt.GetBody()
		attempt.ContentLength = int64(len(body))
	}
	return a.next.RoundTrip(attempt)
}

func drain(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer closeBody(req.Body)
	return io.ReadAll(req.Body)
}

// stale evicts the token when Okta refused it, and tells whether the call is worth
// repeating with another. A call that was forbidden evicts it too, but is not
// repeated: scopes and admin roles given since are only in a new token. A token
// that was refused when it was new stays, or every call would ask for another.
func (t *tokens) stale(token identity.Secret, err error) bool {
	typed, ok := errors.AsType[*identity.Error](err)
	if !ok {
		return false
	}
	switch typed.Reason {
	case identity.ReasonAuthenticationFailed:
		return t.evict(token, refusedFor)
	case identity.ReasonPermissionDenied:
		t.evict(token, forbiddenFor)
	}
	return false
}

// detach lets a shared request outlive the caller that happened to start it.
func detach(ctx context.Context) context.Context {
	return identity.WithCaller(context.WithoutCancel(ctx), identity.Caller{Urgency: identity.Revocation})
}
