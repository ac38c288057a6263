package main

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	figures := &table{}
	figures.Stage = "one key"
	figures.add("P7", "calls refused", 0, 0, "calls")
	figures.add("P8", "windows over", 2, 0, "windows")
	figures.add("P6", "time", 15, 10, "s")
	figures.tell("memory", math.NaN(), "MiB")
	figures.Stage = "two keys"
	figures.tell("memory", 2.5, "MiB")
	want := []string{
		"", "one key", "", "| goal | what | at most | measured | ratio |", "|---|---|---:|---:|---:|",
		"| P7 | calls refused | 0 calls | 0 calls | 0 |",
		"| P8 | windows over | 0 windows | 2 windows | missed |",
		"| P6 | time | 10 s | 15 s | 1.50 |",
		"", "two keys", "", "| goal | what | at most | measured | ratio |", "|---|---|---:|---:|---:|",
		"|  | memory |  | 2.5 MiB |  |", "",
	}
	if diff := cmp.Diff(want, strings.Split(figures.String(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChosen(t *testing.T) {
	all := func() []act {
		return []act{
			{begin: scenario{name: "converge"}, scenarios: []scenario{{name: "sweep"}, {name: "restart"}}},
			{begin: scenario{name: "queue"}, scenarios: []scenario{{name: "backlog"}, {name: "fair"}}},
		}
	}
	for name, test := range map[string]struct {
		reason, only string
		want         [][]string
	}{
		"all":   {"nothing is left out", "", [][]string{{"converge", "sweep", "restart"}, {"queue", "backlog", "fair"}}},
		"one":   {"what comes before it runs, too", "fair", [][]string{{"queue", "fair"}}},
		"two":   {"they keep their order", "fair,restart", [][]string{{"converge", "restart"}, {"queue", "fair"}}},
		"begin": {"what is before all others can be asked for", "queue", [][]string{{"queue"}}},
		"none":  {"the fleet converges at least", "none", [][]string{{"converge"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got [][]string
			for _, a := range chosen(all(), test.only) {
				names := []string{a.begin.name}
				for _, s := range a.scenarios {
					names = append(names, s.name)
				}
				got = append(got, names)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
