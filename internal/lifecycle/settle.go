package lifecycle

import (
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// How soon to look again when an error does not say.
const (
	waitAgain     = 5 * time.Second
	rejectedAgain = 10 * time.Minute
	conflictAgain = 5 * time.Minute
	// shortly is what a Ready object may wait for a call of its next look without losing Ready: after a
	// start each limit lets one call out, until its answer tells how many may follow.
	shortly = time.Second
)

// verdict is an outcome in the words of conditions.
type verdict struct {
	ready           metav1.ConditionStatus
	reason, message string
	// extra is Reconciling, Stalled or "".
	extra  string
	result ctrl.Result
	retry  error
}

// settle turns what became of an object into a verdict. It is the only place that
// knows what a kind of error means for conditions, events and the next look, which is
// outcome.Again if that is sooner:
//
//	error        Ready  and            next look
//	none         True   -              resync, after all that is not at rest
//	Waiting      False  Reconciling    RetryAfter or 5 s
//	Throttled    False  Reconciling    RetryAfter: the turn in one of the rate limit's next windows;
//	                                   up to a second what is Ready stays so
//	Unavailable  False  Reconciling    backoff of the queue, or RetryAfter
//	Rejected     False  Stalled        RetryAfter or 10 min
//	Conflict     False  Stalled        RetryAfter or 5 min
//	Kubernetes   False  Reconciling    backoff of the queue
func settle(outcome Outcome, err error, resync time.Duration) verdict {
	if err == nil {
		// Nothing is urgent any more; but what is due before the resync has an appointment.
		place, after := resting, sooner(resync, outcome.Again)
		if after < resync {
			place = ordinary
		}
		return verdict{
			ready: metav1.ConditionTrue, reason: v1alpha1.ReasonReady, message: outcome.Message,
			result: ctrl.Result{RequeueAfter: after, Priority: &place},
		}
	}
	e, ok := errors.AsType[*identity.Error](err)
	if !ok {
		return verdict{
			ready: metav1.ConditionFalse, reason: v1alpha1.ReasonProgressing,
			message: "a call to the Kubernetes API did not go through and is repeated; see the operator's log",
			extra:   v1alpha1.ConditionReconciling, retry: err,
		}
	}
	v := verdict{ready: metav1.ConditionFalse, reason: e.Reason, message: e.Message, extra: v1alpha1.ConditionReconciling}
	switch e.Kind {
	case identity.Waiting, identity.Throttled:
		if e.Kind == identity.Throttled {
			v.result.Priority = new(invite)
		}
		v.result.RequeueAfter = sooner(orElse(e.RetryAfter, waitAgain), outcome.Again)
	case identity.Rejected:
		v.extra = v1alpha1.ConditionStalled
		v.result.RequeueAfter = sooner(orElse(e.RetryAfter, rejectedAgain), outcome.Again)
	case identity.Conflict:
		v.extra = v1alpha1.ConditionStalled
		v.result.RequeueAfter = sooner(orElse(e.RetryAfter, conflictAgain), outcome.Again)
	default:
		v.result.RequeueAfter = e.RetryAfter
		if e.RetryAfter == 0 {
			v.retry = err
		}
	}
	return v
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// sooner is the earlier of a wait and another one that may be none.
func sooner(d, other time.Duration) time.Duration {
	if other > 0 {
		return min(d, other)
	}
	return d
}

// retryConflict looks again soon, without noise, after a write that met a newer version.
func retryConflict(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: time.Second}, nil
	}
	return ctrl.Result{}, err
}

// Stands tells that a condition that is True for the object's present spec stays so whatever becomes
// of err: all that it says is that a call was held back, for a second or less.
func Stands(obj Object, kind string, err error) bool {
	e, ok := errors.AsType[*identity.Error](err)
	if !ok || e.Kind != identity.Throttled || e.RetryAfter <= 0 || e.RetryAfter > shortly {
		return false
	}
	was := meta.FindStatusCondition(*obj.StatusConditions(), kind)
	return was != nil && was.Status == metav1.ConditionTrue && was.ObservedGeneration == obj.GetGeneration()
}

// apply writes the verdict into the object's conditions.
func (v verdict) apply(obj Object, now metav1.Time) {
	conditions := obj.StatusConditions()
	generation := obj.GetGeneration()
	obj.SetObservedGeneration(generation)
	set := func(kind string, status metav1.ConditionStatus) {
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: kind, Status: status, Reason: v.reason, Message: v.message,
			ObservedGeneration: generation, LastTransitionTime: now,
		})
	}
	set(v1alpha1.ConditionReady, v.ready)
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if kind == v.extra {
			set(kind, metav1.ConditionTrue)
			continue
		}
		meta.RemoveStatusCondition(conditions, kind)
	}
}

// newlyStalled tells whether the verdict is Stalled for a reason the object has not shown yet.
func (v verdict) newlyStalled(before []metav1.Condition) bool {
	if v.extra != v1alpha1.ConditionStalled {
		return false
	}
	old := meta.FindStatusCondition(before, v1alpha1.ConditionStalled)
	return old == nil || old.Reason != v.reason
}
