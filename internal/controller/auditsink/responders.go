package auditsink

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// responders are those of the sinks that are followed. The zero value holds none.
type responders struct {
	mu sync.Mutex
	of map[types.UID]*responder
}

// get gives the sink's responder, if it has one for what is described so.
func (r *responders) get(uid types.UID, described string) *responder {
	r.mu.Lock()
	defer r.mu.Unlock()
	if have := r.of[uid]; have != nil && have.described == described {
		return have
	}
	return nil
}

func (r *responders) put(uid types.UID, one *responder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[types.UID]*responder{}
	}
	r.of[uid] = one
}

func (r *responders) drop(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, uid)
}
