package collector

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

const (
	// token is what the collector asks for.
	token = "canary-token-6b1f90"
	// patience is for what a machine under load does late.
	patience = time.Minute
)

// collector is one that can die and be started again in the same place.
type collector struct {
	*testing.T
	program, dir string
	http, grpc   int
	// certificate is its own, and whom to trust.
	certificate []byte
	said        *words
	running     *exec.Cmd
	// ended is closed when the one that is running has said its last.
	ended chan struct{}
}

// newCollector starts a collector; each pair of changes replaces words of its configuration.
func newCollector(t *testing.T, changes ...string) *collector {
	t.Helper()
	program := os.Getenv("OTEL_COLLECTOR")
	if program == "" {
		t.Skip("OTEL_COLLECTOR names no collector: run `make test`, or set it to what `hack/tool otel-collector` prints (a minute to build, once)")
	}
	c := &collector{T: t, program: program, dir: t.TempDir(), said: &words{}}
	c.http, c.grpc = freePorts(t)
	c.writeCertificate()
	c.write("config.yaml", strings.NewReplacer(changes...).Replace(c.configuration()))
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("the collector said:\n%s", c.said)
		}
	})
	c.start()
	return c
}

func (c *collector) configuration() string {
	const speaks = "{endpoint: 127.0.0.1:%d, tls: {cert_file: %[2]s, key_file: %[3]s}, auth: {authenticator: bearertokenauth}}"
	certificate, key := c.path("certificate.pem"), c.path("key.pem")
	return fmt.Sprintf(`
extensions:
  bearertokenauth: {scheme: Bearer, token: %s}
receivers:
  otlp:
    protocols:
      grpc: %s
      http: %s
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 4096}
exporters:
  witness: {path: %s}
service:
  extensions: [bearertokenauth]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], processors: [memory_limiter], exporters: [witness]}
`, token, fmt.Sprintf(speaks, c.grpc, certificate, key), fmt.Sprintf(speaks, c.http, certificate, key), c.path("events.json"))
}

func (c *collector) path(name string) string { return filepath.Join(c.dir, name) }

func (c *collector) write(name, text string) {
	c.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
}

// writeCertificate borrows that of httptest, which is for 127.0.0.1.
func (c *collector) writeCertificate() {
	c.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		c.Fatal(err)
	}
	c.certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	c.write("certificate.pem", string(c.certificate))
	c.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

// start returns when the collector says that it is ready.
func (c *collector) start() {
	c.Helper()
	cmd := exec.Command(c.program, "--config", c.path("config.yaml"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.Fatalf("starting %s: %v", c.program, err)
	}
	c.running, c.ended = cmd, make(chan struct{})
	ready := make(chan struct{})
	go func(ended chan<- struct{}) {
		defer close(ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if c.said.add(lines.Text()); strings.Contains(lines.Text(), "Everything is ready") {
				close(ready)
			}
		}
	}(c.ended)
	select {
	case <-ready:
	case <-c.ended:
		c.Fatal("the collector ended")
	case <-time.After(patience):
		c.Fatal("the collector does not become ready")
	}
}

// kill is SIGKILL: nothing is finished or written on the way.
func (c *collector) kill() {
	if c.running == nil {
		return
	}
	_ = c.running.Process.Kill()
	<-c.ended
	_ = c.running.Wait()
	c.running = nil
}

// file is what the collector has written down. It writes before it acknowledges, so that
// nobody has to wait for this.
func (c *collector) file() []byte {
	c.Helper()
	raw, err := os.ReadFile(c.path("events.json"))
	if err != nil {
		c.Fatal(err)
	}
	return raw
}

// written is how many events there are.
func (c *collector) written() int {
	c.Helper()
	return bytes.Count(c.file(), []byte(`"log.record.uid"`))
}

// events are those in the file, in its order.
func (c *collector) events() []event {
	c.Helper()
	var all []event
	for line := range bytes.Lines(c.file()) {
		var data logs.LogsData
		if err := protojson.Unmarshal(line, &data); err != nil {
			c.Fatalf("reading a line of the collector's: %v", err)
		}
		for _, r := range data.GetResourceLogs() {
			for _, s := range r.GetScopeLogs() {
				for _, record := range s.GetLogRecords() {
					all = append(all, eventOf(r, s, record))
				}
			}
		}
	}
	return all
}

// words keeps what a process says.
type words struct {
	mu    sync.Mutex
	lines []string
}

func (w *words) add(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
}

// String is what was said last.
func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines[max(0, len(w.lines)-40):], "\n")
}

// freePorts are two that nobody uses now, below those that the system gives out by itself:
// nobody gets one while the collector is dead.
func freePorts(t *testing.T) (int, int) {
	t.Helper()
	var free []int
	for tries := 0; tries < 1000 && len(free) < 2; tries++ {
		port := 20_000 + rand.IntN(12_000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer listener.Close()
		free = append(free, port)
	}
	if len(free) < 2 {
		t.Fatal("there are no free ports")
	}
	return free[0], free[1]
}
