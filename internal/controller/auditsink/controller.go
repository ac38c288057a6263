// Package auditsink has the receivers that AuditSinks describe followed, and says of each
// how far it is. It moves no event itself: package audit does.
package auditsink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
	"github.com/agentidentity/agent-identity-operator/internal/audit/format"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/receiver"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
)

const (
	// look is how often Secrets are read again, and an AuditSink that is behind looked at.
	look = time.Minute
)

// Controller reconciles AuditSinks.
type Controller struct {
	Client client.Client
	// Live reads Secrets and ConfigMaps, which no cache holds.
	Live client.Reader
	// Sinks are those that are followed, and Positions how far they are.
	Sinks     *audit.Set
	Positions audit.Positions
	// Changed gives the ids of receivers of which there is something new to say.
	Changed <-chan event.TypedGenericEvent[types.UID]
	// Open makes the output that is described.
	Open   func(*v1alpha1.AuditOutput, receiver.Material) (output.Output, error)
	Origin format.Origin
	// Journal takes what detections find, and Facts is what they ask.
	Journal *audit.Journal
	Facts   detect.Facts
	// Incident is the namespace whose Quarantines count; "" when none do.
	Incident string
	// Metrics may be nil.
	Metrics  prometheus.Registerer
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Home is the operator's own namespace: sinks there get all events.
	Home string
	// FirstRetry is the first wait after an unexpected error; zero for the default.
	FirstRetry time.Duration

	responders responders
	retries    retries
	// dropped counts what matched and was not counted.
	dropped prometheus.Counter
}

// +kubebuilder:rbac:groups=agentidentity.dev,resources=auditsinks,verbs=list;watch;patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=auditsinks/status,verbs=patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups="",resources=secrets;configmaps,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the controller.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	if err := c.Sinks.Measure(c.Metrics); err != nil {
		return err
	}
	if err := c.measure(); err != nil {
		return err
	}
	for _, runnable := range []manager.Runnable{c.Sinks, manager.RunnableFunc(c.retries.run)} {
		if err := mgr.Add(runnable); err != nil {
			return err
		}
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.AuditSink{}).
		WatchesRawSource(source.TypedChannel(c.Changed, handler.TypedEnqueueRequestsFromMapFunc(c.sinkOf))).
		WithOptions(lifecycle.Options(c.Client, c.New, nil, c.FirstRetry)).
		Complete(c.Reconciler())
}

// measure registers what is counted here, in the place of what an operator before in the same
// process registered.
func (c *Controller) measure() error {
	c.dropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "agentidentity_audit_matches_dropped_total",
		Help: "Matches of detections that were not counted because too many were held: a finding may have been missed.",
	})
	if c.Metrics == nil {
		return nil
	}
	c.Metrics.Unregister(c.dropped)
	if err := c.Metrics.Register(c.dropped); err != nil {
		return fmt.Errorf("registering metrics of detections: %w", err)
	}
	return nil
}

// sinkOf is the AuditSink of that uid.
func (c *Controller) sinkOf(ctx context.Context, uid types.UID) []reconcile.Request {
	var sinks v1alpha1.AuditSinkList
	if err := c.Client.List(ctx, &sinks, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing audit sinks")
		return nil
	}
	for i := range sinks.Items {
		if sinks.Items[i].UID == uid {
			return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(&sinks.Items[i])}}
		}
	}
	return nil
}

// Reconciler is the loop that all kinds share.
func (c *Controller) Reconciler() reconcile.Reconciler {
	return &lifecycle.Loop[*v1alpha1.AuditSink]{
		Kind: c, Client: c.Client, Recorder: c.Recorder, Clock: c.Clock, Resync: look,
	}
}

// New implements lifecycle.Kind.
func (c *Controller) New() *v1alpha1.AuditSink { return &v1alpha1.AuditSink{} }

// Ensure implements lifecycle.Kind: observe, perform, report.
func (c *Controller) Ensure(ctx context.Context, sink *v1alpha1.AuditSink) (lifecycle.Outcome, error) {
	follower, err := c.follow(ctx, sink)
	if follower == nil {
		c.silent(sink)
		return lifecycle.Outcome{Again: look}, err
	}
	outcome, failure := c.report(sink, follower.Progress())
	if err != nil {
		outcome.Again, failure = look, err
	}
	return outcome, failure
}

// follow gives the follower of what is described now. Where that cannot be had, it is nil, or
// with the error the one that there is: a Secret that is missing for a moment stops nothing.
func (c *Controller) follow(ctx context.Context, sink *v1alpha1.AuditSink) (*audit.Follower, error) {
	err := c.room(ctx, sink)
	var material receiver.Material
	if err == nil {
		material, err = c.observe(ctx, sink)
	}
	if err == nil {
		var follower *audit.Follower
		if follower, err = c.perform(sink, material); err == nil {
			return follower, nil
		}
	}
	if forbidden(err) {
		c.Sinks.Remove(string(sink.UID))
		return nil, err
	}
	return c.Sinks.Keep(string(sink.UID), digest(sink.Spec)), err
}

// forbidden tells that nothing may be sent any more.
func forbidden(err error) bool {
	e, ok := errors.AsType[*identity.Error](err)
	return ok && (e.Reason == v1alpha1.ReasonCredentialsNotAllowed || e.Reason == v1alpha1.ReasonTooManySinks)
}

// room holds that a namespace has no more sinks than it may: each is followed for itself, and
// what is kept of it is kept by the operator.
func (c *Controller) room(ctx context.Context, sink *v1alpha1.AuditSink) error {
	if sink.Namespace == c.Home {
		return nil
	}
	var all v1alpha1.AuditSinkList
	if err := c.Client.List(ctx, &all, client.InNamespace(sink.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("counting AuditSinks: %w", err)
	}
	older := 0
	for i := range all.Items {
		if o := &all.Items[i]; before(o, sink) {
			older++
		}
	}
	if older < v1alpha1.MaxAuditSinks {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonTooManySinks, RetryAfter: look,
		Message: fmt.Sprintf("the namespace has %d older AuditSinks, and no more are followed: delete one of them, or have one receiver get more",
			v1alpha1.MaxAuditSinks),
	}
}

// before tells which is older.
func before(a, b *v1alpha1.AuditSink) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.UID < b.UID
}

// Release implements lifecycle.Kind.
func (c *Controller) Release(ctx context.Context, sink *v1alpha1.AuditSink) (lifecycle.Outcome, error) {
	c.Sinks.Remove(string(sink.UID))
	c.responders.drop(sink.UID)
	return lifecycle.Outcome{}, c.Positions.Forget(ctx, string(sink.UID))
}
