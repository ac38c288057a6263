package detect

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// anything is a detection that suspends at the threshold, whatever happens.
func anything(count int32, within time.Duration) v1alpha1.Detection {
	d := suspends("")
	d.Expression, d.Threshold = "true", &v1alpha1.Threshold{Count: count, Within: metav1.Duration{Duration: within}}
	return d
}

// at is an event of that agent, then.
func at(kind, result, agent string, i int, when time.Time) *event.Event {
	e := happened(kind, result, i)
	e.Agent.UID, e.Published = agent, when
	return e
}

func detector(t *testing.T, d v1alpha1.Detection) *Detector {
	t.Helper()
	made, err := New([]v1alpha1.Detection{d}, facts{own: No, fromHere: No})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestFloodTakesNoRoom holds that what anybody can cause, however much of it and in the name of
// however many agents, keeps nothing that proves something from being answered.
func TestFloodTakesNoRoom(t *testing.T) {
	d := detector(t, anything(2000, 24*time.Hour))
	page := func(result, agent string, from int) []Finding {
		var events []*event.Event
		for i := range 1000 {
			events = append(events, at(granted, result, agent, from+i, noon()))
		}
		return d.Examine(t.Context(), noon(), events)
	}
	for i := range maxEntries/1000 + 1 {
		page("FAILURE", fmt.Sprint("agent", i), 1000*i)
	}
	if d.Dropped() == 0 {
		t.Fatal("nothing was dropped: this shows nothing")
	}
	var found []Finding
	for i := range 2 {
		found = append(found, page("SUCCESS", "thief", 1_000_000+1000*i)...)
	}
	if len(found) != 1 || found[0].Response != v1alpha1.ResponseSuspend {
		t.Errorf("got %+v, want the thief suspended", found)
	}
}

// TestWhatIsHeld holds that nothing is held for longer than it may count.
func TestWhatIsHeld(t *testing.T) {
	d := detector(t, anything(100, time.Second))
	for i := range 10_000 {
		d.Examine(t.Context(), noon(), []*event.Event{at(granted, "FAILURE", "bot", i, noon().Add(-24*time.Hour+time.Duration(i)*2*time.Second))})
	}
	if held := d.telling.entries; held == 0 || held > 2*100 {
		t.Errorf("%d entries are held of a window of a hundred", held)
	}
	d.Examine(t.Context(), noon().Add(3*time.Hour), []*event.Event{at(granted, "FAILURE", "other", 10_000, noon().Add(3*time.Hour))})
	d.Examine(t.Context(), noon().Add(3*time.Hour), nil)
	if d.telling != (room{windows: 1, entries: 1}) || len(d.windows) != 1 {
		t.Errorf("held: %+v in %d windows, want what is new", d.telling, len(d.windows))
	}
}

// TestToldOnce holds that a stretch of which was told is not told of again because an earlier
// one came to light, late.
func TestToldOnce(t *testing.T) {
	d, told := detector(t, anything(2, time.Minute)), 0
	for i, minute := range []int{30, 30, 10, 10, 30, 30, 10, 10, 20, 20} {
		told += len(d.Examine(t.Context(), noon().Add(time.Hour), []*event.Event{
			at(granted, "SUCCESS", "bot", i, noon().Add(time.Duration(minute)*time.Minute+time.Duration(i)*time.Second)),
		}))
	}
	if told != 3 {
		t.Errorf("told %d times, want once for each of three stretches", told)
	}
}

// TestHistory holds that what happened long ago is told of when it is read, page by page, and
// not answered.
func TestHistory(t *testing.T) {
	d := detector(t, anything(3, time.Hour))
	var found []Finding
	for i := range 30 {
		found = append(found, d.Examine(t.Context(), noon(), []*event.Event{
			at(granted, "SUCCESS", "bot", i, noon().AddDate(0, 0, -30).Add(time.Duration(i)*time.Minute)),
		})...)
	}
	if len(found) != 1 || found[0].Response != v1alpha1.ResponseNotify || found[0].Withheld == "" {
		t.Errorf("got %+v, want to be told once", found)
	}
}

// TestFutureIsNoHorizon holds that an event that says that it will happen makes no other old.
func TestFutureIsNoHorizon(t *testing.T) {
	d := detector(t, anything(2, time.Minute))
	d.Examine(t.Context(), noon(), []*event.Event{at(granted, "SUCCESS", "bot", 1, noon())})
	d.Examine(t.Context(), noon(), []*event.Event{at(granted, "SUCCESS", "bot", 2, noon().AddDate(1, 0, 0))})
	if found := d.Examine(t.Context(), noon(), []*event.Event{at(granted, "SUCCESS", "bot", 3, noon())}); len(found) != 1 {
		t.Errorf("got %+v, want the two of now", found)
	}
}
