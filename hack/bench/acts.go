package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario measures something on a stage.
type scenario struct {
	name string
	run  func(context.Context, *stage, *table) error
}

// act is what has a cluster and an org of its own.
type act struct {
	// on says what is on the stage.
	on func(options) string
	// with changes the options.
	with func(*options)
	// begin comes before the scenarios, whichever of them run.
	begin scenario
	// asked tells that it is only played when it is asked for.
	asked bool
	// scenarios in their order: each finds all settled that the one before has done, and starts the
	// operator anew where it needs another configuration.
	scenarios []scenario
}

func acts() []act {
	return []act{
		{
			on: func(o options) string {
				return fmt.Sprintf("%d keys over %d roles, Okta's limits times %d", o.keys, o.roles, o.factor)
			},
			with:  func(*options) {},
			begin: scenario{"converge", converge},
			scenarios: []scenario{
				{"sweep", sweep},
				{"restart", restart},
				{"secrets", secrets},
				{"failover", failover},
				{"overhead", overhead},
				{"rotate", rotate},
				{"driftlog", driftlog},
				{"idle", idle},
				{"churn", churn},
				{"newcomer", newcomer},
			},
		},
		{
			on: func(o options) string {
				return fmt.Sprintf("others in the org, %d keys at a time, Okta's limits times %d", o.keys, o.factor)
			},
			with:      func(o *options) { o.keys, o.roles, o.factor = min(o.keys, foreignKeys), 5, foreignFactor },
			begin:     scenario{"alone", undisturbed},
			scenarios: []scenario{{"foreign", foreign}},
		},
		{
			on: func(o options) string {
				return fmt.Sprintf("%d keys that wait for Okta's own limits", o.keys)
			},
			with:      func(o *options) { o.keys, o.roles, o.factor = min(o.keys, queuedKeys), 5, 1 },
			begin:     scenario{"queue", queue},
			scenarios: []scenario{{"backlog", backlog}, {"fair", fair}},
		},
		{
			on: func(o options) string {
				return fmt.Sprintf("%d keys over %d roles, each side in an org of its own, Okta's limits times %d", o.keys, o.roles, o.factor)
			},
			with:  func(o *options) { o.keys, o.roles = min(o.keys, peerKeys), peerRoles },
			asked: true,
			begin: scenario{"peer", sideBySide},
		},
	}
}

// chosen are the acts of which a scenario is asked for, with those that are, and with what they begin
// with. Where there is none, the fleet converges.
func chosen(all []act, only string) []act {
	if only == "" {
		return slices.DeleteFunc(all, func(a act) bool { return a.asked })
	}
	names := strings.Split(only, ",")
	var some []act
	for _, a := range all {
		a.scenarios = slices.DeleteFunc(a.scenarios, func(s scenario) bool { return !slices.Contains(names, s.name) })
		if len(a.scenarios) > 0 || slices.Contains(names, a.begin.name) {
			some = append(some, a)
		}
	}
	if len(some) == 0 {
		some = []act{{on: all[0].on, with: all[0].with, begin: all[0].begin}}
	}
	return some
}

// play runs an act. What it has measured until something fails is in the table.
func (a act) play(ctx context.Context, o options, t *table) error {
	a.with(&o)
	t.Stage = a.on(o)
	s, err := newStage(o)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.follow(ctx); err != nil {
		return err
	}
	for _, scenario := range slices.Concat([]scenario{a.begin}, a.scenarios) {
		began := time.Now()
		say("%s …", scenario.name)
		if err := scenario.run(ctx, s, t); err != nil {
			return fmt.Errorf("%s: %w; the operator's log ends\n%s", scenario.name, err, s.logTail())
		}
		say("%s took %s", scenario.name, time.Since(began).Round(time.Second))
	}
	if unknown := s.org.Unknown(); len(unknown) > 0 {
		return fmt.Errorf("the org was asked for what it does not know: %s", unknown[0])
	}
	return s.addShare(t, "in all of this", s.since(0))
}

// measure plays the acts, and goes on with the next where one fails.
func measure(ctx context.Context, o options, t *table) error {
	var failed []error
	for _, a := range chosen(acts(), o.only) {
		if err := a.play(ctx, o, t); err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}
