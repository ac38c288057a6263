package orphan

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/orphanlist"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/tombstone"
)

const (
	cluster = "test"
	home    = "operator-system"
	team    = "team-a"
)

// created is when the objects of these tests were created.
var created = time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)

// world is a simulated org, an API server, and a sweeper between them.
type world struct {
	*testing.T
	clock *clocktesting.FakeClock
	org   *oktasim.Org
	url   string
	token string

	directory *okta.Directory
	kube      client.Client
	// between is asked before a call to the API server is made; an error is its answer.
	between func(verb string, obj runtime.Object) error
	writes  int

	policy     plan.OrphanPolicy
	namespaces []string
	events     *events.FakeRecorder
	metrics    *prometheus.Registry
	sweeper    *Controller
}

func newWorld(t *testing.T, policy plan.OrphanPolicy) *world {
	t.Helper()
	w := &world{
		T: t, clock: clocktesting.NewFakeClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)), policy: policy,
		between: func(string, runtime.Object) error { return nil }, events: events.NewFakeRecorder(100),
	}
	w.org = oktasim.New(oktasim.Options{Clock: w.clock, Limits: oktasim.LimitsUnlimited})
	w.token = w.org.AddAPIToken()
	server := httptest.NewServer(w.org)
	t.Cleanup(func() {
		server.Close()
		for _, unknown := range w.org.Unknown() {
			t.Errorf("Okta does not know: %s", unknown)
		}
	})
	w.url = server.URL
	w.org.SetBaseURL(server.URL)
	w.kube = w.apiServer()
	w.start()
	return w
}

// apiServer is a fake one that can be made to fail, and counts.
func (w *world) apiServer() client.Client {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			w.Fatal(err)
		}
	}
	return interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).Build(), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if err := w.between("get", obj); err != nil {
				return err
			}
			return c.Get(ctx, key, obj, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if err := w.between("list", list); err != nil {
				return err
			}
			return c.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			w.writes++
			if err := w.between("create", obj); err != nil {
				return err
			}
			return c.Create(ctx, obj, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			w.writes++
			if err := w.between("update", obj); err != nil {
				return err
			}
			return c.Update(ctx, obj, opts...)
		},
	})
}

// start makes a sweeper and a Directory as a fresh process would have them.
func (w *world) start() {
	w.Helper()
	base := &http.Transport{MaxConnsPerHost: 10}
	w.Cleanup(base.CloseIdleConnections)
	var err error
	w.directory, err = okta.New(okta.Config{
		OrgURL: w.url, Cluster: cluster, Audience: "api://agents", Share: 100, Clock: w.clock, Logger: logr.Discard(), Base: base,
		Credentials: func(context.Context) (credential.Credentials, error) {
			return credential.Credentials{APIToken: identity.NewSecret([]byte(w.token))}, nil
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.metrics = prometheus.NewRegistry()
	w.sweeper = &Controller{
		Live: w.kube, Client: w.kube, Directory: w.directory, Tombstones: w.tombstones(), Recorder: w.events, Clock: w.clock,
		Rules:    plan.OrphanRules{Cluster: cluster, Namespaces: w.namespaces, Policy: w.policy, Grace: time.Hour},
		Interval: time.Hour, Namespace: home, Metrics: w.metrics,
	}
	if err := w.sweeper.prepare(); err != nil {
		w.Fatal(err)
	}
}

func (w *world) tombstones() *tombstone.Store {
	return &tombstone.Store{Live: w.kube, Client: w.kube, Namespace: home}
}

// key makes an AgentAPIKey and its client.
func (w *world) key(name string) *v1alpha1.AgentAPIKey {
	w.Helper()
	key := &v1alpha1.AgentAPIKey{ObjectMeta: w.meta(name)}
	if err := w.kube.Create(w.Context(), key); err != nil {
		w.Fatal(err)
	}
	w.client(w.mark("AgentAPIKey", name))
	return key
}

func (w *world) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: team, Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(created)}
}

func (w *world) mark(kind, name string) identity.Mark {
	return identity.Mark{Cluster: cluster, Kind: kind, Namespace: team, Name: name, UID: "uid-" + name, Since: created.Unix()}
}

// client registers the client of an owner.
func (w *world) client(mark identity.Mark) {
	w.Helper()
	err := w.directory.RegisterClient(w.Context(), identity.Registration{
		Mark: mark, ClientID: desired.ClientID(cluster, mark.Namespace, mark.Name), Label: desired.Label(mark), Note: "An agent.",
		Credential: w.credential(),
	})
	if err != nil {
		w.Fatalf("registering the client of %s: %v", mark.Ref(), err)
	}
}

func (w *world) credential() identity.Credential {
	w.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	kid := "kid-" + rand.Text()
	public, err := json.Marshal(jose.JSONWebKey{Key: private.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"})
	if err != nil {
		w.Fatal(err)
	}
	return identity.Credential{KeyID: kid, Method: identity.PrivateKeyJWT, PublicJWK: public}
}

// vanish removes an object as if its finalizer had been taken off.
func (w *world) vanish(obj client.Object) {
	w.Helper()
	if err := w.kube.Delete(w.Context(), obj); err != nil {
		w.Fatal(err)
	}
}

// orphans makes clients of keys that do not exist.
func (w *world) orphans(names ...string) {
	w.Helper()
	for _, name := range names {
		w.client(w.mark("AgentAPIKey", name))
	}
}

// sweep sweeps once; it must succeed.
func (w *world) sweep() Result {
	w.Helper()
	result, err := w.sweeper.Sweep(w.Context())
	if err != nil {
		w.Fatalf("sweeping: %v", err)
	}
	return result
}

// hours lets time go on, and sweeps after each hour and a minute.
func (w *world) hours(n int) {
	w.Helper()
	for range n {
		w.clock.Step(61 * time.Minute)
		w.sweep()
	}
}

// app is the state of a key's app in Okta; "" when there is none.
func (w *world) app(name string) string {
	id := desired.ClientID(cluster, team, name)
	apps := w.org.Snapshot().Apps
	i := slices.IndexFunc(apps, func(a oktasim.App) bool { return a.ClientID == id })
	if i < 0 {
		return ""
	}
	return apps[i].Status
}

func (w *world) mustBe(name, want string) {
	w.Helper()
	if got := w.app(name); got != want {
		w.Errorf("the app of key %s is %q, want %q", name, got, want)
	}
}

// list is the ConfigMap's, as people read it.
func (w *world) list() orphanlist.List {
	w.Helper()
	held := &corev1.ConfigMap{}
	if err := w.kube.Get(w.Context(), client.ObjectKey{Namespace: home, Name: orphanlist.Name}, held); err != nil {
		w.Fatal(err)
	}
	l := ledger{live: w.kube, namespace: home}
	d, err := l.read(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// told are the events so far.
func (w *world) told() []string {
	var all []string
	for {
		select {
		case e := <-w.events.Events:
			all = append(all, e)
		default:
			return all
		}
	}
}

func (w *world) abandon(name string) identity.Tombstone {
	w.Helper()
	t := identity.Tombstone{
		Mark: w.mark("AgentAPIKey", name), ClientID: desired.ClientID(cluster, team, name), Why: "abandoned", Since: w.clock.Now(),
	}
	if err := w.tombstones().Put(w.Context(), t); err != nil {
		w.Fatal(err)
	}
	return t
}

func (w *world) stones() int {
	w.Helper()
	all, err := w.tombstones().List(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return len(all)
}
