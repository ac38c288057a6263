package fault

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatch(t *testing.T) {
	drop := Action{Kind: KindDrop}
	tests := map[string]struct {
		reason string
		fault  Fault
		// requests are "METHOD path"; want tells which of them are struck.
		requests []string
		want     []bool
	}{
		"next": {
			reason:   "Nth 1 is the next match, once",
			fault:    Fault{Method: "POST", Path: "^/api/v1/apps$", Nth: 1, Action: drop},
			requests: []string{"GET /api/v1/apps", "POST /api/v1/apps", "POST /api/v1/apps"},
			want:     []bool{false, true, false},
		},
		"third and fourth": {
			reason:   "Times counts from the Nth match on",
			fault:    Fault{Nth: 3, Times: 2, Action: drop},
			requests: []string{"GET /a", "GET /b", "GET /c", "GET /d", "GET /e"},
			want:     []bool{false, false, true, true, false},
		},
		"every": {
			reason:   "Nth 0 is every match, without end",
			fault:    Fault{Path: "apps", Action: drop},
			requests: []string{"GET /apps", "GET /groups", "GET /apps", "PUT /apps/1"},
			want:     []bool{true, false, true, true},
		},
		"every, twice": {
			reason:   "Nth 0 with Times ends",
			fault:    Fault{Times: 2, Action: drop},
			requests: []string{"GET /a", "GET /a", "GET /a"},
			want:     []bool{true, true, false},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var script Script
			if err := script.Add(test.fault); err != nil {
				t.Fatal(err)
			}
			var got []bool
			for _, request := range test.requests {
				var method, path string
				for i, r := range request {
					if r == ' ' {
						method, path = request[:i], request[i+1:]
						break
					}
				}
				_, struck := script.Match(method, path)[Before]
				got = append(got, struck)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestPhasesAreStruckTogether(t *testing.T) {
	var script Script
	for _, phase := range []Phase{Before, AfterCommit} {
		if err := script.Add(Fault{Phase: phase, Action: Action{Kind: KindSlow}}); err != nil {
			t.Fatal(err)
		}
	}
	if struck := script.Match("GET", "/"); len(struck) != 2 {
		t.Errorf("a request may be slow to arrive and slow to be answered, got %v", struck)
	}
}

func TestAddRefusesWhatCanNeverStrike(t *testing.T) {
	tests := map[string]struct {
		reason string
		fault  Fault
	}{
		"path":   {reason: "not a regular expression", fault: Fault{Path: "(", Action: Action{Kind: KindDrop}}},
		"phase":  {reason: "no such phase", fault: Fault{Phase: "later", Action: Action{Kind: KindDrop}}},
		"action": {reason: "no such action", fault: Fault{Action: Action{Kind: "explode"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var script Script
			if err := script.Add(test.fault); err == nil {
				t.Errorf("%s: a script with a typing error must not pass as a run without faults", test.reason)
			}
		})
	}
}
