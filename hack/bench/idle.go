package main

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// What an hour without any change has, with the standard configuration.
const (
	pollsAnHour  = float64(time.Hour / everyPoll)
	looksAnHour  = 1.0 / 12
	sweepsAnHour = 1.0
)

// idle counts what nothing to do costs. An hour of it is made up of what one poll of the log, one look at
// everything and one search for orphans cost, each measured by itself at shorter intervals, and of what
// else is called.
func idle(ctx context.Context, s *stage, t *table) error {
	hour, err := s.idle(ctx)
	if err != nil {
		return err
	}
	if s.looked == 0 {
		if _, _, err := s.sweep(ctx); err != nil {
			return err
		}
	}
	look := float64(s.looked)
	t.tell("calls of a poll of the log without events", hour.poll, "calls")
	t.tell("calls of a search for orphans", hour.orphans, "calls")
	t.tell("calls of a look at everything", look, "calls")
	t.tell("other calls of an hour with nothing to do, in proportion to a minute", hour.rest, "calls")
	t.add("P5", "reads of the log in an idle hour: 120 polls", hour.poll*pollsAnHour, 120, "calls")
	t.add("P5", "other calls in it: a search for orphans, a twelfth of a look, the rest",
		hour.orphans*sweepsAnHour+look*looksAnHour+hour.rest, 60, "calls")
	return nil
}

// idling is what is called with nothing to do: by a poll, by a search for orphans, and beside them
// in an hour.
type idling struct{ poll, orphans, rest float64 }

// idle counts the first minute and a little, in which the search for orphans falls, and then a minute
// without it.
func (s *stage) idle(ctx context.Context) (hour idling, err error) {
	const often, search, long = 5 * time.Second, 75 * time.Second, time.Minute
	if err := s.anew(hearing(often) + alone); err != nil {
		return hour, err
	}
	end, err := s.receive(ctx)
	if err != nil {
		return hour, err
	}
	defer func() { err = errors.Join(err, end()) }()
	// Between two polls nothing is done.
	p, err := s.operate()
	if err != nil {
		return hour, err
	}
	if _, err := p.quiet(ctx, often-time.Second, s.patience()); err != nil {
		return hour, err
	}
	first := s.org.OperationCount()
	if err := wait(ctx, search); err != nil {
		return hour, err
	}
	c := s.since(first)
	hour.orphans = float64(c.management - c.of(readLog))
	first, began := s.org.OperationCount(), time.Now()
	if err := wait(ctx, long); err != nil {
		return hour, err
	}
	c = s.since(first)
	passed := time.Since(began)
	hour.rest = float64(c.management-c.of(readLog)) * float64(time.Hour) / float64(passed)
	hour.poll = float64(c.of(readLog)) / pollsIn(c.operations, often)
	return hour, nil
}

// pollsIn is how many polls the reads of the log were: the time from the first to the last in
// intervals, and the first. A poll that reads twice is one.
func pollsIn(operations []oktasim.Operation, interval time.Duration) float64 {
	var first, last time.Time
	for _, op := range operations {
		if op.Method+" "+op.Template != readLog {
			continue
		}
		if first.IsZero() {
			first = op.Time
		}
		last = op.Time
	}
	return math.Round(float64(last.Sub(first))/float64(interval)) + 1
}
