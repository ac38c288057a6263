package transport

import (
	"context"
	"net/http"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/okta/governor"
)

// maxInFlight bounds calls under way; Okta's smallest orgs allow 35 for everybody.
const maxInFlight = 8

// Options configure a Chain.
type Options struct {
	// OrgURL has no slash at its end.
	OrgURL string
	Source credential.Source
	// Authorities are asked in their order which covers a call; the last covers all
	// that is left.
	Authorities []Authority
	Share       int
	Clock       clock.PassiveClock
	Logger      logr.Logger
	Metrics     prometheus.Registerer
	// Record is told of every call that was to change something; it may be nil. It must
	// not wait.
	Record func(identity.Action)
	// Heard is told Okta's id of each request that was answered; it may be nil.
	Heard func(requestID string)
	Base  http.RoundTripper
}

// Chain is the way to Okta, with and without the operator's authorization.
type Chain struct {
	// Authorized sends calls of the management API.
	Authorized http.RoundTripper
	// Bare sends calls that bring their own proof.
	Bare http.RoundTripper
	Time *ServerTime

	authorized authorized
	governor   *governor.Governor
}

// Try obtains a token as calls do that the authority of that place covers, and says why there
// is none. With an API token there is nothing to obtain.
func (c Chain) Try(ctx context.Context, authority int) error {
	credentials, err := c.authorized.credentials(ctx)
	if err != nil || credentials.IsToken() {
		return err
	}
	_, err = c.authorized.purses[authority].tokens.get(ctx, credentials)
	return err
}

// Budgets are the rate limits that answers have told so far, sorted by name.
func (c Chain) Budgets() []governor.Budget { return c.governor.Budgets(c.Time.Now()) }

// NewChain builds the chain: authorization, metrics, typed errors, rate limits,
// base. Authorization stands outside, so that its own calls for a token, and the
// one repetition after a stale one, are measured and governed like any other.
func NewChain(o Options) (Chain, error) {
	metrics, err := NewMetrics(o.Metrics)
	if err != nil {
		return Chain{}, err
	}
	serverTime := NewServerTime(o.Clock)
	limits := governor.New(governor.Options{Share: o.Share, MaxInFlight: maxInFlight})
	var bare http.RoundTripper = governed{
		governor: limits,
		time:     serverTime, metrics: metrics, heard: o.Heard, next: o.Base,
	}
	bare = faults{next: bare}
	bare = metered{metrics: metrics, clock: o.Clock, next: logged{logger: o.Logger, next: bare}}
	var purses []purse
	for _, authority := range o.Authorities {
		tokens := &tokens{orgURL: o.OrgURL, scopes: authority.Scopes, time: serverTime, next: bare}
		purses = append(purses, purse{covers: authority.Covers, tokens: tokens})
	}
	way := authorized{source: o.Source, purses: purses, next: recorded{record: o.Record, time: serverTime, next: bare}}
	return Chain{Authorized: way, Bare: bare, Time: serverTime, authorized: way, governor: limits}, nil
}

// logged tells what was called, without names.
type logged struct {
	logger logr.Logger
	next   http.RoundTripper
}

func (l logged) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if log := l.logger.V(1); log.Enabled() {
		keys := []any{"bucket", governor.ClassOf(req.URL.Path).Name, "method", req.Method, "result", resultOf(err)}
		if resp != nil {
			keys = append(keys, "requestID", resp.Header.Get("X-Okta-Request-Id"))
		}
		log.Info("called Okta", keys...)
	}
	return resp, err
}
