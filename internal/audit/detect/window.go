package detect

import (
	"slices"
	"time"
)

// What is held at most, of windows that may be answered and of those that are only told, each by
// itself: a flood of what anybody can cause takes no room from what proves something. What comes
// when all is full is dropped and counted: it is the safe side, for nobody is cut off by what is
// not counted.
const (
	maxWindows = 20_000
	maxEntries = 100_000
	maxSeen    = 20_000
	// cited is how many events a finding names.
	cited = 20
)

// entry is an event that matched.
type entry struct {
	at time.Time
	id string
}

// stretch is a time of which was told.
type stretch struct{ from, to time.Time }

func (s stretch) holds(at time.Time) bool { return !at.Before(s.from) && !at.After(s.to) }

// window counts what matched, by when it happened.
type window struct {
	// entries are those that make no finding yet, oldest first.
	entries []entry
	told    []stretch
}

// add counts a match and yields those that make a finding. Of what makes none yet it keeps
// twice the count at most, the latest.
func (w *window) add(n entry, count int, within time.Duration) []entry {
	if slices.ContainsFunc(w.told, func(s stretch) bool { return s.holds(n.at) }) {
		return nil
	}
	if slices.ContainsFunc(w.entries, func(o entry) bool { return o.id == n.id }) {
		return nil
	}
	i, _ := slices.BinarySearchFunc(w.entries, n, func(a, b entry) int { return a.at.Compare(b.at) })
	w.entries = slices.Insert(w.entries, i, n)
	for first := max(0, i-count+1); first <= i && first+count <= len(w.entries); first++ {
		if fired := w.entries[first : first+count]; fired[count-1].at.Sub(fired[0].at) <= within {
			fired = slices.Clone(fired)
			w.tell(stretch{fired[0].at.Add(-within), fired[count-1].at.Add(within)})
			return fired
		}
	}
	if over := len(w.entries) - 2*count; over > 0 {
		w.entries = slices.Delete(w.entries, 0, over)
	}
	return nil
}

// tell notes a stretch; what is in it counts no more.
func (w *window) tell(s stretch) {
	w.told = append(w.told, s)
	w.entries = slices.DeleteFunc(w.entries, func(o entry) bool { return s.holds(o.at) })
}

// forget drops what is too old to count with anything that may still come.
func (w *window) forget(before time.Time) {
	w.entries = slices.DeleteFunc(w.entries, func(o entry) bool { return o.at.Before(before) })
	w.told = slices.DeleteFunc(w.told, func(s stretch) bool { return s.to.Before(before) })
}

// empty tells that nothing is left to remember.
func (w *window) empty() bool { return len(w.entries)+len(w.told) == 0 }

// size is what a window takes of the room.
func (w *window) size() int { return len(w.entries) + len(w.told) }
