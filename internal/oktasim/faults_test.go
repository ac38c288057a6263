package oktasim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestFaults(t *testing.T) {
	tests := map[string]struct {
		reason string
		fault  oktasim.Fault
		// status is what the client gets; 0 is no answer.
		status int
		body   string
		// committed tells whether the app exists afterwards.
		committed bool
		logged    []int
	}{
		"dropped": {
			reason: "never carried out",
			fault:  oktasim.Fault{Phase: oktasim.Before, Action: oktasim.Drop()}, logged: []int{0},
		},
		"lost answer": {
			reason: "carried out, and nobody knows",
			fault:  oktasim.Fault{Phase: oktasim.AfterCommit, Action: oktasim.Drop()}, committed: true, logged: []int{200},
		},
		"truncated": {
			reason: "the answer breaks off",
			fault:  oktasim.Fault{Action: oktasim.TruncatedBody()}, committed: true, logged: []int{200},
		},
		"bad gateway after commit": {
			reason: "the answer is a proxy's", status: 502, body: "<html>", committed: true, logged: []int{200},
			fault: oktasim.Fault{Phase: oktasim.AfterCommit, Action: oktasim.HTML502()},
		},
		"server error": {
			reason: "never carried out", status: 500, body: "E0000009", logged: []int{500},
			fault: oktasim.Fault{Action: oktasim.Status(500, "E0000009")},
		},
		"rate limited": {
			reason: "never carried out", status: 429, body: "E0000047", logged: []int{429},
			fault: oktasim.Fault{Action: oktasim.RateLimited(7 * time.Second)},
		},
		"concurrency": {
			reason: "never carried out", status: 429, body: "E0000047", logged: []int{429},
			fault: oktasim.Fault{Action: oktasim.ConcurrencyLimited()},
		},
		"echo": {
			reason: "the error repeats the request", status: 400, body: "a very secret secret", logged: []int{400},
			fault: oktasim.Fault{Action: oktasim.EchoSecrets(400)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			test.fault.Method, test.fault.Path, test.fault.Nth = "POST", "^/api/v1/apps$", 1
			w.org.Inject(test.fault)
			body := serviceApp("agent-one", "one")
			body["credentials"].(object)["oauthClient"].(object)["client_secret"] = "a very secret secret"
			r, err := w.try("POST", "/api/v1/apps", body)
			if (err == nil) != (test.status != 0) || r.Status != test.status || !strings.Contains(string(r.Raw), test.body) {
				t.Errorf("%s: got %d %s, %v", test.reason, r.Status, r.Raw, err)
			}
			if got := len(w.org.Snapshot().Apps) == 1; got != test.committed {
				t.Errorf("%s: committed is %v", test.reason, got)
			}
			var logged []int
			for _, op := range w.org.Operations() {
				logged = append(logged, op.Status)
			}
			if diff := cmp.Diff(test.logged, logged); diff != "" {
				t.Errorf("the log says what the org did (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultOfRateTellsItsReset(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsWorkforce})
	w.org.Inject(oktasim.Fault{Nth: 1, Action: oktasim.RateLimited(7 * time.Second)})
	r := w.do(429, "GET", "/api/v1/apps", nil)
	got := []string{r.Header.Get("X-Rate-Limit-Limit"), r.Header.Get("X-Rate-Limit-Remaining"), r.Header.Get("X-Rate-Limit-Reset")}
	if diff := cmp.Diff([]string{"100", "0", "1788264007"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.org.Inject(oktasim.Fault{Action: oktasim.Drop()})
	w.org.ClearFaults()
	w.do(200, "GET", "/api/v1/apps", nil)
}

func TestControlAPI(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.do(200, "GET", "/_sim/healthz", nil)
	w.do(200, "POST", "/_sim/faults", object{"method": "GET", "path": "^/api/v1/apps$", "action": object{"kind": "status", "status": 503, "errorCode": "E0000010"}})
	w.do(503, "GET", "/api/v1/apps", nil)
	w.do(200, "DELETE", "/_sim/faults", nil)
	w.do(200, "GET", "/api/v1/apps", nil)
	w.do(400, "POST", "/_sim/faults", object{"action": object{"kind": "explode"}})
	w.do(400, "POST", "/_sim/settings", object{"limit": "workforce"})
	w.do(200, "POST", "/_sim/settings", object{
		"limits": "integrator-free", "principalShare": 10, "noAPIAccessManagement": true, "clientsGetSuperAdmin": true,
	})
	w.do(401, "GET", servers, nil)
	if r := w.do(200, "GET", "/api/v1/org/settings/clientPrivilegesSetting", nil); r.Object["clientPrivilegesSetting"] != true {
		t.Errorf("got %s", r.Raw)
	}
	id := w.do(200, "POST", "/_sim/users", object{"login": "jane@example.com"}).text("id")
	if got := w.do(200, "GET", "/api/v1/users/"+id, nil).text("profile", "login"); got != "jane@example.com" {
		t.Errorf("got %s", got)
	}
	var operations []oktasim.Operation
	decode(t, w.do(200, "GET", "/_sim/operations", nil).Raw, &operations)
	if diff := cmp.Diff(w.org.Operations(), operations); diff != "" {
		t.Errorf("the log survives JSON, and holds no control requests (-want +got):\n%s", diff)
	}
	var state oktasim.State
	decode(t, w.do(200, "GET", "/_sim/state", nil).Raw, &state)
	if diff := cmp.Diff(w.org.Snapshot(), state); diff != "" {
		t.Errorf("the state survives JSON (-want +got):\n%s", diff)
	}
	w.do(404, "GET", "/_sim/nowhere", nil)
}
