package bench

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/format"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	// rate is how many events a second there are: what can be read at Okta's highest
	// published limit of the log, 120 calls a minute, with half of it ours.
	rate = 900
	// lagFor is how long they come.
	lagFor = 90 * time.Second
	// pollEvery is the standard interval.
	pollEvery = 30 * time.Second
)

// BenchmarkAuditLag measures how long after Okta shows an event a receiver has it, while
// there are about as many as the rate limit of the log lets anybody read; and what that takes
// of this process, the simulated org apart, which is in it too.
func BenchmarkAuditLag(b *testing.B) {
	for b.Loop() {
		lag(b)
	}
}

func lag(b *testing.B) {
	org := oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce})
	server := httptest.NewServer(org)
	defer server.Close()
	org.SetBaseURL(server.URL)
	secrets := b.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "api_token"), []byte(org.AddAPIToken()), 0o600); err != nil {
		b.Fatal(err)
	}
	directory, err := okta.New(okta.Config{
		OrgURL: server.URL, Cluster: "bench", Audience: "api://bench", Credentials: okta.FileCredentials(secrets), Share: 50,
		Clock: clock.RealClock{}, Logger: logr.Discard(),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	nobody := func(*event.Event) {}
	heard := &stopwatch{}
	follower := audit.NewFollower(audit.Shared{
		Reader:  audit.NewReader(directory, clock.RealClock{}, pollEvery, nobody),
		Journal: audit.NewJournal(nobody), Positions: nowherePositions{}, Clock: clock.RealClock{}, Changed: func(string) {},
	}, audit.Sink{
		ID: "bench", Begin: time.Now(), Output: heard, Batch: 500, Select: func(context.Context, *event.Event) bool { return true },
		Format: func(e *event.Event) (output.Record, error) {
			body, err := format.Raw(*e, format.Origin{Cluster: "bench", Org: server.URL})
			return output.Record{ID: e.ID, Time: e.Published, Type: e.Type, Body: body}, err
		},
	})
	var running sync.WaitGroup
	running.Go(func() { follower.Run(ctx) })
	before, begun := used(b), time.Now()
	happened := 0
	for ; time.Since(begun) < lagFor; happened += rate / 10 {
		if err := org.AddLogEvents(rate/10, oktasim.LogBatch{Type: "user.session.start"}); err != nil {
			b.Fatal(err)
		}
		<-time.After(100*time.Millisecond - time.Since(begun)%(100*time.Millisecond))
	}
	for deadline := time.Now().Add(3 * pollEvery); heard.count() < happened && time.Now().Before(deadline); {
		<-time.After(100 * time.Millisecond)
	}
	cpu := used(b) - before
	stop()
	running.Wait()
	lags := heard.lags
	if len(lags) < happened {
		b.Fatalf("%d of %d events came", len(lags), happened)
	}
	slices.Sort(lags)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	calls := 0
	for _, op := range org.Operations() {
		if op.Template == "/api/v1/logs" {
			calls++
		}
	}
	b.ReportMetric(lags[len(lags)/2].Seconds(), "p50-s")
	b.ReportMetric(lags[len(lags)*99/100].Seconds(), "p99-s")
	b.ReportMetric(float64(calls), "calls")
	b.ReportMetric(float64(happened), "events")
	b.ReportMetric(100*cpu.Seconds()/time.Since(begun).Seconds(), "%core")
	b.ReportMetric(float64(memory.HeapInuse)/(1<<20), "MiB-heap")
}

// used is the processor time of this process.
func used(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// stopwatch notes how old events are when they come.
type stopwatch struct {
	mu   sync.Mutex
	lags []time.Duration
}

func (s *stopwatch) Deliver(_ context.Context, batch []output.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, r := range batch {
		if r.Type == "user.session.start" {
			s.lags = append(s.lags, now.Sub(r.Time))
		}
	}
	return nil
}

func (*stopwatch) Close() {}

func (s *stopwatch) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lags)
}
