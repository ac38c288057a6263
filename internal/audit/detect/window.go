package detect

import (
	"slices"
	"time"
)

// What is held at most. What comes when all is full is dropped and counted: it is the safe
// side, for nobody is cut off by what is not counted.
const (
	maxWindows = 10_000
	maxEntries = 200_000
	maxSeen    = 20_000
	// cited is how many events a finding names.
	cited = 20
)

// entry is an event that matched.
type entry struct {
	at time.Time
	id string
}

// window counts what matched, by when it happened.
type window struct {
	entries []entry
	// from and to are the stretch of time that has been told of.
	from, to time.Time
}

// add counts a match and yields those that make a finding.
func (w *window) add(n entry, count int, within time.Duration) []entry {
	if !w.to.IsZero() && !n.at.Before(w.from) && !n.at.After(w.to) {
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
			w.from, w.to, w.entries = fired[0].at.Add(-within), fired[count-1].at.Add(within), nil
			return fired
		}
	}
	return nil
}

// forget drops what is too old to count with anything that may still come.
func (w *window) forget(before time.Time) (dropped int) {
	n := len(w.entries)
	w.entries = slices.DeleteFunc(w.entries, func(o entry) bool { return o.at.Before(before) })
	return n - len(w.entries)
}
