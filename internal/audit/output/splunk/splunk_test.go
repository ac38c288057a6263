package splunk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/post"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func TestDeliver(t *testing.T) {
	c := newCollector(t)
	c.lag = 3
	c.hurry(t)
	batch := records("a", `b"}`)
	batch[0].Agent = "team-a/bot"
	if err := c.output(t, nil).Deliver(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{"event_id": "a", "event_type": "app.oauth2.token.grant", "severity": "INFO", "agent": "team-a/bot"}
	want := event{Time: "1790000000.007", Source: "agent-identity-operator", SourceType: "_json", Index: "agents", Fields: fields, Event: json.RawMessage(`{"uuid":"a"}`)}
	if diff := cmp.Diff(want, c.indexed[0]); diff != "" {
		t.Errorf("the first event (-want +got):\n%s", diff)
	}
	if c.asked != 5 {
		t.Errorf("the indexer was asked %d times, want one to begin with, three in vain and one with success", c.asked)
	}
}

func TestDeliverInParts(t *testing.T) {
	c := newCollector(t)
	c.hurry(t)
	var batch []output.Record
	for i := range 900 {
		r := records(fmt.Sprint(i))[0]
		r.Body = []byte(`{"x":"` + strings.Repeat("y", 2000) + `"}`)
		batch = append(batch, r)
	}
	if err := c.output(t, nil).Deliver(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if len(c.indexed) != 900 || c.posts != 3 || !slices.Equal(c.contentEncoding, []string{"gzip", "gzip", "gzip"}) {
		t.Errorf("%d events in %d requests, %v", len(c.indexed), c.posts, c.contentEncoding)
	}
}

// gone waits until the client has left, and never answers: a handler that returns would, and the
// client may hear of that before it notices that its time is over.
func gone(r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// TestDeliverFaults fails in one way, then not: no event may be missing in the end.
func TestDeliverFaults(t *testing.T) {
	hold := func(_ http.ResponseWriter, r *http.Request) { gone(r) }
	with := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { say(w, status, body) }
	}
	for name, test := range map[string]struct {
		reason   string
		fail     http.HandlerFunc
		optional bool
		want     output.Kind
		words    string
	}{
		"Busy":        {"queues are full", with(503, `{"text":"Server is busy","code":9}`), false, output.Busy, "busy"},
		"Fault":       {"its own", with(500, `{"text":"Internal server error","code":8}`), false, output.Unreachable, "fault"},
		"Proxy":       {"what stands before it", with(502, "<html>"+canary), false, output.Unreachable, "502"},
		"ProxyWaits":  {"and says until when", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "5"); w.WriteHeader(429) }, false, output.Busy, "429"},
		"Token":       {"it is unknown", with(403, `{"text":"Invalid token `+canary+`","code":4}`), false, output.Refused, "token"},
		"Index":       {"a wrong index costs no event", with(400, `{"text":"Incorrect index","code":7,"invalid-event-number":0}`), false, output.Refused, "index"},
		"Format":      {"an event is bad", with(400, `{"text":"Invalid data format","code":6,"invalid-event-number":1}`), false, output.Rejected, "event"},
		"Fields":      {"its fields are", with(400, `{"text":"Error in handling indexed fields","code":15,"invalid-event-number":1}`), false, output.Rejected, "fields"},
		"Somebody":    {"a 400 that is not Splunk's costs no event", with(400, "Bad Request"), false, output.Refused, "Collector"},
		"UnknownCode": {"nor does one that is not known", with(400, `{"text":"New","code":99}`), false, output.Refused, "Collector"},
		"TooLarge":    {"a part would fit", with(413, "too large"), false, output.Rejected, "large"},
		"LoginPage":   {"a page is no acknowledgement", with(200, "<html>log in</html>"), true, output.Unreachable, "not that of"},
		"Empty":       {"nor is nothing", with(200, ""), true, output.Unreachable, "not that of"},
		"Object":      {"nor any object", with(200, "{}"), true, output.Unreachable, "not that of"},
		"Contradicts": {"nor a 200 with a fault", with(200, `{"text":"Server is busy","code":9}`), true, output.Busy, "busy"},
		"NoAckID":     {"the token changed since", with(200, `{"text":"Success","code":0}`), false, output.Refused, "Optional"},
		"BadAckID":    {"a number too large is none", with(200, `{"text":"Success","code":0,"ackId":99999999999999999999}`), false, output.Unreachable, "not that of"},
		"Redirect": {"credentials stay here", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://127.0.0.2/"+canary, http.StatusPermanentRedirect)
		}, false, output.Refused, "redirect"},
		"AfterTaking": {"it took them and said nothing", hold, false, output.Unreachable, "in time"},
		"Drip": {"a byte at a time", func(w http.ResponseWriter, r *http.Request) {
			say(w, 200, `{"te`)
			w.(http.Flusher).Flush()
			gone(r)
		}, true, output.Unreachable, "in time"},
		"Huge": {"no answer is that long", func(w http.ResponseWriter, _ *http.Request) { say(w, 200, strings.Repeat(" ", 1<<20)) }, true, output.Unreachable, ""},
		"Deep": {"nor that deep", with(200, strings.Repeat("[", 50_000)), true, output.Unreachable, "not that of"},
		"BombInAnswer": {"what is packed is not read", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(pack(make([]byte, 10<<20)))
		}, true, output.Unreachable, "not that of"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			c.hurry(t)
			c.fail[0] = test.fail
			o := c.output(t, func(config *Config) { config.RequireAck = !test.optional })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := o.Deliver(ctx, records("a", "b", "c"))
			got, ok := errors.AsType[*output.Error](err)
			if !ok || got.Kind != test.want || got.Rejected != nil || !strings.Contains(got.Message, test.words) {
				t.Fatalf("%s: got %#v", test.reason, err)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error holds the token: %v", err)
			}
			if err := o.Deliver(t.Context(), records("a", "b", "c")); err != nil {
				t.Fatal(err)
			}
			if got := c.ids(); !slices.Equal(got, []string{"a", "b", "c"}) {
				t.Errorf("indexed are %v", got)
			}
		})
	}
}

