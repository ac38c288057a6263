package orphan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// report tells what has changed: in the log, in metrics, and in events.
func (c *Controller) report(ctx context.Context, r Result, fresh func(plan.OrphanStep) bool, heldBefore string) {
	log := ctrl.LoggerFrom(ctx)
	for _, step := range r.Left {
		if fresh(step) {
			log.Info("found an orphan", "owner", owner(step), "clientID", clientID(step), "state", step.State, "plan", step.Reason)
		}
	}
	c.metrics.show(r.Left)
	for _, e := range happened(r, heldBefore) {
		c.tell(e)
	}
}

// tell makes an event on the list of orphans. The owner is gone, its namespace may be
// too, and an event on a Namespace would stand in "default"; next to the list is where
// people look who look after the operator.
func (c *Controller) tell(e event) {
	if c.Namespace == "" || c.ledger.held == nil {
		return
	}
	c.Recorder.Eventf(c.ledger.held, nil, e.kind, e.reason, e.action, "%s", e.note)
}

type event struct{ kind, reason, action, note string }

// happened tells each kind of deed once, for a recorder counts the events of one reason
// and keeps only the first one's words.
func happened(r Result, heldBefore string) []event {
	byVerb := map[plan.OrphanVerb][]string{}
	for _, step := range r.Done {
		name := owner(step)
		if id := clientID(step); id != "" {
			name += " (client " + id + ")"
		}
		byVerb[step.Verb] = append(byVerb[step.Verb], name)
	}
	var all []event
	for _, told := range []struct {
		verb         plan.OrphanVerb
		reason, what string
	}{
		{plan.DeactivateOrphan, "OrphanDeactivated", "deactivated what belonged to nobody"},
		{plan.DeleteOrphan, "OrphanDeleted", "deleted what belonged to nobody"},
		{plan.ConfirmGone, "AbandonedGone", "nothing is left any more of what was abandoned"},
	} {
		if names := byVerb[told.verb]; len(names) > 0 {
			all = append(all, event{corev1.EventTypeNormal, told.reason, string(told.verb), told.what + ": " + some(names)})
		}
	}
	if r.Held != "" && heldBefore == "" {
		all = append(all, event{corev1.EventTypeWarning, "OrphansHeld", "Sweep", r.Held})
	}
	return all
}

// some names the first few: an event's note has at most 1 KiB, and the log has them all.
func some(names []string) string {
	const most, longest = 5, 120
	var b strings.Builder
	for i, name := range names[:min(len(names), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name[:min(len(name), longest)])
	}
	if more := len(names) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// metrics never name an object.
type metrics struct {
	orphans    *prometheus.GaugeVec
	tombstones prometheus.Gauge
	sweeps     *prometheus.CounterVec
}

// newMetrics registers the metrics, or finds them registered by an operator that was
// here before in the same process. A nil registerer keeps them unseen.
func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		orphans: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "agentidentity_orphans",
			Help: "What carries the mark of an object that does not exist, as the last complete sweep saw it.",
		}, []string{"kind", "state"}),
		tombstones: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "agentidentity_tombstones", Help: "Abandoned keys of which a client may be left in the directory.",
		}),
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agentidentity_orphan_sweeps_total", Help: "Sweeps for orphans by result.",
		}, []string{"result"}),
	}
	if registerer == nil {
		return m, nil
	}
	return m, errors.Join(register(registerer, &m.orphans), register(registerer, &m.tombstones), register(registerer, &m.sweeps))
}

func register[C prometheus.Collector](registerer prometheus.Registerer, collector *C) error {
	err := registerer.Register(*collector)
	if already, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		existing, same := already.ExistingCollector.(C)
		if !same {
			return fmt.Errorf("registering the sweeper's metrics: %w", err)
		}
		*collector = existing
		return nil
	}
	return err
}

func (m *metrics) swept(err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.sweeps.WithLabelValues(result).Inc()
}

// show counts; what there is none of is shown as zero, so that an alert can be built on it.
func (m *metrics) show(left []plan.OrphanStep) {
	for _, state := range []plan.OrphanState{plan.OrphanActive, plan.OrphanInactive, plan.OrphanLeft, plan.OrphanAbandoned} {
		m.orphans.WithLabelValues("AgentAPIKey", string(state)).Set(0)
		m.orphans.WithLabelValues("AIAgentRole", string(state)).Set(0)
	}
	tombstones := 0
	for _, step := range left {
		if step.Tombstone != nil {
			tombstones++
		}
		if !step.Mark.IsZero() {
			m.orphans.WithLabelValues(step.Mark.Kind, string(step.State)).Inc()
		}
	}
	m.tombstones.Set(float64(tombstones))
}
