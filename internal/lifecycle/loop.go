package lifecycle

import (
	"context"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Finalizer keeps an object until what it made in the directory is gone.
const Finalizer = "agentidentity.dev/finalizer"

// Object is what a kind must offer to be settled.
type Object interface {
	client.Object
	StatusConditions() *[]metav1.Condition
	SetObservedGeneration(generation int64)
}

// Kind is what differs between kinds.
type Kind[T Object] interface {
	// New makes an empty object.
	New() T
	// Ensure brings the world to what the object wants, as far as it goes now, and
	// fills the status but its conditions. An error says what is left; an
	// *identity.Error says it in a way that people understand.
	Ensure(ctx context.Context, obj T) (Outcome, error)
	// Release removes what the object made. An error means that it is not gone yet.
	// What it leaves behind, for it is not ours, it tells as events.
	Release(ctx context.Context, obj T) (Outcome, error)
}

// Outcome is what Ensure did.
type Outcome struct {
	// Message is the message of Ready=True.
	Message string
	// Events say what has happened.
	Events []Event
	// Again is when to look again although nothing happens; zero leaves it to Loop.Resync.
	Again time.Duration
}

// Event says once what has happened, in the past tense.
type Event struct {
	// Warning tells people that something is left to them.
	Warning bool
	Reason  string
	// Action is the verb that events.k8s.io asks for.
	Action string
	Note   string
}

// Loop reconciles one kind.
type Loop[T Object] struct {
	Kind     Kind[T]
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Resync is how often an object that is Ready is looked at again.
	Resync time.Duration

	superseded superseded
}

// Reconcile implements reconcile.Reconciler.
func (l *Loop[T]) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj := l.Kind.New()
	if err := l.Client.Get(ctx, req.NamespacedName, obj); err != nil {
		l.superseded.forget(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if l.superseded.has(obj, l.Clock.Now()) {
		// What was written comes as an event, and is looked at then.
		return ctrl.Result{RequeueAfter: heard}, nil
	}
	if !obj.GetDeletionTimestamp().IsZero() {
		return l.release(ctx, obj)
	}
	if err := l.claim(ctx, obj); err != nil {
		return retryConflict(err)
	}
	before := copyOf(obj)
	ctx = identity.WithCaller(ctx, callerOf(obj, identity.Routine))
	outcome, err := l.Kind.Ensure(ctx, obj)
	return l.conclude(ctx, before, obj, outcome, err)
}

// callerOf is the object, as the one for whom the directory is called.
func callerOf(obj Object, urgency identity.Urgency) identity.Caller {
	return identity.Caller{
		Namespace: obj.GetNamespace(), Name: obj.GetName(), Kind: reflect.TypeOf(obj).Elem().Name(), Urgency: urgency,
	}
}

// claim puts the finalizer on before anything is made elsewhere.
func (l *Loop[T]) claim(ctx context.Context, obj T) error {
	before := copyOf(obj)
	if !controllerutil.AddFinalizer(obj, Finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := l.Client.Patch(ctx, obj, patch); err != nil {
		return fmt.Errorf("putting the finalizer on: %w", err)
	}
	l.superseded.by(obj, before.GetResourceVersion(), l.Clock.Now())
	return nil
}

func (l *Loop[T]) release(ctx context.Context, obj T) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(obj, Finalizer) {
		return ctrl.Result{}, nil
	}
	before := copyOf(obj)
	outcome, err := l.Kind.Release(identity.WithCaller(ctx, callerOf(obj, identity.Revocation)), obj)
	if err != nil {
		return l.conclude(ctx, before, obj, outcome, err)
	}
	l.tell(obj, outcome)
	ctrl.LoggerFrom(ctx).Info("released what the object had made")
	controllerutil.RemoveFinalizer(obj, Finalizer)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := l.Client.Patch(ctx, obj, patch); client.IgnoreNotFound(err) != nil {
		return retryConflict(fmt.Errorf("taking the finalizer off: %w", err))
	}
	return ctrl.Result{}, nil
}

// conclude settles the outcome, writes the status if it changed, and says when to look again.
func (l *Loop[T]) conclude(ctx context.Context, before, obj T, outcome Outcome, err error) (ctrl.Result, error) {
	l.tell(obj, outcome)
	if ctx.Err() != nil {
		// The process is ending: what it saw last is not news.
		return ctrl.Result{}, ctx.Err()
	}
	if apierrors.IsConflict(err) {
		return retryConflict(err)
	}
	verdict := settle(outcome, err, l.Resync)
	if verdict.newlyStalled(*before.StatusConditions()) {
		ctrl.LoggerFrom(ctx).Info("stalled until a person acts", "reason", verdict.reason, "message", verdict.message)
		l.Recorder.Eventf(obj, nil, corev1.EventTypeWarning, verdict.reason, "Stall", "%s", verdict.message)
	}
	if !Stands(obj, v1alpha1.ConditionReady, err) {
		verdict.apply(obj, metav1.NewTime(l.Clock.Now()))
	}
	if !equality.Semantic.DeepEqual(before, obj) {
		if patchErr := l.Client.Status().Patch(ctx, obj, client.MergeFrom(before)); client.IgnoreNotFound(patchErr) != nil {
			return retryConflict(fmt.Errorf("writing the status: %w", patchErr))
		}
		l.superseded.by(obj, before.GetResourceVersion(), l.Clock.Now())
	}
	return verdict.result, verdict.retry
}

func (l *Loop[T]) tell(obj T, outcome Outcome) {
	for _, e := range outcome.Events {
		kind := corev1.EventTypeNormal
		if e.Warning {
			kind = corev1.EventTypeWarning
		}
		l.Recorder.Eventf(obj, nil, kind, e.Reason, e.Action, "%s", e.Note)
	}
}

// copyOf is a deep copy of the object's own type.
func copyOf[T Object](obj T) T {
	clone, ok := obj.DeepCopyObject().(T)
	if !ok {
		panic(fmt.Sprintf("DeepCopyObject of %T gives another type", obj))
	}
	return clone
}
