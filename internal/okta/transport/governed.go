package transport

import (
	"errors"
	"net/http"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
	"github.com/agentidentity/agent-identity-operator/internal/okta/governor"
)

// errWithheld marks a call that was never sent.
var errWithheld = errors.New("the call was not sent")

// concurrent is the pause after Okta answered that too many calls are under way.
const concurrent = time.Second

// governed sends only what the rate limits leave room for.
type governed struct {
	governor *governor.Governor
	time     *ServerTime
	metrics  *Metrics
	// heard is told Okta's id of each request that was answered; it may be nil.
	heard func(requestID string)
	next  http.RoundTripper
}

func (g governed) RoundTrip(req *http.Request) (*http.Response, error) {
	class := governor.ClassOf(req.URL.Path)
	caller := identity.CallerFrom(req.Context())
	ticket, refusal := g.governor.Reserve(g.time.Now(), class, governor.Caller{
		Namespace: caller.Namespace, Object: caller.Kind + "/" + caller.Name, Urgent: caller.Urgency == identity.Revocation,
	})
	if refusal != nil {
		closeBody(req.Body)
		withheld := fault.Throttled(refusal.Wait, nil)
		withheld.Err = errWithheld
		return nil, withheld
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		g.settle(class, ticket, governor.Silent())
		return nil, err
	}
	g.time.Observe(resp.Header)
	if g.heard != nil {
		g.heard(resp.Header.Get("X-Okta-Request-Id"))
	}
	reading := governor.Read(resp.StatusCode, resp.Header)
	g.settle(class, ticket, reading)
	if !reading.TooMany {
		return resp, nil
	}
	closeBody(resp.Body)
	if reading.Concurrent() {
		return nil, fault.Throttled(concurrent, resp.Header)
	}
	return nil, fault.Throttled(g.governor.Closed(g.time.Now(), class), resp.Header)
}

func (g governed) settle(class governor.Class, ticket governor.Ticket, reading governor.Reading) {
	now := g.time.Now()
	g.governor.Settle(now, ticket, reading)
	g.metrics.budget.WithLabelValues(class.Name).Set(float64(g.governor.Remaining(now, class)))
}
