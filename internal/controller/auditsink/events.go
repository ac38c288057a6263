package auditsink

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
)

// happened tells what the status does not say yet: where reading began if that is not where
// it should have, and gaps.
func happened(sink *v1alpha1.AuditSink, p audit.Progress) []lifecycle.Event {
	var events []lifecycle.Event
	if since := sink.Spec.Since; since != nil && sink.Status.StartedAt == nil && p.Began.After(since.Time) {
		events = append(events, lifecycle.Event{
			Warning: true, Reason: v1alpha1.ReasonSinceTooOld, Action: "Read",
			Note: "spec.since is older than what Okta keeps: reading began 90 days ago",
		})
	}
	known := map[audit.Gap]bool{}
	for _, g := range sink.Status.Gaps {
		known[audit.Gap{From: g.From.UTC(), To: g.To.UTC(), Reason: audit.GapReason(g.Reason)}] = true
	}
	for _, g := range p.Gaps {
		g.From, g.To = g.From.Truncate(time.Second).UTC(), g.To.Truncate(time.Second).UTC()
		if !known[g] {
			events = append(events, lifecycle.Event{
				Warning: true, Reason: "EventsMissing", Action: "Send",
				Note: fmt.Sprintf("events from %s to %s may be missing: %s", g.From.Format(time.RFC3339), g.To.Format(time.RFC3339), g.Reason),
			})
		}
	}
	return events
}

// tellSetAside names the events that the receiver refuses, as far as there is room: people find
// them in Okta by their ids.
func (c *Controller) tellSetAside(sink *v1alpha1.AuditSink, refused []*event.Event) {
	var ids []string
	for _, e := range refused {
		ids = append(ids, e.ID)
	}
	c.Recorder.Eventf(sink, nil, corev1.EventTypeWarning, "EventsSetAside", "Send", "%s",
		shortened(fmt.Sprintf("the receiver refuses %d events, which are not sent again; find them in Okta's System Log by uuid: %s",
			len(refused), strings.Join(ids, ", "))))
}
