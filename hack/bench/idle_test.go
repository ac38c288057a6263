package main

import (
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestPollsIn(t *testing.T) {
	at := func(seconds ...float64) []oktasim.Operation {
		operations := []oktasim.Operation{{Time: time.Unix(0, 0), Method: "GET", Template: "/api/v1/apps"}}
		for _, s := range seconds {
			began := time.Unix(1_800_000_000, 0).Add(time.Duration(s * float64(time.Second)))
			operations = append(operations, oktasim.Operation{Time: began, Method: "GET", Template: "/api/v1/logs"})
		}
		return operations
	}
	for name, test := range map[string]struct {
		reason  string
		seconds []float64
		want    float64
	}{
		"regular": {"one for each interval", []float64{0, 5.01, 10.02}, 3},
		"twice":   {"one that reads once more is one", []float64{0, 5.01, 5.03, 10.02}, 3},
		"one":     {"the first is one, too", []float64{0}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pollsIn(at(test.seconds...), 5*time.Second); got != test.want {
				t.Errorf("%s: got %v polls, want %v", test.reason, got, test.want)
			}
		})
	}
}