// TestDeliverPoison is a bad event among good ones: what Splunk did with the others is not
// believed, so the batch is refused as a whole and can be cut.
func TestDeliverPoison(t *testing.T) {
	c := newCollector(t)
	c.hurry(t)
	c.poison = "b"
	o := c.output(t, nil)
	for _, batch := range [][]string{{"a", "b", "c"}, {"b"}} {
		err := o.Deliver(t.Context(), records(batch...))
		if got, ok := errors.AsType[*output.Error](err); !ok || got.Kind != output.Rejected || got.Rejected != nil {
			t.Errorf("%v: got %#v, want a batch rejected as a whole", batch, err)
		}
	}
	for _, batch := range [][]string{{"a"}, {"c"}} {
		if err := o.Deliver(t.Context(), records(batch...)); err != nil {
			t.Error(err)
		}
	}
	if got := c.ids(); !slices.Equal(got, []string{"a", "a", "c"}) {
		t.Errorf("indexed are %v", got)
	}
}

func TestDeliverWithoutAcknowledgement(t *testing.T) {
	c := newCollector(t)
	c.noAck = true
	for range 3 {
		err := c.output(t, nil).Deliver(t.Context(), records("a"))
		if got, ok := errors.AsType[*output.Error](err); !ok || got.Kind != output.Refused || !strings.Contains(got.Message, "Optional") {
			t.Fatalf("got %v, want a refusal with the way out", err)
		}
	}
	if c.posts != 0 {
		t.Errorf("events were sent %d times that can never be acknowledged", c.posts)
	}
	if err := c.output(t, func(config *Config) { config.RequireAck = false }).Deliver(t.Context(), records("a")); err != nil || c.posts != 1 {
		t.Errorf("where none is required: %v", err)
	}
}

// TestAwait is what becomes of a batch that was taken while its acknowledgement is asked for.
// Question 0 is the one before anything is sent.
func TestAwait(t *testing.T) {
	with := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { say(w, status, body) }
	}
	broken := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, test := range map[string]struct {
		reason  string
		lag     int
		failAck map[int]http.HandlerFunc
		want    output.Kind
		words   string
	}{
		"NewChannel": {"one that Splunk has not seen is fine", 0, map[int]http.HandlerFunc{0: with(400, `{"code":11}`)}, -1, ""},
		"Passing":    {"faults that pass are waited out", 0, map[int]http.HandlerFunc{1: broken, 2: with(503, `{"code":9}`)}, -1, ""},
		"Lasting":    {"others are not", 0, map[int]http.HandlerFunc{1: broken, 2: broken, 3: broken}, output.Unreachable, "closed the connection"},
		"Revoked":    {"the token was taken back", 0, map[int]http.HandlerFunc{1: with(403, `{"code":4}`)}, output.Refused, "token"},
		"NotThere":   {"nobody answers questions", 0, map[int]http.HandlerFunc{0: with(404, "")}, output.Refused, "404"},
		"Never":      {"an indexer that forgot is not waited for without end", 1 << 30, nil, output.Unreachable, "acknowledge"},
		"Nonsense":   {"no answer of Splunk's", 0, map[int]http.HandlerFunc{1: with(200, `{"acks":"yes"}`), 2: with(200, `{"acks":{"0":1}}`), 3: with(200, `[]`)}, output.Unreachable, "not that of"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			c.hurry(t)
			c.lag, c.failAck = test.lag, test.failAck
			err := c.output(t, nil).Deliver(t.Context(), records("a"))
			got, ok := errors.AsType[*output.Error](err)
			if test.want < 0 && err != nil || test.want >= 0 && (!ok || got.Kind != test.want || !strings.Contains(got.Message, test.words)) {
				t.Errorf("%s: got %v", test.reason, err)
			}
		})
	}
}

