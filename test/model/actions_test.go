package model

import (
	"fmt"
	"slices"
)

// args are what an action is told; it reads them by what there is to choose from.
type args [4]int

// of chooses one of n things by the ith argument.
func (a args) of(i, n int) int { return a[i] % n }

// action is one thing that can happen. does says in words what was done, and
// nothing when it could not be.
type action struct {
	name   string
	weight int
	does   func(w *world, a args) string
}

// actions is the list of all that can happen. To add one, write a function and a
// line here; the weights are relative.
func actions() []action {
	return slices.Concat(userActions(), lifeActions(), processActions(), oktaActions(), policyActions(), peopleActions(), adminActions())
}

// step is one action with its arguments, as it stands in a sequence.
type step struct {
	name string
	args args
}

func (s step) String() string {
	if s.name == "" {
		return "Nothing"
	}
	return fmt.Sprintf("%s %d %d %d %d", s.name, s.args[0], s.args[1], s.args[2], s.args[3])
}

// play takes a step, lets the operator come to rest, and holds all promises.
func (w *world) play(s step) {
	w.Helper()
	for _, a := range actions() {
		if a.name != s.name {
			continue
		}
		w.traced = nil
		said := a.does(w, s.args)
		if said == "" {
			return
		}
		w.history = append(w.history, fmt.Sprintf("%-36s # %s", s, said))
		w.settle()
		w.keepsPromises()
		return
	}
	if s.name != "" && s.name != "Nothing" {
		w.broken("the harness itself", "there is no action %q", s.name)
	}
}

// finish ends a sequence: nothing more goes wrong, and the operator looks at all
// there is in Okta.
func (w *world) finish() {
	w.Helper()
	w.faults.Clear()
	w.process.seam.countdown, w.deaths = 0, nil
	w.traced = nil
	w.history = append(w.history, "(all faults are over, and two resyncs pass)")
	w.resyncTwice()
	w.keepsPromises()
	w.keepsFinalPromises()
}

// resyncTwice lets the operator list everything twice: what a list misses once it
// does not take for gone.
func (w *world) resyncTwice() {
	w.pass(3*resync + horizon)
	w.settle()
	w.memory.stale = false
}
