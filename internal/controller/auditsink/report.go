package auditsink

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
)

// report puts the progress into the status, and gives what is wrong.
func (c *Controller) report(sink *v1alpha1.AuditSink, p audit.Progress) (lifecycle.Outcome, error) {
	outcome := lifecycle.Outcome{Message: "events are sent as they come", Events: happened(sink, p)}
	status := &sink.Status
	if !p.Began.IsZero() {
		status.StartedAt = new(metav1.NewTime(p.Began.Truncate(time.Second)))
	}
	if !p.Last.IsZero() {
		status.LastDeliveredEventTime = new(metav1.NewTime(p.Last.Truncate(time.Minute)))
	}
	status.Gaps = nil
	for _, g := range p.Gaps {
		status.Gaps = append(status.Gaps, v1alpha1.AuditGap{
			From: metav1.NewTime(g.From.Truncate(time.Second)), To: metav1.NewTime(g.To.Truncate(time.Second)), Reason: v1alpha1.GapReason(g.Reason),
		})
	}
	if p.SetAside > 0 {
		outcome.Message = fmt.Sprintf("events are sent as they come; the receiver has refused %d, which were set aside (status.gaps)", p.SetAside)
	}
	reason, message := caughtUp(p, c.Clock.Now())
	c.tellCaughtUp(sink, reason, message)
	return outcome, outputFault(p.Failure)
}

// silent says that nothing is sent.
func (c *Controller) silent(sink *v1alpha1.AuditSink) {
	c.tellCaughtUp(sink, v1alpha1.ReasonNotSending, "nothing is sent until Ready is True; what happens meanwhile stays in Okta until then")
}

func (c *Controller) tellCaughtUp(sink *v1alpha1.AuditSink, reason, message string) {
	holds := metav1.ConditionFalse
	if reason == v1alpha1.ReasonUpToDate {
		holds = metav1.ConditionTrue
	}
	meta.SetStatusCondition(&sink.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionCaughtUp, Status: holds, Reason: reason, Message: message,
		ObservedGeneration: sink.Generation, LastTransitionTime: metav1.NewTime(c.Clock.Now()),
	})
}

func caughtUp(p audit.Progress, now time.Time) (reason, message string) {
	switch {
	case p.UpTo.IsZero():
		return v1alpha1.ReasonReadingHistory, "what happened before is being read"
	case !p.CaughtUp(now):
		return v1alpha1.ReasonBehind, "the receiver lacks events older than five minutes; they stay in Okta and are sent when it is back"
	}
	return v1alpha1.ReasonUpToDate, "the receiver has everything that Okta showed five minutes ago"
}
