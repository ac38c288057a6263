package story

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestAuditOutputs: every kind of receiver gets everything that the log holds.
func TestAuditOutputs(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.bindRole("audit_role.yaml")
	w.start(impatient, listening, w.atHome)
	before := len(w.org.LogLedger())
	receivers := w.everyKind()
	w.create(w.role("chat", "a"), w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT))
	readyKey(w, "bot")
	w.must(nil, w.org.AddLogEvents(3000, oktasim.LogBatch{Type: "user.session.start"}))
	for name, c := range receivers {
		w.eventually(name+" has everything", func() bool { return w.missing(c, before) == "" })
		sink := &v1alpha1.AuditSink{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
		w.waitReason(name, sink, v1alpha1.ReasonReady)
	}
}

// kinds are all kinds of receivers: what each makes of a collector, and of the sink that
// describes an HTTP receiver.
func (w *world) kinds() map[string]func(*collector, *v1alpha1.AuditSink) {
	over := func(handler func(*collector) http.HandlerFunc, describe func(*v1alpha1.AuditOutput, v1alpha1.Endpoint)) func(*collector, *v1alpha1.AuditSink) {
		return func(c *collector, sink *v1alpha1.AuditSink) {
			c.server = httptest.NewTLSServer(c.unlessDown(handler(c)))
			w.Cleanup(c.server.Close)
			sink.Spec.Output.HTTP = nil
			describe(&sink.Spec.Output, v1alpha1.Endpoint(c.server.URL))
		}
	}
	return map[string]func(*collector, *v1alpha1.AuditSink){
		"http": func(*collector, *v1alpha1.AuditSink) {},
		"ocsf": func(_ *collector, s *v1alpha1.AuditSink) { s.Spec.Format = v1alpha1.FormatOCSF },
		"splunk": over(func(c *collector) http.HandlerFunc { return c.splunk }, func(o *v1alpha1.AuditOutput, to v1alpha1.Endpoint) {
			o.Type = v1alpha1.OutputSplunkHEC
			o.SplunkHEC = &v1alpha1.SplunkHECOutput{Endpoint: to, Token: v1alpha1.SecretKeyReference{Name: "splunk", Key: "authorization"}}
		}),
		"otlp-http": over(func(c *collector) http.HandlerFunc { return c.otlp }, func(o *v1alpha1.AuditOutput, to v1alpha1.Endpoint) {
			o.Type, o.OTLP = v1alpha1.OutputOTLP, &v1alpha1.OTLPOutput{Endpoint: to, Protocol: v1alpha1.OTLPProtocolHTTP}
		}),
		"otlp-grpc": func(c *collector, s *v1alpha1.AuditSink) {
			to := v1alpha1.Endpoint("https://" + c.overGRPC(w.T))
			s.Spec.Output = v1alpha1.AuditOutput{
				Type: v1alpha1.OutputOTLP, OTLP: &v1alpha1.OTLPOutput{Endpoint: to, Protocol: v1alpha1.OTLPProtocolGRPC}, TLS: s.Spec.Output.TLS,
			}
		},
		"kafka": func(c *collector, s *v1alpha1.AuditSink) {
			s.Spec.Output = v1alpha1.AuditOutput{
				Type: v1alpha1.OutputKafka, TLS: s.Spec.Output.TLS,
				Kafka: &v1alpha1.KafkaOutput{Topic: "audit", Brokers: []v1alpha1.KafkaBroker{v1alpha1.KafkaBroker(c.overKafka(w.T))}},
			}
		},
	}
}

// everyKind has a receiver of each kind followed.
func (w *world) everyKind() map[string]*collector {
	w.Helper()
	receivers := map[string]*collector{}
	for name, describe := range w.kinds() {
		c := newCollector(w.T)
		sink := w.sink(c, w.namespace, name)
		describe(c, sink)
		w.trusted(c, w.namespace, name)
		w.create(sink)
		receivers[name] = c
	}
	return receivers
}

// unlessDown answers that it is not there while it is down.
func (c *collector) unlessDown(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		down := c.down
		c.mu.Unlock()
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		handler(w, r)
	}
}

// take notes events by their ids.
func (c *collector) take(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times[id]++; c.times[id] == 1 {
		c.got = append(c.got, sent{ID: id})
	}
}

// body is what was sent, unpacked.
func body(r *http.Request) io.Reader {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return r.Body
	}
	unpacked, err := gzip.NewReader(r.Body)
	if err != nil {
		return r.Body
	}
	return unpacked
}

// splunk is an HTTP Event Collector with acknowledgement, whose indexer has everything at once.
func (c *collector) splunk(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/services/collector/ack" {
		var asked struct{ Acks []int }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		acks := map[int]bool{}
		for _, id := range asked.Acks {
			acks[id] = true
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"acks": acks})
		return
	}
	decoder := json.NewDecoder(body(r))
	for {
		var e struct{ Event struct{ ID string } }
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.take(e.Event.ID)
	}
	_, _ = io.WriteString(w, `{"text":"Success","code":0,"ackId":7}`)
}

// otlp takes log records over HTTP.
func (c *collector) otlp(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(body(r))
	message := &logscollector.ExportLogsServiceRequest{}
	if err != nil || r.URL.Path != "/v1/logs" || proto.Unmarshal(text, message) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.takeRecords(message)
	answer, _ := proto.Marshal(&logscollector.ExportLogsServiceResponse{})
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (c *collector) takeRecords(message *logscollector.ExportLogsServiceRequest) {
	for _, resource := range message.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				for _, attribute := range record.GetAttributes() {
					if attribute.GetKey() == "log.record.uid" {
						c.take(attribute.GetValue().GetStringValue())
					}
				}
			}
		}
	}
}

// overGRPC takes log records over gRPC, with the certificate of the collector's server, and
// gives its address.
func (c *collector) overGRPC(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(grpccredentials.NewServerTLSFromCert(&c.server.TLS.Certificates[0])))
	logscollector.RegisterLogsServiceServer(server, logsService{c: c})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// overKafka is a broker, of whose topic everything is taken, and gives its address.
func (c *collector) overKafka(t *testing.T) string {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "audit"),
		kfake.TLS(&tls.Config{Certificates: c.server.TLS.Certificates, MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	trusts := c.server.Client().Transport.(*http.Transport).TLSClientConfig
	consumer, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...), kgo.DialTLSConfig(trusts.Clone()), kgo.ConsumeTopics("audit"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consumer.Close)
	go func() {
		for {
			fetches := consumer.PollFetches(t.Context())
			if fetches.IsClientClosed() || t.Context().Err() != nil {
				return
			}
			fetches.EachRecord(func(r *kgo.Record) { c.take(string(r.Headers[0].Value)) })
		}
	}()
	return broker.ListenAddrs()[0]
}

type logsService struct {
	logscollector.UnimplementedLogsServiceServer
	c *collector
}

// Export implements the service.
func (s logsService) Export(
	_ context.Context, message *logscollector.ExportLogsServiceRequest,
) (*logscollector.ExportLogsServiceResponse, error) {
	s.c.takeRecords(message)
	return &logscollector.ExportLogsServiceResponse{}, nil
}
