package story

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/test/canary"
)

// TestNoSecretLeaves looks for every piece of key material of a run full of errors,
// in every spelling, in everything the operator says: logs at the highest
// verbosity, events, objects that are not Secrets, and metrics.
func TestNoSecretLeaves(t *testing.T) {
	for name, signIn := range map[string]func(w *world){
		"APIToken": func(*world) {},
		"KeyPair":  func(w *world) { w.signInWithKey(append(okta.RequiredScopes(), okta.LogScopes()...)...) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			signIn(w)
			logs := &journal{}
			w.logger = zap.New(zap.WriteTo(logs), zap.Level(zapcore.Level(-127)), zap.UseDevMode(true))
			w.bindRole("audit_role.yaml")
			c := newCollector(t)
			w.liveThroughErrors(c)
			said := map[string][]byte{
				"logs": logs.bytes(), "metrics": w.metricsText(), "objects and events": w.objectsText(), "audit events": c.sent(),
			}
			w.mustDumpNothing(said["logs"])
			for where, text := range said {
				if len(text) < 200 {
					t.Errorf("%s are all but empty (%d bytes): is this test looking at the right thing?", where, len(text))
				}
			}
			w.mustShowNothing(said)
		})
	}
}

// sent is all that came.
func (c *collector) sent() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.raw.Bytes())
}

// liveThroughErrors issues two keys and deletes one, while Okta repeats what it was
// sent in its errors, breaks off answers and fails in HTML.
// The receiver of audit events repeats what it was sent, too.
func (w *world) liveThroughErrors(c *collector) {
	w.Helper()
	for _, fault := range []oktasim.Fault{
		{Method: "POST", Path: `^/api/v1/apps$`, Nth: 1, Action: oktasim.EchoSecrets(500)},
		{Method: "POST", Path: `^/api/v1/apps$`, Nth: 2, Action: oktasim.TruncatedBody()},
		{Method: "POST", Path: `^/api/v1/apps$`, Nth: 3, Action: oktasim.HTML502()},
		{Method: "POST", Path: `/v1/token$`, Nth: 1, Action: oktasim.EchoSecrets(500)},
		{Method: "POST", Path: `/aus[^/]+/v1/token$`, Nth: 1, Action: oktasim.EchoSecrets(400)},
		{Method: "POST", Path: `/lifecycle/deactivate$`, Nth: 1, Action: oktasim.EchoSecrets(500)},
	} {
		w.org.Inject(fault)
	}
	c.turn(true)
	sink := w.sinkTo(c, w.namespace, "security")
	w.create(sink)
	w.must(nil, w.org.AddLogEvents(1, oktasim.LogBatch{Type: "user.session.start"}))
	w.start(impatient, w.atHome, listening)
	w.eventually("the receiver refuses events", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.refusals > 0
	})
	c.turn(false)
	gone := w.key("gone", "chat", v1alpha1.DeliveryClientSecret)
	w.create(w.role("chat", "a"), w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT), w.key("old", "chat", v1alpha1.DeliveryClientSecret), gone)
	for _, name := range []string{"bot", "old", "gone"} {
		readyKey(w, name)
	}
	w.known = w.material()
	w.known["the receiver's authorization"] = "Bearer collector-token"
	w.waitReason("security", sink, v1alpha1.ReasonReady)
	w.deleteAndWait(gone)
	w.eventually("the receiver has what happened", func() bool { return len(c.all()) > 20 })
	w.must(nil, cluster.admin.Delete(context.Background(), sink))
	w.waitGone(sink)
	w.quiet()
}

// mustShowNothing looks for every spelling of everything that must not be seen.
func (w *world) mustShowNothing(said map[string][]byte) {
	w.Helper()
	size := 0
	for where, text := range said {
		size += len(text)
		for _, seen := range canary.Seen(text, w.known) {
			w.Errorf("%s show %s", where, seen)
		}
	}
	w.Logf("looked for %d pieces of material in %d bytes", len(w.known), size)
	if len(w.known) < 7 {
		w.Errorf("only %d pieces of material looked for", len(w.known))
	}
}

// mustDumpNothing looks into the bodies of calls that the Kubernetes client logs, at the
// highest verbosity, as lines of hexadecimal digits.
func (w *world) mustDumpNothing(logs []byte) {
	w.Helper()
	var bodies []byte
	for _, line := range regexp.MustCompile(`[0-9a-f]{8}  ((?:[0-9a-f]{2} {1,2}){1,16}) *\|`).FindAllSubmatch(logs, -1) {
		row, err := hex.DecodeString(strings.ReplaceAll(string(line[1]), " ", ""))
		w.must(nil, err)
		bodies = append(bodies, row...)
	}
	if len(bodies) == 0 {
		w.Error("no body of a call is logged: is this test looking at the right thing?")
	}
	for name, material := range w.known {
		if bytes.Contains(bodies, []byte(material)) {
			w.Errorf("a body that is logged shows %s", name)
		}
	}
}

// journal is a log that may be written from many goroutines.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) bytes() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	return bytes.Clone(j.text.Bytes())
}

// material is everything that must not be seen: the lines of private keys, their
// private numbers, client secrets, and the operator's own token.
func (w *world) material() map[string]string {
	w.Helper()
	var secrets corev1.SecretList
	if err := cluster.admin.List(context.Background(), &secrets, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	found := map[string]string{}
	own := map[string][]byte{}
	for _, file := range []string{"api_token", "private_key.pem"} {
		if text, err := os.ReadFile(filepath.Join(w.secrets, file)); err == nil { // the operator has one of the two
			own[file] = text
		}
	}
	of := map[string]map[string][]byte{"the operator's": own}
	for _, secret := range secrets.Items {
		of[secret.Name] = secret.Data
	}
	for name, data := range of {
		material, err := canary.Material(name, data)
		w.must(nil, err)
		maps.Copy(found, material)
	}
	return found
}

func (w *world) metricsText() []byte {
	w.Helper()
	var text bytes.Buffer
	for _, registry := range []prometheus.Gatherer{metrics.Registry, w.metrics} {
		families, err := registry.Gather()
		if err != nil {
			w.Fatal(err)
		}
		for _, family := range families {
			fmt.Fprintln(&text, family.String())
		}
	}
	return text.Bytes()
}

// objectsText is everything in the namespace that is not a Secret's data.
func (w *world) objectsText() []byte {
	w.Helper()
	var text bytes.Buffer
	for _, list := range []client.ObjectList{
		&v1alpha1.AIAgentRoleList{}, &v1alpha1.AgentAPIKeyList{}, &corev1.ConfigMapList{}, &corev1.EventList{},
		&eventsv1.EventList{}, &corev1.SecretList{},
	} {
		if err := cluster.admin.List(context.Background(), list, client.InNamespace(w.namespace)); err != nil {
			w.Fatal(err)
		}
		for _, obj := range itemsOf(w, list) {
			if secret, ok := obj.(*corev1.Secret); ok {
				secret.Data = nil // its metadata and managed fields must be clean too
			}
			encoded, err := json.Marshal(obj)
			if err != nil {
				w.Fatal(err)
			}
			text.Write(encoded)
		}
	}
	return text.Bytes()
}
