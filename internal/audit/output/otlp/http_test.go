package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

func sizeInWire(message proto.Message) int { return proto.Size(message) }

func answering(code int, header http.Header, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(code)
		w.Write(body)
		fmt.Fprint(w, r.Header.Get("X-Nothing"))
	}
}

// TestStatuses is the table of what a receiver may answer; each body says our credential.
func TestStatuses(t *testing.T) {
	after := func(value string) http.Header {
		// Its clock is an hour late, and is not asked.
		return http.Header{"Retry-After": {value}, "Date": {"Sat, 28 Nov 2026 11:00:00 GMT"}}
	}
	kind := func(kind output.Kind) *told { return &told{Kind: kind} }
	for name, test := range map[string]struct {
		reason string
		code   int
		header http.Header
		want   *told
	}{
		"400":              {"it cannot read what was sent", 400, nil, kind(output.Rejected)},
		"401":              {"it does not know us", 401, nil, kind(output.Refused)},
		"403":              {"we may not", 403, nil, kind(output.Refused)},
		"404":              {"there is no receiver: setting events aside would not help", 404, nil, kind(output.Refused)},
		"405":              {"it is another service", 405, nil, kind(output.Refused)},
		"407":              {"a proxy in between", 407, nil, kind(output.Refused)},
		"408":              {"it was slow", 408, nil, kind(output.Unreachable)},
		"413":              {"fewer may be taken", 413, nil, kind(output.Rejected)},
		"415":              {"it takes no protobuf at all", 415, nil, kind(output.Refused)},
		"422":              {"it is about the events", 422, nil, kind(output.Rejected)},
		"425":              {"too early is not too much", 425, nil, kind(output.Unreachable)},
		"429":              {"it is busy for as long as the caller likes", 429, nil, kind(output.Busy)},
		"429 for 30 s":     {"it says how long", 429, after("30"), &told{Kind: output.Busy, RetryAfter: 30 * time.Second}},
		"429 until":        {"by our clock", 429, after("Sat, 28 Nov 2026 12:02:00 GMT"), &told{Kind: output.Busy, RetryAfter: 2 * time.Minute}},
		"429 until before": {"time has passed", 429, after("Sat, 28 Nov 2026 11:00:00 GMT"), kind(output.Busy)},
		"429 for ever":     {"an hour is the most", 429, after("2000000000"), &told{Kind: output.Busy, RetryAfter: time.Hour}},
		"429 overflowing":  {"an hour is the most", 429, after("99999999999999999999"), &told{Kind: output.Busy, RetryAfter: time.Hour}},
		"429 negative":     {"what cannot be read is nothing", 429, after("-5"), kind(output.Busy)},
		"500":              {"its fault", 500, nil, kind(output.Unreachable)},
		"501":              {"its fault", 501, nil, kind(output.Unreachable)},
		"502":              {"its proxy's fault", 502, nil, kind(output.Unreachable)},
		"503":              {"its fault", 503, nil, kind(output.Unreachable)},
		"503 for 5 s":      {"it says how long", 503, after("5"), &told{Kind: output.Busy, RetryAfter: 5 * time.Second}},
		"504":              {"its proxy's fault", 504, nil, kind(output.Unreachable)},
		"599":              {"nobody's number", 599, nil, kind(output.Unreachable)},
		"307":              {"no redirect is followed", 307, http.Header{"Location": {"https://example.com/" + canary}}, kind(output.Refused)},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, serveHTTP(t, answering(test.code, test.header, []byte("you said Bearer "+canary))))
			for range 2 {
				if diff := cmp.Diff(test.want, tell(t, o.Deliver(context.Background(), batch(2)))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", test.reason, diff)
				}
			}
		})
	}
}

