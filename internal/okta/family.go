package okta

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// lagging is how long Okta's lists may miss what was written, or show what was
// deleted. For so long our own memory of a write is believed over a list.
const lagging = time.Minute

// doubt says how sure an entry is.
type doubt int

const (
	// sure: as listed, or as written by us.
	sure doubt = iota
	// unsure: a write of it ended without a clear answer.
	unsure
	// missed: a list did not show it any more. One miss is no deletion.
	missed
)

// entry is what is known under one key.
type entry[T any] struct {
	value T
	// present is false for what we have deleted, or what was never found.
	present bool
	// wrote is when we last wrote it.
	wrote time.Time
	doubt doubt
	since time.Time
	// suspected is when a creation was first refused because the key is taken,
	// while a lookup shows nothing; zero when that was never so.
	suspected time.Time
}

// family is the part of the snapshot that holds one kind of object.
type family[T any] struct {
	clock    clock.PassiveClock
	lifetime time.Duration
	// list gives all of the family and when the listing began.
	list func(context.Context) (map[string]T, time.Time, error)
	// find looks one up by itself. hint is what it may be searched by.
	find func(ctx context.Context, key, hint string) (T, bool, error)

	flight singleflight.Group
	mu     sync.Mutex
	loaded time.Time
	// held tells that there is something to show although it may be out of date.
	held    bool
	entries map[string]*entry[T]
}

func newFamily[T any](
	c clock.PassiveClock, lifetime time.Duration,
	list func(context.Context) (map[string]T, time.Time, error),
	find func(context.Context, string, string) (T, bool, error),
) *family[T] {
	return &family[T]{clock: c, lifetime: lifetime, list: list, find: find, entries: map[string]*entry[T]{}}
}

// all gives what is present, listing first when the snapshot is out of date.
func (f *family[T]) all(ctx context.Context) (map[string]T, error) {
	if err := f.load(ctx); err != nil {
		return nil, err
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

// get gives one, looking it up by itself when it is in doubt.
func (f *family[T]) get(ctx context.Context, key, hint string) (T, bool, error) {
	var none T
	if err := f.load(ctx); err != nil {
		return none, false, err
	}
	f.mu.Lock()
	e := f.entries[key]
	ask := e != nil && f.doubtful(e)
	f.mu.Unlock()
	if ask {
		if err := f.shared(ctx, "find "+key, func(ctx context.Context) error { return f.settle(ctx, key, hint) }); err != nil {
			return none, false, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e = f.entries[key]
	if e == nil || !e.present {
		return none, false, nil
	}
	return e.value, true, nil
}

func (f *family[T]) doubtful(e *entry[T]) bool {
	return e.doubt == unsure || (e.doubt == missed && f.clock.Since(e.since) > lagging)
}

// settle ends the doubt about a key by one call.
func (f *family[T]) settle(ctx context.Context, key, hint string) error {
	value, found, err := f.find(ctx, key, hint)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	switch {
	case e == nil:
	case found:
		e.value, e.present, e.doubt, e.suspected = value, true, sure, time.Time{}
	case e.present && f.clock.Since(e.wrote) < lagging:
		// We have written it a moment ago; this is lag.
		e.doubt = sure
	case !e.suspected.IsZero():
		e.present, e.doubt = false, sure
	default:
		delete(f.entries, key)
	}
	return nil
}

// peek gives what is known of a key, sure or not, without a call.
func (f *family[T]) peek(key string) (T, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[key]; e != nil && e.present {
		return e.value, true
	}
	var none T
	return none, false
}

// suspect remembers that Okta says the key is taken.
func (f *family[T]) suspect(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[key]; e != nil && e.suspected.IsZero() {
		e.suspected = f.clock.Now()
	}
}

// doubted tells since when Okta says so.
func (f *family[T]) doubted(key string) (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil || e.suspected.IsZero() {
		return time.Time{}, false
	}
	return e.suspected, true
}

// load lists when there is no list, or an old one. An old list is shown on while
// the new one is held up by the rate limit or by a fault of Okta's.
func (f *family[T]) load(ctx context.Context) error {
	f.mu.Lock()
	age, held := f.clock.Since(f.loaded), f.held
	f.mu.Unlock()
	if held && age < f.lifetime {
		return nil
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
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = f.merge(listed, begun)
	f.loaded, f.held = f.clock.Now(), true
	return nil
}

// merge makes the new snapshot. What we wrote within the last minute before the
// listing began, or since, is believed over the list.
func (f *family[T]) merge(listed map[string]T, begun time.Time) map[string]*entry[T] {
	merged := make(map[string]*entry[T], len(listed))
	for key, value := range listed {
		merged[key] = &entry[T]{value: value, present: true}
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
		}
	}
	return merged
}

// put remembers a write of ours.
func (f *family[T]) put(key string, value T) {
	f.set(key, &entry[T]{value: value, present: true, wrote: f.clock.Now()})
}

// drop remembers a deletion of ours.
func (f *family[T]) drop(key string) {
	var none T
	f.set(key, &entry[T]{value: none, wrote: f.clock.Now()})
}

func (f *family[T]) set(key string, e *entry[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries[key] = e
}

// refine adds to what is known of a key without claiming to have written it.
func (f *family[T]) refine(key string, change func(*T)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[key]; e != nil && e.present {
		change(&e.value)
	}
}

// question makes the next get look the key up.
func (f *family[T]) question(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil {
		e = &entry[T]{}
		f.entries[key] = e
	}
	if e.doubt != unsure {
		e.doubt, e.since = unsure, f.clock.Now()
	}
}

// young tells that we wrote the key within the last minute.
func (f *family[T]) young(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	return e != nil && f.clock.Since(e.wrote) < lagging
}

// startWith says that the family is known without a list: it has just come to be.
func (f *family[T]) startWith(entries map[string]T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = make(map[string]*entry[T], len(entries))
	for key, value := range entries {
		f.entries[key] = &entry[T]{value: value, present: true}
	}
	f.loaded, f.held = f.clock.Now(), true
}

// forget makes the next observation list anew.
func (f *family[T]) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded, f.held = time.Time{}, false
}
