package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

var _ output.Output = (*Output)(nil)

func TestDeliver(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		config.Resource = Resource{Version: "1.2.3", Cluster: "prod", Org: "https://example.okta.com"}
		records := []output.Record{{
			ID: "uuid-1", Time: now.Add(-time.Minute), Type: "user.session.start", Severity: "WARN",
			Agent: "team/agent", Body: []byte(`{"b":1,"a":12345678901234567890,"a":2}`),
		}}
		o := open(t, config)
		if err := o.Deliver(context.Background(), records); err != nil {
			t.Fatal(err)
		}
		got, err := protojson.Marshal(r.requests[0])
		if err != nil {
			t.Fatal(err)
		}
		want := `{"resourceLogs":[{"resource":{"attributes":[
			{"key":"service.name","value":{"stringValue":"agent-identity-operator"}},
			{"key":"service.version","value":{"stringValue":"1.2.3"}},
			{"key":"agentidentity.cluster","value":{"stringValue":"prod"}},
			{"key":"okta.org","value":{"stringValue":"https://example.okta.com"}}]},
			"scopeLogs":[{"scope":{"name":"agentidentity.dev/audit","version":"1.2.3"},"logRecords":[{
			"timeUnixNano":"1795867140000000000","observedTimeUnixNano":"1795867200000000000",
			"severityNumber":"SEVERITY_NUMBER_WARN","severityText":"WARN",
			"body":{"stringValue":"{\"b\":1,\"a\":12345678901234567890,\"a\":2}"},
			"attributes":[{"key":"log.record.uid","value":{"stringValue":"uuid-1"}},
			{"key":"event.name","value":{"stringValue":"user.session.start"}},
			{"key":"agentidentity.agent","value":{"stringValue":"team/agent"}}],
			"eventName":"user.session.start"}]}]}]}`
		if diff := cmp.Diff(squeezed(want), squeezed(string(got))); diff != "" {
			t.Errorf("what was sent (-want +got):\n%s", diff)
		}
		if got := r.headers[0].Get("Authorization"); got != "Bearer "+canary {
			t.Errorf("the header is %q: space at its ends, as in many a Secret, is not sent", got)
		}
	})
}

func squeezed(text string) string {
	return strings.NewReplacer("\n", "", "\t", "", ", ", ",", ": ", ":").Replace(text)
}

func TestDeliverSplitsBySize(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		records := batch(1000)
		for i := range records {
			records[i].Body = fmt.Appendf(nil, `{"n":%d,"pad":%q}`, i, strings.Repeat("x", 8000))
		}
		// One alone is larger than a request is to be: HTTP has no limit of its own.
		if !config.GRPC {
			records[500].Body = fmt.Appendf(nil, `{"pad":%q}`, strings.Repeat("y", 5<<20))
		}
		if err := open(t, config).Deliver(context.Background(), records); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(idsOf(records), r.ids()); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
		if len(r.requests) < 3 {
			t.Errorf("8 MB went in %d requests", len(r.requests))
		}
	})
}

// TestSizeOf holds that the estimate is one: gRPC's receivers refuse what is larger.
func TestSizeOf(t *testing.T) {
	for name, record := range map[string]output.Record{
		"Empty":   {},
		"Full":    batch(1)[0],
		"Long":    {ID: strings.Repeat("i", 500), Type: strings.Repeat("t", 500), Severity: "DEBUG", Agent: strings.Repeat("a", 500)},
		"Invalid": {ID: "\xff", Type: strings.Repeat("\xffa", 300), Agent: "\xff", Body: []byte("\xff")},
		"Huge":    {Body: bytes.Repeat([]byte("x"), 1<<20)},
	} {
		e := newEncoder(Resource{}, clocktesting.NewFakePassiveClock(now))
		one, two := e.request([]output.Record{record}), e.request([]output.Record{record, record})
		if took := sizeInWire(two) - sizeInWire(one); took > sizeOf(&record) {
			t.Errorf("%s: took %d bytes, said to be %d", name, took, sizeOf(&record))
		}
	}
}

// TestUnreadableText holds that no single event makes a request unreadable.
func TestUnreadableText(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		records := batch(3)
		records[1] = output.Record{ID: "\xff", Type: "\xff", Severity: "\xff", Agent: "\xff", Body: []byte("{\"a\":\"\xff\"}")}
		if err := open(t, config).Deliver(context.Background(), records); err != nil {
			t.Fatal(err)
		}
		got := recordsOf(r.requests[0])
		if len(got) != 3 || string(got[1].GetBody().GetBytesValue()) != "{\"a\":\"\xff\"}" {
			t.Errorf("the body is changed: %v", got)
		}
	})
}

