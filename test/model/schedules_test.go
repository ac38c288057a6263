package model

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// scenarios are the stories that TestWatches and TestDeathInRecovery tell again and again,
// each time with something else that goes wrong.
func scenarios() map[string]string {
	return map[string]string{
		"key pair": `
			CreateRole 0 3
			CreateKey 0 0 1
			EditPermissions 0 6
			RequestRotation 0
			DeleteSecret 0
			DeleteKey 0
			CreateKey 0 0 1
			DeleteRole 0
			DeleteKey 0`,
		"client secret": `
			CreateRole 0 1
			CreateKey 0 0 2
			RequestRotation 0
			EditSecret 0
			WipeStatus 0
			SetState 0 1
			SetState 0 0
			DeleteKey 0`,
		"two roles": `
			CreateKey 0 0 1
			CreateRole 0 1
			CreateRole 1 2
			CreateKey 1 1 1
			MoveKey 0 1
			DeleteRole 0
			Backup
			Restore 0
			DeleteKey 0`,
		"people": `
			CreateRole 0 3
			Staff 0 3 0
			AskForFactors 0 1
			Conditional 0
			Staff 0 1 0
			EndConditional 0
			AskForFactors 0 0
			Conditional 0
			DeleteRole 0`,
		"policies": `
			CreateRole 0 3
			CreateKey 0 0 1
			Ceiling 0 1
			Quarantine 0
			LiftCeiling 0
			Release 0
			Quarantine 0
			DeleteKey 0`,
	}
}

// begin makes the scenario's world.
func begin(t tester, scenario string) (*world, []step) {
	t.Helper()
	s, err := parseSequence(scenario)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return newWorld(t, s.conditions), s.steps
}

// follow plays the steps to the end, and holds all promises.
func follow(w *world, steps []step) {
	w.Helper()
	for _, one := range steps {
		w.play(one)
	}
	w.finish()
}

// retold plays each scenario once as it goes when nothing goes wrong, and hands the world
// that it went in to again.
func retold(t *testing.T, again func(t *testing.T, scenario string, went *world)) {
	t.Helper()
	t.Run("scenarios", func(t *testing.T) {
		for name, scenario := range scenarios() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w, steps := begin(t, scenario)
				follow(w, steps)
				again(t, scenario, w)
			})
		}
	})
}

// TestWatches lets one change after another be told late, never, or twice. What the
// cache shows meanwhile is not so.
func TestWatches(t *testing.T) {
	var played atomic.Int32
	retold(t, func(t *testing.T, scenario string, went *world) {
		for n := range went.toldOf {
			if n%scheduleStride != 0 {
				continue
			}
			for _, how := range []telling{delayed, dropped, replayed} {
				t.Run(fmt.Sprintf("change %d is %s", n, how), func(t *testing.T) {
					w, steps := begin(t, scenario)
					w.tellings = func(nth int) telling {
						if nth == n {
							return how
						}
						return atOnce
					}
					follow(w, steps)
					played.Add(1)
				})
			}
		}
	})
	t.Logf("%d schedules", played.Load())
}

// death is a call of which a process dies: the nth it makes, counted from 1.
type death struct {
	call  int
	after bool
}

func (d death) String() string {
	if d.after {
		return fmt.Sprintf("after call %d", d.call)
	}
	return fmt.Sprintf("before call %d", d.call)
}

// deaths are those of the first most calls, before and after each.
func deaths(most int) []death {
	var all []death
	for n := 1; n <= most; n++ {
		all = append(all, death{n, false}, death{n, true})
	}
	return all
}

// TestDeathInRecovery lets a process die, and the next one too while it recovers.
func TestDeathInRecovery(t *testing.T) {
	var pairs atomic.Int32
	retold(t, func(t *testing.T, scenario string, went *world) {
		nth := 0
		for _, first := range deaths(len(went.process.seam.calls)) {
			for _, second := range deaths(recovery) {
				if nth++; nth%pairStride != 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s, then %s", first, second), func(t *testing.T) {
					w, steps := begin(t, scenario)
					w.dieOf(first, second)
					follow(w, steps)
					pairs.Add(1)
				})
			}
		}
	})
	t.Logf("%d pairs of deaths", pairs.Load())
}

// recovery is of how many of its first calls the second process may die.
const recovery = 20

// dieOf lets the process die, and the next ones.
func (w *world) dieOf(first death, then ...death) {
	w.process.seam.countdown, w.process.seam.after = first.call, first.after
	w.deaths = then
}

// TestScenarios holds that no step of a scenario is without effect, as when one before
// it has not done what it should.
func TestScenarios(t *testing.T) {
	for name, scenario := range scenarios() {
		t.Run(name, func(t *testing.T) {
			w, steps := begin(t, scenario)
			follow(w, steps)
			if len(w.history) <= len(steps) { // the last is that of finish
				t.Errorf("%d steps, of which these came to be:\n%s", len(steps), strings.Join(w.history, "\n"))
			}
			for _, line := range w.history {
				if strings.Contains(line, "refused") {
					t.Errorf("a step was refused: %s", line)
				}
			}
		})
	}
}
