package audit

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

// Metrics tell how events move. No label ever names an object.
type Metrics struct {
	events *prometheus.CounterVec
}

// Results of events.
const (
	resultDelivered = "delivered"
	resultSetAside  = "set_aside"
)

// NewMetrics registers the metrics of a set's followers, in the place of those of an operator
// that was here before in the same process.
func NewMetrics(registerer prometheus.Registerer, set *Set, c clock.PassiveClock) (*Metrics, error) {
	m := &Metrics{events: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "agentidentity_audit_events_total",
		Help: "Audit events by what became of them: acknowledged by a receiver, or set aside because it refuses them.",
	}, []string{"result"})}
	gauge := func(name, help string, value func([]*Follower) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			var all []*Follower
			for _, f := range set.Followers() {
				all = append(all, f)
			}
			return value(all)
		})
	}
	collectors := []prometheus.Collector{
		m.events,
		gauge("agentidentity_audit_sinks", "Receivers of audit events that are followed.", func(all []*Follower) float64 {
			return float64(len(all))
		}),
		gauge("agentidentity_audit_sinks_failing", "Receivers of audit events to which nothing can be sent now.", failing),
		gauge("agentidentity_audit_lag_seconds",
			"How long ago the receiver that is farthest behind had all that the log held; since it is followed, while history is read.",
			func(all []*Follower) float64 { return lag(all, c.Now()) }),
	}
	var err error
	for _, collector := range collectors {
		registerer.Unregister(collector)
		err = errors.Join(err, registerer.Register(collector))
	}
	if err != nil {
		return nil, fmt.Errorf("registering audit metrics: %w", err)
	}
	return m, nil
}

func (m *Metrics) count(result string, n int) {
	if m != nil && n > 0 {
		m.events.WithLabelValues(result).Add(float64(n))
	}
}

func failing(all []*Follower) float64 {
	n := 0
	for _, f := range all {
		if f.Progress().Failure != nil {
			n++
		}
	}
	return float64(n)
}

func lag(all []*Follower, now time.Time) float64 {
	worst := time.Duration(0)
	for _, f := range all {
		upTo := f.Progress().UpTo
		if upTo.IsZero() {
			upTo = f.begun
		}
		worst = max(worst, now.Sub(upTo))
	}
	return worst.Seconds()
}