func TestPartialSuccess(t *testing.T) {
	poison := func(places ...int) func([]*logs.LogRecord) (int64, error) {
		return func(records []*logs.LogRecord) (int64, error) {
			var n int64
			for _, r := range records {
				for _, p := range places {
					if id(r) == batch(p + 1)[p].ID {
						n++
					}
				}
			}
			return n, nil
		}
	}
	for name, test := range map[string]struct {
		reason string
		n      int
		answer func([]*logs.LogRecord) (int64, error)
		want   *told
	}{
		"All taken":     {"zero rejected is a success", 4, poison(), nil},
		"Some":          {"the protocol does not say which: the caller halves", 4, poison(2), &told{Kind: output.Rejected}},
		"Every one":     {"a batch that is rejected as a whole has no places", 2, poison(0, 1), &told{Kind: output.Rejected}},
		"The only one":  {"and so has a batch of one, which ends the halving", 1, poison(0), &told{Kind: output.Rejected}},
		"Fewer than no": {"a count that cannot be is no acknowledgement", 2, func([]*logs.LogRecord) (int64, error) { return -1, nil }, &told{Kind: output.Rejected}},
		"More than all": {"nor is this", 2, func([]*logs.LogRecord) (int64, error) { return 1 << 60, nil }, &told{Kind: output.Rejected}},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, r *receiver, config Config) {
				r.answer = test.answer
				err := open(t, config).Deliver(context.Background(), batch(test.n))
				if diff := cmp.Diff(test.want, tell(t, err)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", test.reason, diff)
				}
			})
		})
	}
}

// TestPlaces holds that places are given where they are certain: a request of its own was
// rejected, and all others were taken.
func TestPlaces(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		records := batch(4)
		for i := range records {
			records[i].Body = bytes.Repeat([]byte("x"), 2<<20)
		}
		r.answer = func(records []*logs.LogRecord) (int64, error) {
			if id(records[0]) == "event-0001" || id(records[0]) == "event-0003" {
				return 1, nil
			}
			return 0, nil
		}
		want := &told{Kind: output.Rejected, Rejected: []int{1, 3}}
		if diff := cmp.Diff(want, tell(t, open(t, config).Deliver(context.Background(), records))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(idsOf(records), r.ids()); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
	})
}

// TestAcceptThenTimeOut holds that an answer that is lost is no acknowledgement, and that
// what is sent again is recognisable.
func TestAcceptThenTimeOut(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		taken, release := make(chan struct{}, 2), make(chan struct{})
		r.answer = func([]*logs.LogRecord) (int64, error) {
			taken <- struct{}{}
			<-release
			return 0, nil
		}
		o := open(t, config)
		ctx, expire := expiring()
		go func() { <-taken; expire() }()
		if diff := cmp.Diff(&told{Kind: output.Unreachable}, tell(t, o.Deliver(ctx, batch(3)))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		close(release)
		if err := o.Deliver(context.Background(), batch(3)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append(idsOf(batch(3)), idsOf(batch(3))...), r.ids()); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
	})
}

// expiring is a context whose deadline passes when the test says so.
func expiring() (context.Context, func()) {
	inner, cancel := context.WithCancel(context.Background())
	return expired{inner}, cancel
}

type expired struct{ context.Context }

func (e expired) Err() error {
	if e.Context.Err() != nil {
		return context.DeadlineExceeded
	}
	return nil
}

func TestCancelled(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		ctx, cancel := context.WithCancel(context.Background())
		release := make(chan struct{})
		defer close(release)
		r.answer = func([]*logs.LogRecord) (int64, error) { cancel(); <-release; return 0, nil }
		o := open(t, config)
		for range 2 {
			if err := o.Deliver(ctx, batch(1)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the context's own error", err)
			}
		}
	})
}

func TestForbidden(t *testing.T) {
	refusal := &output.Error{Kind: output.Forbidden, Message: "the endpoint leads to an address where nothing is sent"}
	both(t, func(t *testing.T, _ *receiver, config Config) {
		config.Dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("guarding: %w", refusal)}
		}
		err := open(t, config).Deliver(context.Background(), batch(1))
		if got, ok := errors.AsType[*output.Error](err); !ok || got != refusal {
			t.Errorf("got %v, want the guard's own refusal", err)
		}
	})
}

