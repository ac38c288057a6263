package governor

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func apps() Class { return Class{Name: "apps", Assumed: 20} }

func noon() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

// reading is an answer of a limit of 100 with so many left, in a window that ends
// a minute after noon.
func reading(remaining int) Reading {
	return Reading{Answered: true, Limit: 100, Remaining: remaining, Reset: noon().Add(time.Minute)}
}

// spend makes n calls of the namespace and gives how many were let out.
func spend(g *Governor, now time.Time, caller Caller, n int, answer Reading) int {
	sent := 0
	for i := range n {
		caller.Object = strconv.Itoa(i)
		ticket, refusal := g.Reserve(now, apps(), caller)
		if refusal != nil {
			continue
		}
		g.Settle(now, ticket, answer)
		sent++
	}
	return sent
}

func TestShare(t *testing.T) {
	type call struct {
		caller Caller
		n      int
		want   int
	}
	urgent, newcomer := Caller{Namespace: "a", Urgent: true}, Caller{Namespace: "b", Urgent: true}
	for name, test := range map[string]struct {
		reason string
		share  int
		answer Reading
		calls  []call
	}{
		"half":            {"half of 100 is 50, of which a tenth is kept for revocations", 50, reading(99), []call{{Caller{}, 100, 45}, {urgent, 100, 4}, {newcomer, 100, 1}}},
		"small":           {"of a small budget three calls are kept", 20, reading(99), []call{{Caller{}, 100, 17}, {urgent, 100, 2}, {newcomer, 100, 1}}},
		"tiny":            {"of a tiny budget half is kept", 4, reading(99), []call{{Caller{}, 100, 2}, {urgent, 100, 1}, {newcomer, 100, 1}}},
		"one":             {"one call is let out whatever the share", 1, reading(99), []call{{Caller{}, 100, 1}, {urgent, 100, 0}}},
		"urgent first":    {"revocations may use all of the budget, one namespace's all but one call", 50, reading(99), []call{{urgent, 100, 49}, {Caller{}, 100, 0}, {newcomer, 100, 1}}},
		"operator":        {"the operator itself may use all of the budget", 50, reading(99), []call{{Caller{Urgent: true}, 100, 50}}},
		"used by others":  {"nothing is sent that Okta would refuse", 50, reading(0), []call{{Caller{}, 100, 1}, {urgent, 100, 0}}},
		"predecessor":     {"what a process before us used in this window is ours", 50, reading(70), []call{{Caller{}, 100, 16}, {urgent, 100, 4}, {newcomer, 100, 1}}},
		"no headers":      {"without headers the smallest published limit is assumed, one call at a time", 50, Silent(), []call{{Caller{}, 100, 7}, {urgent, 100, 2}, {newcomer, 100, 1}}},
		"garbage headers": {"garbage is no limit", 50, Reading{Answered: true, Limit: -1, Remaining: -1}, []call{{Caller{}, 100, 7}}},
	} {
		t.Run(name, func(t *testing.T) {
			g := New(Options{Share: test.share, MaxInFlight: 8})
			for i, c := range test.calls {
				if got := spend(g, noon(), c.caller, c.n, test.answer); got != c.want {
					t.Errorf("%s: of calls %d were sent %d, want %d", test.reason, i, got, c.want)
				}
			}
		})
	}
}

func TestWindows(t *testing.T) {
	type step struct {
		at    time.Duration
		reset time.Duration
		n     int
		want  int
	}
	for name, test := range map[string]struct {
		reason string
		steps  []step
	}{
		"next window":   {"the budget comes back a second after the end told", []step{{0, 60, 100, 45}, {60, 120, 10, 0}, {61, 120, 100, 45}}},
		"same window":   {"an end told a second later is the same window", []step{{0, 60, 20, 20}, {1, 61, 100, 25}}},
		"late answer":   {"an answer from the window before does not count in this", []step{{0, 60, 45, 45}, {61, 60, 1, 1}, {62, 120, 100, 45}}},
		"leapt clock":   {"a clock that leapt ahead does not end the window", []step{{0, 60, 40, 40}, {65, 60, 0, 0}, {30, 60, 100, 5}}},
		"far reset":     {"an end an hour away is garbage; the window lasts a minute", []step{{0, 3600, 100, 45}, {62, 120, 100, 45}}},
		"lost answer":   {"an end guessed without an answer gives way to the one told", []step{{0, 0, 1, 1}, {1, 40, 100, 44}, {2, 40, 9, 0}, {42, 100, 100, 45}}},
		"another limit": {"an end that cannot be this bucket's does not open a window", []step{{0, 60, 40, 40}, {10, 80, 100, 5}}},
	} {
		t.Run(name, func(t *testing.T) {
			g := New(Options{Share: 50, MaxInFlight: 8})
			g.bucket(apps()).known, g.bucket(apps()).limit = true, 100
			for i, s := range test.steps {
				now := noon().Add(s.at * time.Second)
				answer := Reading{Answered: true, Limit: 100, Remaining: unknown, Reset: noon().Add(s.reset * time.Second)}
				if s.reset == 0 {
					answer = Silent()
				}
				if got := spend(g, now, Caller{}, s.n, answer); got != s.want {
					t.Errorf("%s: step %d sent %d, want %d", test.reason, i, got, s.want)
				}
			}
		})
	}
}

