package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	canary  = "canary-7f3a91"
	testKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// receiver is a webhook that verifies, keeps what is new to it and fails as it is told.
type receiver struct {
	*httptest.Server
	clock *testingclock.FakePassiveClock

	mu sync.Mutex
	// fail answers instead, for the request of that number, from 0.
	fail     map[int]http.HandlerFunc
	requests []request
	kept     []string
}

// request is one that was verified.
type request struct {
	id     string
	events []string
	again  bool
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{clock: testingclock.NewFakePassiveClock(time.Unix(1_790_000_000, 0)), fail: map[int]http.HandlerFunc{}}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.take(t, w, req) }))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(t *testing.T, w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	if err := verify(testKey, req.Header, body, r.clock.Now()); err != nil {
		t.Errorf("the signature is wrong: %v", err)
	}
	if req.Header.Get("Content-Type") != "application/json" || req.Header.Get("Content-Encoding") != "" || req.Header.Get("Authorization") != "Bearer "+canary {
		t.Errorf("the headers are %v", req.Header)
	}
	var batch struct {
		Events []struct {
			ID string `json:"id"`
		} `json:"events"`
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		t.Errorf("the body is no JSON: %v", err)
	}
	r.mu.Lock()
	taken := request{id: req.Header.Get("Webhook-Id")}
	for _, event := range batch.Events {
		taken.events = append(taken.events, event.ID)
	}
	taken.again = slices.ContainsFunc(r.requests, func(other request) bool { return other.id == taken.id })
	fail := r.fail[len(r.requests)]
	r.requests = append(r.requests, taken)
	if fail == nil && !taken.again {
		r.kept = append(r.kept, taken.events...)
	}
	r.mu.Unlock()
	if fail != nil {
		fail(w, req)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// sent are the requests so far.
func (r *receiver) sent() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// heal lets all that comes succeed.
func (r *receiver) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.fail)
}

func (r *receiver) output(t *testing.T, change func(*Config)) Output {
	t.Helper()
	guard := outbound.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	config := Config{
		Endpoint: r.URL, Client: guard.Client(r.Client().Transport.(*http.Transport).TLSClientConfig), Clock: r.clock,
		SigningKey: identity.NewSecret([]byte(testKey + "\n")),
		Headers: map[string]identity.Secret{
			"authorization":     identity.NewSecret([]byte("Bearer " + canary + "\n")),
			"webhook-signature": identity.NewSecret([]byte("v1," + canary)),
			"content-type":      identity.NewSecret([]byte("text/" + canary)),
		},
	}
	if change != nil {
		change(&config)
	}
	o, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

func records(names ...string) []output.Record {
	var batch []output.Record
	for _, name := range names {
		batch = append(batch, output.Record{ID: name, Body: []byte(`{"id":"` + name + `"}`)})
	}
	return batch
}

func status(code int, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			w.Header().Set(pairs[i], pairs[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, canary, testKey)
	}
}

func TestDeliver(t *testing.T) {
	r := newReceiver(t)
	o := r.output(t, func(c *Config) { c.MaxEvents = 2 })
	batch := records("a", "b", "c", "d", "e")
	if err := o.Deliver(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	first := r.sent()
	r.clock.SetTime(r.clock.Now().Add(time.Hour))
	if err := o.Deliver(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, r.kept); diff != "" {
		t.Errorf("what is kept of two deliveries (-want +got):\n%s", diff)
	}
	for i, again := range r.sent()[3:] {
		if !again.again || again.id != first[i].id {
			t.Errorf("a repeated request is not recognisable: %v after %v", again, first[i])
		}
	}
}

// TestDeliverFaults fails one of three requests; the whole batch has then failed, and goes
// again to be kept once.
func TestDeliverFaults(t *testing.T) {
	hold := func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }
	for name, test := range map[string]struct {
		reason string
		at     int
		fail   http.HandlerFunc
		want   *output.Error
		words  string
	}{
		"Outage":      {"it is tried again", 1, status(500), &output.Error{Kind: output.Unreachable}, "500"},
		"Busy":        {"it says when", 1, status(429, "Retry-After", "11"), &output.Error{Kind: output.Busy, RetryAfter: 11 * time.Second}, "429"},
		"Credentials": {"nobody should go on", 0, status(401), &output.Error{Kind: output.Refused}, "Secrets"},
		"Gone":        {"it wants nothing any more", 0, status(410), &output.Error{Kind: output.Refused}, "410"},
		"Schema":      {"the batch is refused as a whole", 2, status(422), &output.Error{Kind: output.Rejected}, "422"},
		"Redirect":    {"credentials stay here", 0, status(307, "Location", "https://127.0.0.2/"+canary), &output.Error{Kind: output.Refused}, "redirect"},
		"AfterTaking": {"it took them and said nothing", 1, hold, &output.Error{Kind: output.Unreachable}, "in time"},
		"Hangup":      {"it took them and left", 1, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, &output.Error{Kind: output.Unreachable}, "closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.fail[test.at] = test.fail
			o := r.output(t, func(c *Config) { c.MaxEvents = 1 })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := o.Deliver(ctx, records("a", "b", "c"))
			got, ok := errors.AsType[*output.Error](err)
			if !ok || got.Kind != test.want.Kind || got.RetryAfter != test.want.RetryAfter || got.Rejected != nil || !strings.Contains(got.Message, test.words) {
				t.Errorf("%s: got %#v", test.reason, err)
			}
			if sent := r.sent(); len(sent) != test.at+1 {
				t.Errorf("%d requests were sent, want %d", len(sent), test.at+1)
			}
			if text := err.Error(); strings.Contains(text, canary) || strings.Contains(text, testKey) {
				t.Errorf("the error holds a secret: %s", text)
			}
			r.heal()
			if err := o.Deliver(t.Context(), records("a", "b", "c")); err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, request := range r.sent() {
				seen[request.events[0]] = true
			}
			if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, []string{"a", "b", "c"}) {
				t.Errorf("an event was lost: %v", got)
			}
		})
	}
}

