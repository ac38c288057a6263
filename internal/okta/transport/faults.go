package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const (
	// HeaderNext carries the Link headers of an answer past the SDK, which panics on
	// one it cannot parse.
	HeaderNext = "X-Agentidentity-Link"

	// maxBody is far more than a page of 200 apps takes.
	maxBody      = 16 << 20
	maxErrorBody = 64 << 10
	// callTimeout bounds a call with its whole answer, so that a server that sends
	// one byte a second holds nobody up for longer.
	callTimeout = 30 * time.Second
)

// faults lets through only what is a success with a whole JSON body, or none, and
// turns all else into typed errors. In particular no io.EOF leaves it: the SDK
// repeats a POST on one without end.
type faults struct {
	next http.RoundTripper
}

func (f faults) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), callTimeout)
	defer cancel()
	resp, err := f.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, lost(req.Context(), err)
	}
	defer closeBody(resp.Body)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// What can be read of an error's body is enough.
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		return nil, fault.Translate(fault.Answer{
			Status: resp.StatusCode, Header: resp.Header, Body: body, Method: req.Method, Path: req.URL.Path,
			Purpose: fault.PurposeOf(req.Context()), Known: known(req),
		})
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		if ended := req.Context().Err(); ended != nil {
			return nil, ended
		}
		return nil, fault.Broken("it was cut off", resp.Header)
	}
	return success(req, resp, body)
}

func success(req *http.Request, resp *http.Response, body []byte) (*http.Response, error) {
	switch {
	case len(body) > maxBody:
		return nil, fault.Broken("it is larger than any page of Okta's", resp.Header)
	case len(body) == 0 && req.Method == http.MethodGet:
		return nil, fault.Broken("it is empty", resp.Header)
	case len(body) > 0 && !json.Valid(body):
		return nil, fault.Broken("it is not JSON", resp.Header)
	}
	resp.Header = resp.Header.Clone()
	resp.Header[HeaderNext] = resp.Header.Values("Link")
	resp.Header.Del("Link")
	resp.Header.Set("Content-Type", "application/json")
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// lost types the error of a call without an answer.
func lost(ctx context.Context, err error) error {
	if typed, ok := errors.AsType[*identity.Error](err); ok {
		return typed
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fault.Unreachable(because(err))
}

// because names the class of a network error. The error's own words hold addresses
// and ports and would differ from try to try.
func because(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &name):
		return "its name cannot be resolved"
	case errors.As(err, &certificate):
		return "its certificate is not trusted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return "it took too long"
	}
	return "the connection broke"
}

// known are the secrets of a request that can be read off it.
func known(req *http.Request) []string {
	_, token, found := strings.Cut(req.Header.Get("Authorization"), " ")
	if !found {
		return nil
	}
	return []string{token}
}

func closeBody(body io.Closer) {
	if body != nil {
		_ = body.Close()
	}
}
