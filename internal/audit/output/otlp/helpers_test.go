package otlp

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const canary = "canary-7c1d55aa"

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// receiver keeps what it takes, over either transport.
type receiver struct {
	collector.UnimplementedLogsServiceServer

	mu       sync.Mutex
	requests []*collector.ExportLogsServiceRequest
	headers  []http.Header
	// answer is asked with the records of a request; nil takes all.
	answer func(records []*logs.LogRecord) (rejected int64, err error)
}

func (r *receiver) Export(ctx context.Context, req *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error) {
	header := http.Header{}
	if got, ok := metadata.FromIncomingContext(ctx); ok {
		for name, values := range got {
			for _, value := range values {
				header.Add(name, value)
			}
		}
	}
	return r.take(header, req)
}

func (r *receiver) take(header http.Header, req *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
	r.headers = append(r.headers, header)
	if r.answer == nil {
		return &collector.ExportLogsServiceResponse{}, nil
	}
	rejected, err := r.answer(recordsOf(req))
	if rejected == 0 {
		return &collector.ExportLogsServiceResponse{}, err
	}
	return &collector.ExportLogsServiceResponse{PartialSuccess: &collector.ExportLogsPartialSuccess{
		RejectedLogRecords: rejected, ErrorMessage: "you said " + canary,
	}}, err
}

// ServeHTTP is the same over HTTP.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost || req.URL.Path != "/v1/logs" || req.Header.Get("Content-Type") != typeProtobuf {
		http.Error(w, "not OTLP", http.StatusNotFound)
		return
	}
	message, err := unpack(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := r.take(req.Header, message)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	raw, _ := proto.Marshal(answer)
	w.Header().Set("Content-Type", typeProtobuf)
	w.Write(raw)
}

func unpack(packed io.Reader) (*collector.ExportLogsServiceRequest, error) {
	reader, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	message := &collector.ExportLogsServiceRequest{}
	return message, proto.Unmarshal(raw, message)
}

func recordsOf(req *collector.ExportLogsServiceRequest) []*logs.LogRecord {
	var found []*logs.LogRecord
	for _, r := range req.GetResourceLogs() {
		for _, s := range r.GetScopeLogs() {
			found = append(found, s.GetLogRecords()...)
		}
	}
	return found
}

// ids are what was taken, in the order of its coming.
func (r *receiver) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, req := range r.requests {
		for _, record := range recordsOf(req) {
			found = append(found, id(record))
		}
	}
	return found
}

func id(record *logs.LogRecord) string {
	for _, a := range record.GetAttributes() {
		if a.GetKey() == attributeID {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// serveHTTP starts a receiver over HTTP and gives the configuration to send to it.
func serveHTTP(t testing.TB, handler http.Handler) Config {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	return Config{Endpoint: server.URL, TLS: trusting(server)}
}

func trusting(server *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// serveGRPC starts a receiver over gRPC.
func serveGRPC(t testing.TB, service collector.LogsServiceServer, options ...grpc.ServerOption) Config {
	t.Helper()
	lent := httptest.NewTLSServer(http.NotFoundHandler())
	lent.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: lent.TLS.Certificates, MinVersion: tls.VersionTLS12}
	server := grpc.NewServer(append(options, grpc.Creds(credentials.NewTLS(config)))...)
	collector.RegisterLogsServiceServer(server, service)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return Config{Endpoint: "https://" + listener.Addr().String(), GRPC: true, TLS: trusting(lent)}
}

// both runs a test over either transport.
func both(t *testing.T, test func(t *testing.T, r *receiver, config Config)) {
	t.Helper()
	t.Run("HTTP", func(t *testing.T) {
		r := &receiver{}
		test(t, r, serveHTTP(t, r))
	})
	t.Run("GRPC", func(t *testing.T) {
		r := &receiver{}
		test(t, r, serveGRPC(t, r))
	})
}

func open(t testing.TB, config Config) *Output {
	t.Helper()
	config.Headers = map[string]identity.Secret{"authorization": identity.NewSecret([]byte("Bearer " + canary + "\n"))}
	o, err := New(config, clocktesting.NewFakePassiveClock(now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

func batch(n int) []output.Record {
	records := make([]output.Record, n)
	for i := range records {
		records[i] = output.Record{
			ID: fmt.Sprintf("event-%04d", i), Time: now.Add(-time.Minute), Type: "user.session.start", Severity: "INFO",
			Agent: "team/agent", Body: fmt.Appendf(nil, `{"uuid":"event-%04d","n":12345678901234567890}`, i),
		}
	}
	return records
}

func idsOf(records []output.Record) []string {
	var found []string
	for _, r := range records {
		found = append(found, r.ID)
	}
	return found
}

// told is what a test compares of an error: Message and Err are for people.
type told struct {
	Kind       output.Kind
	RetryAfter time.Duration
	Rejected   []int
}

// tell reads an error and holds that it says nothing secret, nor what a receiver has said.
func tell(t testing.TB, err error) *told {
	t.Helper()
	if err == nil {
		return nil
	}
	for _, said := range []string{err.Error(), fmt.Sprintf("%v %+v %#v", err, err, err), fmt.Sprintf("%#v", errors.Unwrap(err))} {
		if strings.Contains(said, canary) || strings.Contains(said, "Bearer") {
			t.Errorf("an error shows a secret: %s", said)
		}
	}
	found, ok := errors.AsType[*output.Error](err)
	if !ok {
		t.Fatalf("got %T (%v), want an *output.Error", err, err)
	}
	return &told{found.Kind, found.RetryAfter, found.Rejected}
}
