package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const interval = 30 * time.Second

// world is an org, those who follow its log, and what they got, in virtual time.
type world struct {
	*testing.T
	org       *oktasim.Org
	token     string
	calls     atomic.Int64
	positions *memory
	receivers map[string]*receiver
	ctx       context.Context
	kill      context.CancelFunc
	shared    audit.Shared
	running   sync.WaitGroup
	// refusesPlaces has the directory take no place any more.
	refusesPlaces bool
	// reads, if set, is what is read of an event.
	reads func([]byte) []byte
}

// inTime runs a test in a bubble of virtual time.
func inTime(t *testing.T, options oktasim.Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		options.BaseURL = "https://org.test"
		w := &world{T: t, org: oktasim.New(options), positions: &memory{at: map[string]audit.Position{}}, receivers: map[string]*receiver{}}
		w.token = w.org.AddAPIToken()
		w.start()
		test(w)
		w.die()
	})
}

// start begins a process that remembers nothing.
func (w *world) start() {
	w.ctx, w.kill = context.WithCancel(context.Background())
	nobody := func(*event.Event) {}
	w.shared = audit.Shared{
		Reader:  audit.NewReader(w, clock.RealClock{}, interval, nobody),
		Journal: audit.NewJournal(nobody), Positions: w.positions, Clock: clock.RealClock{}, Changed: func(string) {},
	}
}

// die ends the process.
func (w *world) die() {
	w.kill()
	w.running.Wait()
}

// follow has a receiver followed from now on, or from a time.
func (w *world) follow(name string, since time.Time) *audit.Follower {
	r := w.receivers[name]
	if r == nil {
		r = &receiver{got: map[string]int{}}
		w.receivers[name] = r
	}
	return w.followInBatches(name, since, 0)
}

func (w *world) followInBatches(name string, since time.Time, batch int) *audit.Follower {
	f := audit.NewFollower(w.shared, w.sink(name, since, batch))
	w.running.Go(func() { f.Run(w.ctx) })
	return f
}

func (w *world) sink(name string, since time.Time, batch int) audit.Sink {
	r := w.receivers[name]
	return audit.Sink{
		ID: name, Receiver: name, Begin: since, Output: r, Batch: batch,
		Select: func(_ context.Context, e *event.Event) bool { return r.selects == nil || r.selects(e) },
		Format: func(e *event.Event) (output.Record, error) {
			return output.Record{ID: e.ID, Time: e.Published, Type: e.Type, Body: e.Raw}, nil
		},
	}
}

// ReadLog implements identity.SystemLog with the org's own answers.
func (w *world) ReadLog(_ context.Context, from identity.LogPlace) (identity.LogPage, error) {
	w.calls.Add(1)
	if w.refusesPlaces {
		return identity.LogPage{}, &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonPlaceLost, Message: "no such place"}
	}
	path := from.Next
	if path == "" {
		path = "/api/v1/logs?limit=1000&since=" + from.Since.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	req := httptest.NewRequest(http.MethodGet, "https://org.test"+path, nil)
	req.Header.Set("Authorization", "SSWS "+w.token)
	answer := httptest.NewRecorder()
	w.org.ServeHTTP(answer, req)
	if answer.Code == http.StatusBadRequest {
		return identity.LogPage{}, &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonPlaceLost, Message: answer.Body.String()}
	}
	var events []json.RawMessage
	if err := json.Unmarshal(answer.Body.Bytes(), &events); err != nil || answer.Code != http.StatusOK {
		return identity.LogPage{}, fmt.Errorf("HTTP %d %s: %w", answer.Code, answer.Body, err)
	}
	page := identity.LogPage{Now: time.Now()}
	for _, e := range events {
		if w.reads != nil {
			e = w.reads(e)
		}
		page.Events = append(page.Events, e)
	}
	for _, link := range answer.Header().Values("Link") {
		if target, is := strings.CutSuffix(link, `>; rel="next"`); is {
			page.Next.Next = strings.TrimPrefix(target, "<https://org.test")
		}
	}
	return page, nil
}

// memory keeps positions beyond the end of a process.
type memory struct {
	mu     sync.Mutex
	at     map[string]audit.Position
	writes int
}

func (m *memory) Load(_ context.Context, id string) (audit.Position, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.at[id]
	return p, ok, nil
}

func (m *memory) Save(ctx context.Context, id string, p audit.Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.at[id] = p
	m.writes++
	return nil
}

func (m *memory) Forget(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.at, id)
	return nil
}

// receiver counts what it gets.
type receiver struct {
	mu sync.Mutex
	// order is that of first arrival, got how often each came.
	order []string
	got   map[string]int
	// deliver, if set, may refuse.
	deliver func(batch []output.Record) error
	selects func(*event.Event) bool
	tried   int
}

func (r *receiver) Deliver(_ context.Context, batch []output.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried++
	if r.deliver != nil {
		if err := r.deliver(batch); err != nil {
			return err
		}
	}
	for _, record := range batch {
		r.take(record)
	}
	return nil
}

func (r *receiver) take(record output.Record) {
	if r.got[record.ID] == 0 {
		r.order = append(r.order, record.ID)
	}
	r.got[record.ID]++
}

func (r *receiver) Close() {}

// answers has a receiver answer otherwise from now on; nil takes everything.
func (w *world) answers(name string, deliver func([]output.Record) error) {
	r := w.receivers[name]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliver = deliver
}

// goneFor has a receiver be unreachable for that long, while events happen, and back again.
func (w *world) goneFor(name string, long time.Duration) {
	w.answers(name, func([]output.Record) error { return &output.Error{Kind: output.Unreachable, Message: "gone"} })
	w.happen(10)
	time.Sleep(long)
	w.answers(name, nil)
	w.happen(10)
	time.Sleep(10 * interval)
}

// times is how often the receiver got an event, and repeated how many came again.
func (w *world) times(name, id string) int {
	r := w.receivers[name]
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[id]
}

func (w *world) repeated(name string) int {
	r := w.receivers[name]
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, times := range r.got {
		n += times - 1
	}
	return n
}

// mustHaveAll holds the receiver against the org's own ledger: everything from a place on,
// in that order, and nothing else.
func (w *world) mustHaveAll(name string, from int) {
	w.Helper()
	var want []string
	seen := map[string]bool{}
	for _, entry := range w.org.LogLedgerAfter(from, 0) {
		if !seen[entry.UUID] {
			want = append(want, entry.UUID)
		}
		seen[entry.UUID] = true
	}
	r := w.receivers[name]
	r.mu.Lock()
	defer r.mu.Unlock()
	if diff := cmp.Diff(want, r.order); diff != "" {
		w.Errorf("what %s got, against the ledger (-want +got):\n%s", name, diff[:min(len(diff), 2000)])
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) happen(n int) {
	w.Helper()
	if err := w.org.AddLogEvents(n, oktasim.LogBatch{Type: "user.session.start"}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) ledger() int { return len(w.org.LogLedger()) }
