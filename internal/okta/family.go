package okta

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// lagging is how long Okta's lists may miss what was written, or show what was
	// deleted. For so long our own memory of a write is believed over a list.
	lagging = time.Minute
	// revisit is how often what stands in the way is looked at again: a person who
	// mends it sees that within 5 minutes.
	revisit = 4 * time.Minute
)

// doubt says how sure an entry is.
type doubt int

const (
	// sure: as listed, or as written by us.
	sure doubt = iota
	// unsure: a write of it ended without a clear answer, or with one that does not
	// go with what we remember.
	unsure
	// missed: a list did not show it any more. One miss is no deletion.
	missed
	// proved: a lookup of it alone found nothing.
	proved
)

// entry is what is known under one key. Whoever learns of a write of ours puts a new
// entry in its place, so that the answer to a lookup made before can be told from one
// made after.
type entry[T any] struct {
	// value is the last that was seen, even of what is not present any more.
	value T
	// present is false for what we have deleted, or what was never found.
	present bool
	// wrote is when we last wrote it.
	wrote time.Time
	// looked is when it was last listed, looked up or written; zero makes the next
	// get look.
	looked time.Time
	doubt  doubt
	// since is when a write ended without a clear answer, or the object was first
	// missed. It is zero when nothing can show any more that is not shown now.
	since time.Time
	// suspected is when a creation was first refused because the key is taken,
	// while a lookup shows nothing; zero when that was never so.
	suspected time.Time
	// refused is when it was last refused for that.
	refused time.Time
}

// refusal is how long a listing that Okta refused is not asked for again: all objects want the
// same list, and would each be refused. Another credential is tried at once.
const refusal = 10 * time.Second

// family is the part of the snapshot that holds one kind of object.
type family[T any] struct {
	clock    clock.PassiveClock
	lifetime time.Duration
	// list gives all of the family and when the listing began.
	list func(context.Context) (map[string]T, time.Time, error)
	// find looks one up by itself.
	find func(ctx context.Context, key string, by hint) (T, bool, error)

	flight singleflight.Group
	mu     sync.Mutex
	loaded time.Time
	// held tells that there is something to show although it may be out of date.
	held bool
	// refused is what the last listing was refused with, at refusedAt; nil when it was not.
	refused   error
	refusedAt time.Time
	entries   map[string]*entry[T]
}

func newFamily[T any](
	c clock.PassiveClock, lifetime time.Duration,
	list func(context.Context) (map[string]T, time.Time, error),
	find func(context.Context, string, hint) (T, bool, error),
) *family[T] {
	return &family[T]{clock: c, lifetime: lifetime, list: list, find: find, entries: map[string]*entry[T]{}}
}

// all gives what is present, listing first when the snapshot is out of date. What the
// last list missed, and what stands in the way, is looked up in its time; blocks may
// be nil.
func (f *family[T]) all(ctx context.Context, blocks func(T) bool) (map[string]T, error) {
	if err := f.load(ctx); err != nil {
		return nil, err
	}
	q := query[T]{blocks: blocks}
	for _, key := range f.unclear(q) {
		if _, _, err := f.get(ctx, key, q); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	present := make(map[string]T, len(f.entries))
	for key, e := range f.entries {
		if e.present {
			present[key] = e.value
		}
	}
	return present, nil
}

// unclear gives the keys of what is shown and must be looked up; what is unsure is
// left to who asks for it alone.
func (f *family[T]) unclear(q query[T]) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var keys []string
	for key, e := range f.entries {
		if e.present && e.doubt != unsure && f.asks(e, q) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// load lists when there is no list, or an old one. An old list is shown on while
// the new one is held up by the rate limit or by a fault of Okta's.
func (f *family[T]) load(ctx context.Context) error {
	f.mu.Lock()
	age, held := f.clock.Since(f.loaded), f.held
	refused := f.refused
	if f.clock.Since(f.refusedAt) >= refusal {
		refused = nil
	}
	f.mu.Unlock()
	if held && age < f.lifetime {
		return nil
	}
	if refused != nil {
		return refused
	}
	err := f.shared(ctx, "list", f.reload)
	if err == nil {
		return nil
	}
	kind := identity.KindOf(err)
	if held && age < 2*f.lifetime && (kind == identity.Throttled || kind == identity.Unavailable) && ctx.Err() == nil {
		return nil
	}
	return err
}

// shared makes one call for all who want it now. The call outlives the first of
// them, who may have given up.
func (f *family[T]) shared(ctx context.Context, what string, do func(context.Context) error) error {
	result := f.flight.DoChan(what, func() (any, error) { return nil, do(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		return ctx.Err()
	case r := <-result:
		return r.Err
	}
}

func (f *family[T]) reload(ctx context.Context) error {
	listed, begun, err := f.list(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = nil
	if e, is := errors.AsType[*identity.Error](err); is && e.Kind == identity.Rejected && e.Reason != identity.ReasonAuthenticationFailed {
		f.refused, f.refusedAt = err, f.clock.Now()
	}
	if err != nil {
		return err
	}
	f.entries = f.merge(listed, begun)
	f.loaded, f.held = f.clock.Now(), true
	return nil
}

// merge makes the new snapshot. What we wrote within the last minute before the
// listing began, or since, is believed over the list.
func (f *family[T]) merge(listed map[string]T, begun time.Time) map[string]*entry[T] {
	merged := make(map[string]*entry[T], len(listed))
	for key, value := range listed {
		merged[key] = &entry[T]{value: value, present: true, looked: begun}
	}
	for key, old := range f.entries {
		_, shown := merged[key]
		switch {
		case begun.Sub(old.wrote) < lagging, old.doubt == unsure && (!shown || begun.Sub(old.since) < lagging):
			merged[key] = old
		case !shown && old.present:
			if old.doubt != missed {
				old.doubt, old.since = missed, begun
			}
			merged[key] = old
		case !shown && old.doubt == proved && begun.Sub(old.looked) < revisit:
			merged[key] = old
		}
	}
	return merged
}
