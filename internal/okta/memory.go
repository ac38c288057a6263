package okta

import "time"

// put remembers a write of ours.
func (f *family[T]) put(key string, value T) {
	now := f.clock.Now()
	f.set(key, &entry[T]{value: value, present: true, wrote: now, looked: now})
}

// drop remembers a deletion of ours.
func (f *family[T]) drop(key string) {
	now := f.clock.Now()
	f.set(key, &entry[T]{wrote: now, looked: now})
}

func (f *family[T]) set(key string, e *entry[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries[key] = e
}

// peek gives what is known of a key now, to be handed to saw.
func (f *family[T]) peek(key string) *entry[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.entries[key]
}

// saw remembers what a look of its own has shown, unless we have written the key
// since before was taken, and know better.
func (f *family[T]) saw(key string, before *entry[T], value T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.entries[key] != before {
		return
	}
	e := entry[T]{present: true, value: value, looked: f.clock.Now()}
	if before != nil {
		e.wrote = before.wrote
	}
	f.entries[key] = &e
}

// rewrite remembers a write of ours that changed a part of what is there.
func (f *family[T]) rewrite(key string, change func(T) T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil || !e.present {
		return
	}
	now := f.clock.Now()
	f.entries[key] = &entry[T]{value: change(e.value), present: true, wrote: now, looked: now}
}

// refine adds to what is known of a key without claiming to have written it.
func (f *family[T]) refine(key string, change func(*T)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[key]; e != nil && e.present {
		change(&e.value)
	}
}

// question makes the next get look the key up, for what we remember does not go
// with what Okta says. What a look then shows is so.
func (f *family[T]) question(key string) { f.distrust(key, time.Time{}) }

// doubted makes the next get look the key up, for a write of it ended without a
// clear answer. What a look does not show may come for a while.
func (f *family[T]) doubted(key string) { f.distrust(key, f.clock.Now()) }

func (f *family[T]) distrust(key string, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var e entry[T]
	if old := f.entries[key]; old != nil {
		e = *old
	}
	if since.IsZero() && e.doubt == unsure {
		since = e.since
	}
	e.doubt, e.since, e.looked = unsure, since, time.Time{}
	f.entries[key] = &e
}

// last gives what was last seen of a key, and whether it is present, without a call.
func (f *family[T]) last(key string) (value T, present bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[key]; e != nil {
		return e.value, e.present
	}
	return value, false
}

// distrustList makes the next get list the family anew, unless that was done within
// the last minute: then the list is not to blame, and the answer is false.
func (f *family[T]) distrustList() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.clock.Since(f.loaded) < lagging {
		return false
	}
	f.held, f.loaded = false, time.Time{}
	return true
}

// suspect remembers that Okta says the key is taken.
func (f *family[T]) suspect(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil {
		return
	}
	e.refused = f.clock.Now()
	if e.suspected.IsZero() {
		e.suspected = e.refused
	}
}

// suspected tells since when Okta says so, and when it said so last.
func (f *family[T]) suspected(key string) (since, last time.Time, is bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil || e.suspected.IsZero() {
		return time.Time{}, time.Time{}, false
	}
	return e.suspected, e.refused, true
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
	now := f.clock.Now()
	f.entries = make(map[string]*entry[T], len(entries))
	for key, value := range entries {
		f.entries[key] = &entry[T]{value: value, present: true, looked: now}
	}
	f.loaded, f.held = now, true
}
