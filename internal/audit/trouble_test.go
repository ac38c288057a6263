package audit_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func refuse([]output.Record) error { return &output.Error{Kind: output.Rejected, Message: "bad"} }

// TestTurnsBad holds that a receiver that takes half a page and then refuses whatever comes
// loses nothing: it is not the events that it refuses.
func TestTurnsBad(t *testing.T) {
	inTime(t, oktasim.Options{}, func(w *world) {
		before, start := w.ledger(), time.Now().Add(-time.Millisecond)
		w.happen(1000)
		r := &receiver{got: map[string]int{}}
		r.deliver = func(batch []output.Record) error {
			if len(r.order) > 400 {
				return refuse(batch)
			}
			return nil
		}
		w.receivers["siem"] = r
		f := w.followInBatches("siem", start, 100)
		time.Sleep(3 * interval)
		if p := f.Progress(); p.SetAside != 0 || p.Failure == nil {
			t.Errorf("%d events were set aside, failure %v; want none, and one", p.SetAside, p.Failure)
		}
		w.answers("siem", nil)
		time.Sleep(10 * interval)
		w.mustHaveAll("siem", before-1)
	})
}

// TestBadAtTheEnd holds that events which are refused are set aside although nothing comes
// after them: one that was taken before shows that the receiver takes others.
func TestBadAtTheEnd(t *testing.T) {
	inTime(t, oktasim.Options{}, func(w *world) {
		start := time.Now().Add(-time.Millisecond)
		f := w.follow("siem", start)
		w.happen(10)
		time.Sleep(2 * interval)
		good := w.ledger()
		w.happen(20)
		bad := map[string]bool{}
		for _, entry := range w.org.LogLedgerAfter(good, 0) {
			bad[entry.UUID] = true
		}
		w.answers("siem", func(batch []output.Record) error {
			for _, record := range batch {
				if bad[record.ID] {
					return refuse(batch)
				}
			}
			return nil
		})
		time.Sleep(3 * interval)
		if p := f.Progress(); p.SetAside != 20 || p.Failure != nil {
			t.Errorf("%d events were set aside, failure %v; want 20, and none", p.SetAside, p.Failure)
		}
	})
}

// TestOwnEventsToldOf holds that what the operator did itself is told of when it is refused,
// and when there was no room for it.
func TestOwnEventsToldOf(t *testing.T) {
	for name, tt := range map[string]struct {
		deliver func([]output.Record) error
		events  int
		aside   int64
		reason  audit.GapReason
	}{
		"refused":      {refuseOperators, 3, 3, audit.SinkRejected},
		"without room": {func([]output.Record) error { return &output.Error{Message: "gone"} }, 2100, 0, audit.OperatorEventsDropped},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, oktasim.Options{}, func(w *world) {
				f := w.follow("siem", time.Now())
				w.happen(1)
				time.Sleep(2 * interval)
				w.answers("siem", tt.deliver)
				for range tt.events {
					w.shared.Journal.Write(audit.Note{At: time.Now(), Type: audit.TypeCall})
				}
				time.Sleep(2 * interval)
				if name == "without room" {
					w.answers("siem", nil)
				}
				time.Sleep(10 * interval)
				p := f.Progress()
				if len(p.Gaps) != 1 || p.Gaps[0].Reason != tt.reason || p.SetAside != tt.aside || p.Failure != nil {
					t.Errorf("gaps %+v, %d set aside, failure %v; want one that says %s and %d", p.Gaps, p.SetAside, p.Failure, tt.reason, tt.aside)
				}
			})
		})
	}
}

func refuseOperators(batch []output.Record) error {
	for _, record := range batch {
		if record.Type == audit.TypeCall {
			return refuse(batch)
		}
	}
	return nil
}

