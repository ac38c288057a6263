package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/governor"
)

// Metrics count calls by class. No label ever names an object.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	budget   *prometheus.GaugeVec
}

// NewMetrics registers the metrics, or finds them registered by a Directory that
// was here before in the same process. A nil registerer keeps them unseen.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agentidentity_okta_requests_total",
			Help: "Calls to Okta by rate limit bucket, method and result; withheld ones were never sent.",
		}, []string{"bucket", "method", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "agentidentity_okta_request_duration_seconds",
			Help: "Time from sending a call to Okta to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.02, 2, 11),
		}, []string{"bucket", "method"}),
		budget: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "agentidentity_okta_budget_remaining",
			Help: "Calls the operator may still make in the present window, by rate limit bucket.",
		}, []string{"bucket"}),
	}
	if registerer == nil {
		return m, nil
	}
	return m, errors.Join(register(registerer, &m.requests), register(registerer, &m.duration), register(registerer, &m.budget))
}

func register[C prometheus.Collector](registerer prometheus.Registerer, collector *C) error {
	err := registerer.Register(*collector)
	if already, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		existing, same := already.ExistingCollector.(C)
		if !same {
			return fmt.Errorf("registering Okta metrics: %w", err)
		}
		*collector = existing
		return nil
	}
	return err
}

// metered measures what is sent.
type metered struct {
	metrics *Metrics
	clock   clock.PassiveClock
	next    http.RoundTripper
}

func (m metered) RoundTrip(req *http.Request) (*http.Response, error) {
	bucket := governor.ClassOf(req.URL.Path).Name
	start := m.clock.Now()
	resp, err := m.next.RoundTrip(req)
	result := resultOf(err)
	m.metrics.requests.WithLabelValues(bucket, req.Method, result).Inc()
	if result != resultWithheld {
		m.metrics.duration.WithLabelValues(bucket, req.Method).Observe(m.clock.Since(start).Seconds())
	}
	return resp, err
}

const resultWithheld = "withheld"

func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	case errors.Is(err, errWithheld):
		return resultWithheld
	}
	return identity.KindOf(err).String()
}