func TestTooMany(t *testing.T) {
	at := func(seconds int) time.Time { return noon().Add(time.Duration(seconds) * time.Second) }
	for name, test := range map[string]struct {
		reason string
		reset  time.Time
		closed time.Duration
	}{
		"reset":      {"closed until the window ends", at(30), 31 * time.Second},
		"missing":    {"a window lasts a minute", time.Time{}, time.Minute},
		"past":       {"a reset in the past is looked at again soon", at(-100), 5 * time.Second},
		"far future": {"nobody is kept waiting longer than 90 s", at(86400), 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			g := New(Options{Share: 50, MaxInFlight: 8})
			ticket, _ := g.Reserve(noon(), apps(), Caller{})
			g.Settle(noon(), ticket, Reading{Answered: true, TooMany: true, Limit: 100, Remaining: 0, Reset: test.reset})
			for _, urgent := range []bool{false, true} {
				_, refusal := g.Reserve(noon(), apps(), Caller{Urgent: urgent})
				if refusal == nil || refusal.Wait < test.closed || refusal.Wait > test.closed+maxJitter {
					t.Errorf("%s: got %+v, want a refusal for %s", test.reason, refusal, test.closed)
				}
			}
			if _, refusal := g.Reserve(noon().Add(test.closed+maxJitter), Class{Name: "groups", Assumed: 100}, Caller{}); refusal != nil {
				t.Errorf("%s: another bucket is closed, too: %+v", test.reason, refusal)
			}
			if _, refusal := g.Reserve(noon().Add(max(test.closed, 62*time.Second)), apps(), Caller{}); refusal != nil {
				t.Errorf("%s: still closed afterwards: %+v", test.reason, refusal)
			}
		})
	}
}

func TestConcurrency(t *testing.T) {
	g := New(Options{Share: 100, MaxInFlight: 8})
	spend(g, noon(), Caller{}, 1, Reading{Answered: true, Limit: 1000, Remaining: 999, Reset: noon().Add(time.Minute)})
	fly := func(now time.Time) (tickets []Ticket) {
		for range 20 {
			if ticket, refusal := g.Reserve(now, apps(), Caller{Urgent: true}); refusal == nil {
				tickets = append(tickets, ticket)
			}
		}
		return tickets
	}
	land := func(now time.Time, tickets []Ticket, r Reading) {
		for _, ticket := range tickets {
			g.Settle(now, ticket, r)
		}
	}
	good := Reading{Answered: true, Limit: 1000, Remaining: 900, Reset: noon().Add(time.Minute)}
	burst := fly(noon())
	land(noon(), burst, Reading{Answered: true, TooMany: true, Limit: 0, Remaining: 0, Reset: noon().Add(15 * time.Second)})
	var got []int
	for second := range 4 {
		now := noon().Add(time.Duration(second) * time.Second)
		tickets := fly(now)
		got = append(got, len(tickets))
		land(now, tickets, good)
	}
	if diff := cmp.Diff([]int{4, 8, 8, 8}, got); diff != "" || len(burst) != 8 {
		t.Errorf("calls under way by second after %d met the concurrency limit (-want +got):\n%s", len(burst), diff)
	}
	var routine int
	for range 20 {
		if _, refusal := g.Reserve(noon().Add(5*time.Second), apps(), Caller{}); refusal == nil {
			routine++
		}
	}
	if routine != 7 {
		t.Errorf("%d calls that are not urgent are under way, want 7 and a place kept", routine)
	}
}