// TestAwaitEnds ends the context while the clock stands still.
func TestAwaitEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end  error
		kind bool
	}{"Deadline": {context.DeadlineExceeded, true}, "Shutdown": {context.Canceled, false}} {
		c := newCollector(t)
		c.lag = 1 << 30
		ctx, cancel := context.WithCancel(t.Context())
		if test.kind {
			ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
		}
		answered := make(chan error)
		go func() { answered <- c.output(t, nil).Deliver(ctx, records("a")) }()
		for !test.kind && !c.clock.HasWaiters() {
			continue
		}
		if !test.kind {
			cancel()
		}
		err := <-answered
		cancel()
		if _, ok := errors.AsType[*output.Error](err); ok != test.kind || !errors.Is(err, test.end) {
			t.Errorf("%s: got %#v", name, err)
		}
	}
}

// TestSeveralCollectors is a balancer that leads each request elsewhere: the numbers of two
// collectors are not to be taken for one another.
func TestSeveralCollectors(t *testing.T) {
	c := newCollector(t)
	c.hurry(t)
	for i := range 2 {
		c.fail[i] = func(w http.ResponseWriter, _ *http.Request) { say(w, 200, `{"text":"Success","code":0,"ackId":0}`) }
	}
	batch := records("a", "b")
	for i := range batch {
		batch[i].Body = []byte(`{"x":"` + strings.Repeat("y", 600_000) + `"}`)
	}
	err := c.output(t, nil).Deliver(t.Context(), batch)
	if got, ok := errors.AsType[*output.Error](err); !ok || got.Kind != output.Unreachable || !strings.Contains(got.Message, "balancer") {
		t.Errorf("got %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"Path":      func(c *Config) { c.Endpoint = "https://a.example/services/collector/event" },
		"Plain":     func(c *Config) { c.Endpoint = "http://a.example" },
		"NoToken":   func(c *Config) { c.Token = identity.Secret{} },
		"LineBreak": func(c *Config) { c.Token = identity.NewSecret([]byte("a\n" + canary)) },
	} {
		config := Config{Endpoint: "https://a.example", Token: identity.NewSecret([]byte(canary)), Client: &http.Client{}}
		change(&config)
		if _, err := New(config); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	o := newCollector(t).output(t, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{o, &o, *o.config, o.config, []any{o}, struct{ Output output.Output }{o}} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s of %T shows the token", verb, value)
			}
		}
	}
}

// FuzzJudge holds that only a success of HEC's own is one, and that no answer is quoted.
func FuzzJudge(f *testing.F) {
	for _, seed := range []string{
		`{"text":"Success","code":0}`, `{"text":"Success","code":0,"ackId":1}`, `{"code":0,"ackId":"7"}`, `{"code":6,"invalid-event-number":3}`,
		`{"acks":{"0":true}}`, `{"code":1e99}`, `{"ackId":-1}`, `[`, ``, `null`, `{"code":null}`,
	} {
		f.Add(200, []byte(seed))
		f.Add(400, []byte(seed))
	}
	sender, err := post.NewSender(&http.Client{}, clock.RealClock{}, "https://a.example", "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		said, fault := judge(sender, post.Answer{Status: status, Header: http.Header{}, Body: body})
		if fault == nil {
			if status != http.StatusOK || !json.Valid(body) || said.Code != nil && *said.Code != 0 || said.Code == nil && said.Acks == nil {
				t.Errorf("%d %q is a success", status, body)
			}
			return
		}
		if len(body) > 40 && strings.Contains(fault.Error(), string(body)) || len(fault.Message) > 300 {
			t.Errorf("the answer is quoted: %v", fault)
		}
		if fault.Kind == output.Rejected && status != http.StatusRequestEntityTooLarge && !json.Valid(body) {
			t.Errorf("%d %q costs an event", status, body)
		}
	})
}

func BenchmarkDeliver(b *testing.B) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		say(w, 200, `{"text":"Success","code":0}`)
	}))
	defer server.Close()
	o, err := New(Config{Endpoint: server.URL, Token: identity.NewSecret([]byte(canary)), Client: server.Client(), Clock: clock.RealClock{}})
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	var batch []output.Record
	for i := range 1000 {
		r := records(fmt.Sprint(i))[0]
		var text strings.Builder
		for j := range 100 {
			fmt.Fprintf(&text, `,"field%d":"%x"`, j, i*j*2654435761)
		}
		r.Body = []byte(`{"uuid":"u"` + text.String() + `}`)
		batch = append(batch, r)
	}
	for b.Loop() {
		if err := o.Deliver(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(len(batch[500].Body)), "bytes/event")
}
