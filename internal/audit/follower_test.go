package audit_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestEveryEventOnce(t *testing.T) {
	inTime(t, oktasim.Options{}, func(w *world) {
		before := w.ledger()
		w.happen(2500)
		w.follow("siem", time.Now().Add(-time.Millisecond))
		for range 10 {
			time.Sleep(interval)
			w.happen(7)
		}
		time.Sleep(2 * interval)
		w.mustHaveAll("siem", before-1)
		if repeated := w.repeated("siem"); repeated != 0 {
			w.Errorf("%d events came again", repeated)
		}
		// 3 pages of history, an empty one to know the end by, and one each interval.
		if calls := w.calls.Load(); calls > 3+1+13 {
			w.Errorf("%d calls", calls)
		}
	})
}

// TestOneStream holds that those who began at different times come to share one reading,
// and that a receiver that is gone delays nobody and misses nothing.
func TestOneStream(t *testing.T) {
	inTime(t, oktasim.Options{}, func(w *world) {
		before := w.ledger()
		start := time.Now().Add(-time.Millisecond)
		for i := range 5 {
			w.happen(3)
			w.follow(fmt.Sprint("sink", i), start)
			time.Sleep(7 * time.Second)
		}
		time.Sleep(5 * interval)
		w.answers("sink3", func([]output.Record) error { return &output.Error{Kind: output.Unreachable, Message: "gone"} })
		w.calls.Store(0)
		for range 120 {
			w.happen(5)
			time.Sleep(interval)
		}
		// Two streams would be 240 calls.
		if calls := w.calls.Load(); calls > 150 {
			w.Errorf("%d calls in 120 intervals: they do not share the reading", calls)
		}
		for _, name := range []string{"sink0", "sink1", "sink2", "sink4"} {
			w.mustHaveAll(name, before-1)
		}
		w.answers("sink3", nil)
		time.Sleep(5 * interval)
		for i := range 5 {
			w.mustHaveAll(fmt.Sprint("sink", i), before-1)
		}
		w.calls.Store(0)
		time.Sleep(20 * interval)
		if calls := w.calls.Load(); calls > 30 {
			w.Errorf("%d calls in 20 intervals after all were back", calls)
		}
	})
}

// TestTroubledLog plays a log that is late, out of order and says things twice, and a
// process that dies again and again, before and after deliveries.
func TestTroubledLog(t *testing.T) {
	trouble := oktasim.LogTrouble{
		Lag: 2 * time.Second, LateEvery: 7, LateBy: time.Hour, TwiceEvery: 11, TwiceAfter: time.Minute, Disorder: 5 * time.Second,
	}
	inTime(t, oktasim.Options{Log: trouble}, func(w *world) {
		start, before := time.Now().Add(-time.Millisecond), w.ledger()
		for life := range 40 {
			dies := life % 3
			r := w.follow("siem", start)
			w.answers("siem", func(batch []output.Record) error {
				switch dies {
				case 0:
					w.kill()
					return context.Canceled
				case 1:
					// The answer is lost: the receiver has them all the same.
					for _, record := range batch {
						w.receivers["siem"].take(record)
					}
					w.kill()
					return context.Canceled
				}
				return nil
			})
			w.happen(1100)
			time.Sleep(3 * interval)
			w.die()
			_ = r.Progress()
			w.start()
		}
		w.follow("siem", start)
		w.answers("siem", nil)
		time.Sleep(2 * time.Hour)
		w.mustHaveAll("siem", before-1)
		// What was shown twice is known to be the same by the process that sent it first.
		again := 0
		for _, entry := range w.org.LogLedger() {
			again += map[bool]int{true: 1}[entry.Again]
		}
		if repeated := w.repeated("siem"); repeated > 13*1000+again {
			w.Errorf("%d events came again after 13 answers were lost, and %d were shown twice", repeated, again)
		}
	})
}

func TestPlaceLost(t *testing.T) {
	inTime(t, oktasim.Options{Log: oktasim.LogTrouble{CursorLifetime: time.Hour}}, func(w *world) {
		start, before := time.Now().Add(-time.Millisecond), w.ledger()
		f := w.follow("siem", start)
		w.happen(10)
		time.Sleep(2 * interval)
		w.goneFor("siem", 3*time.Hour)
		w.mustHaveAll("siem", before-1)
		gaps := f.Progress().Gaps
		if len(gaps) != 1 || gaps[0].Reason != audit.CursorRejected {
			w.Errorf("gaps: %+v, want one that says that the cursor was rejected", gaps)
		}
		if repeated := w.repeated("siem"); repeated != 0 {
			w.Errorf("%d events came again", repeated)
		}
	})
}

// TestSetAside holds that single events that are refused are set aside and told, and that
// none is when the receiver refuses everything.
func TestSetAside(t *testing.T) {
	poison := func(said func(batch []output.Record, bad []int) error, bad func(id string) bool) func([]output.Record) error {
		return func(batch []output.Record) error {
			var places []int
			for i, record := range batch {
				if bad(record.ID) {
					places = append(places, i)
				}
			}
			if len(places) == 0 {
				return nil
			}
			return said(batch, places)
		}
	}
	whole := func([]output.Record, []int) error { return &output.Error{Kind: output.Rejected, Message: "bad"} }
	tests := map[string]struct {
		said   func([]output.Record, []int) error
		bad    func(i int) bool
		aside  int64
		reason string
	}{
		"which is not said":  {whole, func(i int) bool { return i == 3 || i == 400 }, 2, "halves find them"},
		"a run of them":      {whole, func(i int) bool { return i >= 100 && i < 120 }, 20, "others are taken, so it is the events"},
		"a run at the start": {whole, func(i int) bool { return i < 20 }, 20, "others are tried before it is given up"},
		"everything":         {whole, func(int) bool { return true }, 0, "it is not the events that it refuses"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, oktasim.Options{}, func(w *world) {
				before := w.ledger()
				start := time.Now().Add(-time.Millisecond)
				w.happen(1000)
				bad := map[string]bool{}
				for i, entry := range w.org.LogLedgerAfter(before-1, 0) {
					bad[entry.UUID] = tt.bad(i)
				}
				w.receivers["siem"] = &receiver{got: map[string]int{}, deliver: poison(tt.said, func(id string) bool { return bad[id] })}
				f := w.follow("siem", start)
				time.Sleep(3 * interval)
				p := f.Progress()
				if p.SetAside != tt.aside || (tt.aside > 0) != (len(p.Gaps) > 0) {
					t.Errorf("%d set aside and %d gaps, want %d: %s", p.SetAside, len(p.Gaps), tt.aside, tt.reason)
				}
				if tt.aside == 0 {
					if e, ok := errors.AsType[*output.Error](p.Failure); !ok || e.Kind != output.Rejected {
						t.Errorf("failure: %v, want that it refuses events", p.Failure)
					}
					w.answers("siem", nil)
					time.Sleep(10 * interval)
					w.mustHaveAll("siem", before-1)
					return
				}
				for _, id := range slices.Sorted(maps.Keys(bad)) {
					if taken := w.times("siem", id); taken != map[bool]int{true: 0, false: 1}[bad[id]] {
						t.Fatalf("event %s came %d times, refused: %t", id, taken, bad[id])
					}
				}
			})
		})
	}
}
