package story

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/openapicheck"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// patience is how long a story waits for what must come; it is never waited in full.
const patience = 60 * time.Second

var worlds atomic.Int32

// world is one namespace, one org and the operator between them.
type world struct {
	*testing.T
	namespace  string
	org        *oktasim.Org
	orgURL     string
	secrets    string            // directory of the operator's credentials
	token      string            // the operator's API token
	known      map[string]string // key material, by what it is; see material
	adopted    string            // client id of an app that somebody else made
	logger     logr.Logger
	metrics    *prometheus.Registry
	standing   *clocktesting.FakeClock // the clock of the operators, if it is one that stands until it is stepped
	now        func() time.Time        // the time of the org and of the agents
	asking     sync.RWMutex            // is held while an agent asks, for which no time passes
	last       *process                // the operator that was started last
	nudges     atomic.Int32
	configured string              // the end of the configuration, if it is not unconfigured
	witness    func(oktasim.State) // sees the org after each write, before the writer hears of it
	asked      func()              // is called when a token is asked for, before that is answered
}

// newWorld makes a world whose operator signs in with an API token.
func newWorld(t *testing.T, options oktasim.Options) *world {
	t.Helper()
	if options.Limits == "" {
		options.Limits = oktasim.LimitsWorkforce.Scaled(60)
	}
	w := &world{
		T: t, namespace: fmt.Sprintf("story-%d", worlds.Add(1)), org: oktasim.New(options),
		secrets: t.TempDir(), logger: logr.Discard(), metrics: prometheus.NewRegistry(),
		now: time.Now,
	}
	server := httptest.NewServer(w.witnessed(w.checked(w.org)))
	t.Cleanup(server.Close)
	w.orgURL = server.URL
	w.org.SetBaseURL(server.URL)
	w.token = w.org.AddAPIToken()
	w.credential("api_token", w.token)
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})
	t.Cleanup(func() {
		for _, unknown := range w.org.Unknown() {
			t.Errorf("the operator asked Okta for something it does not know: %s", unknown)
		}
	})
	return w
}

// newStandingWorld makes a world in which the org, the operators and the agents have one
// clock, which stands until the story lets time pass.
func newStandingWorld(t *testing.T, from time.Time, options oktasim.Options) *world {
	t.Helper()
	clock := clocktesting.NewFakeClock(from)
	options.Clock = clock
	w := newWorld(t, options)
	w.standing, w.now = clock, clock.Now
	return w
}

// pass lets time pass, and makes the operator look at all keys.
func (w *world) pass(d time.Duration) {
	w.Helper()
	w.asking.Lock()
	w.standing.Step(d)
	w.asking.Unlock()
	w.nudgeByNamespace()
}

// witnessed shows what the org holds after each write, and that a token is asked for, to who
// wants to see it.
func (w *world) witnessed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.asked != nil && strings.HasSuffix(r.URL.Path, "/v1/token") {
			w.asked()
		}
		h.ServeHTTP(rw, r)
		if w.witness != nil && r.Method != http.MethodGet && !strings.HasPrefix(r.URL.Path, "/oauth2/") {
			w.witness(w.org.Snapshot())
		}
	})
}

// checked holds every exchange against Okta's OpenAPI description where it is at hand.
func (w *world) checked(h http.Handler) http.Handler {
	dir := os.Getenv("OKTA_DATA")
	if dir == "" {
		w.Log("OKTA_DATA is unset: exchanges are not checked against Okta's OpenAPI description")
		return h
	}
	checker, err := openAPI(dir)
	if err != nil {
		w.Fatal(err)
	}
	return checker.Wrap(h, func(problem string) { w.Errorf("not as Okta's OpenAPI description has it: %s", problem) })
}

// openAPI reads Okta's description once: it is large.
var openAPI = func() func(string) (*openapicheck.Checker, error) {
	var once sync.Once
	var checker *openapicheck.Checker
	var err error
	return func(dir string) (*openapicheck.Checker, error) {
		once.Do(func() { checker, err = openapicheck.New(dir) })
		return checker, err
	}
}()

// credential writes one file of the operator's mounted credentials.
func (w *world) credential(name, value string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.secrets, name), []byte(value), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) config() *configv1alpha1.Configuration {
	c, err := configv1alpha1.Parse(w.configText())
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// unconfigured is the end of the configuration where a story says nothing else.
const unconfigured = `manager: {healthProbeBindAddress: "0", leaderElection: Disabled}
`

func (w *world) configText() []byte {
	return fmt.Appendf(nil, `
apiVersion: config.agentidentity.dev/v1alpha1
kind: Configuration
clusterID: %s
okta: {orgURL: %q, credentialsDirectory: %q}
namespaces: [%s]
%s`, w.namespace, w.orgURL, w.secrets, w.namespace, cmp.Or(w.configured, unconfigured))
}

// process is one run of the operator.
type process struct {
	cancel context.CancelFunc
	done   chan error
	// cut tells that the process was kept from everything, and so has lost its lease.
	cut bool
}

// start runs the operator until the story ends or stop is called.
func (w *world) start(options ...func(*operator.Options)) *process {
	w.Helper()
	o := operator.Options{
		Config: w.config(), REST: rest.CopyConfig(cluster.operator), Logger: w.logger, Clock: clock.RealClock{},
		Metrics: w.metrics, SkipNameValidation: true,
	}
	if w.standing != nil {
		o.Clock = w.standing
	}
	for _, option := range options {
		option(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{cancel: cancel, done: make(chan error, 1)}
	w.last = p
	go func() { p.done <- operator.Run(ctx, o) }()
	w.Cleanup(func() { w.stop(p) })
	return p
}

// stop ends the operator as SIGTERM would and waits for it.
func (w *world) stop(p *process) {
	w.Helper()
	p.cancel()
	select {
	case err := <-p.done:
		lost := p.cut && err != nil && strings.Contains(err.Error(), "leader election lost")
		if err != nil && !lost && !strings.Contains(err.Error(), "context canceled") {
			w.Errorf("the operator ended with: %v", err)
		}
		p.done <- nil // so that a second stop finds the end too
	case <-time.After(patience):
		w.Fatal("the operator does not end")
	}
	w.metrics = prometheus.NewRegistry() // the next process has metrics of its own
}

func (w *world) create(objects ...client.Object) {
	w.Helper()
	for _, obj := range objects {
		if err := cluster.admin.Create(context.Background(), obj); err != nil {
			w.Fatalf("creating %T %s: %v", obj, obj.GetName(), err)
		}
	}
}

func (w *world) get(name string, obj client.Object) {
	w.Helper()
	if err := cluster.admin.Get(context.Background(), client.ObjectKey{Namespace: w.namespace, Name: name}, obj); err != nil {
		w.Fatalf("reading %T %s: %v", obj, name, err)
	}
}
