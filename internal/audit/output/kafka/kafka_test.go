package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	topic      = "audit"
	partitions = 2
	canary     = "canary-3fd1c2"
)

// broker is a cluster in this process, over TLS.
type broker struct {
	*kfake.Cluster
	trusts *tls.Config
}

func newBroker(t *testing.T, options ...kfake.Opt) broker {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	cluster, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic), kfake.TLS(&tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12}),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return broker{cluster, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
}

// open makes an output to the broker.
func (b broker) open(t *testing.T, change ...func(*Config)) *Output {
	t.Helper()
	config := Config{Brokers: b.ListenAddrs(), Topic: topic, TLS: b.trusts}
	for _, c := range change {
		c(&config)
	}
	o, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

// all reads n records of the topic, in the order of each partition.
func (b broker) all(t *testing.T, n int, options ...kgo.Opt) map[string]*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.ListenAddrs()...), kgo.DialTLSConfig(b.trusts), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := map[string]*kgo.Record{}
	for count := 0; count < n; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d of %d records are there: %v", count, n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			count++
			if id := string(r.Headers[0].Value); got[id] != nil {
				t.Errorf("%s is there twice", id)
			} else {
				got[id] = r
			}
		})
	}
	return got
}

func records(n int) []output.Record {
	var all []output.Record
	for i := range n {
		all = append(all, output.Record{
			ID: fmt.Sprint("id-", i), Time: time.UnixMilli(int64(1_700_000_000_000 + i)).UTC(), Type: "user.session.start",
			Agent: []string{"shop/bot", ""}[i%2], Body: fmt.Appendf(nil, `{"id":"id-%d"}`, i),
		})
	}
	return all
}

func TestDeliver(t *testing.T) {
	b := newBroker(t)
	o := b.open(t)
	batch := records(1000)
	for part := range slices.Chunk(batch, 300) {
		if err := o.Deliver(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	got := b.all(t, len(batch))
	last := int64(-1)
	partition := int32(-1)
	for _, want := range batch {
		r := got[want.ID]
		if r == nil {
			t.Fatalf("%s is not there", want.ID)
		}
		headers := map[string]string{}
		for _, h := range r.Headers {
			headers[h.Key] = string(h.Value)
		}
		if diff := cmp.Diff(map[string]string{"id": want.ID, "type": want.Type}, headers); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if string(r.Value) != string(want.Body) || string(r.Key) != want.Agent || !r.Timestamp.Equal(want.Time) {
			t.Errorf("%s has key %q, time %s and value %s", want.ID, r.Key, r.Timestamp, r.Value)
		}
		if want.Agent == "" {
			continue
		}
		if partition >= 0 && r.Partition != partition || r.Offset <= last {
			t.Errorf("%s of the agent is in partition %d at %d, after %d in %d", want.ID, r.Partition, r.Offset, last, partition)
		}
		partition, last = r.Partition, r.Offset
	}
}

func TestSASL(t *testing.T) {
	for _, mechanism := range []struct{ ours, theirs string }{
		{"Plain", "PLAIN"}, {"SCRAMSHA256", "SCRAM-SHA-256"}, {"SCRAMSHA512", "SCRAM-SHA-512"},
	} {
		t.Run(mechanism.ours, func(t *testing.T) {
			b := newBroker(t, kfake.EnableSASL(), kfake.Superuser(mechanism.theirs, "operator", canary))
			as := func(password string) func(*Config) {
				return func(c *Config) {
					c.SASL = &SASL{mechanism.ours, identity.NewSecret([]byte("operator\n")), identity.NewSecret([]byte(password))}
				}
			}
			if err := b.open(t, as(canary)).Deliver(t.Context(), records(3)); err != nil {
				t.Fatal(err)
			}
			// This broker hangs up, where Kafka says why first.
			mustBe(t, b.open(t, as("wrong-"+canary)).Deliver(limited(t), records(1)), output.Unreachable, "sasl")
			b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.SASLAuthenticate}, TopLevel: true, Err: kerr.SaslAuthenticationFailed, Count: -1})
			mustBe(t, b.open(t, as(canary)).Deliver(limited(t), records(1)), output.Refused, "sasl")
		})
	}
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func mustBe(t *testing.T, err error, kind output.Kind, says string) {
	t.Helper()
	told, ok := errors.AsType[*output.Error](err)
	if !ok || told.Kind != kind || !strings.Contains(told.Message, says) {
		t.Errorf("error %v, want one of kind %d that says %q", err, kind, says)
	}
	if err != nil && strings.Contains(err.Error(), canary) {
		t.Errorf("the error tells the password: %v", err)
	}
}

