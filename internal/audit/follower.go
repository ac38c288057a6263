package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/recent"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// overlap is read again when the directory does not know the place any more: what was
	// written down late by no more than that is not missed.
	overlap = 10 * time.Minute
	// deadline bounds one try to deliver a batch.
	deadline = 30 * time.Second
	// refresh is how often a position is noted where nothing happens: the directory may
	// forget a place that nobody has asked for.
	refresh = time.Hour
	// remembered is how many of the latest events a receiver has taken are known: what comes
	// again later than that is sent again, with the same id.
	remembered = 10_000
	// patience is how old what is outstanding may be at a receiver that has caught up.
	patience = 5 * time.Minute
)

// Sink is a receiver and what it is to get.
type Sink struct {
	// ID is the key of its position, and never that of another receiver.
	ID string
	// Namespace is on whose behalf the directory is read while the receiver is behind.
	Namespace string
	// Begin is from when on it gets events, if there is no position.
	Begin time.Time
	// Select says whether it gets an event.
	Select func(ctx context.Context, e *event.Event) bool
	// Format puts an event into the form in which it is sent.
	Format func(*event.Event) (output.Record, error)
	// Examine is shown the events that are selected, before they are sent, and may be nil. After
	// the end of a process it may be shown some of them again.
	Examine func(ctx context.Context, events []*event.Event)
	Output  output.Output
	// Batch is how many events are sent at once at most; zero is a page.
	Batch int
}

// Shared is what all followers have in common.
type Shared struct {
	Reader    *Reader
	Journal   *Journal
	Positions Positions
	Clock     clock.Clock
	// Metrics may be nil.
	Metrics *Metrics
	// Changed is told the id of a receiver of which Progress may say something else now.
	Changed func(id string)
}

// Follower brings the events to one receiver, one page after another.
type Follower struct {
	Shared
	sink Sink

	// begun is when the follower was made.
	begun    time.Time
	position Position
	// saved is when the position was last noted, and sent what the receiver has taken lately.
	saved time.Time
	sent  *recent.Set[[16]byte]
	// undelivered is the page at the position, when it could not be delivered.
	undelivered *Page
	// examined is the page that Examine was shown last.
	examined *Page
	// journal is the number of the last of the operator's own events the receiver has.
	journal int64
	// live tells that it has come to the end of the log, and joined those who are there.
	live bool
	// barren counts the events set aside since the receiver last took one.
	barren int

	mu       sync.Mutex
	progress Progress
}

// Progress is how far a receiver is, for people.
type Progress struct {
	Position
	// Failure is why nothing goes on; nil while all goes well. It is an *output.Error or
	// an *identity.Error.
	Failure error
	// UpTo is the time up to which the receiver has all that the directory had written down
	// then; zero while older events are read.
	UpTo time.Time
}

// NewFollower makes a follower. It does nothing until it is run.
func NewFollower(shared Shared, sink Sink) *Follower {
	return &Follower{
		Shared: shared, sink: sink, begun: shared.Clock.Now(), sent: recent.New[[16]byte](remembered), journal: shared.Journal.end(),
	}
}

// Progress tells how far the receiver is.
func (f *Follower) Progress() Progress {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.progress
}

// CaughtUp tells that nothing is outstanding that the directory showed five minutes ago.
func (p Progress) CaughtUp(now time.Time) bool {
	return !p.UpTo.IsZero() && now.Sub(p.UpTo) <= patience
}

