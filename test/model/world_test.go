package model

import (
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/fault"
)

const (
	// horizon is how long nothing may happen before the world counts as quiet: more
	// than the minute for which Okta's lists may lag.
	horizon = 3 * time.Minute
	// patience is how much longer every object has for one more look, for the operator
	// looks again after 10 minutes at what Okta has refused.
	patience = 11 * time.Minute
	// livelock is how many reconciliations may follow one action.
	livelock = 600
)

// tester is what a world needs of *testing.T or *rapid.T.
type tester interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// conditions are what kind of world a sequence plays in.
type conditions struct {
	// listLag and getLag are how late Okta shows what is new.
	listLag, getLag time.Duration
	// limits are Okta's rate limits.
	limits oktasim.Limits
	// lastFirst takes the latest of the objects that are due together first.
	lastFirst bool
}

// world is an org, a cluster, and the operator between them, in virtual time and
// in one goroutine.
type world struct {
	tester
	conditions
	clock   *testingclock.FakeClock
	org     *oktasim.Org
	kube    *kube
	admin   face
	person  *person
	process *process
	journal journal
	memory  memory
	foreign foreign
	faults  fault.Script
	// calm tells that nothing goes wrong now, for the test looks.
	calm bool

	operatorToken string
	// secrets are everything that must not be shown, with what it is.
	secrets map[string]string
	// answers are those of Okta to token requests of agents.
	answers map[string]string
	// agreed are the versions of objects whose status was checked.
	agreed   map[ref]string
	readings map[string]reading
	outcomes map[ref]*outcome
	// activity is when something happened last.
	activity time.Time
	// console is the id of the app that people sign in to, mappedTo of the policy it began with.
	console, mappedTo string
	// tellings says how a watch tells the nth change since the world began, from 0; nil
	// is at once. toldOf counts them.
	tellings func(n int) telling
	toldOf   int
	// deaths are those that the next processes die, one each.
	deaths []death
	// reconciles and writes count since the world began; writes are those that the
	// operator made or tried, in Okta or in Kubernetes.
	reconciles, writes, restarts int
	// saved is the latest backup.
	saved copyOfCluster
	// history are the actions so far, in words, and what the last one led to.
	history, traced []string
}

var shared = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
})

func newWorld(t tester, c conditions) *world {
	start := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	w := &world{
		tester: t, conditions: c, clock: testingclock.NewFakeClock(start), activity: start,
		memory: newMemory(), readings: map[string]reading{}, secrets: map[string]string{}, answers: map[string]string{}, agreed: map[ref]string{},
	}
	w.org = oktasim.New(oktasim.Options{
		BaseURL: orgURL, Clock: w.clock, Limits: c.limits, ListLag: c.listLag, GetLag: c.getLag, Seed: 1,
	})
	w.operatorToken = w.org.AddAPIToken()
	w.secrets[w.operatorToken] = "the operator's token"
	w.person = &person{world: w, token: w.org.AddAPIToken()}
	w.kube = newKube(shared(), w.clock)
	w.kube.told = w.kubeWritten
	w.admin = face{kube: w.kube, view: func() objects { return w.kube.objects }}
	for _, name := range namespaces {
		w.must(w.kube.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	w.plantForeign()
	w.settleIn()
	w.process = w.startProcess()
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.broken("the harness itself", "%v", err)
	}
}

// broken ends the sequence: a promise does not hold. What is said must be the same
// in every run of the sequence; what is not goes to Logf before.
func (w *world) broken(promise, format string, args ...any) {
	w.Helper()
	w.Logf("\n\t%s\n\t%s", w.conditions, strings.Join(w.history, "\n\t"))
	w.Logf("since the last action:\n\t%s\n\tcalls:%s", strings.Join(lastOf(w.traced, 40), "\n\t"), w.process.seam.lastCalls(40))
	w.Fatalf("the promise %q does not hold: %s", promise, fmt.Sprintf(format, args...))
}

func lastOf(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func (w *world) trace(line string) { w.traced = append(w.traced, line) }

// stir tells that something happens just now.
func (w *world) stir() { w.activity = w.clock.Now() }

// oktaWritten hears of every request of the operator that is not a GET, carried out
// or not.
func (w *world) oktaWritten(method, path string) {
	w.activity = w.clock.Now()
	w.writes++
	w.trace("    Okta " + method + " " + path)
	w.watchApps()
}

// kubeWritten hears of every write in Kubernetes, whoever made it.
func (w *world) kubeWritten(c change) {
	w.activity = w.clock.Now()
	w.journal.object(c)
	w.memory.learn(c)
	w.material(c)
	if w.process != nil && w.process.reconciling {
		w.writes++
		w.trace("    Kubernetes " + c.verb() + " " + c.ref.String())
	}
}

func (c change) verb() string {
	switch {
	case c.old == nil:
		return "create"
	case c.new == nil:
		return "remove"
	}
	return "change"
}

// settle lets the operator work until nothing has happened for the horizon.
func (w *world) settle() {
	w.Helper()
	w.activity = w.clock.Now()
	begun := w.reconciles
	for {
		w.process.catchUp()
		r, due := w.process.next(w.matters)
		if due.IsZero() {
			break
		}
		if due.After(w.clock.Now()) {
			w.clock.SetTime(due)
		}
		w.process.reconcile(r)
		if w.process.seam.dead {
			w.trace("    the process dies of " + w.process.seam.died)
			w.restart(5 * time.Second)
		}
		if w.reconciles-begun > livelock {
			w.broken("the operator comes to rest", "%d reconciliations after one action", livelock)
		}
	}
	if quiet := w.activity.Add(horizon); quiet.After(w.clock.Now()) {
		w.clock.SetTime(quiet)
	}
}

// matters tells a turn that may still change something: one before the horizon, or
// the first after it.
func (w *world) matters(r ref, due time.Time) bool {
	quiet := w.activity.Add(horizon)
	if !due.After(quiet) {
		return true
	}
	o := w.outcomes[r]
	return !due.After(w.activity.Add(patience)) && (o == nil || !o.at.After(quiet))
}

// restart starts another process after a pause.
func (w *world) restart(pause time.Duration) {
	w.clock.Step(pause)
	w.activity = w.clock.Now()
	w.process = w.startProcess()
	w.restarts++
	w.memory.stale = false
}

// pass lets the time go by in which nobody but the operator does anything.
func (w *world) pass(d time.Duration) {
	end := w.clock.Now().Add(d)
	for {
		_, due := w.process.next(func(ref, time.Time) bool { return true })
		if due.IsZero() || due.After(end) {
			break
		}
		if due.After(w.clock.Now()) {
			w.clock.SetTime(due)
		}
		w.settle()
	}
	if end.After(w.clock.Now()) {
		w.clock.SetTime(end)
	}
}