// TestFaults holds what each fault of a broker means, and that all is delivered once it is over.
func TestFaults(t *testing.T) {
	produce := []kmsg.Key{kmsg.Produce}
	tests := map[string]struct {
		fault  kfake.Fault
		kind   output.Kind
		says   string
		passes bool
		reason string
	}{
		"not allowed": {kfake.Fault{Keys: produce, Err: kerr.TopicAuthorizationFailed, Count: -1}, output.Refused, "may not write", false, "people allow it"},
		"too large":   {kfake.Fault{Keys: produce, Err: kerr.MessageTooLarge, Count: -1}, output.Rejected, "too large", false, "it is the events"},
		"no such":     {kfake.Fault{Keys: produce, Err: kerr.InvalidTopicException, Count: -1}, output.Refused, "name", false, "people correct it"},
		"never":       {kfake.Fault{Keys: produce, Err: kerr.NotEnoughReplicas, Count: -1}, output.Unreachable, "time", false, "replicas come back"},
		"a moment":    {kfake.Fault{Keys: produce, Err: kerr.NotLeaderForPartition, Count: 2}, 0, "", true, "the client finds the leader"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t)
			o := b.open(t)
			handle := b.Fault(tt.fault)
			err := o.Deliver(limited(t), records(10))
			if tt.passes && err != nil {
				t.Fatalf("%s: %v", tt.reason, err)
			}
			if !tt.passes {
				mustBe(t, err, tt.kind, tt.says)
				handle.Remove()
				if err := o.Deliver(t.Context(), records(10)); err != nil {
					t.Fatalf("once it is over: %v", err)
				}
			}
			if got := b.all(t, 10); len(got) != 10 {
				t.Errorf("%d events are there", len(got))
			}
		})
	}
}

// TestSingleRejected: one that is too large is told by its place, and the others are taken.
func TestSingleRejected(t *testing.T) {
	b := newBroker(t)
	batch := records(5)
	batch[3].Body = []byte(`{"id":"` + strings.Repeat("x", 3<<20) + `"}`)
	err := b.open(t).Deliver(t.Context(), batch)
	mustBe(t, err, output.Rejected, "too large")
	told, _ := errors.AsType[*output.Error](err)
	if diff := cmp.Diff([]int{3}, told.Rejected); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if got := b.all(t, 4); got["id-3"] != nil {
		t.Error("what was too large is there")
	}
}

func TestNobodyThere(t *testing.T) {
	b := newBroker(t)
	t.Run("no topic", func(t *testing.T) {
		o := b.open(t, func(c *Config) { c.Topic = "other" })
		mustBe(t, o.Deliver(limited(t), records(1)), output.Refused, "does not exist")
	})
	t.Run("not trusted", func(t *testing.T) {
		o := b.open(t, func(c *Config) { c.TLS = nil })
		mustBe(t, o.Deliver(limited(t), records(1)), output.Unreachable, "certificate")
	})
	t.Run("forbidden", func(t *testing.T) {
		o := b.open(t, func(c *Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) {
				return nil, fmt.Errorf("dialling: %w", &output.Error{Kind: output.Forbidden, Message: "not there"})
			}
		})
		mustBe(t, o.Deliver(limited(t), records(1)), output.Forbidden, "not there")
	})
	t.Run("no answer", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		o := b.open(t, func(c *Config) { c.Brokers = []string{listener.Addr().String()} })
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		mustBe(t, o.Deliver(ctx, records(1)), output.Unreachable, "in time")
	})
	t.Run("called off", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.open(t).Deliver(ctx, records(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("delivering for nobody: %v", err)
		}
	})
}

func TestBrokers(t *testing.T) {
	for broker, valid := range map[string]bool{
		"kafka.example.com:9093": true, "10.0.0.1:1": true, "[2001:db8::1]:65535": true,
		"kafka": false, "kafka:": false, ":9093": false, "kafka:0": false, "kafka:65536": false, "kafka:-1": false, "2001:db8::1": false, "": false,
	} {
		if _, err := New(Config{Brokers: []string{"a:1", broker}, Topic: topic}); (err == nil) != valid {
			t.Errorf("%q: got %v", broker, err)
		}
	}
}

func TestNothingIsTold(t *testing.T) {
	secret := &SASL{"Plain", identity.NewSecret([]byte("user")), identity.NewSecret([]byte(canary))}
	b := newBroker(t)
	o := b.open(t, func(c *Config) { c.SASL = secret })
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb+verb, o, *secret); strings.Contains(text, canary) {
			t.Errorf("%s tells the password: %s", verb, text)
		}
	}
	if _, err := New(Config{Brokers: []string{"a:1"}, Topic: "t", SASL: &SASL{Mechanism: "None", Password: secret.Password}}); err == nil ||
		strings.Contains(err.Error(), canary) {
		t.Errorf("a mechanism that there is not: %v", err)
	}
}