// Run follows the log until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	defer f.sink.Output.Close()
	wait := backoff{}
	for ctx.Err() == nil {
		err := f.resume(ctx)
		if err == nil {
			err = f.step(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		f.note(err)
		if err != nil {
			f.sleep(ctx, wait.after(err), nil)
			continue
		}
		wait = backoff{}
	}
}

// resume finds the position at the beginning of a process.
func (f *Follower) resume(ctx context.Context) error {
	if f.position.Place != (identity.LogPlace{}) {
		return nil
	}
	position, found, err := f.Positions.Load(ctx, f.sink.ID)
	if err != nil {
		return fmt.Errorf("finding out how far the receiver is: %w", err)
	}
	if !found {
		position = Position{Began: f.sink.Begin}
		position.Place = identity.LogPlace{Since: f.sink.Begin}
	}
	f.position = f.retained(position, f.Clock.Now())
	return nil
}

// retained is the position, with a gap where the directory has thrown away what comes next.
func (f *Follower) retained(p Position, now time.Time) Position {
	oldest := now.Add(-identity.LogRetention)
	if !p.Place.Since.IsZero() && p.Place.Since.Before(oldest) {
		p.Began, p.Place.Since = oldest, oldest
	}
	if !p.Last.IsZero() && p.Last.Before(oldest) && !f.live {
		p = p.withGap(Gap{From: p.Last, To: oldest, Reason: RetentionExceeded})
		p.Last = oldest
	}
	return p
}

// step brings one page to the receiver, and waits where there is no more.
func (f *Follower) step(ctx context.Context) error {
	page, err := f.page(ctx)
	if identity.PlaceLost(err) {
		f.restart()
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.bring(ctx, page, f.after(page)); err != nil {
		// What is there is not read again for each try.
		f.live, f.undelivered = false, page
		return err
	}
	f.undelivered = nil
	f.live = f.live || page.Empty()
	if !page.Full() {
		f.reached(page)
	}
	if f.live && !page.Full() {
		return f.rest(ctx, page.read.Add(f.Reader.interval))
	}
	return f.bringOwn(ctx)
}

func (f *Follower) page(ctx context.Context) (*Page, error) {
	if f.undelivered != nil {
		return f.undelivered, nil
	}
	return f.Reader.Read(f.caller(ctx), f.position.Place)
}

// after is the position when the receiver has the page.
func (f *Follower) after(page *Page) Position {
	next := f.position
	next.Place = page.Next
	if page.Empty() {
		next.Place = f.Reader.Join(page)
	}
	for i := range page.Events {
		if at := page.Events[i].Published; at.After(next.Last) {
			next.Last = at
		}
	}
	return next
}

// rest waits until there may be another page. What the operator does meanwhile is sent at once.
func (f *Follower) rest(ctx context.Context, until time.Time) error {
	for ctx.Err() == nil {
		news := f.Journal.changed()
		if err := f.bringOwn(ctx); err != nil {
			return err
		}
		left := until.Sub(f.Clock.Now())
		if left <= 0 {
			break
		}
		f.sleep(ctx, left, news)
	}
	return nil
}

// caller is on whose behalf the log is read: a receiver that is behind may use no more than
// its namespace's share.
func (f *Follower) caller(ctx context.Context) context.Context {
	if f.live {
		return identity.WithCaller(ctx, identity.Caller{})
	}
	return identity.WithCaller(ctx, identity.Caller{Namespace: f.sink.Namespace})
}

// restart goes on from a time where the place is not known any more.
func (f *Follower) restart() {
	from := f.position.Last.Add(-overlap)
	if f.position.Last.IsZero() {
		from = f.position.Began
	}
	now := f.Clock.Now()
	f.position = f.position.withGap(Gap{From: from, To: now, Reason: CursorRejected})
	f.position.Place, f.live = identity.LogPlace{Since: from}, false
	f.position = f.retained(f.position, now)
}

// bring sends what of a page is for the receiver and notes that it is at the next position.
func (f *Follower) bring(ctx context.Context, page *Page, next Position) error {
	chosen := f.chosen(ctx, page)
	if f.sink.Examine != nil && len(chosen) > 0 && f.examined != page {
		f.sink.Examine(ctx, chosen)
		f.examined = page
	}
	aside, err := f.deliver(ctx, chosen)
	if err != nil {
		return err
	}
	for _, e := range aside {
		next = next.withGap(Gap{From: e.Published, To: e.Published, Reason: SinkRejected})
		next.SetAside++
	}
	// After an empty page there is nothing that would be sent again.
	due := len(page.Events) > 0 || f.position.Place.Next == "" || f.Clock.Since(f.saved) > refresh
	if due {
		if err := f.Positions.Save(ctx, f.sink.ID, next); err != nil {
			return fmt.Errorf("noting how far the receiver is: %w", err)
		}
		f.saved = f.Clock.Now()
	}
	f.position = next
	return nil
}

// short is an id in 16 bytes, whatever the ids.
func short(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}

// chosen are the events of a page that the receiver is to get and has not got.
func (f *Follower) chosen(ctx context.Context, page *Page) []*event.Event {
	var chosen []*event.Event
	inPage := map[string]bool{}
	for i := range page.Events {
		e := &page.Events[i]
		if inPage[e.ID] || f.sent.Has(short(e.ID)) || !f.sink.Select(ctx, e) {
			continue
		}
		inPage[e.ID] = true
		chosen = append(chosen, e)
	}
	return chosen
}

// bringOwn sends what the operator itself did.
func (f *Follower) bringOwn(ctx context.Context) error {
	events, last, missed := f.Journal.after(f.journal)
	if missed > 0 {
		f.position = f.position.withGap(Gap{From: f.position.Last, To: f.Clock.Now(), Reason: SinkRejected})
	}
	var chosen []*event.Event
	for i := range events {
		if f.sink.Select(ctx, &events[i]) {
			chosen = append(chosen, &events[i])
		}
	}
	if _, err := f.deliver(ctx, chosen); err != nil {
		return err
	}
	f.journal = last
	return nil
}

// reached notes that the receiver has all that was there when the page was read.
func (f *Follower) reached(page *Page) {
	f.mu.Lock()
	f.progress.UpTo = page.begun
	f.mu.Unlock()
	f.note(nil)
}

// note keeps what people are to know, and says so where it has changed.
func (f *Follower) note(failure error) {
	f.mu.Lock()
	before := f.progress
	f.progress.Position, f.progress.Failure = f.position, failure
	changed := !sameFailure(before.Failure, failure) || len(before.Gaps) != len(f.position.Gaps) || before.SetAside != f.position.SetAside ||
		before.UpTo.IsZero() != f.progress.UpTo.IsZero() || !before.Last.Truncate(time.Minute).Equal(f.position.Last.Truncate(time.Minute))
	f.mu.Unlock()
	if changed {
		f.Changed(f.sink.ID)
	}
}

func sameFailure(a, b error) bool {
	if a == nil || b == nil {
		return (a == nil) == (b == nil)
	}
	return a.Error() == b.Error()
}

// sleep waits, until the context ends or there is news.
func (f *Follower) sleep(ctx context.Context, d time.Duration, news <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := f.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	case <-news:
	}
}

// backoff says how long to wait after an error.
type backoff struct{ last time.Duration }

// slowest is the longest wait that nobody asked for.
const slowest = time.Minute

func (b *backoff) after(err error) time.Duration {
	b.last = min(max(2*b.last, time.Second), slowest)
	asked := b.last
	if e, ok := errors.AsType[*output.Error](err); ok {
		asked = max(asked, e.RetryAfter)
	}
	if e, ok := errors.AsType[*identity.Error](err); ok {
		asked = max(asked, e.RetryAfter)
	}
	return min(asked, time.Hour)
}
