package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// kept is how many pages are kept for those who are a little behind.
const kept = 2

// Page is one page of the log. It is shared: nobody changes it.
type Page struct {
	Events []event.Event
	// Next is the place after them.
	Next identity.LogPlace

	// begun and read are when the reading began and ended, by our clock; now is when it was
	// answered, by the directory's.
	begun, read, now time.Time
}

// Empty tells that all that had been written down has been read.
func (p *Page) Empty() bool { return len(p.Events) == 0 }

// Full tells that there may be more.
func (p *Page) Full() bool { return len(p.Events) >= identity.LogPageSize }

// Reader reads the log for all who follow it. It is safe for concurrent use.
type Reader struct {
	log      identity.SystemLog
	clock    clock.PassiveClock
	interval time.Duration
	identify func(*event.Event)

	flight singleflight.Group
	mu     sync.Mutex
	// pages are the latest that were read, oldest first.
	pages []held
	// head is a place at which somebody went on after an empty page or one after it,
	// and when the page before it had been read.
	head headPlace
}

type held struct {
	at   identity.LogPlace
	page *Page
}

type headPlace struct {
	place identity.LogPlace
	// since is when the page that led to it was read: what was written down before
	// that, and is not before the place, there is not.
	since time.Time
}

// NewReader makes a Reader. Where there is nothing new, it asks again after the
// interval. identify says whom an event concerns; it is called once for each.
func NewReader(log identity.SystemLog, c clock.PassiveClock, interval time.Duration, identify func(*event.Event)) *Reader {
	return &Reader{log: log, clock: c, interval: interval, identify: identify}
}

// Read gives the page at the place: one that was read already, where that is no older than
// the interval or has events.
func (r *Reader) Read(ctx context.Context, at identity.LogPlace) (*Page, error) {
	if page := r.cached(at); page != nil {
		return page, nil
	}
	// The reading outlives the first who wanted it: others may wait for it too, as far as it is
	// made on behalf of the same namespace. It may have to wait for that one's share.
	flight := fmt.Sprintf("%s %s %d", identity.CallerFrom(ctx).Namespace, at.Next, at.Since.UnixMilli())
	result := r.flight.DoChan(flight, func() (any, error) {
		return r.read(context.WithoutCancel(ctx), at)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-result:
		page, _ := got.Val.(*Page)
		return page, got.Err
	}
}

func (r *Reader) cached(at identity.LogPlace) *Page {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.pages {
		if h.at == at && (!h.page.Empty() || r.clock.Since(h.page.read) < r.interval) {
			return h.page
		}
	}
	return nil
}

func (r *Reader) read(ctx context.Context, at identity.LogPlace) (*Page, error) {
	begun := r.clock.Now()
	got, err := r.log.ReadLog(ctx, at)
	if err != nil {
		return nil, err
	}
	if got.Next == at && len(got.Events) > 0 {
		return nil, &identity.Error{
			Kind: identity.Unavailable, Reason: identity.ReasonDirectoryError,
			Message: "a page of the System Log leads to itself; nothing was read",
		}
	}
	page := &Page{Events: make([]event.Event, len(got.Events)), Next: got.Next, begun: begun, read: r.clock.Now(), now: got.Now}
	for i, raw := range got.Events {
		page.Events[i] = event.Read(raw, got.Now)
		r.identify(&page.Events[i])
	}
	r.keep(at, page)
	return page, nil
}

func (r *Reader) keep(at identity.LogPlace, page *Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	others := r.pages[:0]
	for _, h := range r.pages {
		if h.at != at {
			others = append(others, h)
		}
	}
	r.pages = append(others, held{at, page})
	if len(r.pages) > kept {
		r.pages = append([]held{}, r.pages[len(r.pages)-kept:]...)
	}
	if at == r.head.place {
		r.head = headPlace{page.Next, page.read}
	}
}

// Join gives the place at which a follower goes on that has just read an empty page: that
// of those who got there before, if it is not past anything that this one has not read. Two
// streams that began at different times know the same place by different names; without
// this there would be as many streams as there are receivers.
//
// The empty page shows that all has been read that was written down before its reading
// began. The place of the others was given out before that; so what comes after it
// includes all that comes after the empty page. What was written down in between is read twice.
func (r *Reader) Join(page *Page) identity.LogPlace {
	r.mu.Lock()
	defer r.mu.Unlock()
	followed := r.head.place != (identity.LogPlace{}) && r.clock.Since(r.head.since) < 2*r.interval
	if !followed {
		r.head = headPlace{page.Next, page.read}
	} else if !r.head.since.After(page.begun) {
		return r.head.place
	}
	return page.Next
}
