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

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestAuditOutputs: every kind of receiver gets everything that the log holds.
func TestAuditOutputs(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.bindRole("audit_role.yaml")
	w.start(impatient, listening, w.atHome)
	before := len(w.org.LogLedger())
	kinds := map[string]func(*collector, *v1alpha1.AuditSink){
		"http": func(*collector, *v1alpha1.AuditSink) {},
		"ocsf": func(_ *collector, s *v1alpha1.AuditSink) { s.Spec.Format = v1alpha1.FormatOCSF },
		"splunk": func(c *collector, s *v1alpha1.AuditSink) {
			c.server = httptest.NewUnstartedServer(http.HandlerFunc(c.splunk))
			s.Spec.Output.Type, s.Spec.Output.HTTP = v1alpha1.OutputSplunkHEC, nil
			s.Spec.Output.SplunkHEC = &v1alpha1.SplunkHECOutput{Token: v1alpha1.SecretKeyReference{Name: "splunk", Key: "authorization"}}
		},
		"otlp-http": func(c *collector, s *v1alpha1.AuditSink) {
			c.server = httptest.NewUnstartedServer(http.HandlerFunc(c.otlp))
			s.Spec.Output.Type, s.Spec.Output.HTTP = v1alpha1.OutputOTLP, nil
			s.Spec.Output.OTLP = &v1alpha1.OTLPOutput{Protocol: v1alpha1.OTLPProtocolHTTP}
		},
		"kafka": func(_ *collector, s *v1alpha1.AuditSink) {
			s.Spec.Output.Type, s.Spec.Output.HTTP = v1alpha1.OutputKafka, nil
			s.Spec.Output.Kafka = &v1alpha1.KafkaOutput{Topic: "audit"}
		},
		"otlp-grpc": func(_ *collector, s *v1alpha1.AuditSink) {
			s.Spec.Output.Type, s.Spec.Output.HTTP = v1alpha1.OutputOTLP, nil
			s.Spec.Output.OTLP = &v1alpha1.OTLPOutput{Protocol: v1alpha1.OTLPProtocolGRPC}
		},
	}
	receivers := map[string]*collector{}
	for name, describe := range kinds {
		c := newCollector(t)
		plain, sink := c.server, w.sink(c, w.namespace, name)
		describe(c, sink)
		if c.server != plain {
			c.server.StartTLS()
			t.Cleanup(c.server.Close)
		}
		endpoint := v1alpha1.Endpoint(c.server.URL)
		switch {
		case sink.Spec.Output.SplunkHEC != nil:
			sink.Spec.Output.SplunkHEC.Endpoint = endpoint
		case sink.Spec.Output.Kafka != nil:
			sink.Spec.Output.Kafka.Brokers = []v1alpha1.KafkaBroker{v1alpha1.KafkaBroker(c.overKafka(t))}
		case name == "otlp-http":
			sink.Spec.Output.OTLP.Endpoint = endpoint
		case name == "otlp-grpc":
			sink.Spec.Output.OTLP.Endpoint = v1alpha1.Endpoint("https://" + c.overGRPC(t))
		}
		w.trusted(c, w.namespace, name)
		w.create(sink)
		w.waitReason(name, sink, v1alpha1.ReasonReady)
		receivers[name] = c
	}
	w.create(w.role("chat", "a"), w.key("bot", "chat", v1alpha1.DeliveryPrivateKeyJWT))
	readyKey(w, "bot")
	w.must(nil, w.org.AddLogEvents(3000, oktasim.LogBatch{Type: "user.session.start"}))
	for name, c := range receivers {
		w.eventually(name+" has everything", func() bool { return w.missing(c, before) == "" })
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