// TestComesBack holds that a receiver that was away is found at the next delivery.
func TestComesBack(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		away, dialled := true, 0
		config.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled++
			if away {
				addr = "127.0.0.1:1"
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		o := open(t, config)
		for range 3 {
			if diff := cmp.Diff(&told{Kind: output.Unreachable}, tell(t, o.Deliver(context.Background(), batch(1)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		away = false
		if err := o.Deliver(context.Background(), batch(1)); err != nil {
			t.Errorf("the receiver is back, but %v", err)
		}
		if dialled != 4 {
			t.Errorf("dialled %d times for four deliveries", dialled)
		}
		if diff := cmp.Diff(idsOf(batch(1)), r.ids()); diff != "" {
			t.Errorf("ids (-want +got):\n%s", diff)
		}
	})
}

func TestStranger(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		config.TLS = nil
		err := open(t, config).Deliver(context.Background(), batch(1))
		if diff := cmp.Diff(&told{Kind: output.Unreachable}, tell(t, err)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !strings.Contains(err.Error(), "output.tls.ca") || len(r.requests) != 0 {
			t.Errorf("got %v and %d requests", err, len(r.requests))
		}
	})
}

func TestNew(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		config Config
		valid  bool
	}{
		"HTTP":         {"a path is kept", Config{Endpoint: "https://example.com/otlp/"}, true},
		"GRPC":         {"and has none over gRPC", Config{Endpoint: "https://example.com/", GRPC: true}, true},
		"Path":         {"gRPC calls a service, not a path", Config{Endpoint: "https://example.com/otlp", GRPC: true}, false},
		"Plain":        {"events and credentials go over TLS", Config{Endpoint: "http://example.com"}, false},
		"User":         {"credentials are in a Secret", Config{Endpoint: "https://u:" + canary + "@example.com"}, false},
		"No URL":       {"its parser would quote it", Config{Endpoint: "https://u:" + canary + "@exa mple.com"}, false},
		"Query":        {"credentials are in a Secret", Config{Endpoint: "https://example.com?key=" + canary}, false},
		"Line break":   {"it would be two headers", Config{Endpoint: "https://example.com", Headers: header("a", canary+"\r\nb: c")}, false},
		"Header":       {"a name has no blank", Config{Endpoint: "https://example.com", Headers: header("a b", canary)}, false},
		"Reserved":     {"gRPC's own", Config{Endpoint: "https://example.com", GRPC: true, Headers: header("grpc-timeout", canary)}, false},
		"Not printing": {"gRPC has ASCII", Config{Endpoint: "https://example.com", GRPC: true, Headers: header("a", canary+"é")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := New(test.config, clocktesting.NewFakePassiveClock(now))
			if (err == nil) != test.valid {
				t.Errorf("%s: got %v", test.reason, err)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("the error shows a secret: %v", err)
			}
			if o != nil {
				o.Close()
			}
		})
	}
}

func header(name, value string) map[string]identity.Secret {
	return map[string]identity.Secret{name: identity.NewSecret([]byte(value))}
}

// TestCanary holds that no way of printing shows a secret: fmt shows unexported fields as
// they are, whatever their type says of itself.
func TestCanary(t *testing.T) {
	both(t, func(t *testing.T, _ *receiver, config Config) {
		config.Headers = header("authorization", canary)
		o := open(t, config)
		if err := o.Deliver(context.Background(), batch(1)); err != nil {
			t.Fatal(err)
		}
		for _, value := range []any{config, &config, o, *o, o.sender, o.encoder} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				if said := fmt.Sprintf(verb, value); strings.Contains(said, canary) {
					t.Errorf("%s of %T shows a secret", verb, value)
				}
			}
		}
		switch s := o.sender.(type) {
		case *overHTTP:
			if said := fmt.Sprintf("%+v %#v", *s, *s); strings.Contains(said, canary) {
				t.Errorf("the transport shows a secret: %s", said)
			}
		case *overGRPC:
			if said := fmt.Sprintf("%+v %#v", s.config, s.config); strings.Contains(said, canary) {
				t.Errorf("the transport shows a secret: %s", said)
			}
		}
	})
}

func TestEmpty(t *testing.T) {
	both(t, func(t *testing.T, r *receiver, config Config) {
		if err := open(t, config).Deliver(context.Background(), nil); err != nil || len(r.requests) != 0 {
			t.Errorf("got %v and %d requests", err, len(r.requests))
		}
	})
}

var _ http.Handler = (*receiver)(nil)
