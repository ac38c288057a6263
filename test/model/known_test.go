package model

import (
	"strings"
	"time"
)

// known is a bug of the operator that is not mended yet. What leads to it is kept
// from happening, so that the rest can be tested; TestKnownBugs shows it again.
type known struct {
	reason string
	// spares tells that no death may strike the call.
	spares func(w *world, method, path string) bool
}

// knownBugs are to become fewer.
func knownBugs() []known {
	return []known{
		{
			reason: "a process that began before lists show the operator's server makes a second one",
			spares: func(w *world, method, path string) bool {
				return w.listLag > 0 && method == "POST" && path == "/api/v1/authorizationServers"
			},
		},
	}
}

// spared tells that a call is left alone because of a known bug, or because the
// test itself looks.
func (w *world) spared(name string) bool {
	if w.calm {
		return true
	}
	method, path, _ := strings.Cut(strings.TrimPrefix(name, "Okta "), " ")
	for _, bug := range knownBugs() {
		if !w.bugs && bug.spares(w, method, path) {
			return true
		}
	}
	return false
}

// serverShows is how long a restart waits, because of the first known bug, until a
// list shows the operator's server: a process that began before would make another.
func (w *world) serverShows() time.Duration {
	if w.bugs || w.clock.Since(w.serverMade) > w.listLag {
		return 0
	}
	return w.listLag + time.Second
}
