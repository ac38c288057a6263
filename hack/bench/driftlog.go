package main

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	// everyPoll is the standard interval.
	everyPoll = 30 * time.Second
	// changed is how many apps are changed, over two polls, so that any moment between two is met.
	changed = 100
)

// driftlog has a person change apps in Okta while the operator reads the System Log.
func driftlog(ctx context.Context, s *stage, t *table) (err error) {
	if err := s.anew(hearing(everyPoll) + alone); err != nil {
		return err
	}
	end, err := s.receive(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if _, err := s.settled(ctx); err != nil {
		return err
	}
	listening := s.org.OperationCount()
	heard := func() (bool, error) { return s.since(listening).of(readLog) > 0, nil }
	if err := until(ctx, 2*time.Minute, 100*time.Millisecond, heard); err != nil {
		return err
	}
	at, err := s.meddle(ctx)
	if err != nil {
		return err
	}
	seen, mended := map[string]time.Time{}, map[string]time.Time{}
	if err := until(ctx, 3*time.Minute, 500*time.Millisecond, func() (bool, error) {
		seen, mended = firsts(s.since(listening).operations, at)
		return len(mended) == len(at), nil
	}); err != nil {
		return err
	}
	// What comes after the last is counted, too.
	if err := wait(ctx, everyPoll); err != nil {
		return err
	}
	s.addDrift(t, s.since(listening), at, seen, mended)
	return nil
}

// meddle gives apps other labels, one after another, and tells when each was given one.
func (s *stage) meddle(ctx context.Context) (map[string]time.Time, error) {
	at := map[string]time.Time{}
	many := min(changed, s.keys)
	tick := time.NewTicker(2 * everyPoll / time.Duration(many))
	defer tick.Stop()
	for i := range many {
		app := s.of(s.keyNamed(i * s.keys / many).GetName()).app
		at[app] = time.Now()
		if err := s.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Label = "renamed by a person" }); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
	return at, nil
}

// firsts gives when each app was first read and first written after it was changed.
func firsts(operations []oktasim.Operation, changed map[string]time.Time) (seen, mended map[string]time.Time) {
	seen, mended = map[string]time.Time{}, map[string]time.Time{}
	for _, op := range operations {
		app := path.Base(op.Path)
		since, is := changed[app]
		if !is || op.Time.Before(since) || op.Status >= 300 {
			continue
		}
		of := map[string]map[string]time.Time{http.MethodGet: seen, http.MethodPut: mended}[op.Method]
		if _, already := of[app]; of != nil && !already {
			of[app] = op.Time
		}
	}
	return seen, mended
}

// addDrift notes how soon changes were seen and mended, and what that took.
func (s *stage) addDrift(t *table, c calls, changed, seen, mended map[string]time.Time) {
	poll, many := everyPoll.Seconds(), float64(len(changed))
	found, put := later(changed, seen), later(changed, mended)
	t.tell("from a change in Okta until the operator looks at the app, half of them", at(found, 0.5), "s")
	t.add("P4", "the same, 99 of 100", at(found, 0.99), poll+2, "s")
	t.add("P4", "until it is put back, 99 of 100", at(put, 0.99), poll+5, "s")
	t.add("P4", "reads of the log a poll", float64(c.of(readLog))/pollsIn(c.operations, everyPoll), 1, "calls")
	t.add("P4", "reads of an app that was changed", float64(c.of("GET /api/v1/apps/{appId}"))/many, 1, "calls")
	t.add("P4", "writes of it", float64(c.of("PUT /api/v1/apps/{appId}"))/many, 1, "calls")
	others := c.management - c.of(readLog) - c.of("GET /api/v1/apps/{appId}") - c.of("PUT /api/v1/apps/{appId}")
	t.add("P4", "other calls for it", float64(others)/many, 0, "calls")
}

// later gives, sorted, how much later than one the other was.
func later(one, other map[string]time.Time) []time.Duration {
	var lags []time.Duration
	for name, began := range one {
		if ended, is := other[name]; is {
			lags = append(lags, ended.Sub(began))
		}
	}
	slices.Sort(lags)
	return lags
}
