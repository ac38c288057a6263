package oktasim_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestRateLimitIsToldAndKept(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsIntegratorFree})
	var r response
	for i := range 10 {
		r = w.do(200, "GET", "/api/v1/apps", nil)
		if got := r.Header.Get("X-Rate-Limit-Remaining"); got != strconv.Itoa(19-i) {
			t.Fatalf("request %d: %s remaining", i+1, got)
		}
	}
	limited := w.do(429, "GET", "/api/v1/apps", nil)
	got := map[string]string{
		"code": limited.text("errorCode"), "limit": limited.Header.Get("X-Rate-Limit-Limit"),
		"remaining": limited.Header.Get("X-Rate-Limit-Remaining"), "retry": limited.Header.Get("Retry-After"),
		"date": limited.Header.Get("Date"),
	}
	want := map[string]string{"code": "E0000047", "limit": "20", "remaining": "0", "retry": "", "date": "Tue, 01 Sep 2026 12:00:00 GMT"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("half of 20 is one principal's share (-want +got):\n%s", diff)
	}
	w.do(404, "GET", "/api/v1/apps/0oaNone", nil)
	w.auth = "SSWS " + w.org.AddAPIToken()
	w.do(200, "GET", "/api/v1/apps", nil)

	reset, err := strconv.ParseInt(limited.Header.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.SetTime(time.Unix(reset, 0))
	r = w.do(200, "GET", "/api/v1/apps", nil)
	if got := r.Header.Get("X-Rate-Limit-Remaining"); got != "19" {
		t.Errorf("a new window is full, got %s", got)
	}
}

func TestEveryAnswerHasARequestID(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	for _, path := range []string{"/api/v1/apps", "/.well-known/okta-organization", "/nowhere"} {
		r, err := w.try("GET", path, nil)
		if err != nil || r.Header.Get("X-Okta-Request-Id") == "" {
			t.Errorf("GET %s: no request id, %v", path, err)
		}
	}
}

// await waits until n requests wait on the clock.
func (w *world) await() {
	for !w.clock.HasWaiters() {
		runtime.Gosched()
	}
}

func TestTooManyRequestsInFlight(t *testing.T) {
	w := newWorld(t, oktasim.Options{Concurrency: 1})
	w.org.Inject(oktasim.Fault{Nth: 1, Action: oktasim.Slow(time.Minute)})
	slow := make(chan int, 1)
	go func() {
		r, _ := w.try("GET", "/api/v1/apps", nil)
		slow <- r.Status
	}()
	w.await()
	r := w.do(429, "GET", "/api/v1/groups", nil)
	got := []string{r.text("errorCode"), r.Header.Get("X-Rate-Limit-Limit"), r.Header.Get("X-Rate-Limit-Remaining")}
	if diff := cmp.Diff([]string{"E0000047", "0", "0"}, got); diff != "" {
		t.Errorf("a limit of 0 tells concurrency from rate (-want +got):\n%s", diff)
	}
	w.clock.Step(time.Minute)
	if status := <-slow; status != 200 {
		t.Errorf("the slow request goes on, got %d", status)
	}
	w.do(200, "GET", "/api/v1/groups", nil)
}

func TestPrioritiesAreLocked(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	server, _ := w.newServer("read")
	w.org.Inject(oktasim.Fault{Method: "POST", Path: "policies$", Nth: 1, Action: oktasim.Slow(time.Minute)})
	slow := make(chan int, 1)
	go func() {
		r, _ := w.try("POST", server+"/policies", policyBody("first", "ALL_CLIENTS"))
		slow <- r.Status
	}()
	w.await()
	r := w.do(423, "POST", server+"/policies", policyBody("second", "ALL_CLIENTS"))
	if r.text("errorCode") != "E0000239" {
		t.Errorf("got %s", r.Raw)
	}
	w.do(200, "GET", server+"/policies", nil)
	w.clock.Step(time.Minute)
	if status := <-slow; status != 201 {
		t.Errorf("the first one wins, got %d", status)
	}
	w.do(201, "POST", server+"/policies", policyBody("second", "ALL_CLIENTS"))
}

func TestNewObjectsLag(t *testing.T) {
	w := newWorld(t, oktasim.Options{ListLag: 30 * time.Second, GetLag: 5 * time.Second})
	app := "/api/v1/apps/" + w.do(200, "POST", "/api/v1/apps", serviceApp("agent-one", "one")).text("id")
	seen := func() (inGet, inList bool) {
		r, err := w.try("GET", app, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Status == 200, len(w.do(200, "GET", "/api/v1/apps", nil).List) == 1
	}
	steps := []struct {
		after         time.Duration
		inGet, inList bool
	}{{0, false, false}, {5 * time.Second, true, false}, {25 * time.Second, true, true}}
	for _, step := range steps {
		w.clock.Step(step.after)
		if inGet, inList := seen(); inGet != step.inGet || inList != step.inList {
			t.Errorf("after another %v: got %v and %v, want %v and %v", step.after, inGet, inList, step.inGet, step.inList)
		}
	}
	// What was there before is never late, and uniqueness does not wait for the lag.
	w.do(400, "POST", "/api/v1/apps", serviceApp("agent-one", "one"))
	w.do(200, "POST", app+"/lifecycle/deactivate", nil)
}

// TestOperationsTellTheirWindow: each names the window in which its bucket counted or refused it.
func TestOperationsTellTheirWindow(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsIntegratorFree})
	w.do(200, "GET", "/api/v1/apps", nil)
	before := w.org.OperationCount()
	for range 9 {
		w.do(200, "GET", "/api/v1/apps", nil)
	}
	limited := w.do(429, "GET", "/api/v1/apps", nil)
	reset, err := strconv.ParseInt(limited.Header.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	first := time.Unix(reset, 0).Add(-time.Minute)
	w.clock.SetTime(time.Unix(reset, 0))
	w.do(200, "GET", "/api/v1/apps", nil)
	w.do(200, "GET", "/.well-known/okta-organization", nil)
	got := map[time.Time]int{}
	for _, op := range w.org.OperationsSince(before) {
		got[op.Window.UTC()]++
	}
	want := map[time.Time]int{first.UTC(): 10, time.Unix(reset, 0).UTC(): 1, {}: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations by their windows (-want +got):\n%s", diff)
	}
	if got := len(w.org.OperationsSince(w.org.OperationCount() + 1)); got != 0 {
		t.Errorf("%d operations come after the last", got)
	}
}
