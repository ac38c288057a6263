package okta

import (
	"sync"
	"time"
)

// firsts remembers when this process first knew something of a client or a person.
type firsts struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// of gives the time, which is now when there is none yet.
func (f *firsts) of(clientID string, now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	first, known := f.seen[clientID]
	if !known {
		first = now
		f.seen[clientID] = first
	}
	return first
}

func (f *firsts) forget(clientID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, clientID)
}

// put remembers that it was known again, as if for the first time.
func (f *firsts) put(id string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[id] = now
}

// within tells that it was known less than d ago.
func (f *firsts) within(id string, now time.Time, d time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	first, known := f.seen[id]
	if known && now.Sub(first) >= d {
		delete(f.seen, id)
	}
	return known && now.Sub(first) < d
}