// TestSuccesses is what counts as an acknowledgement.
func TestSuccesses(t *testing.T) {
	partial, _ := proto.Marshal(&collector.ExportLogsServiceResponse{
		PartialSuccess: &collector.ExportLogsPartialSuccess{RejectedLogRecords: 1, ErrorMessage: canary},
	})
	warning, _ := proto.Marshal(&collector.ExportLogsServiceResponse{
		PartialSuccess: &collector.ExportLogsPartialSuccess{ErrorMessage: canary},
	})
	rejected, foreign := &told{Kind: output.Rejected}, &told{Kind: output.Unreachable}
	for name, test := range map[string]struct {
		reason string
		kind   string
		body   []byte
		want   *told
	}{
		"Empty":          {"no bytes are a response without partial success", typeProtobuf, nil, nil},
		"Warning":        {"words without a count reject nothing", typeProtobuf, warning, nil},
		"Partial":        {"a record is rejected", typeProtobuf, partial, rejected},
		"Parameter":      {"the SDK would take this for a success", typeProtobuf + "; charset=utf-8", partial, rejected},
		"JSON":           {"the SDK would take this for a success", typeJSON, []byte(`{"partialSuccess":{"rejectedLogRecords":"1"}}`), rejected},
		"JSON, number":   {"some write a number", typeJSON, []byte(`{"partial_success":{"rejectedLogRecords":1}}`), rejected},
		"JSON, nothing":  {"all were taken", typeJSON, []byte(`{}`), nil},
		"JSON, more":     {"what we do not know is not about records", typeJSON, []byte(`{"took":3}`), nil},
		"JSON, bare":     {"nothing is said of what it is", typeJSON, nil, nil},
		"Login page":     {"a proxy's 200 is no acknowledgement", "text/html; charset=utf-8", []byte("<html>" + canary), foreign},
		"Empty page":     {"nor is one without words", "text/html", nil, foreign},
		"No type":        {"nor are words of no type", "", []byte("ok"), foreign},
		"Broken":         {"nor is what cannot be read", typeProtobuf, []byte(canary), foreign},
		"Broken JSON":    {"nor is what cannot be read", typeJSON, []byte(`{"partialSuccess":` + canary), foreign},
		"No media type":  {"nor what is no type", "///" + canary, nil, foreign},
		"Huge":           {"nor what is never read to its end", typeProtobuf, bytes.Repeat([]byte("x"), 100<<20), foreign},
		"Deep JSON":      {"nor what is nested to burst", typeJSON, []byte(`{"a":` + strings.Repeat("[", 30000)), foreign},
		"Huge JSON":      {"nor this", typeJSON, []byte(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`), foreign},
		"Rejected as -1": {"a count that cannot be is no acknowledgement", typeJSON, []byte(`{"partialSuccess":{"rejectedLogRecords":"-1"}}`), rejected},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Content-Type": {test.kind}}
			if test.kind == "" {
				header["Content-Type"] = nil
			}
			o := open(t, serveHTTP(t, answering(200, header, test.body)))
			if diff := cmp.Diff(test.want, tell(t, o.Deliver(context.Background(), batch(2)))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestBomb(t *testing.T) {
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	io.CopyN(packer, zeros{}, 100<<20)
	packer.Close()
	o := open(t, serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("a packed answer is asked for: %s", got)
		}
		answering(200, http.Header{"Content-Type": {typeProtobuf}, "Content-Encoding": {"gzip"}}, bomb.Bytes())(w, r)
	})))
	if diff := cmp.Diff(&told{Kind: output.Unreachable}, tell(t, o.Deliver(context.Background(), batch(1)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestSlowBody holds that a receiver that says a byte at a time holds up nobody for longer
// than the deadline.
func TestSlowBody(t *testing.T) {
	ctx, expire := expiring()
	o := open(t, serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", typeProtobuf)
		for range 3 {
			w.Write([]byte{0})
			w.(http.Flusher).Flush()
		}
		expire()
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // it never comes to an end
	})))
	if diff := cmp.Diff(&told{Kind: output.Unreachable}, tell(t, o.Deliver(ctx, batch(1)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNoHTTP holds that Go's words for what a receiver says, which quote it, go nowhere.
func TestNoHTTP(t *testing.T) {
	for name, said := range map[string]string{
		"Status line": "HTTP/1.1 Bearer " + canary + "\r\n\r\n",
		"Nothing":     "",
		"Header":      "HTTP/1.1 200 OK\r\nBearer " + canary + "\r\n\r\n",
		"Length":      "HTTP/1.1 200 OK\r\nContent-Length: " + canary + "\r\n\r\n",
		"Encoding":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + canary + "\r\n\r\n",
		"Cut":         "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 10\r\n\r\nabc",
		"Long header": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat(canary, 100000) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			hijacked := 0
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				hijacked++
				raw, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				io.WriteString(raw, said)
				raw.Close()
			})
			config := serveHTTP(t, handler)
			config.TLS.NextProtos = []string{"http/1.1"}
			o := open(t, config)
			o.sender.(*overHTTP).transport.ForceAttemptHTTP2 = false
			if diff := cmp.Diff(&told{Kind: output.Unreachable}, tell(t, o.Deliver(context.Background(), batch(1)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if hijacked != 1 {
				t.Errorf("it was asked %d times", hijacked)
			}
		})
	}
}

// TestOneConnection holds that a batch does not cost a handshake.
func TestOneConnection(t *testing.T) {
	both(t, func(t *testing.T, _ *receiver, config Config) {
		var dialled atomic.Int64
		config.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		o := open(t, config)
		for range 5 {
			if err := o.Deliver(context.Background(), batch(2)); err != nil {
				t.Fatal(err)
			}
		}
		if dialled.Load() != 1 {
			t.Errorf("dialled %d times", dialled.Load())
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(typeProtobuf, "", []byte{0x0a, 0x02, 0x08, 0x01})
	f.Add(typeJSON, "", []byte(`{"partialSuccess":{"rejectedLogRecords":"1"}}`))
	f.Add("text/html", "gzip", []byte("<html>"))
	f.Fuzz(func(t *testing.T, kind, encoding string, body []byte) {
		rejected, err := readAnswer(kind, encoding, body)
		if err == nil {
			return
		}
		if rejected != 0 {
			t.Errorf("both %d and %v", rejected, err)
		}
		if got := tell(t, err); got.Kind != output.Unreachable {
			t.Errorf("got %v: an answer that cannot be read is not about events", got)
		}
	})
}
