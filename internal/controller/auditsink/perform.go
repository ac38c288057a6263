package auditsink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/filter"
	"github.com/agentidentity/agent-identity-operator/internal/audit/format"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/receiver"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// perform has the sink followed as it is described now.
func (c *Controller) perform(sink *v1alpha1.AuditSink, material receiver.Material) (*audit.Follower, error) {
	return c.Sinks.Ensure(string(sink.UID), revisionOf(sink, material), func() (audit.Sink, error) { return c.build(sink, material) })
}

// revisionOf changes when the sink must be followed in another way.
func revisionOf(sink *v1alpha1.AuditSink, material receiver.Material) audit.Revision {
	return audit.Revision{Described: digest(sink.Spec), Material: digest(material.Revision())}
}

// digest names what can be written as JSON, as all parts of a spec can.
func digest(of any) string {
	text, _ := json.Marshal(of) //nolint:errchkjson // an object that came as JSON
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// build makes a receiver of what the sink describes.
func (c *Controller) build(sink *v1alpha1.AuditSink, material receiver.Material) (audit.Sink, error) {
	chooses, err := c.selection(sink)
	if err != nil {
		return audit.Sink{}, err
	}
	examine, err := c.detections(sink)
	if err != nil {
		return audit.Sink{}, err
	}
	to, err := c.Open(&sink.Spec.Output, material)
	if err != nil {
		return audit.Sink{}, outputFault(err)
	}
	return audit.Sink{
		ID: string(sink.UID), Receiver: digest(sink.Spec.Output), Namespace: sink.Namespace, Begin: begin(sink),
		Select: chooses, Examine: examine, SetAside: func(refused []*event.Event) { c.tellSetAside(sink, refused) },
		Format: c.formatter(sink.Spec.Format), Output: to,
		Batch: receiver.BatchOf(&sink.Spec.Output), Deadline: receiver.DeadlineOf(&sink.Spec.Output),
	}, nil
}

// detections are what the sink looks for; nil when that is nothing. What was counted so far,
// and done, counts as long as the detections stay as they are.
func (c *Controller) detections(sink *v1alpha1.AuditSink) (func(context.Context, []*event.Event), error) {
	if len(sink.Spec.Detections) == 0 {
		c.responders.drop(sink.UID)
		return nil, nil
	}
	described := digest(sink.Spec.Detections)
	if known := c.responders.get(sink.UID, described); known != nil {
		return known.examine, nil
	}
	detector, err := detect.New(sink.Spec.Detections, c.Facts)
	if err != nil {
		return nil, invalid(err)
	}
	r := &responder{c: c, sink: sink.DeepCopy(), detector: detector, described: described}
	c.responders.put(sink.UID, r)
	return r.examine, nil
}

// begin is from when on events are sent: since the object was made, unless it says otherwise.
func begin(sink *v1alpha1.AuditSink) time.Time {
	if sink.Spec.Since != nil {
		return sink.Spec.Since.Time
	}
	return sink.CreationTimestamp.Time
}

// selection says which events are for the sink: those that its namespace may see, in the
// categories and by the filter of its spec. An event on which the filter fails, for it has no
// such field, is sent: it is better to see too much than to miss what nobody thought of.
func (c *Controller) selection(sink *v1alpha1.AuditSink) (func(context.Context, *event.Event) bool, error) {
	var categories []v1alpha1.EventCategory
	var program *filter.Program
	if events := sink.Spec.Events; events != nil {
		categories = events.Categories
		if events.Filter != "" {
			var err error
			if program, err = filter.Compile(string(events.Filter)); err != nil {
				return nil, invalid(fmt.Errorf("spec.events.filter: %w", err))
			}
		}
	}
	all, namespace := c.Home != "" && sink.Namespace == c.Home, sink.Namespace
	return func(ctx context.Context, e *event.Event) bool {
		if !all && !concerns(e, namespace) {
			return false
		}
		if len(categories) > 0 && !slices.Contains(categories, event.Category(e.Type)) {
			return false
		}
		if program == nil {
			return true
		}
		matches, err := program.MatchEvent(ctx, *e)
		return matches || err != nil
	}, nil
}

// concerns tells an event about a namespace's own agents and roles.
func concerns(e *event.Event, namespace string) bool {
	return e.Agent != nil && e.Agent.Namespace == namespace || e.Role != nil && e.Role.Namespace == namespace && e.Agent == nil
}

func invalid(err error) error {
	return &identity.Error{Kind: identity.Rejected, Reason: v1alpha1.ReasonInvalidExpression, Message: err.Error()}
}

func (c *Controller) formatter(as v1alpha1.AuditFormat) func(*event.Event) (output.Record, error) {
	encode := format.Raw
	if as == v1alpha1.FormatOCSF {
		encode = format.OCSF
	}
	return func(e *event.Event) (output.Record, error) {
		body, err := encode(*e, c.Origin)
		if err != nil {
			return output.Record{}, fmt.Errorf("writing event %s: %w", e.ID, err)
		}
		record := output.Record{ID: e.ID, Time: e.Published, Type: e.Type, Severity: e.Severity, Body: body}
		if e.Agent != nil {
			record.Agent = e.Agent.Namespace + "/" + e.Agent.Name
		}
		return record, nil
	}
}

// outputFault is what is wrong with a receiver in the words of conditions.
func outputFault(err error) error {
	fault, ok := errors.AsType[*output.Error](err)
	if !ok {
		return err
	}
	said := &identity.Error{
		Kind: identity.Waiting, Reason: v1alpha1.ReasonSinkUnreachable, RetryAfter: look, Message: fault.Message, Err: fault.Err,
	}
	switch fault.Kind {
	case output.Refused:
		said.Kind, said.Reason = identity.Rejected, v1alpha1.ReasonSinkRefused
	case output.Rejected:
		said.Kind, said.Reason = identity.Rejected, v1alpha1.ReasonEventsRejected
	case output.Forbidden:
		said.Kind, said.Reason = identity.Rejected, v1alpha1.ReasonEndpointNotAllowed
	}
	return said
}
