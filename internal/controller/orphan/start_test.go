package orphan

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// TestStart: the first sweep waits until the other controllers have settled, the next
// ones for the interval, and the end of the process ends it at once.
func TestStart(t *testing.T) {
	w := newWorld(t, plan.OrphanReport)
	lists := make(chan struct{}, 100)
	w.between = func(verb string, _ runtime.Object) error {
		if verb == "list" {
			lists <- struct{}{}
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.sweeper.Start(ctx) }()
	for _, step := range []struct {
		reason   string
		early    time.Duration
		interval time.Duration
	}{
		{"the first sweep", settling - time.Second, settling / 5},
		{"the second", time.Hour - time.Second, 7 * time.Minute},
	} {
		w.waiting()
		w.clock.Step(step.early)
		if len(lists) > 0 {
			t.Fatalf("%s came too early", step.reason)
		}
		w.clock.Step(step.interval)
		w.waiting()
		if len(lists) != 2 {
			t.Fatalf("%s listed %d kinds of objects, want 2", step.reason, len(lists))
		}
		<-lists
		<-lists
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the end of the process is an error: %v", err)
	}
	if !w.sweeper.NeedLeaderElection() {
		t.Error("two processes would sweep at once")
	}
}

// waiting returns when the sweeper waits for the clock.
func (w *world) waiting() {
	w.Helper()
	for range 10_000 {
		if w.clock.HasWaiters() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.Fatal("the sweeper does not wait")
}

// TestAgain: what presses is not left for an hour, and nothing is done more often than configured.
func TestAgain(t *testing.T) {
	down := errors.New("no answer")
	tests := map[string]struct {
		reason   string
		interval time.Duration
		result   Result
		err      error
		want     time.Duration
	}{
		"Quiet":     {"there is nothing to do", time.Hour, Result{}, nil, time.Hour},
		"Failed":    {"the directory may be back soon", time.Hour, Result{}, down, pressing},
		"Tombstone": {"a credential may work that should not", time.Hour, Result{Pressing: true}, nil, pressing},
		"Short":     {"a short interval stays", time.Minute, Result{Pressing: true}, down, time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := &Controller{Interval: tc.interval}
			if got := c.again(tc.result, tc.err); got != tc.want {
				t.Errorf("%s: the next sweep is in %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}
