package orphan

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// TestAbandoned: a tombstone put while Okta was down is worked off when it is up again,
// whatever the policy.
func TestAbandoned(t *testing.T) {
	w := newWorld(t, plan.OrphanReport)
	w.key("alive")
	key := w.key("lost")
	w.abandon("lost")
	w.sweep()
	w.mustBe("lost", "ACTIVE") // the key exists: nothing is done
	w.vanish(key)
	w.start()
	w.org.Inject(oktasim.Fault{Path: "/api/v1/.*", Action: oktasim.Drop()})
	result, err := w.sweeper.Sweep(t.Context())
	if err == nil || w.sweeper.again(result, err) != pressing {
		t.Errorf("while Okta is down the sweep gives %v, and the next is in %v", err, w.sweeper.again(result, err))
	}
	w.org.ClearFaults()
	w.clock.Step(pressing)
	result = w.sweep()
	w.mustBe("lost", "")
	if !result.Pressing || w.stones() != 1 {
		t.Errorf("the tombstone is gone before it is certain that the client is")
	}
	w.clock.Step(pressing)
	result = w.sweep()
	if result.Pressing || w.stones() != 0 {
		t.Errorf("the tombstone is still there: %+v", result.Left)
	}
	w.mustBe("alive", "ACTIVE")
	if told := strings.Join(w.told(), "\n"); !strings.Contains(told, "OrphanDeleted") || !strings.Contains(told, "AbandonedGone") {
		t.Errorf("events are %s", told)
	}
}

// TestAbandonedForNothing: a tombstone of which there is no client, or which has another
// owner, goes.
func TestAbandonedForNothing(t *testing.T) {
	tests := map[string]struct {
		reason string
		before func(w *world)
		app    string
	}{
		"Never":     {reason: "the client was never registered"},
		"TakenOver": {"a key created again under the name has taken it over", func(w *world) { w.restore("lost", "uid-9"); w.takeOver("uid-9") }, "ACTIVE"},
		"ByHand":    {"a person took the mark off", func(w *world) { w.orphans("lost"); w.unmark() }, "ACTIVE"},
		"Deleted":   {"a person deleted it", func(w *world) { w.orphans("lost"); w.admin(w.org.AdminDeactivateApp); w.admin(w.org.AdminDeleteApp) }, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, plan.OrphanReport)
			if tc.before != nil {
				tc.before(w)
			}
			w.abandon("lost")
			w.start()
			for range 4 {
				w.sweep()
				w.clock.Step(pressing)
			}
			if w.stones() != 0 {
				t.Errorf("%s, and the tombstone is still there: %+v", tc.reason, w.list().Tombstones)
			}
			w.mustBe("lost", tc.app)
		})
	}
}

// TestAbandonedAndKept: of a key with deletionPolicy Deactivate the client ends inactive,
// and no policy deletes it.
func TestAbandonedAndKept(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	w.orphans("lost")
	stone := w.abandon("lost")
	if err := w.tombstones().Remove(t.Context(), stone); err != nil {
		t.Fatal(err)
	}
	stone.Keep = true
	if err := w.tombstones().Put(t.Context(), stone); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	w.mustBe("lost", "INACTIVE")
	w.hours(4)
	w.mustBe("lost", "INACTIVE")
	if w.stones() != 0 {
		t.Errorf("the tombstone is still there: %+v", w.list())
	}
}

// TestAbandonedTooSoon: a client that was registered a moment before, by a process that
// never heard of it, and that Okta's lists do not show yet, is not taken for gone.
func TestAbandonedTooSoon(t *testing.T) {
	w := newWorld(t, plan.OrphanReport)
	w.set("listLag", 30*time.Second)
	w.set("getLag", 30*time.Second)
	w.orphans("lost")
	w.abandon("lost")
	w.start()
	for range 5 {
		w.sweep()
		if w.stones() == 0 && w.app("lost") != "" {
			t.Fatal("the last trace of a living client was removed")
		}
		w.clock.Step(pressing)
	}
	w.mustBe("lost", "")
	if w.stones() != 0 {
		t.Errorf("the tombstone is still there: %+v", w.list())
	}
}

// set changes a setting of the simulated org.
func (w *world) set(name string, value time.Duration) {
	w.Helper()
	body := strings.NewReader(fmt.Sprintf("{%q: %d}", name, value))
	req := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "/_sim/settings", body)
	recorder := httptest.NewRecorder()
	w.org.ServeHTTP(recorder, req)
	if recorder.Code != http.StatusOK {
		w.Fatalf("setting %s: %d %s", name, recorder.Code, recorder.Body)
	}
}

// takeOver registers the client of key lost with the mark of another uid.
func (w *world) takeOver(uid string) {
	w.Helper()
	mark := w.mark("AgentAPIKey", "lost")
	mark.UID = uid
	w.client(mark)
}

// TestHeld: when all owners are gone at once, the policy does nothing and says so once.
func TestHeld(t *testing.T) {
	w := newWorld(t, plan.OrphanDelete)
	for n := range 12 {
		w.orphans(fmt.Sprintf("lost-%d", n))
	}
	w.abandon("lost-3")
	w.sweep()
	w.hours(3)
	for n := range 12 {
		want := "ACTIVE"
		if n == 3 {
			want = ""
		}
		w.mustBe(fmt.Sprintf("lost-%d", n), want)
	}
	list := w.list()
	if !strings.Contains(list.Held, "11 of 11 active clients") || len(list.Orphans) != 11 || !strings.HasPrefix(list.Orphans[0].Plan, "held: ") {
		t.Errorf("the list does not say that it is held: %+v", list)
	}
	held := slices.DeleteFunc(w.told(), func(e string) bool { return !strings.Contains(e, "OrphansHeld") })
	if len(held) != 1 {
		t.Errorf("it is told %d times, want once", len(held))
	}
}
