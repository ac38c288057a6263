package okta

import (
	"sync"
	"time"
)

// firsts remembers when this process first knew something of a client.
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
