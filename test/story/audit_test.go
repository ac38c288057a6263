package story

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// collector is a receiver of audit events over HTTPS.
type collector struct {
	server *httptest.Server

	mu sync.Mutex
	// down makes it answer 503.
	down bool
	// got are the events by id, in the order of their coming, and how often each came.
	got   []sent
	times map[string]int
	// raw is the first of what came, word by word, and refusals how often it was down.
	raw      bytes.Buffer
	refusals int
}

// sent is an event as it comes.
type sent struct {
	ID, Type, Source string
	// Metadata is that of OCSF.
	Metadata struct{ UID string }
	Agent    *struct {
		Namespace, Name, Agent string
		Owners                 []string
		Role                   struct{ Name string }
	}
	Role  *struct{ Namespace, Name string }
	Event struct {
		Outcome      struct{ Result, Reason string }
		DebugContext struct {
			DebugData map[string]any
		}
	}
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{times: map[string]int{}}
	c.server = httptest.NewTLSServer(c)
	t.Cleanup(c.server.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	var batch struct{ Events []sent }
	if err != nil || r.Header.Get("authorization") != "Bearer collector-token" || json.Unmarshal(body, &batch) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if c.down {
		// It repeats what it was sent, as some do.
		c.refusals++
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(r.Header.Get("authorization") + " was refused"))
		return
	}
	if c.raw.Len() < 64<<20 {
		c.raw.Write(body)
	}
	for _, e := range batch.Events {
		e.ID = cmp.Or(e.ID, e.Metadata.UID)
		if c.times[e.ID]++; c.times[e.ID] == 1 {
			c.got = append(c.got, e)
		}
	}
}

func (c *collector) turn(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

// all gives what came.
func (c *collector) all() []sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]sent(nil), c.got...)
}

func (c *collector) has(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times[id] > 0
}

// sinkTo describes the collector as an AuditSink, with what it refers to.
func (w *world) sinkTo(c *collector, namespace, name string) *v1alpha1.AuditSink {
	w.Helper()
	w.trusted(c, namespace, name)
	return w.sink(c, namespace, name)
}

// sink describes the collector.
func (w *world) sink(c *collector, namespace, name string) *v1alpha1.AuditSink {
	return &v1alpha1.AuditSink{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.AuditSinkSpec{Output: v1alpha1.AuditOutput{
			Type: v1alpha1.OutputHTTP,
			HTTP: &v1alpha1.HTTPOutput{
				Endpoint: v1alpha1.Endpoint(c.server.URL),
				Headers: []v1alpha1.SecretHeader{{
					Name: "authorization", Value: v1alpha1.SecretKeyReference{Name: v1alpha1.ObjectName(name), Key: "authorization"},
				}},
			},
			TLS: &v1alpha1.OutputTLS{CA: &v1alpha1.CABundleReference{Kind: "ConfigMap", Name: v1alpha1.ObjectName(name + "-ca")}},
		}},
	}
}

// trusted makes what a sink refers to: the Secret of that name, and a ConfigMap.
func (w *world) trusted(c *collector, namespace, name string) {
	w.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})
	w.create(
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name + "-ca"}, Data: map[string]string{"ca.crt": string(ca)}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{v1alpha1.LabelAuditOutput: "true"}},
			Data:       map[string][]byte{"authorization": []byte("Bearer collector-token")},
		},
	)
}

// listening lets the operator send to this machine, and ask for news all the time.
func listening(o *operator.Options) {
	o.Config.Audit.AllowedNetworks = []string{"127.0.0.0/8"}
	o.Config.Audit.PollInterval = metav1.Duration{Duration: 100 * time.Millisecond}
}

// inNamespace does something there.
func (w *world) inNamespace(namespace string, do func()) {
	before := w.namespace
	defer func() { w.namespace = before }()
	w.namespace = namespace
	do()
}

// TestAudit follows everything that happens around a key to two receivers: the security
// team's gets everything, the team's own what concerns its agents. Nothing is lost when a
// receiver is down or the operator is started again.
func TestAudit(t *testing.T) {
	b := newBounded(t, listening)
	b.inNamespace(b.home, func() { b.bindRole("audit_role.yaml") })
	security, team := newCollector(t), newCollector(t)
	all, own := b.sinkTo(security, b.home, "security"), b.sinkTo(team, b.namespace, "own")
	b.create(all, own)
	b.waitReason("own", own, v1alpha1.ReasonReady)
	b.inNamespace(b.home, func() { b.waitReason("security", all, v1alpha1.ReasonReady) })
	before := len(b.org.LogLedger())

	bot := b.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT)
	bot.Spec.Agent.Owners = []string{"ada@example.com"}
	b.create(b.role("chat", "a", "b"), bot)
	key := readyKey(b.world, "bot")
	b.mustWork(b.agent("bot-okta"), []string{"a", "b"}, "c")

	mustHave := func(who string, c *collector, from int) {
		t.Helper()
		b.eventually(who+" has all that the log holds", func() bool {
			for _, entry := range b.org.LogLedgerAfter(from, 0) {
				if !c.has(entry.UUID) {
					return false
				}
			}
			return true
		})
	}
	mustHave("the security team's receiver", security, before)
	granted := func(c *collector) (found *sent) {
		for _, e := range c.all() {
			if e.Type == "app.oauth2.as.token.grant.access_token" && e.Agent != nil {
				found = &e
			}
		}
		return found
	}
	b.eventually("the team's receiver has the tokens that were granted", func() bool { return granted(team) != nil })
	if e := granted(team); e.Agent.Namespace != b.namespace || e.Agent.Name != "bot" || e.Agent.Role.Name != "chat" ||
		e.Agent.Agent != key.Spec.Agent.Name || len(e.Agent.Owners) == 0 {
		t.Errorf("a token that was granted names the agent %+v", e.Agent)
	}
	for _, e := range team.all() {
		if e.Agent != nil && e.Agent.Namespace != b.namespace || e.Agent == nil && (e.Role == nil || e.Role.Namespace != b.namespace) {
			t.Errorf("the team's receiver got what does not concern it: %+v", e)
		}
	}
	b.eventually("what the operator asked of Okta is told with Okta's request id", func() bool {
		for _, e := range team.all() {
			if e.Source == "Operator" && e.Agent != nil && e.Agent.Name == "bot" && e.Event.DebugContext.DebugData["requestId"] != "" {
				return true
			}
		}
		return false
	})

	security.turn(true)
	if err := b.org.AdminDeactivateApp(key.Status.AppID); err != nil {
		t.Fatal(err)
	}
	b.inNamespace(b.home, func() { b.waitReason("security", all, v1alpha1.ReasonSinkUnreachable) })
	b.eventually("the other receiver is not delayed", func() bool {
		for _, e := range team.all() {
			if e.Type == "application.lifecycle.deactivate" {
				return true
			}
		}
		return false
	})
	b.stop(b.last)
	b.start(impatient, listening, func(o *operator.Options) {
		o.Config.Namespaces = append(o.Config.Namespaces, b.home, b.namespace)
		o.Config.Manager.LeaderElectionNamespace = b.home
	})
	security.turn(false)
	mustHave("the receiver that was down", security, before)
	b.inNamespace(b.home, func() {
		b.waitFor("security", all, "caught up", func() bool {
			return meta.IsStatusConditionTrue(all.Status.Conditions, v1alpha1.ConditionCaughtUp) &&
				meta.IsStatusConditionTrue(all.Status.Conditions, v1alpha1.ConditionReady)
		})
	})
	if err := cluster.admin.Delete(context.Background(), own); err != nil {
		t.Fatal(err)
	}
	b.waitGone(own)
}