func TestDeliverForbidden(t *testing.T) {
	r := newReceiver(t)
	o := r.output(t, func(c *Config) { c.Client = outbound.Guard{}.Client(nil) })
	err := o.Deliver(t.Context(), records("a"))
	if got, ok := errors.AsType[*output.Error](err); !ok || got.Kind != output.Forbidden || len(r.sent()) != 0 {
		t.Errorf("loopback was sent to: %v", err)
	}
}

func TestIDOf(t *testing.T) {
	ids := map[string]string{}
	for name, batch := range map[string][]output.Record{
		"AB": records("a", "b"), "BA": records("b", "a"), "Joined": records("ab"), "Empty": records("", "ab"), "A": records("a"),
	} {
		id := idOf(batch)
		if other, found := ids[id]; found || strings.Contains(id, ".") {
			t.Errorf("%s and %s are both %s", name, other, id)
		}
		ids[id] = name
	}
}

func TestSign(t *testing.T) {
	// From the tests of the specification's own libraries.
	key, err := signingKey(identity.NewSecret([]byte(testKey)))
	if err != nil {
		t.Fatal(err)
	}
	got := sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestVerifierTurnsAway(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	key, _ := signingKey(identity.NewSecret([]byte(testKey)))
	header := http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1790000000"}, "Webhook-Signature": {sign(key, "msg_1", "1790000000", []byte("{}"))}}
	if err := verify(testKey, header, []byte("{}"), now); err != nil {
		t.Fatal(err)
	}
	unsigned := header.Clone()
	unsigned.Del("Webhook-Signature")
	other := header.Clone()
	other.Set("Webhook-Id", "msg_2")
	for reason, err := range map[string]error{
		"a body that was changed": verify(testKey, header, []byte("{ }"), now),
		"a replay":                verify(testKey, header, []byte("{}"), now.Add(time.Hour)),
		"another id":              verify(testKey, other, []byte("{}"), now),
		"no signature":            verify(testKey, unsigned, []byte("{}"), now),
		"another key":             verify("whsec_AAAA9r8GKYqrTwjUPD8ILPZIo2LaLaSw", header, []byte("{}"), now),
	} {
		if err == nil {
			t.Errorf("%s is taken", reason)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	key := func(text string) func(*Config) {
		return func(c *Config) { c.SigningKey = identity.NewSecret([]byte(text)) }
	}
	for name, change := range map[string]func(*Config){
		"NoBase64": key("whsec_" + canary + "!"), "Short": key("whsec_Y2FuYXJ5"), "Asymmetric": key("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
		"Long":     key(strings.Repeat("AAAA", 22)),
		"TooMany":  func(c *Config) { c.MaxEvents = 1001 },
		"Negative": func(c *Config) { c.MaxEvents = -1 },
		"Plain":    func(c *Config) { c.Endpoint = "http://a.example/" + canary },
		"LineBreak": func(c *Config) {
			c.Headers = map[string]identity.Secret{"x-key": identity.NewSecret([]byte("a\n" + canary))}
		},
	} {
		config := Config{Endpoint: "https://a.example", Client: &http.Client{}}
		change(&config)
		if _, err := New(config); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	r := newReceiver(t)
	o := r.output(t, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{o, &o, *o.config, o.config, []any{o}, struct{ Output output.Output }{o}} {
			text := fmt.Sprintf(verb, value)
			for _, secret := range []string{canary, testKey, fmt.Sprintf("%x", canary)} {
				if strings.Contains(text, secret) {
					t.Errorf("%s of %T shows a secret", verb, value)
				}
			}
		}
	}
}

func BenchmarkDeliver(b *testing.B) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) }))
	defer server.Close()
	o, err := New(Config{
		Endpoint: server.URL, Client: server.Client(), Clock: testingclock.NewFakePassiveClock(time.Unix(1_790_000_000, 0)),
		SigningKey: identity.NewSecret([]byte(testKey)),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	var batch []output.Record
	for i := range 1000 {
		batch = append(batch, output.Record{ID: fmt.Sprintf("id-%d", i), Body: []byte(`{"id":"` + strings.Repeat("x", 2000) + `"}`)})
	}
	for b.Loop() {
		if err := o.Deliver(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
}