func TestUnknownBucketLearnsFirst(t *testing.T) {
	g := New(Options{Share: 50, MaxInFlight: 8})
	ticket, _ := g.Reserve(noon(), apps(), Caller{})
	if _, refusal := g.Reserve(noon(), apps(), Caller{}); refusal == nil || refusal.Wait > time.Second {
		t.Errorf("a second call is sent before the limit is known: %+v", refusal)
	}
	g.Settle(noon(), ticket, reading(99))
	if got := spend(g, noon(), Caller{}, 10, reading(90)); got != 10 {
		t.Errorf("%d of 10 calls are sent once the limit is known", got)
	}
}

// TestFairness lets a namespace with thousands of waiting calls come first, always,
// and holds that one with five gets them in the next window.
func TestFairness(t *testing.T) {
	g := New(Options{Share: 50, MaxInFlight: 8})
	many, few, late := Caller{Namespace: "many"}, Caller{Namespace: "few"}, Caller{Namespace: "late"}
	answer := func(window int) Reading {
		return Reading{Answered: true, Limit: 100, Remaining: unknown, Reset: noon().Add(time.Duration(window) * time.Minute)}
	}
	if got := spend(g, noon(), many, 4000, answer(1)); got != 45 {
		t.Fatalf("alone, a namespace gets %d calls, want 45", got)
	}
	if got := spend(g, noon(), few, 5, answer(1)); got != 0 {
		t.Fatalf("a spent budget gave %d calls", got)
	}
	next := noon().Add(61 * time.Second)
	got := []int{
		spend(g, next, many, 4000, answer(2)), spend(g, next, few, 5, answer(2)),
		spend(g, next, late, 5, answer(2)), spend(g, next.Add(35*time.Second), many, 4000, answer(2)),
	}
	if diff := cmp.Diff([]int{40, 5, 0, 0}, got); diff != "" {
		t.Errorf("calls of many, few, late and many again (-want +got):\n%s", diff)
	}
	third := noon().Add(122 * time.Second)
	got = []int{
		spend(g, third, many, 4000, answer(3)),
		spend(g, third.Add(40*time.Second), many, 4000, answer(3)), spend(g, third.Add(40*time.Second), late, 1, answer(3)),
	}
	if diff := cmp.Diff([]int{40, 5, 0}, got); diff != "" {
		t.Errorf("what is kept for one who does not come is free in the second half (-want +got):\n%s", diff)
	}
}

// TestUrgentFairness lets a namespace take access away without end, and holds that the others
// come to theirs, urgent or not, within a window.
func TestUrgentFairness(t *testing.T) {
	g := New(Options{Share: 50, MaxInFlight: 8})
	many, few, late := Caller{Namespace: "many", Urgent: true}, Caller{Namespace: "few", Urgent: true}, Caller{Namespace: "late", Urgent: true}
	plain := Caller{Namespace: "plain"}
	answer := func(window int) Reading {
		return Reading{Answered: true, Limit: 100, Remaining: unknown, Reset: noon().Add(time.Duration(window) * time.Minute)}
	}
	got := []int{
		spend(g, noon(), many, 4000, answer(1)), spend(g, noon(), few, 3, answer(1)), spend(g, noon(), late, 1, answer(1)),
		spend(g, noon(), plain, 4000, answer(1)),
	}
	if diff := cmp.Diff([]int{49, 1, 0, 0}, got); diff != "" {
		t.Errorf("calls of many, of few and of late in the first window, and those that are not urgent (-want +got):\n%s", diff)
	}
	next := noon().Add(61 * time.Second)
	got = []int{
		spend(g, next, many, 4000, answer(2)), spend(g, next, few, 2, answer(2)), spend(g, next, late, 1, answer(2)),
		spend(g, next, plain, 4000, answer(2)), spend(g, next.Add(35*time.Second), many, 4000, answer(2)),
	}
	if diff := cmp.Diff([]int{26, 1, 1, 21, 0}, got); diff != "" {
		t.Errorf("calls of many, few, late, those that are not urgent, and many again (-want +got):\n%s", diff)
	}
}

