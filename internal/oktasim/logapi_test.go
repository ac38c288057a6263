package oktasim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestLogRefusals(t *testing.T) {
	w := newCheckedWorld(t, oktasim.Options{})
	link := w.do(200, "GET", logs+"?limit=1", nil).next()
	tests := map[string]struct {
		reason, path string
		want         refusal
	}{
		"published":    {"as Okta documents", logs + "?filter=" + url.QueryEscape(`published gt "2026-01-01T00:00:00Z"`), refusal{400, "E0000053"}},
		"operator":     {"as Okta documents", logs + "?filter=" + url.QueryEscape(`actor.id gt "x"`), refusal{400, "E0000031"}},
		"old since":    {"as Okta documents", logs + "?since=2020-01-01T00:00:00Z", refusal{400, "E0000053"}},
		"date":         {"as seen", logs + "?since=foobar", refusal{400, "E0000030"}},
		"limit":        {"1000 is the most", logs + "?limit=1001", refusal{400, "E0000001"}},
		"cursor":       {"of another query", strings.Replace(link, "limit=1", "limit=2", 1), refusal{400, "E0000001"}},
		"changed":      {"a cursor is opaque", link[:len(link)-10] + "AAAA" + link[len(link)-6:], refusal{400, "E0000001"}},
		"said twice":   {"nobody knows which counts", logs + "?limit=1&limit=2", refusal{400, "E0000001"}},
		"empty filter": {"it says nothing", logs + "?filter=", refusal{400, "E0000001"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := w.try("GET", test.path, nil)
			if err != nil || r.refusal() != test.want {
				t.Errorf("%s: got %v, %v, want %v", test.reason, r.refusal(), err, test.want)
			}
		})
	}
}

func TestLinksStandInLinesOfTheirOwn(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	r := w.do(200, "GET", logs+"?limit=1&since="+stampOf(epoch()), nil)
	lines := r.Header.Values("Link")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], `; rel="self"`) || !strings.HasSuffix(lines[1], `; rel="next"`) {
		t.Fatalf("got %q", lines)
	}
	query := parse(t, r.next())
	if query.Get("since") != stampOf(epoch()) || query.Get("limit") != "1" || query.Get("after") == "" {
		t.Errorf("the next link keeps the query, got %v", query)
	}
	w.do(200, "GET", r.next(), nil)
	bounded := w.do(200, "GET", logs+"?until="+stampOf(epoch()), nil)
	if lines := bounded.Header.Values("Link"); len(lines) != 1 || bounded.next() != "" {
		t.Errorf("a bounded request that has come to its end has no next page, got %q", lines)
	}
}

func parse(t *testing.T, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// TestReadersGetWhatTheLedgerSays reads through every trouble there is, and an outage.
func TestReadersGetWhatTheLedgerSays(t *testing.T) {
	w := newCheckedWorld(t, oktasim.Options{Log: oktasim.LogTrouble{
		Lag: time.Second, LateEvery: 3, LateBy: time.Minute, TwiceEvery: 5, TwiceAfter: 30 * time.Second, Disorder: time.Minute,
	}})
	batch := oktasim.LogBatch{
		Type: "user.session.start", Targets: []oktasim.LogParty{{ID: "0oa1", Type: "AppInstance"}}, IP: "192.0.2.1", Step: time.Second,
	}
	if err := w.org.AddLogEvents(100, batch); err != nil {
		t.Fatal(err)
	}
	w.org.Inject(oktasim.Fault{Path: "^/api/v1/logs$", Nth: 3, Times: 2, Action: oktasim.Status(500, "E0000009")})
	var got []string
	outages := 0
	link := logs + "?limit=7"
	for range 200 {
		r, err := w.try("GET", link, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status == 500 {
			outages++
			continue
		}
		for _, e := range r.List {
			got = append(got, e["uuid"].(string))
		}
		link = r.next()
		w.clock.Step(5 * time.Second)
	}
	ledger := w.org.LogLedger()
	var want []string
	backwards, again, times := 0, 0, map[string]int{}
	for i, entry := range ledger {
		want = append(want, entry.UUID)
		times[entry.UUID]++
		if entry.Again {
			again++
		}
		if i > 0 && entry.Published.Before(ledger[i-1].Published) {
			backwards++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who has read every page must have got the ledger, in its order (-want +got):\n%s", diff)
	}
	// 101 events, for the world has an API token, of which 20 are shown twice.
	if len(ledger) != 121 || len(times) != 101 || again != 20 || backwards == 0 || outages != 2 {
		t.Errorf("%d entries of %d events, %d again, %d backwards, %d outages", len(ledger), len(times), again, backwards, outages)
	}
}

func TestLogIsScriptedFromAnotherProcess(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.do(200, "POST", "/_sim/settings", object{"log": object{"cursorLifetime": time.Hour}})
	w.do(200, "POST", "/_sim/logs", object{
		"count": 3, "type": "user.session.start", "result": "FAILURE", "reason": "INVALID_CREDENTIALS", "step": time.Second,
		"actor":   object{"id": "00u1", "type": "User", "alternateId": "jane@example.com", "displayName": "Jane"},
		"targets": []object{{"id": "0oa1", "type": "AppInstance"}}, "first": epoch().Add(time.Second), "debug": object{"padding": "xyz"},
	})
	link := w.do(200, "GET", logs, nil).next()
	w.clock.Step(2 * time.Second)
	r := w.do(200, "GET", link, nil)
	if len(r.List) != 2 || dig(r.List[0], "actor", "id") != "00u1" || dig(r.List[0], "debugContext", "debugData", "padding") != "xyz" {
		t.Fatalf("two of the three have come, got %s", r.Raw)
	}
	w.clock.Step(time.Hour)
	var got []string
	for _, entry := range w.do(200, "GET", "/_sim/logledger?after=1&limit=2", nil).List {
		got = append(got, fmt.Sprint(entry["seq"], entry["eventType"], entry["published"], entry["targets"]))
	}
	want := []string{"2user.session.start2026-09-01T12:00:01Z[0oa1]", "3user.session.start2026-09-01T12:00:02Z[0oa1]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the ledger differs (-want +got):\n%s", diff)
	}
	w.do(200, "GET", r.next(), nil)
	w.clock.Step(time.Second)
	w.do(400, "GET", r.next(), nil)
	for _, bad := range []object{{"count": 1}, {"count": -1, "type": "x"}, {"count": 1, "type": "x", "nonsense": 1}} {
		w.do(http.StatusBadRequest, "POST", "/_sim/logs", bad)
	}
	w.do(http.StatusBadRequest, "GET", "/_sim/logledger?after=x", nil)
}
