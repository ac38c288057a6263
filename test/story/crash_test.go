package story

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestKilledAnywhere kills the operator before and after every call it makes on
// the way from nothing to a working Secret. The calls are found by watching one
// run; after each death a new process must end with one app, one live credential
// and a Secret that works.
func TestKilledAnywhere(t *testing.T) {
	for _, delivery := range deliveries {
		t.Run(string(delivery), func(t *testing.T) {
			recorded := newSeam(point{})
			reference := newWorld(t, oktasim.Options{})
			p := reference.begin(delivery, recorded)
			readyKey(reference, "bot")
			reference.stop(p)
			points := recorded.points()
			t.Logf("%d calls, %d points", len(recorded.order), len(points))
			if len(points) < 2*15 {
				t.Fatalf("only %d points found: is the seam in place? %v", len(points), recorded.order)
			}
			var missed atomic.Int32
			t.Run("points", func(t *testing.T) {
				for _, at := range points {
					t.Run(at.String(), func(t *testing.T) {
						t.Parallel()
						if killedAt(t, delivery, at) {
							return
						}
						missed.Add(1)
						if !at.mayFallAway() {
							t.Error("this run did not come by the point")
						}
					})
				}
			})
			t.Logf("killed at %d of %d points", len(points)-int(missed.Load()), len(points))
		})
	}
}

// mayFallAway tells a status write, of which a run has more or fewer: two
// controllers work at once, and each writes only what has changed since it last looked.
func (p point) mayFallAway() bool { return strings.Contains(p.call, "patch status of") }

func (w *world) begin(delivery v1alpha1.Delivery, s *seam) *process {
	w.Helper()
	w.create(w.role("chat", "a", "b"), w.key("bot", "chat", delivery))
	return w.start(s.into)
}

// killedAt lets one process die at the point and another finish. It says whether
// the point was reached.
func killedAt(t *testing.T, delivery v1alpha1.Delivery, at point) bool {
	w := newWorld(t, oktasim.Options{})
	s := newSeam(at)
	p := w.begin(delivery, s)
	reached := w.diesOrFinishes(s)
	w.stop(p)
	w.start()
	key := readyKey(w, "bot")
	w.mustWork(w.agent("bot-okta"), []string{"a", "b"}, "c")
	state := w.ours()
	if len(state.Apps) != 1 || len(state.Groups) != 1 || len(state.Policies) != 1 || len(state.Rules) != 1 || len(state.Servers) != 1 {
		w.Errorf("in Okta: %d apps, %d groups, %d policies, %d rules, %d servers; want one of each",
			len(state.Apps), len(state.Groups), len(state.Policies), len(state.Rules), len(state.Servers))
	}
	live := 0
	for _, app := range state.Apps {
		if app.ClientID != key.Status.ClientID || app.Status != "ACTIVE" {
			w.Errorf("app %s is %s, want %s ACTIVE", app.ClientID, app.Status, key.Status.ClientID)
		}
		for _, k := range app.Keys {
			live += live01(k.Status)
		}
		for _, secret := range app.Secrets {
			live += live01(secret.Status)
		}
	}
	if live != 1 {
		w.Errorf("%d live credentials, want 1", live)
	}
	return reached
}

func live01(status string) int {
	if status == "ACTIVE" {
		return 1
	}
	return 0
}

// diesOrFinishes waits until the process is dead, or done without having come by
// the point; it says which.
func (w *world) diesOrFinishes(s *seam) bool {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go func() {
		select {
		case <-s.died:
			cancel()
		case <-ctx.Done():
		}
	}()
	key := &v1alpha1.AgentAPIKey{}
	finished := w.watchUntil(ctx, "bot", key, func() bool {
		return meta.IsStatusConditionTrue(key.Status.Conditions, v1alpha1.ConditionReady)
	})
	if !finished && !s.isDead() {
		w.Fatal("the process neither dies nor finishes")
	}
	return s.isDead()
}
