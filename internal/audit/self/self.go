// Package self recognises the operator in the log: what it did, by whom the log says it was
// done; and what it sent, by the request's id or by where it came from.
//
// It refuses to know what is made of that.
package self

import (
	"context"
	"sync"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/recent"
)

// known is how many requests are remembered, and addresses.
const (
	known     = 20_000
	addresses = 100
)

// Self is the operator. It is safe for concurrent use.
type Self struct {
	// principal is the client id by which the operator signs in; "" for an API token.
	principal func(context.Context) string

	mu sync.Mutex
	// requests are the directory's ids of the latest.
	requests *recent.Set[string]
	// from are the addresses that our requests were seen to leave from, and token the id of
	// the API token that was seen on one.
	from  map[string]bool
	token string
}

// New makes one that knows nothing yet. Set says by whom it signs in.
func New() *Self {
	return &Self{requests: recent.New[string](known), from: map[string]bool{}, principal: func(context.Context) string { return "" }}
}

// Set says by which client id the operator signs in; it is asked for each event.
func (s *Self) Set(principal func(context.Context) string) { s.principal = principal }

// Heard remembers the directory's id of a request of ours.
func (s *Self) Heard(request string) {
	if request == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.Add(request)
}

// Learn looks at an event before anybody asks: one of our own tells where we come from, and the
// id of our API token.
func (s *Self) Learn(e *event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Transaction == "" || !s.requests.Has(e.Transaction) {
		return
	}
	if e.Client.IP != "" && len(s.from) < addresses {
		s.from[e.Client.IP] = true
	}
	if token := tokenOf(e); token != "" {
		s.token = token
	}
}

// tokenOf is the id of the API token that the event's request was made with.
func tokenOf(e *event.Event) string {
	if e.Transaction == "" {
		return "" // it may be one that cannot be read
	}
	return event.Fields(e.Raw).Object("transaction").Object("detail").Text("requestApiTokenId")
}

// Did tells whether the operator did it. sure is false where that cannot be told.
func (s *Self) Did(e *event.Event) (did, sure bool) {
	if principal := s.principal(context.Background()); principal != "" {
		return e.Actor.ID == principal, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests.Has(e.Transaction) {
		return true, true
	}
	if s.token == "" {
		return false, false
	}
	return tokenOf(e) == s.token, true
}

// Sent tells whether the request was one of ours: by its id; not, by an address that ours do
// not leave from. sure is false where that cannot be told.
func (s *Self) Sent(e *event.Event) (sent, sure bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests.Has(e.Transaction) {
		return true, true
	}
	return false, len(s.from) > 0 && e.Client.IP != "" && !s.from[e.Client.IP]
}
