package lifecycle

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// heard is how long is waited for the cache to hear of a write. It takes milliseconds; a watch that
// hangs is not to keep anybody from being cut off.
const heard = 5 * time.Second

// superseded remembers which versions of an object this process has replaced. The cache learns of a write
// a little later, and a look at what it has until then would do and write the same again.
type superseded struct {
	mu      sync.Mutex
	objects map[types.NamespacedName]replaced
}

// replaced are the versions of one object that were replaced, and until when that counts.
type replaced struct {
	versions []string
	until    time.Time
}

// by notes that a write has made obj of the version before.
func (s *superseded) by(obj client.Object, before string, now time.Time) {
	if obj.GetResourceVersion() == before {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects == nil {
		s.objects = map[types.NamespacedName]replaced{}
	}
	name := client.ObjectKeyFromObject(obj)
	s.objects[name] = replaced{versions: append(s.objects[name].versions, before), until: now.Add(heard)}
}

// has tells that the object is of such a version. Of one that is not, nothing is remembered any more.
func (s *superseded) has(obj client.Object, now time.Time) bool {
	name := client.ObjectKeyFromObject(obj)
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.objects[name]
	if now.Before(known.until) && slices.Contains(known.versions, obj.GetResourceVersion()) {
		return true
	}
	delete(s.objects, name)
	return false
}

// forget drops what is remembered of an object that is gone.
func (s *superseded) forget(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, name)
}
