package main

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExponent(t *testing.T) {
	for name, test := range map[string]struct {
		reason                string
		few, many, less, more float64
		want                  float64
	}{
		"in proportion": {"ten times as many cost ten times as much", 100, 1000, 5, 50, 1},
		"squared":       {"each pair costs", 10, 20, 3, 12, 2},
		"constant":      {"the number does not matter", 100, 1000, 7, 7, 0},
		"less":          {"a page holds 200", 100, 1000, 4, 2, math.Log10(0.5)},
		"nothing":       {"what costs nothing does not grow", 100, 1000, 0, 3, 0},
		"backwards":     {"sizes must grow", 1000, 100, 1, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exponent(test.few, test.many, test.less, test.more); math.Abs(got-test.want) > 1e-9 {
				t.Errorf("%s: got %v, want %v", test.reason, got, test.want)
			}
		})
	}
}

func TestSlopesOf(t *testing.T) {
	sizes := []size{
		{Keys: 100, Calls: 100, Writes: 600, Seconds: 10, Bound: 10, CPU: 1, MiB: 62, Empty: 60, Restart: 1, Sweep: 4},
		{Keys: 1000, Calls: 1000, Writes: 6000, Seconds: 20, Bound: 10, CPU: 100, MiB: 80, Empty: 60, Restart: 1, Sweep: 40},
	}
	got := slopesOf(sizes)
	want := []slope{{From: 100, To: 1000, Calls: 1, Seconds: math.Log10(2), CPU: 2, Memory: 1, Writes: 1, Restart: 0, Sweep: 1}}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := slopesOf(sizes[:1]); got != nil {
		t.Errorf("one size has the slopes %v", got)
	}
	text := bySize(sizes, got)
	for _, line := range []string{
		"| 100 | 100 | 1 | 10 | 1 | 10 | 62 | 20.5 | 6 | 1 | 4 |",
		"| 100 to 1000 | 1 | 0.301 | 2 | 1 | 1 | 0 | 1 |",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the table lacks %s:\n%s", line, text)
		}
	}
}

func TestParseSizes(t *testing.T) {
	got, err := parseSizes("100, 1000")
	if diff := cmp.Diff([]int{100, 1000}, got); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
	for _, wrong := range []string{"", "0", "a", "1000,100", "100,100"} {
		if got, err := parseSizes(wrong); err == nil {
			t.Errorf("%q is read as %v", wrong, got)
		}
	}
}
