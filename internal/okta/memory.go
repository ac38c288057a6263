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

// suspect remembers that Okta says the key is taken.
func (f *family[T]) suspect(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[key]; e != nil && e.suspected.IsZero() {
		e.suspected = f.clock.Now()
	}
}

// suspected tells since when Okta says so.
func (f *family[T]) suspected(key string) (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[key]
	if e == nil || e.suspected.IsZero() {
		return time.Time{}, false
	}
	return e.suspected, true
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
