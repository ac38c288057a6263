package governor

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"
)

// Caller is on whose behalf a call is made.
type Caller struct {
	Namespace string
	// Object tells the callers of a namespace apart, such as by kind and name.
	Object string
	// Urgent calls take access away; a part of every limit is kept for them.
	Urgent bool
}

// Ticket is the right to send one call. It is settled exactly once.
type Ticket struct {
	bucket string
	urgent bool
}

// Refusal says how long to wait before asking again, and what ran out.
type Refusal struct {
	Wait time.Duration
	Why  string
}

// Options configure a Governor.
type Options struct {
	// Share is the percentage of every limit that may be used, 1 to 100.
	Share int
	// MaxInFlight bounds the calls under way at once.
	MaxInFlight int
}

// Governor shares out limits. It may be used by many goroutines.
type Governor struct {
	mu       sync.Mutex
	share    int
	flight   flight
	buckets  map[string]*bucket
	refusals int
}

// New returns a Governor that has seen nothing yet.
func New(o Options) *Governor {
	return &Governor{
		share:   min(max(o.Share, 1), 100),
		flight:  flight{most: max(o.MaxInFlight, 1)},
		buckets: map[string]*bucket{},
	}
}

// Reserve asks to send a call of the class at the (server's) time now.
func (g *Governor) Reserve(now time.Time, class Class, caller Caller) (Ticket, *Refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.bucket(class)
	b.roll(now)
	if refusal := b.admit(now, caller); refusal != nil {
		return Ticket{}, g.spread(refusal)
	}
	if !g.flight.room(now, caller.Urgent) {
		return Ticket{}, g.spread(&Refusal{Wait: flightWait, Why: "too many calls under way"})
	}
	g.flight.now++
	b.take(caller)
	return Ticket{bucket: class.Name, urgent: caller.Urgent}, nil
}

// Settle tells how the call of a ticket ended.
func (g *Governor) Settle(now time.Time, ticket Ticket, reading Reading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, ok := g.buckets[ticket.bucket]
	if !ok {
		return
	}
	g.flight.now--
	if reading.Concurrent() {
		g.flight.halve(now)
		// The headers of this answer describe another limit.
		reading = Reading{Answered: true, Limit: -1, Remaining: -1}
	}
	b.settle(now, ticket.urgent, reading)
}

// Remaining is what may still be spent of the class's share in this window.
func (g *Governor) Remaining(now time.Time, class Class) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.bucket(class)
	b.roll(now)
	return max(0, b.budget()-b.used-b.flying)
}

// Budget is what is known of one rate limit.
type Budget struct {
	// Class is the limit's name, as in metrics.
	Class string
	// Limit is Okta's, in calls a minute, for all of its callers.
	Limit int
	// Ours is the part of it that may be used.
	Ours int
	// Left is what may still be used of it in this window; Okta's own count may leave less.
	Left int
}

// Budgets are the limits that answers have told, sorted by name.
func (g *Governor) Budgets(now time.Time) []Budget {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []Budget
	for name, b := range g.buckets {
		b.roll(now)
		if !b.known {
			continue
		}
		left := b.left()
		if b.remaining != unknown {
			left = min(left, b.remaining-b.flying)
		}
		all = append(all, Budget{Class: name, Limit: b.limit, Ours: b.budget(), Left: max(0, left)})
	}
	slices.SortFunc(all, func(a, b Budget) int { return cmp.Compare(a.Class, b.Class) })
	return all
}

// Closed is how long the class is still closed by a 429, with a little more for
// each who asks, so that they do not all come back at once.
func (g *Governor) Closed(now time.Time, class Class) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.spread(&Refusal{Wait: max(g.bucket(class).closed.Sub(now), time.Second)}).Wait
}

func (g *Governor) bucket(class Class) *bucket {
	b, ok := g.buckets[class.Name]
	if !ok {
		b = &bucket{share: g.share, limit: class.Assumed, remaining: unknown}
		g.buckets[class.Name] = b
	}
	return b
}

// spread puts a little time between those who come back, so that they do not all
// come at once: steps of the golden ratio fall evenly whatever their number.
func (g *Governor) spread(r *Refusal) *Refusal {
	g.refusals++
	_, part := math.Modf(float64(g.refusals) * math.Phi)
	r.Wait += time.Duration(part * float64(min(r.Wait/4+100*time.Millisecond, maxJitter)))
	return r
}

const (
	flightWait = 200 * time.Millisecond
	maxJitter  = 3 * time.Second
)

// flight bounds calls under way. Okta answers too many at once with a 429 of its
// own kind; then half as many are let out, and twice as many each second after.
type flight struct {
	most int
	now  int
	// cut and allowed are when and to what the number was last cut.
	cut     time.Time
	allowed int
}

func (f *flight) limit(now time.Time) int {
	if f.cut.IsZero() {
		return f.most
	}
	seconds := max(0, int(now.Sub(f.cut)/time.Second))
	if seconds > 10 {
		return f.most
	}
	return min(f.most, f.allowed<<seconds)
}

// room keeps one place for urgent calls.
func (f *flight) room(now time.Time, urgent bool) bool {
	limit := f.limit(now)
	if !urgent {
		limit = max(1, limit-1)
	}
	return f.now < limit
}

// halve cuts at most once a second: one burst brings many such answers together.
func (f *flight) halve(now time.Time) {
	if !f.cut.IsZero() && now.Sub(f.cut) < time.Second && !now.Before(f.cut) {
		return
	}
	f.allowed = max(1, f.limit(now)/2)
	f.cut = now
}
