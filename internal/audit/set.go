package audit

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Set runs followers, one for each receiver. It is a runnable of the manager's, for the
// leader only. It is safe for concurrent use.
type Set struct {
	shared Shared

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the life of all that runs in it
	running map[string]*running
	group   sync.WaitGroup
}

type running struct {
	revision Revision
	follower *Follower
	stop     context.CancelFunc
	done     chan struct{}
}

// Revision names how a receiver is followed.
type Revision struct {
	// Described names what people have written, and Material what that refers to.
	Described, Material string
}

// NewSet makes an empty set. Nothing runs before Start.
func NewSet(shared Shared) *Set { return &Set{shared: shared, running: map[string]*running{}} }

// Measure registers metrics of all that is followed. It is called before anything is.
func (s *Set) Measure(registerer prometheus.Registerer) error {
	if registerer == nil {
		return nil
	}
	m, err := NewMetrics(registerer, s, s.shared.Clock)
	s.shared.Metrics = m
	return err
}

// Start implements manager.Runnable: it returns when ctx has ended and nothing runs any more.
func (s *Set) Start(ctx context.Context) error {
	if s.shared.Ready != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-s.shared.Ready:
		}
	}
	s.mu.Lock()
	s.ctx = ctx
	for _, r := range s.running {
		s.run(r)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.group.Wait()
	return nil
}

// Ensure has the receiver followed, by what build gives. One of the same revision goes on
// as it is; one of another is stopped first, and what it knew is handed on.
func (s *Set) Ensure(id string, revision Revision, build func() (Sink, error)) (*Follower, error) {
	s.mu.Lock()
	have := s.running[id]
	s.mu.Unlock()
	if have != nil && have.revision == revision {
		return have.follower, nil
	}
	sink, err := build()
	if err != nil {
		return nil, err
	}
	s.Remove(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &running{revision: revision, follower: NewFollower(s.shared, sink), done: make(chan struct{})}
	if have != nil {
		r.follower.succeed(have.follower)
	}
	s.running[id] = r
	if s.ctx != nil {
		s.run(r)
	}
	return r.follower, nil
}

// Keep gives the receiver's follower, where it cannot be made anew: nil if there is none.
// One that follows another description than this is stopped: people do not want that any more.
func (s *Set) Keep(id, described string) *Follower {
	s.mu.Lock()
	have := s.running[id]
	s.mu.Unlock()
	if have == nil {
		return nil
	}
	if have.revision.Described != described {
		s.Remove(id)
		return nil
	}
	return have.follower
}

// run is called with the lock held.
func (s *Set) run(r *running) {
	ctx, stop := context.WithCancel(s.ctx)
	r.stop = stop
	s.group.Go(func() {
		defer close(r.done)
		r.follower.Run(ctx)
	})
}

// Remove stops the receiver's follower and waits until it has: nobody sends to the receiver
// in its name any more. No such follower is success.
func (s *Set) Remove(id string) {
	s.mu.Lock()
	r := s.running[id]
	delete(s.running, id)
	s.mu.Unlock()
	if r == nil || r.stop == nil {
		return
	}
	r.stop()
	<-r.done
}

// Followers gives those that run, by the id of the receiver.
func (s *Set) Followers() map[string]*Follower {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]*Follower, len(s.running))
	for id, r := range s.running {
		all[id] = r.follower
	}
	return all
}
