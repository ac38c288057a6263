package kafka

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

// cutter loses answers: connections that have carried events end when the broker, which has
// done what it was asked, says so.
type cutter struct{ left atomic.Int64 }

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, cutter: c}, nil
}

type cutConn struct {
	net.Conn
	cutter  *cutter
	written atomic.Int64
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.written.Add(int64(len(p)))
	return c.Conn.Write(p)
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	// All other connections carry far less.
	if c.written.Load() > carried && c.cutter.left.Add(-1) >= 0 {
		c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// carried is less than the large batch takes, and more than anything else.
const carried = 100 << 10

func large(n int) []output.Record {
	batch := records(n)
	for i := range batch {
		// The client packs: what is the same everywhere takes no room.
		batch[i].Body = []byte(`{"id":"` + batch[i].ID + `","pad":"` + noise(i) + `"}`)
	}
	return batch
}

func noise(seed int) string {
	var text strings.Builder
	for state := uint32(seed + 1); text.Len() < carried; {
		state = state*1664525 + 1013904223
		text.WriteByte('!' + 1 + byte(state>>24)%60)
	}
	return strings.NewReplacer(`"`, "_", `\`, "_").Replace(text.String())
}

// TestLostAnswer holds that events of which the broker's word is lost are there once: the
// client sends them again by itself, and the broker tells that it has them.
func TestLostAnswer(t *testing.T) {
	b, lose := newBroker(t), &cutter{}
	o := b.open(t, func(c *Config) { c.Dial = lose.dial })
	asked := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})
	lose.left.Store(1)
	if err := o.Deliver(limited(t), large(4)); err != nil {
		t.Fatalf("the client did not mend it: %v", err)
	}
	if asked.Hits() < 2 {
		t.Fatalf("the broker was asked %d times, so nothing was lost", asked.Hits())
	}
	if err := o.Deliver(limited(t), records(6)[4:]); err != nil {
		t.Fatalf("what comes after it: %v", err)
	}
	b.mustHave(t, 1, "id-0", "id-1", "id-2", "id-3", "id-4", "id-5")
}

// TestAppliedAndFailed is the same where the broker tells an error of what it has done.
func TestAppliedAndFailed(t *testing.T) {
	for name, err := range map[string]*kerr.Error{"timed out": kerr.RequestTimedOut, "too few": kerr.NotEnoughReplicasAfterAppend} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t)
			handle := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 2})
			if err := b.open(t).Deliver(limited(t), records(2)); err != nil {
				t.Fatalf("the client did not mend it: %v", err)
			}
			if handle.Hits() != 2 {
				t.Fatalf("%d answers were wrong", handle.Hits())
			}
			b.mustHave(t, 1, "id-0", "id-1")
		})
	}
}

// TestLostAnswers holds that what is never answered counts as not delivered; sent again, it
// is there twice, recognisably.
func TestLostAnswers(t *testing.T) {
	b, lose := newBroker(t), &cutter{}
	o := b.open(t, func(c *Config) { c.Dial = lose.dial })
	lose.left.Store(1 << 40)
	ctx, expire := context.WithCancel(t.Context())
	var asked atomic.Int64
	b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1, When: func(kmsg.Request) bool {
		if asked.Add(1) == 2 {
			expire() // The second is sent when the answer to the first is lost.
		}
		return true
	}})
	mustBe(t, o.Deliver(expiring{ctx}, large(4)), output.Unreachable, "in time")
	lose.left.Store(0)
	if err := o.Deliver(limited(t), large(4)); err != nil {
		t.Fatalf("once answers come: %v", err)
	}
	b.mustHave(t, 2, "id-0", "id-1", "id-2", "id-3")
}

// expiring is a context whose deadline passes when the test says so.
type expiring struct{ context.Context }

func (e expiring) Err() error {
	if e.Context.Err() != nil {
		return context.DeadlineExceeded
	}
	return nil
}

// mustHave holds that each event is there as often as times says, and no other. Reading goes
// on until a last event, sent behind them in each partition, has come.
func (b broker) mustHave(t *testing.T, times int, ids ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.ListenAddrs()...), kgo.DialTLSConfig(b.trusts), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for partition := range int32(partitions) {
		last := &kgo.Record{Topic: topic, Partition: partition, Headers: []kgo.RecordHeader{{Key: "id", Value: []byte("last")}}}
		if err := client.ProduceSync(ctx, last).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int{}
	for got["last"] < partitions {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("reading, after %v: %v", got, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got[string(r.Headers[0].Value)]++ })
	}
	delete(got, "last")
	for _, id := range ids {
		if got[id] != times {
			t.Errorf("%s is there %d times, want %d", id, got[id], times)
		}
		delete(got, id)
	}
	if len(got) > 0 {
		t.Errorf("nobody sent %v", got)
	}
}

// TestEmpty holds that nothing to send is no reason to call anybody.
func TestEmpty(t *testing.T) {
	b := newBroker(t)
	o := b.open(t, func(c *Config) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: io.ErrClosedPipe}
		}
	})
	if err := o.Deliver(limited(t), nil); err != nil {
		t.Errorf("delivering nothing: %v", err)
	}
}
