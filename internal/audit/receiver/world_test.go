package receiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// canary is part of each secret here, and of no error.
const canary = "canary-51c0d2"

// seen is a request.
type seen struct {
	path   string
	header http.Header
	body   []byte
}

// server takes events over whatever HTTP carries, and keeps them.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

func newServer(t *testing.T, clients ...tls.ClientAuthType) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(s)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	for _, auth := range clients {
		s.TLS.ClientAuth = auth
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP answers as the receiver does that the path belongs to.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.seen = append(s.seen, seen{r.URL.Path, r.Header, body})
	s.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/ack"):
		fmt.Fprint(w, `{"acks":{"0":true,"1":true}}`)
	case strings.Contains(r.URL.Path, "/services/collector"):
		fmt.Fprint(w, `{"code":0,"ackId":1}`)
	case strings.HasSuffix(r.URL.Path, "/v1/logs"):
		w.Header().Set("Content-Type", "application/x-protobuf")
	case r.Header.Get("Content-Type") == "application/grpc":
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		w.Write(make([]byte, 5))
		w.Header().Set("Grpc-Status", "0")
	}
}

func (s *server) endpoint(path string) v1alpha1.Endpoint { return v1alpha1.Endpoint(s.URL + path) }

func (s *server) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// pair is the server's certificate and key, which is as good for a client.
func (s *server) pair(t *testing.T) ([]byte, identity.Secret) {
	t.Helper()
	certificate := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}),
		identity.NewSecret(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// broker is a cluster of Kafka with the server's certificate, for one user.
func (s *server) broker(t *testing.T) v1alpha1.KafkaBroker {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "audit"), kfake.EnableSASL(),
		kfake.Superuser("SCRAM-SHA-256", "user-"+canary, "password-"+canary),
		kfake.TLS(&tls.Config{Certificates: s.TLS.Certificates, ClientAuth: s.TLS.ClientAuth, MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return v1alpha1.KafkaBroker(cluster.ListenAddrs()[0])
}

// outputs is one of each kind, at this server.
func (s *server) outputs(t *testing.T) map[string]*v1alpha1.AuditOutput {
	t.Helper()
	headers := []v1alpha1.SecretHeader{{Name: "x-tenant", Value: ref("tenant")}}
	return map[string]*v1alpha1.AuditOutput{
		"HTTP": {Type: v1alpha1.OutputHTTP, HTTP: &v1alpha1.HTTPOutput{
			Endpoint: s.endpoint("/in"), Headers: headers, SigningKey: new(ref("signing")), MaxEvents: new(int32(2)),
		}},
		"SplunkHEC": {Type: v1alpha1.OutputSplunkHEC, SplunkHEC: &v1alpha1.SplunkHECOutput{
			Endpoint: s.endpoint("/hec"), Token: ref("token"), Index: "agents",
		}},
		"OTLP over HTTP": {Type: v1alpha1.OutputOTLP, OTLP: &v1alpha1.OTLPOutput{
			Endpoint: s.endpoint("/otlp"), Protocol: v1alpha1.OTLPProtocolHTTP, Headers: headers,
		}},
		"OTLP over gRPC": {Type: v1alpha1.OutputOTLP, OTLP: &v1alpha1.OTLPOutput{
			Endpoint: s.endpoint(""), Protocol: v1alpha1.OTLPProtocolGRPC, Headers: headers,
		}},
		"Kafka": {Type: v1alpha1.OutputKafka, Kafka: &v1alpha1.KafkaOutput{
			Brokers: []v1alpha1.KafkaBroker{s.broker(t)}, Topic: "audit",
			SASL: &v1alpha1.KafkaSASL{Mechanism: "SCRAMSHA256", Username: ref("user"), Password: ref("password")},
		}},
	}
}

func ref(key v1alpha1.DataKey) v1alpha1.SecretKeyReference {
	return v1alpha1.SecretKeyReference{Name: "receiver", Key: key}
}

// material is what the references of outputs lead to.
func (s *server) material() Material {
	values := map[v1alpha1.SecretKeyReference]identity.Secret{}
	for key, value := range map[v1alpha1.DataKey]string{
		"tenant": "tenant-" + canary, "token": "token-" + canary, "user": "user-" + canary, "password": "password-" + canary,
		"signing": "whsec_Y2FuYXJ5LTUxYzBkMi1jYW5hcnktNTFjMGQyLWNhbmFyeQ==",
	} {
		values[ref(key)] = identity.NewSecret([]byte(value + "\n"))
	}
	return Material{Values: values, CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})}
}

// opener may send to this machine.
func opener() Opener {
	return Opener{
		Guard:   outbound.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		Version: "1.2.3", Cluster: "prod", Org: "https://example.okta.com",
		Clock: clocktesting.NewFakeClock(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)),
	}
}

// deliver opens the output and sends three events.
func deliver(t *testing.T, o Opener, spec *v1alpha1.AuditOutput, m Material) error {
	t.Helper()
	out, err := o.Open(spec, m)
	if err != nil {
		return err
	}
	defer out.Close()
	var batch []output.Record
	for i := range 3 {
		id := fmt.Sprint("event-", i)
		batch = append(batch, output.Record{ID: id, Time: o.Clock.Now(), Type: "user.session.start", Body: fmt.Appendf(nil, `{"uuid":%q}`, id)})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return out.Deliver(ctx, batch)
}

// mustBe holds what an error says, and that it tells no secret.
func mustBe(t *testing.T, err error, kind output.Kind, says string) {
	t.Helper()
	told, ok := errors.AsType[*output.Error](err)
	if !ok || told.Kind != kind || !strings.Contains(told.Message, says) {
		t.Errorf("got %v, want an error of kind %d that says %q", err, kind, says)
	}
	if said := fmt.Sprintf("%v %+v", err, err); strings.Contains(said, canary) {
		t.Errorf("the error tells a secret: %s", said)
	}
}

// resourceOf is who sends, as a request of OTLP says it.
func resourceOf(t *testing.T, packed []byte) map[string]string {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	var request logs.ExportLogsServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, a := range request.GetResourceLogs()[0].GetResource().GetAttributes() {
		said[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return said
}
