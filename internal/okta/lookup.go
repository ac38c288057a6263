package okta

import (
	"context"
	"time"
)

// hint is what one object may be looked up by.
type hint struct {
	// id is Okta's id of it, label what a person reads; either may be empty.
	id, label string
	// wide asks to go on with the label when there is nothing under the id: another
	// object may have taken its place.
	wide bool
}

// query is what a key is asked for with.
type query[T any] struct {
	hint
	// blocks tells that what is seen stands in the way, so that a person may be
	// about to mend it; nil when nothing can.
	blocks func(T) bool
	// certain asks for one more look once all that was under way must show.
	certain bool
	// tried tells that an earlier process may have made the object, so that not to
	// have heard of it is no proof.
	tried bool
}

// get gives one, looking it up by itself when it is in doubt.
func (f *family[T]) get(ctx context.Context, key string, q query[T]) (T, bool, error) {
	var none T
	if err := f.load(ctx); err != nil {
		return none, false, err
	}
	f.mu.Lock()
	e := f.entries[key]
	ask := f.asks(e, q)
	q.wide = q.tried || e != nil && e.doubt == unsure && !e.present
	f.mu.Unlock()
	if ask {
		if err := f.shared(ctx, "find "+key, func(ctx context.Context) error { return f.settle(ctx, key, q.hint) }); err != nil {
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

// asks tells whether a key must be looked up before an answer is given.
func (f *family[T]) asks(e *entry[T], q query[T]) bool {
	if e == nil {
		// A list does not show what a person has renamed, or what was just made.
		return q.id != "" || q.tried
	}
	if q.certain && e.overdue(f.clock.Now()) {
		return true
	}
	stale := f.clock.Since(e.looked) >= revisit
	switch e.doubt {
	case unsure:
		return f.clock.Since(e.looked) >= soon
	case missed:
		return f.clock.Since(e.since) > lagging
	case proved:
		return q.id != "" && stale
	case sure:
	}
	return e.present && stale && q.inTheWay(e.value)
}

// inTheWay tells that what is seen may be about to be mended by a person.
func (q query[T]) inTheWay(value T) bool { return q.blocks != nil && q.blocks(value) }

// overdue tells that the last look was made when something might still have come.
func (e *entry[T]) overdue(now time.Time) bool {
	shows := e.since.Add(lagging)
	return !e.present && !e.since.IsZero() && e.looked.Before(shows) && !now.Before(shows)
}

// settle looks a key up by one call.
func (f *family[T]) settle(ctx context.Context, key string, by hint) error {
	f.mu.Lock()
	before, asked := f.entries[key], f.clock.Now()
	f.mu.Unlock()
	value, found, err := f.find(ctx, key, by)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e != before {
		// We wrote it meanwhile, and know better than an answer from before.
		return nil
	}
	if e == nil {
		e = &entry[T]{doubt: missed, since: asked}
		f.entries[key] = e
	}
	e.looked = asked
	f.judge(e, value, found)
	return nil
}

// judge says what a lookup means for an entry.
func (f *family[T]) judge(e *entry[T], value T, found bool) {
	open := e.doubt == unsure && f.clock.Since(e.since) < lagging
	switch {
	case found:
		*e = entry[T]{value: value, present: true, wrote: e.wrote, looked: e.looked}
	case e.present && f.clock.Since(e.wrote) < lagging:
		// We have written it a moment ago; this is lag.
		if !open {
			e.doubt, e.since = sure, time.Time{}
		}
	default:
		e.present = false
		if !open {
			e.doubt = proved
		}
	}
}

// unsettled tells how soon what the last list missed can be looked up; zero when nothing is
// missed, or can be looked up already.
func (f *family[T]) unsettled() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	var soonest time.Duration
	for _, e := range f.entries {
		if !e.present || e.doubt != missed {
			continue
		}
		if left := lagging - f.clock.Since(e.since); left >= 0 && (soonest == 0 || left < soonest) {
			soonest = left + time.Second
		}
	}
	return soonest
}

// open tells for how long what is not seen under the key may still show.
func (f *family[T]) open(key string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil || e.doubt == sure {
		return 0
	}
	return max(0, lagging-f.clock.Since(e.since))
}

// missedFor is in how much time a key that the last list missed can be looked up; zero
// when that did not miss it.
func (f *family[T]) missedFor(key string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil || !e.present || e.doubt != missed {
		return 0
	}
	return max(0, lagging-f.clock.Since(e.since)) + soon
}

// always is for what is in the way wherever it stands.
func always[T any](T) bool { return true }
