package audit

import (
	"context"
	"slices"
	"sync"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// pending is how many of the operator's own events wait for a receiver at most.
const pending = 2000

// Journal holds what the operator did itself until each receiver has it. It is in
// memory: what a process that is killed had not sent yet is not in it any more. What it
// had done to the directory by then stands in the directory's own log.
type Journal struct {
	identify func(*event.Event)

	mu sync.Mutex
	// events are the latest; first is the number of the first of them.
	events []event.Event
	first  int64
	// news is closed when there is something new.
	news chan struct{}
}

// NewJournal makes an empty one. identify says whom an event concerns.
func NewJournal(identify func(*event.Event)) *Journal {
	return &Journal{identify: identify, first: 1, news: make(chan struct{})}
}

// Add writes an event down. It never waits: the oldest makes room.
func (j *Journal) Add(e event.Event) {
	j.identify(&e)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
	if over := len(j.events) - pending; over > 0 {
		// Not moved down, for this is done with every call: append moves them now and then.
		clear(j.events[:over])
		j.events = j.events[over:]
		j.first += int64(over)
	}
	close(j.news)
	j.news = make(chan struct{})
}

// after gives what was written after the number, the number of the last of it, and how
// many in between there is no room for any more. A number of 0 is the beginning of now.
func (j *Journal) after(number int64) (events []event.Event, last, missed int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	last = j.first + int64(len(j.events)) - 1
	if number >= last {
		return nil, number, 0
	}
	if number < j.first-1 {
		missed = j.first - 1 - number
		number = j.first - 1
	}
	return slices.Clone(j.events[number-j.first+1:]), last, missed
}

// end is the number of the last event.
func (j *Journal) end() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first + int64(len(j.events)) - 1
}

// changed is closed when there is something new.
func (j *Journal) changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.news
}

// bringOwn sends what the operator itself did. What is noted with it is written down with the
// next page.
func (f *Follower) bringOwn(ctx context.Context) error {
	events, last, missed := f.Journal.after(f.journal)
	if missed > 0 {
		f.position = f.position.withGap(Gap{From: f.own, To: f.Clock.Now(), Reason: OperatorEventsDropped})
	}
	var chosen []*event.Event
	for i := range events {
		if f.sink.Select(ctx, &events[i]) {
			chosen = append(chosen, &events[i])
		}
	}
	f.journal = max(f.journal, last-int64(len(events)))
	aside, err := f.deliver(ctx, chosen)
	if err != nil {
		return err
	}
	f.position = f.setAside(f.position, aside)
	f.journal, f.own = last, f.Clock.Now()
	return nil
}