func TestClassOf(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/apps":                                                 "apps",
		"/api/v1/apps/0oa1":                                            "app",
		"/api/v1/apps/0oa1/lifecycle/deactivate":                       "apps",
		"/api/v1/apps/0oa1/credentials/jwks":                           "apps",
		"/api/v1/apps/0oa1/credentials/secrets/ocs1":                   "apps",
		"/api/v1/apps/0oa1/credentials/jwks/pks1/lifecycle/deactivate": "apps",
		"/oauth2/aus1/v1/revoke":                                       "token",
		"/api/v1/groups":                                               "groups",
		"/api/v1/groups/00g1":                                          "group",
		"/api/v1/groups/00g1/users/00u1":                               "groups",
		"/api/v1/authorizationServers":                                 "api",
		"/api/v1/authorizationServers/aus1/scopes":                     "api",
		"/api/v1/org/settings/clientPrivilegesSetting":                 "api",
		"/api/v1/logs":                                                 "logs",
		"/oauth2/v1/token":                                             "token",
		"/oauth2/aus1/v1/token":                                        "token",
		"/oauth2/v1/clients/x":                                         "clients",
		"/elsewhere":                                                   "other",
		"/api/v1/appsish":                                              "api",
	} {
		if got := ClassOf(path).Name; got != want {
			t.Errorf("ClassOf(%s) = %s, want %s", path, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "0", "-1", "100", "99999999999999999999", "1767268800", "1e3", " 5", "٣"} {
		f.Add(429, seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, status int, limit, remaining, reset string) {
		header := http.Header{}
		header.Set("X-Rate-Limit-Limit", limit)
		header.Set("X-Rate-Limit-Remaining", remaining)
		header.Set("X-Rate-Limit-Reset", reset)
		r := Read(status, header)
		if r.Limit < -1 || r.Limit > maxLimit || r.Remaining < -1 || r.Remaining > maxLimit {
			t.Errorf("the reading is out of bounds: %+v", r)
		}
		g := New(Options{Share: 50, MaxInFlight: 8})
		ticket, _ := g.Reserve(noon(), apps(), Caller{})
		g.Settle(noon(), ticket, r)
		if _, refusal := g.Reserve(noon(), apps(), Caller{Urgent: true}); refusal != nil && (refusal.Wait <= 0 || refusal.Wait > longest+maxJitter) {
			t.Errorf("headers %s make us wait %s", strconv.Quote(limit+" "+remaining+" "+reset), refusal.Wait)
		}
	})
}

// TestLent: what is kept for revocations and was not needed is lent when the window is about to
// end, to as many as were told to come then.
func TestLent(t *testing.T) {
	g := New(Options{Share: 50, MaxInFlight: 8})
	routine := Caller{Namespace: "a"}
	if sent := spend(g, noon(), routine, 45, reading(99)); sent != 45 {
		t.Fatalf("%d were sent, want 45", sent)
	}
	soon, late := 0, 0
	for i := range 10 {
		routine.Object = strconv.Itoa(i)
		_, refusal := g.Reserve(noon().Add(10*time.Second), apps(), routine)
		switch {
		case refusal == nil:
			t.Fatal("what is kept was given at once")
		case refusal.Wait >= 46*time.Second && refusal.Wait < 50*time.Second:
			soon++
		case refusal.Wait >= 51*time.Second:
			late++
		default:
			t.Errorf("told to wait %s", refusal.Wait)
		}
	}
	if soon != 2 || late != 8 {
		t.Errorf("%d were told to come when the window lends, and %d when it is over; want 2 and 8", soon, late)
	}
	if sent := spend(g, noon().Add(57*time.Second), routine, 10, reading(99)); sent != 2 {
		t.Errorf("%d were lent, want 2", sent)
	}
	for i, want := range []int{2, 1} {
		urgent := Caller{Namespace: strconv.Itoa(i), Urgent: true}
		if sent := spend(g, noon().Add(58*time.Second), urgent, 10, reading(99)); sent != want {
			t.Errorf("%d revocations of a namespace were let out at the end, want %d", sent, want)
		}
	}
	if sent := spend(g, noon().Add(59*time.Second), routine, 10, reading(99)); sent != 0 {
		t.Errorf("%d were sent beyond the share", sent)
	}
	next := reading(99)
	next.Reset = noon().Add(2 * time.Minute)
	if sent := spend(g, noon().Add(62*time.Second), routine, 100, next); sent != 45 {
		t.Errorf("%d were sent in the next window, want 45", sent)
	}
}
