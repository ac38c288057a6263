package audit

import (
	"context"
	"crypto/sha256"
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
	// lateness is how late the directory is believed to write something down at most.
	lateness = 24 * time.Hour
	// deadline bounds one try to deliver a batch where the sink says nothing else.
	deadline = 30 * time.Second
	// refresh is how often a position is noted where nothing happens: the directory may
	// forget a place that nobody has asked for.
	refresh = time.Hour
	// remembered is how many of the latest events a receiver has taken are known: what comes
	// again later than that is sent again, with the same id.
	remembered = 10_000
)

// Sink is a receiver and what it is to get.
type Sink struct {
	// ID is the key of its position, and never that of another sink.
	ID string
	// Receiver names where events are sent. Of the same one is known what it has taken.
	Receiver string
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
	// SetAside is told of events that the receiver refuses for good, and may be nil.
	SetAside func(events []*event.Event)
	Output   output.Output
	// Batch is how many events are sent at once at most; zero is a page.
	Batch int
	// Deadline bounds one try to deliver a batch; zero is 30 seconds.
	Deadline time.Duration
}

// Shared is what all followers have in common.
type Shared struct {
	Reader    *Reader
	Journal   *Journal
	Positions Positions
	Clock     clock.Clock
	// Metrics may be nil.
	Metrics *Metrics
	// Ready is closed when it is known whom events concern; nothing is read before. Nil is at once.
	Ready <-chan struct{}
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
	// journal is the number of the last of the operator's own events the receiver has, and own
	// when it had all of them.
	journal int64
	own     time.Time
	// live tells that it has come to the end of the log, and joined those who are there.
	live bool
	// barren counts the events refused since the receiver last took one, which is taken.
	barren int
	taken  *output.Record

	mu       sync.Mutex
	progress Progress
}

// NewFollower makes a follower. It does nothing until it is run.
func NewFollower(shared Shared, sink Sink) *Follower {
	now := shared.Clock.Now()
	return &Follower{
		Shared: shared, sink: sink, begun: now, sent: recent.New[[16]byte](remembered), journal: shared.Journal.end(), own: now,
	}
}

// succeed takes over what another follower of the same sink knew when it ended.
func (f *Follower) succeed(before *Follower) {
	f.position, f.saved, f.live = before.position, before.saved, before.live
	f.journal, f.own, f.examined, f.undelivered = before.journal, before.own, before.examined, before.undelivered
	f.progress = before.Progress()
	f.progress.Failure = nil
	if f.sink.Receiver == before.sink.Receiver {
		f.sent, f.taken = before.sent, before.taken
	}
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
	f.position = position
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
	if !f.live && f.Clock.Since(f.saved) > refresh {
		f.position = f.retained(f.position, f.Clock.Now())
	}
	page, err := f.page(ctx)
	if identity.PlaceLost(err) && f.position.Place.Next != "" {
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
		// Of an event that says that it will happen, or nothing, it is not known when it did.
		if e := &page.Events[i]; e.Type != event.TypeUnreadable && e.Published.After(next.Last) && !e.Published.After(page.now) {
			next.Last = e.Published
		}
	}
	return next
}

// caller is on whose behalf the log is read: a receiver that is behind may use no more than
// its namespace's share.
func (f *Follower) caller(ctx context.Context) context.Context {
	if f.live {
		return identity.WithCaller(ctx, identity.Caller{})
	}
	return identity.WithCaller(ctx, identity.Caller{Kind: "AuditSink", Namespace: f.sink.Namespace, Name: f.sink.ID})
}

// restart goes on from a time where the place is not known any more. What has been written
// down since at that place, of things that happened before the time, is not read: how late the
// directory may be it does not say, so the gap begins a day before.
func (f *Follower) restart() {
	p := f.position.withGap(Gap{From: f.position.back(lateness), To: f.Clock.Now(), Reason: CursorRejected})
	p.Place = identity.LogPlace{Since: f.position.back(overlap)}
	f.position, f.live = f.retained(p, f.Clock.Now()), false
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
	next = f.setAside(next, aside)
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

// setAside notes what the receiver refuses for good.
func (f *Follower) setAside(p Position, events []*event.Event) Position {
	for _, e := range events {
		p = p.withGap(Gap{From: e.Published, To: e.Published, Reason: SinkRejected})
		p.SetAside++
	}
	if f.sink.SetAside != nil && len(events) > 0 {
		f.sink.SetAside(events)
	}
	return p
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
