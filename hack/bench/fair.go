package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// few are the keys of the small namespace.
	few = 5
	// oneWindow is how long what is new may take to begin: a window, and what is added to it so
	// that all do not come at once.
	oneWindow = 65
)

// fair has a few keys of a small namespace come after thousands of another, and new keys just after
// a restart at which all are looked at again.
func fair(ctx context.Context, s *stage, t *table) error {
	began := time.Now()
	name := func(i int) string { return fmt.Sprintf("small-%02d", i) }
	if err := s.create(ctx, few, func(i int) client.Object { return keyIn(small, name(i), 0) }); err != nil {
		return err
	}
	var ready []time.Duration
	for i := range few {
		if err := s.awaitKey(ctx, name(i), 10*time.Minute); err != nil {
			return err
		}
		ready = append(ready, s.of(name(i)).since.Sub(began))
	}
	_, waiting := s.counts()
	t.tell("keys that came before, and wait", float64(waiting), "keys")
	t.add("P10", fmt.Sprintf("until the apps of %d keys of a small namespace are made", few), s.lastMade(name, began), oneWindow, "s")
	t.add("S16", fmt.Sprintf("until %d keys of a small namespace are ready", few), slices.Max(ready).Seconds(), oneWindow+5, "s")
	return s.amidResync(ctx, t)
}

// amidResync makes new keys in another namespace when the operator has just been started anew.
func (s *stage) amidResync(ctx context.Context, t *table) error {
	if err := s.anew(waiting); err != nil {
		return err
	}
	if _, err := s.operate(); err != nil {
		return err
	}
	began := time.Now()
	name := func(i int) string { return fmt.Sprintf("late-%02d", i) }
	if err := s.newcomers(ctx, name); err != nil {
		return err
	}
	t.add("P10", fmt.Sprintf("from a restart among them until the apps of %d new keys are made", few), s.lastMade(name, began), oneWindow, "s")
	return nil
}

// lastMade is how long it was until the last of a few keys had its app.
func (s *stage) lastMade(name func(int) string, began time.Time) float64 {
	made := s.registered()
	var each []time.Duration
	for i := range few {
		each = append(each, made[name(i)].Sub(began))
	}
	say("  until the app of each: %v", each)
	return slices.Max(each).Seconds()
}
