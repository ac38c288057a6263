package oktasim

import (
	"maps"
	"slices"
)

// Templates gives "METHOD template" of every operation, for the contract test to
// know what it has not driven.
func Templates() []string {
	var all []string
	for _, r := range routes() {
		all = append(all, r.method+" "+r.template)
	}
	return all
}

// EventKinds gives the types of events the org can write.
func EventKinds() []string { return slices.Sorted(maps.Keys(eventKinds())) }

// Happenings gives the operations of which it is said what they leave in the log.
func Happenings() []string { return slices.Sorted(maps.Keys(happenings())) }
