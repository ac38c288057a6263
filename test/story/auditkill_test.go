package story

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

var (
	auditEvents = flag.Int("story.audit-events", 20_000, "how many events TestAuditKillNine has happen")
	auditKills  = flag.Int("story.audit-kills", 5, "how often TestAuditKillNine kills the operator")
)

// TestAuditKillNine kills the real program again and again while events happen that are late,
// out of order and told twice, and while receivers are down now and then, of which there is
// one of every kind. Each gets every event, in the order in which Okta wrote them down; what comes
// twice has the same id. It is counted by the simulated org's own ledger.
func TestAuditKillNine(t *testing.T) {
	w := newWorld(t, oktasim.Options{Log: oktasim.LogTrouble{
		Lag: 50 * time.Millisecond, LateEvery: 97, LateBy: 3 * time.Second, TwiceEvery: 101, TwiceAfter: time.Second, Disorder: 2 * time.Second,
	}})
	w.bindRole("audit_role.yaml")
	receivers := w.everyKind()
	flaky := map[int]*collector{0: receivers["ocsf"], 1: receivers["splunk"], 2: receivers["otlp-http"]}
	w.configured = fmt.Sprintf(`
audit: {pollInterval: 5s, allowedNetworks: [127.0.0.0/8]}
manager: {healthProbeBindAddress: "0", leaderElection: Disabled, leaderElectionNamespace: %s}
`, w.namespace)
	program := w.program()
	from := len(w.org.LogLedger())
	chance := rand.New(rand.NewPCG(1, 0))
	started := time.Now()
	share := *auditEvents / *auditKills
	for kill := range *auditKills {
		process := program.start(t)
		for turn, c := range flaky {
			c.turn(kill%len(flaky) == turn)
		}
		for range 10 {
			err := w.org.AddLogEvents(share/10, oktasim.LogBatch{Type: "user.session.start"})
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Duration(20+chance.IntN(200)) * time.Millisecond)
		}
		process.kill(t)
	}
	for _, c := range flaky {
		c.turn(false)
	}
	process := program.start(t)
	for _, name := range slices.Sorted(maps.Keys(receivers)) {
		c := receivers[name]
		w.patiently(10*time.Minute, "the receiver "+name+" has everything", func() bool { return w.missing(c, from) == "" })
		if name != "kafka" { // which keeps the order of one agent's only
			w.mustBeInOrder(name, c, from)
		}
		repeated := c.repeated()
		if most := *auditKills * 1000; repeated > most {
			t.Errorf("%s: %d events came again; want a page for each kill at most, %d", name, repeated, most)
		}
		t.Logf("%s: %d events, none lost, %d again", name, len(c.all()), repeated)
	}
	process.kill(t)
	t.Logf("%d events, %d kills, %s", *auditEvents, *auditKills, time.Since(started).Round(time.Second))
}

// missing names an event of the ledger that did not come.
func (w *world) missing(c *collector, from int) string {
	for _, entry := range w.org.LogLedgerAfter(from, 0) {
		if !c.has(entry.UUID) {
			return entry.UUID
		}
	}
	return ""
}

// mustBeInOrder holds the first comings against the order in which Okta wrote the events down.
func (w *world) mustBeInOrder(name string, c *collector, from int) {
	w.Helper()
	place := map[string]int{}
	for i, entry := range w.org.LogLedgerAfter(from, 0) {
		if _, again := place[entry.UUID]; !again {
			place[entry.UUID] = i
		}
	}
	last := -1
	for _, e := range c.all() {
		at, known := place[e.ID]
		if !known {
			// The operator's own, or from before.
			continue
		}
		if at < last {
			w.Fatalf("%s: event %s came after a later one", name, e.ID)
		}
		last = at
	}
}

// repeated counts what came again.
func (c *collector) repeated() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, times := range c.times {
		n += times - 1
	}
	return n
}

// patiently waits for longer than other stories, and looks less often.
func (w *world) patiently(most time.Duration, what string, done func() bool) {
	w.Helper()
	for deadline := time.Now().Add(most); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		if done() {
			return
		}
	}
	w.Fatalf("it does not come to be that %s", what)
}
