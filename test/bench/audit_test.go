package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/agents"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/format"
	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/webhook"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// auditEvents is how many events one run moves.
const auditEvents = 100_000

// BenchmarkAudit measures how many events a second one core brings from the log to a
// receiver: reading, naming the agent among 10,000, writing in the format, sending, and
// noting the place. Events are the simulated org's own, of some 2 KB. With "webhook" the
// receiver is a server in this process, over TLS, on the same core.
func BenchmarkAudit(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	index := agents.New("bench", clock.RealClock{})
	for i := range backlog {
		index.Handler().OnAdd(&v1alpha1.AgentAPIKey{
			ObjectMeta: metav1.ObjectMeta{Namespace: fleet, Name: fmt.Sprint("k", i), UID: "u"},
			Status:     v1alpha1.AgentAPIKeyStatus{ClientID: fmt.Sprint("client-", i), AppID: fmt.Sprint("0oa", i)},
		}, true)
	}
	log := newTape(b)
	for _, as := range []struct {
		name   string
		encode func(event.Event, format.Origin) ([]byte, error)
	}{{"Raw", format.Raw}, {"OCSF", format.OCSF}} {
		for to, open := range map[string]func(*testing.B) output.Output{"nowhere": nowhere, "webhook": toWebhook} {
			b.Run(as.name+"/"+to, func(b *testing.B) {
				for b.Loop() {
					play(b, log, index, open(b), as.encode)
				}
			})
		}
	}
}

// play follows the log to its end, and reports what that took.
func play(b *testing.B, log *tape, index *agents.Index, to output.Output, encode func(event.Event, format.Origin) ([]byte, error)) {
	log.reads.Store(0)
	ctx, cancel := context.WithCancel(b.Context())
	delivered := &counted{Output: to, enough: cancel}
	shared := audit.Shared{
		Reader:  audit.NewReader(log, clock.RealClock{}, time.Minute, index.Identify),
		Journal: audit.NewJournal(index.Identify), Positions: nowherePositions{}, Clock: clock.RealClock{}, Changed: func(string) {},
	}
	origin := format.Origin{Cluster: "bench", Org: "https://example.okta.com"}
	follower := audit.NewFollower(shared, audit.Sink{
		ID: "bench", Begin: time.Now(), Output: delivered, Batch: 500, Select: func(context.Context, *event.Event) bool { return true },
		Format: func(e *event.Event) (output.Record, error) {
			body, err := encode(*e, origin)
			return output.Record{ID: e.ID, Time: e.Published, Type: e.Type, Severity: e.Severity, Body: body}, err
		},
	})
	begun := time.Now()
	follower.Run(ctx)
	took := time.Since(begun)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(auditEvents)/took.Seconds(), "events/s")
	b.ReportMetric(float64(delivered.bytes)/auditEvents, "B/event")
	b.ReportMetric(float64(log.reads.Load()), "calls")
	b.ReportMetric(float64(memory.HeapInuse)/(1<<20), "MiB-heap")
	if delivered.events != auditEvents {
		b.Errorf("%d events were delivered, want %d", delivered.events, auditEvents)
	}
}

// tape is a log that is as fast as memory.
type tape struct {
	page  [][]byte
	bytes int
	reads atomic.Int64
}

// newTape takes a page of events from a simulated org.
func newTape(b *testing.B) *tape {
	b.Helper()
	org := oktasim.New(oktasim.Options{BaseURL: "https://example.okta.com"})
	err := org.AddLogEvents(1000, oktasim.LogBatch{
		Type: "app.oauth2.as.token.grant.access_token", Actor: oktasim.LogParty{ID: "client-77", Type: "PublicClientApp", DisplayName: "k8s/bench/fleet/k77"},
		Targets: []oktasim.LogParty{{ID: "jti", Type: "access_token"}, {ID: "scope", Type: "Scope", DisplayName: "talk"}},
		IP:      "192.0.2.7", Debug: map[string]any{"requestUri": "/oauth2/aus1/v1/token", "grantType": "client_credentials", "padding": string(bytes.Repeat([]byte("x"), 700))},
	})
	if err != nil {
		b.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, "https://example.okta.com/api/v1/logs?limit=1000&filter=eventType+eq+%22app.oauth2.as.token.grant.access_token%22", nil)
	req.Header.Set("Authorization", "SSWS "+org.AddAPIToken())
	answer := httptest.NewRecorder()
	org.ServeHTTP(answer, req)
	var events []json.RawMessage
	if err := json.Unmarshal(answer.Body.Bytes(), &events); err != nil || len(events) != 1000 {
		b.Fatalf("reading a page: %d events, HTTP %d, %v", len(events), answer.Code, err)
	}
	t := &tape{}
	for _, e := range events {
		t.page = append(t.page, e)
		t.bytes += len(e)
	}
	b.Logf("%d bytes an event", t.bytes/len(events))
	return t
}

// ReadLog implements identity.SystemLog: each page has ids of its own.
func (t *tape) ReadLog(context.Context, identity.LogPlace) (identity.LogPage, error) {
	n := t.reads.Add(1)
	page := identity.LogPage{Next: identity.LogPlace{Next: fmt.Sprint("/api/v1/logs?after=", n)}, Now: time.Now()}
	if n > auditEvents/1000 {
		return page, nil
	}
	// As it comes off the wire: one array, which is taken apart.
	var array bytes.Buffer
	array.WriteByte('[')
	for i, e := range t.page {
		if i > 0 {
			array.WriteByte(',')
		}
		at := bytes.Index(e, []byte(`"uuid":"`)) + len(`"uuid":"`)
		array.Write(e[:at])
		fmt.Fprintf(&array, "%08x-0000-4000-8000-%012x", n, i)
		array.Write(e[at+36:])
	}
	array.WriteByte(']')
	var events []json.RawMessage
	if err := json.Unmarshal(array.Bytes(), &events); err != nil {
		return page, err
	}
	for _, e := range events {
		page.Events = append(page.Events, e)
	}
	return page, nil
}

// counted ends the run when everything was delivered.
type counted struct {
	output.Output
	events, bytes int
	enough        context.CancelFunc
}

func (c *counted) Deliver(ctx context.Context, batch []output.Record) error {
	if err := c.Output.Deliver(ctx, batch); err != nil {
		return err
	}
	for _, r := range batch {
		c.bytes += len(r.Body)
	}
	if c.events += len(batch); c.events >= auditEvents {
		c.enough()
	}
	return nil
}

type discarded struct{}

func (discarded) Deliver(context.Context, []output.Record) error { return nil }
func (discarded) Close()                                         {}

func nowhere(*testing.B) output.Output { return discarded{} }

func toWebhook(b *testing.B) output.Output {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(server.Close)
	guard := outbound.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	out, err := webhook.New(webhook.Config{
		Endpoint: server.URL, MaxEvents: 500, Clock: clock.RealClock{},
		Client: guard.Client(&tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}),
	})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

type nowherePositions struct{}

func (nowherePositions) Load(context.Context, string) (audit.Position, bool, error) {
	return audit.Position{}, false, nil
}
func (nowherePositions) Save(context.Context, string, audit.Position) error { return nil }
func (nowherePositions) Forget(context.Context, string) error               { return nil }