// TestAnotherWay holds that a receiver that is followed in another way from now on, for its
// credential was replaced in the middle of a page, gets nothing twice and misses nothing.
func TestAnotherWay(t *testing.T) {
	inTime(t, oktasim.Options{}, func(w *world) {
		before, start := w.ledger(), time.Now().Add(-time.Millisecond)
		w.happen(1000)
		r := &receiver{got: map[string]int{}}
		r.deliver = func([]output.Record) error {
			if len(r.order) >= 400 {
				return &output.Error{Kind: output.Refused, Message: "the credential has expired"}
			}
			return nil
		}
		w.receivers["siem"] = r
		set := audit.NewSet(w.shared)
		w.running.Go(func() { _ = set.Start(w.ctx) })
		ensure := func(material string) *audit.Follower {
			f, err := set.Ensure("siem", audit.Revision{Described: "a", Material: material}, func() (audit.Sink, error) {
				return w.sink("siem", start, 100), nil
			})
			w.must(err)
			return f
		}
		ensure("old")
		time.Sleep(2 * interval)
		w.shared.Journal.Write(audit.Note{At: time.Now(), Type: audit.TypeCall})
		w.answers("siem", nil)
		f := ensure("new")
		time.Sleep(2 * interval)
		if n := w.repeated("siem"); n != 0 {
			t.Errorf("%d events came again", n)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if got := len(r.order); got != w.ledger()-before+2 {
			t.Errorf("%d events came, want %d of the log and one of the operator", got, w.ledger()-before+1)
		}
		if set.Keep("siem", "a") != f || set.Keep("siem", "b") != nil || len(set.Followers()) != 0 {
			t.Error("the follower is kept for what it is described as, and stopped for anything else")
		}
	})
}

// TestNeverPlaced holds that a directory that takes no place, not even a time, is not asked
// without pause.
func TestNeverPlaced(t *testing.T) {
	inTime(t, oktasim.Options{}, func(w *world) {
		w.refusesPlaces = true
		f := w.follow("siem", time.Now())
		time.Sleep(10 * time.Minute)
		if calls := w.calls.Load(); calls > 30 {
			t.Errorf("%d calls in ten minutes", calls)
		}
		if !identity.PlaceLost(f.Progress().Failure) {
			t.Errorf("failure: %v, want what the directory says", f.Progress().Failure)
		}
	})
}

// TestLastIsNoLie holds that an event that says that it will happen tomorrow does not hide what
// happens until then when the place is lost.
func TestLastIsNoLie(t *testing.T) {
	inTime(t, oktasim.Options{Log: oktasim.LogTrouble{CursorLifetime: time.Hour}}, func(w *world) {
		before, start := w.ledger(), time.Now().Add(-time.Millisecond)
		w.happen(10)
		today, tomorrow := time.Now().UTC().Format("2006-01-02T"), time.Now().Add(24*time.Hour).UTC().Format("2006-01-02T")
		first := w.org.LogLedgerAfter(before-1, 1)[0].UUID
		w.reads = func(e []byte) []byte {
			if bytes.Contains(e, []byte(first)) {
				return bytes.ReplaceAll(e, []byte(today), []byte(tomorrow))
			}
			return e
		}
		f := w.follow("siem", start)
		time.Sleep(2 * interval)
		w.goneFor("siem", 3*time.Hour)
		w.mustHaveAll("siem", before-1)
		if p := f.Progress(); len(p.Gaps) != 1 || p.Gaps[0].From.After(start.Add(time.Second)) {
			t.Errorf("gaps: %+v, want one from the beginning on", p.Gaps)
		}
	})
}

// TestSharesAreNotShared holds that a receiver whose namespace has used
// its share up delays none of another namespace at the same place.
func TestSharesAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &shares{goOn: make(chan struct{})}
		r := audit.NewReader(log, clock.RealClock{}, interval, func(*event.Event) {})
		at := identity.LogPlace{Since: time.Now()}
		slow := make(chan error)
		go func() {
			_, err := r.Read(identity.WithCaller(t.Context(), identity.Caller{Namespace: "greedy"}), at)
			slow <- err
		}()
		synctest.Wait()
		if _, err := r.Read(identity.WithCaller(t.Context(), identity.Caller{Namespace: "modest"}), at); err != nil {
			t.Error(err)
		}
		close(log.goOn)
		if err := <-slow; err != nil {
			t.Error(err)
		}
	})
}

// shares holds those of the greedy back.
type shares struct{ goOn chan struct{} }

func (s *shares) ReadLog(ctx context.Context, from identity.LogPlace) (identity.LogPage, error) {
	if identity.CallerFrom(ctx).Namespace == "greedy" {
		<-s.goOn
	}
	return identity.LogPage{Next: from, Now: time.Now()}, nil
}

// TestSlowToAcknowledge holds that a receiver whose sink says so may take its time.
func TestSlowToAcknowledge(t *testing.T) {
	inTime(t, oktasim.Options{}, func(w *world) {
		before, start := w.ledger(), time.Now().Add(-time.Millisecond)
		w.happen(10)
		w.receivers["siem"] = &receiver{got: map[string]int{}}
		sink := w.sink("siem", start, 0)
		sink.Output, sink.Deadline = slow{sink.Output}, 6*time.Minute
		f := audit.NewFollower(w.shared, sink)
		w.running.Go(func() { f.Run(w.ctx) })
		time.Sleep(10 * time.Minute)
		w.mustHaveAll("siem", before-1)
		if n := w.repeated("siem"); n != 0 {
			t.Errorf("%d events came again", n)
		}
	})
}

// slow acknowledges after four minutes.
type slow struct{ output.Output }

func (s slow) Deliver(ctx context.Context, batch []output.Record) error {
	select {
	case <-ctx.Done():
		_ = s.Output.Deliver(ctx, batch)
		return &output.Error{Message: "no acknowledgement", Err: ctx.Err()}
	case <-time.After(4 * time.Minute):
		return s.Output.Deliver(ctx, batch)
	}
}
