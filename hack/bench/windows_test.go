package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

func TestInWindows(t *testing.T) {
	first := time.Unix(1_800_000_000, 0)
	op := func(bucket throttle.Bucket, window time.Time, status int) oktasim.Operation {
		return oktasim.Operation{Bucket: string(bucket), Window: window, Status: status}
	}
	limits := throttle.Profile{throttle.Apps: 5, throttle.App: 100}
	for name, test := range map[string]struct {
		reason     string
		operations []oktasim.Operation
		want       windows
	}{
		"nothing": {"nobody called", nil, windows{}},
		"within": {
			"half of five is two",
			[]oktasim.Operation{op(throttle.Apps, first, 200), op(throttle.Apps, first, 200)},
			windows{all: 1, fullest: 1},
		},
		"refused": {
			"one that was refused was called all the same",
			[]oktasim.Operation{op(throttle.Apps, first, 200), op(throttle.Apps, first, 200), op(throttle.Apps, first, 429)},
			windows{all: 1, over: 1, fullest: 1.5},
		},
		"apart": {
			"each window and each bucket is counted by itself",
			[]oktasim.Operation{
				op(throttle.Apps, first, 200), op(throttle.Apps, first.Add(time.Minute), 200), op(throttle.Apps, first.Add(time.Minute), 200),
				op(throttle.App, first, 200),
			},
			windows{all: 3, fullest: 1},
		},
		"unlimited": {"what no bucket counts is in no window", []oktasim.Operation{{Status: 200}}, windows{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, inWindows(test.operations, limits), cmp.AllowUnexported(windows{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
