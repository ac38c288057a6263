package audit

import (
	"crypto/sha256"
)

// remembered is how many events a window holds: what comes again later than that is sent
// again, with the same id.
const remembered = 10_000

// window knows the ids of the latest events a receiver has acknowledged. It takes 48
// bytes an event, whatever the ids.
type window struct {
	known map[[16]byte]struct{}
	ring  [][16]byte
	next  int
}

func newWindow() *window { return &window{known: map[[16]byte]struct{}{}} }

func (w *window) has(id string) bool {
	_, known := w.known[short(id)]
	return known
}

func (w *window) add(id string) {
	key := short(id)
	if _, known := w.known[key]; known {
		return
	}
	w.known[key] = struct{}{}
	if len(w.ring) < remembered {
		w.ring = append(w.ring, key)
		return
	}
	delete(w.known, w.ring[w.next])
	w.ring[w.next] = key
	w.next = (w.next + 1) % remembered
}

func short(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}
