package lifecycle

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// row is what settle is asked about, in one line.
type row struct {
	Ready, Extra, Reason string
	After                time.Duration
	Retry                bool
}

func TestSettle(t *testing.T) {
	e := func(kind identity.Kind, after time.Duration) error {
		return fmt.Errorf("observing: %w", &identity.Error{Kind: kind, Reason: "Why", Message: "m", RetryAfter: after})
	}
	tests := map[string]struct {
		reason  string
		outcome Outcome
		err     error
		want    row
		place   string
	}{
		"Done":             {"looked at again at the resync", Outcome{}, nil, row{"True", "", "Ready", time.Hour, false}, "resting"},
		"DoneForNow":       {"or sooner, if the kind says so", Outcome{Again: time.Second}, nil, row{"True", "", "Ready", time.Second, false}, "ordinary"},
		"DoneForLong":      {"but no later", Outcome{Again: 100 * time.Hour}, nil, row{"True", "", "Ready", time.Hour, false}, "resting"},
		"RejectedForNow":   {"what is due does not wait for a person", Outcome{Again: time.Second}, e(identity.Rejected, 0), row{"False", "Stalled", "Why", time.Second, false}, "as before"},
		"Waiting":          {"it will come by itself", Outcome{}, e(identity.Waiting, 0), row{"False", "Reconciling", "Why", waitAgain, false}, "as before"},
		"WaitingLong":      {"at the time it says", Outcome{}, e(identity.Waiting, time.Minute), row{"False", "Reconciling", "Why", time.Minute, false}, "as before"},
		"Throttled":        {"no failure, only later", Outcome{}, e(identity.Throttled, 9*time.Second), row{"False", "Reconciling", "Why", 9 * time.Second, false}, "invited"},
		"Unavailable":      {"the queue's backoff spaces the tries", Outcome{}, e(identity.Unavailable, 0), row{"False", "Reconciling", "Why", 0, true}, "as before"},
		"UnavailableUntil": {"unless the error says when", Outcome{}, e(identity.Unavailable, time.Second), row{"False", "Reconciling", "Why", time.Second, false}, "as before"},
		"Rejected":         {"a person must act; no hot loop", Outcome{}, e(identity.Rejected, 0), row{"False", "Stalled", "Why", rejectedAgain, false}, "as before"},
		"Conflict":         {"a person must act; no hot loop", Outcome{}, e(identity.Conflict, 0), row{"False", "Stalled", "Why", conflictAgain, false}, "as before"},
		"Kubernetes":       {"stable words, whatever the error says", Outcome{}, errors.New("10:31 boom"), row{"False", "Reconciling", "Progressing", 0, true}, "as before"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := settle(tc.outcome, tc.err, time.Hour)
			got := row{string(v.ready), v.extra, v.reason, v.result.RequeueAfter, v.retry != nil}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			place := "as before"
			if v.result.Priority != nil {
				place = map[int]string{invite: "invited", ordinary: "ordinary", resting: "resting"}[*v.result.Priority]
			}
			if place != tc.place {
				t.Errorf("it is looked at again at a place that is %s, want %s", place, tc.place)
			}
		})
	}
}

// TestApply holds that Reconciling and Stalled are there only while true, and that
// the same verdict twice changes nothing.
func TestApply(t *testing.T) {
	key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
	stalled := settle(Outcome{}, &identity.Error{Kind: identity.Conflict, Reason: "Taken", Message: "m"}, time.Hour)
	if !stalled.newlyStalled(key.Status.Conditions) {
		t.Error("the first time an object stalls is news")
	}
	stalled.apply(key, metav1.NewTime(time.Unix(10, 0)))
	if stalled.newlyStalled(key.Status.Conditions) {
		t.Error("the second time is none")
	}
	first := key.DeepCopy()
	stalled.apply(key, metav1.NewTime(time.Unix(20, 0)))
	if diff := cmp.Diff(first, key); diff != "" {
		t.Errorf("the same verdict again changes the status (-first +second):\n%s", diff)
	}
	settle(Outcome{Message: "all is well"}, nil, time.Hour).apply(key, metav1.NewTime(time.Unix(30, 0)))
	want := []metav1.Condition{{
		Type: "Ready", Status: "True", Reason: "Ready", Message: "all is well",
		ObservedGeneration: 3, LastTransitionTime: metav1.NewTime(time.Unix(30, 0)),
	}}
	if diff := cmp.Diff(want, key.Status.Conditions); diff != "" {
		t.Errorf("conditions of a ready object (-want +got):\n%s", diff)
	}
	if key.Status.ObservedGeneration != 3 {
		t.Errorf("observedGeneration = %d, want 3", key.Status.ObservedGeneration)
	}
}

// TestStands holds that one that is Ready stays so while a call is held back for a moment, as after a
// start, and no longer, and not for a spec that has not been looked at.
func TestStands(t *testing.T) {
	for name, tc := range map[string]struct {
		reason     string
		generation int64
		err        error
		want       bool
	}{
		"moment":     {"nothing is known that speaks against it", 3, throttled(shortly), true},
		"long":       {"nobody can vouch for it", 3, throttled(shortly + 1), false},
		"other":      {"the directory has said something", 3, &identity.Error{Kind: identity.Waiting, RetryAfter: shortly}, false},
		"other spec": {"it is Ready for another spec", 4, throttled(shortly), false},
		"no error":   {"it is looked at, and said anew", 3, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			key := &v1alpha1.AgentAPIKey{}
			key.Generation = 3
			settle(Outcome{}, nil, time.Hour).apply(key, metav1.NewTime(time.Unix(10, 0)))
			key.Generation = tc.generation
			if got := Stands(key, v1alpha1.ConditionReady, tc.err); got != tc.want {
				t.Errorf("%s: Stands is %t", tc.reason, got)
			}
			if Stands(key, "Other", tc.err) {
				t.Error("a condition that is not there stands")
			}
		})
	}
}

func throttled(after time.Duration) error {
	return fmt.Errorf("observing: %w", &identity.Error{Kind: identity.Throttled, RetryAfter: after})
}
