// Package post is one HTTP request with events to a receiver, and what its answer means to
// who sent it, in the kinds of errors of the port. It refuses to know what the body says.
//
// No error of it holds a header, a path or a word of the answer: headers are credentials,
// some receivers' paths are too, and a receiver may quote either.
package post

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/reach"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// patience is for one request with its whole answer.
	patience = 30 * time.Second
	// drain is for the rest of an answer whose status said all: the connection is
	// used again when it has been read.
	drain = time.Second
	// maxBody is what is read of an answer, whoever made the client.
	maxBody = 64 << 10
)

// Sender posts to one receiver.
type Sender struct {
	client *http.Client
	clock  clock.PassiveClock
	target string
}

// NewSender returns one that posts to the endpoint with a path added. The endpoint is an
// https URL with a host and without user, query or fragment. Of the client, its transport
// is used; redirects are not followed and no cookies are kept, whatever it says.
func NewSender(client *http.Client, now clock.PassiveClock, endpoint, path string) (*Sender, error) {
	target, err := url.Parse(endpoint)
	if err != nil || target.Scheme != "https" || target.Hostname() == "" {
		// The error of Parse quotes what may hold a credential.
		return nil, errors.New("endpoint must be an https URL with a host")
	}
	if target.User != nil || strings.ContainsAny(endpoint, "?#") {
		return nil, errors.New("endpoint must have no user, query or fragment: put credentials into a Secret and reference it")
	}
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if path != "" {
		endpoint = strings.TrimRight(endpoint, "/") + path
	}
	return &Sender{client: &own, clock: now, target: endpoint}, nil
}

// Close lets go of connections.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Request is what is posted.
type Request struct {
	// Query is added to the URL, with its question mark.
	Query string
	// Header values come in the order of the map; they are not changed.
	Header http.Header
	Body   []byte
	// Read asks for the body of the answer, whole. Otherwise its status says all.
	Read bool
}

// Answer is what the receiver says.
type Answer struct {
	Status int
	Header http.Header
	// Body is whole, or nil where it was not asked for.
	Body []byte
}

// Post sends once. An error means that there is no whole answer; an answer may be anything.
func (s *Sender) Post(ctx context.Context, r Request) (Answer, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodPost, s.target+r.Query, bytes.NewReader(r.Body))
	if err != nil {
		return Answer{}, &output.Error{Kind: output.Refused, Message: "the endpoint is no URL"}
	}
	req.Header = r.Header
	resp, err := s.client.Do(req)
	if err != nil {
		return Answer{}, reach.Error(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := Answer{Status: resp.StatusCode, Header: resp.Header}
	if !r.Read {
		skip(limited, cancel, resp.Body)
		return answer, nil
	}
	answer.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return Answer{}, reach.Error(ctx, err)
	}
	return answer, nil
}

// skip reads on for a moment. A receiver that drips is left by breaking the connection.
func skip(ctx context.Context, breakOff func(), body io.Reader) {
	moment, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	stop := context.AfterFunc(moment, breakOff)
	defer stop()
	_, _ = io.Copy(io.Discard, io.LimitReader(body, maxBody))
}

// HeaderValue reveals a secret that is sent as a header. Line breaks at its end are left
// out: many a Secret was made of a file or by echo. Others, and what else no header can
// hold, are errors.
func HeaderValue(name string, secret identity.Secret) (string, error) {
	value := strings.TrimRight(string(secret.Reveal()), "\r\n")
	if value == "" {
		return "", fmt.Errorf("the value of the header %s is empty: put it into the Secret", name)
	}
	for _, char := range []byte(value) {
		if char != '\t' && (char < ' ' || char == 0x7f) {
			return "", fmt.Errorf("the value of the header %s holds a character that no header can, such as a line break", name)
		}
	}
	return value, nil
}
