package main

import (
	"math"
	"testing"
)

func TestSlopeOf(t *testing.T) {
	files := func(s sample) float64 { return s.files }
	for name, test := range map[string]struct {
		reason  string
		samples []sample
		want    float64
	}{
		"steady":  {"nothing grows", []sample{{hours: 0, files: 9}, {hours: 1, files: 9}, {hours: 2, files: 9}}, 0},
		"leak":    {"three an hour", []sample{{hours: 0, files: 9}, {hours: 0.5, files: 10.5}, {hours: 2, files: 15}}, 3},
		"uneven":  {"what goes up and down does not grow", []sample{{hours: 0, files: 9}, {hours: 1, files: 12}, {hours: 2, files: 9}}, 0},
		"one":     {"one sample has no slope", []sample{{hours: 1, files: 9}}, 0},
		"nothing": {"nor have none", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := slopeOf(test.samples, files); math.Abs(got-test.want) > 1e-9 {
				t.Errorf("%s: got %v, want %v", test.reason, got, test.want)
			}
		})
	}
}
