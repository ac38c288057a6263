package main

import (
	"math"
	"testing"
)

func TestSlopeOf(t *testing.T) {
	files := func(s sample) float64 { return s.files }
	for name, test := range map[string]struct {
		reason       string
		samples      []sample
		want, unsure float64
	}{
		"steady":  {"nothing grows", []sample{{hours: 0, files: 9}, {hours: 1, files: 9}, {hours: 2, files: 9}}, 0, 0},
		"leak":    {"three an hour", []sample{{hours: 0, files: 9}, {hours: 0.5, files: 10.5}, {hours: 2, files: 15}}, 3, 0},
		"uneven":  {"it goes up and down", []sample{{hours: 0, files: 9}, {hours: 1, files: 12}, {hours: 2, files: 9}}, 0, math.Sqrt(3)},
		"two":     {"any two are on a line", []sample{{hours: 1, files: 9}, {hours: 2, files: 10}}, 0, math.Inf(1)},
		"nothing": {"nothing was seen", nil, 0, math.Inf(1)},
	} {
		t.Run(name, func(t *testing.T) {
			got, unsure := slopeOf(test.samples, files)
			if math.Abs(got-test.want) > 1e-9 || unsure != test.unsure && math.Abs(unsure-test.unsure) > 1e-9 {
				t.Errorf("%s: got %v ± %v, want %v ± %v", test.reason, got, unsure, test.want, test.unsure)
			}
		})
	}
}

func TestGain(t *testing.T) {
	files := func(s sample) float64 { return s.files }
	var samples []sample
	for _, n := range []float64{1, 3, 9, 9, 0, 9, 4, 6} {
		samples = append(samples, sample{files: n})
	}
	if got := gain(samples, files); got != 3 {
		t.Errorf("from 2 to 5 on average is 3, got %v", got)
	}
	if got := gain(samples[:3], files); got != 0 {
		t.Errorf("so few have no quarters, got %v", got)
	}
}
