package schedule

import (
	"fmt"
	"testing"
	"time"
)

var created = time.Date(2026, time.May, 1, 12, 0, 0, 0, time.UTC)

func TestDue(t *testing.T) {
	const day = 24 * time.Hour
	tests := map[string]struct {
		reason          string
		every, earliest time.Duration
	}{
		"Hour":  {reason: "a tenth of an hour at most is taken off", every: time.Hour, earliest: 54 * time.Minute},
		"Month": {reason: "a day at most, for longer ages", every: 30 * day, earliest: 29 * day},
		"Year":  {reason: "also for much longer ones", every: 365 * day, earliest: 364 * day},
		"Tiny":  {reason: "an age too small to divide is kept", every: 5, earliest: 5},
		"Zero":  {reason: "no age is due at once", every: 0, earliest: 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for i := range 200 {
				seed := fmt.Sprint("seed-", i)
				due := Due(created, tc.every, seed)
				if due.Before(created.Add(tc.earliest)) || due.After(created.Add(tc.every)) {
					t.Fatalf("%s: due %s after creation", tc.reason, due.Sub(created))
				}
				if again := Due(created, tc.every, seed); !again.Equal(due) {
					t.Fatalf("%s: due at %s, then at %s", tc.reason, due, again)
				}
			}
		})
	}
}

// TestSpread holds that credentials made together are not replaced together: of 1000,
// each tenth of the jitter gets a tenth, give or take a third (3.5 standard deviations).
func TestSpread(t *testing.T) {
	const every, tenths = 10 * time.Hour, 10
	var count [tenths]int
	for i := range 1000 {
		off := created.Add(every).Sub(Due(created, every, fmt.Sprintf("uid-%d", i)))
		count[off*tenths/(every/jitterShare)]++
	}
	for tenth, n := range count {
		if n < 67 || n > 133 {
			t.Errorf("%d of 1000 seeds fall into tenth %d of the jitter: %v", n, tenth, count)
		}
	}
}
