package main

import (
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// share is the percentage of each of the org's limits that is the operator's.
const share = 50

// windows is how the operator kept to its share, by the org's own windows.
type windows struct {
	// all is in how many windows it called, and over in how many more often than its share.
	all, over int
	// fullest is the largest part of the share that it called in one.
	fullest float64
}

// inWindows counts the calls that were sent, those that the org refused included: it lets nobody
// have more than half of a bucket, so that those it let through are never more.
func inWindows(operations []oktasim.Operation, limits throttle.Profile) windows {
	type window struct {
		bucket string
		began  time.Time
	}
	sent := map[window]int{}
	for _, op := range operations {
		if op.Bucket != "" && !op.Window.IsZero() {
			sent[window{op.Bucket, op.Window}]++
		}
	}
	w := windows{all: len(sent)}
	for in, n := range sent {
		most := limits.Limit(throttle.Bucket(in.bucket)) * share / 100
		if n > most {
			w.over++
		}
		w.fullest = max(w.fullest, float64(n)/float64(max(most, 1)))
	}
	return w
}

// limits are what the org lets through in a minute, by buckets.
func (s *stage) limits() (throttle.Profile, error) {
	return oktasim.LimitsWorkforce.Scaled(s.factor).Profile()
}

// appLimit is how many calls of the bucket for apps the operator may make in a minute.
func (s *stage) appLimit() float64 {
	limits, err := s.limits()
	if err != nil {
		return 0
	}
	return float64(limits[throttle.Apps]) * share / 100
}

// addShare notes how the operator kept to its share in those calls.
func (s *stage) addShare(t *table, when string, c calls) error {
	limits, err := s.limits()
	if err != nil {
		return err
	}
	w := inWindows(c.operations, limits)
	t.add("P8", "windows with more calls than the share, "+when, float64(w.over), 0, "windows")
	t.tell("windows with calls, "+when, float64(w.all), "windows")
	t.tell("the fullest of them, of the share", w.fullest, "")
	return nil
}
