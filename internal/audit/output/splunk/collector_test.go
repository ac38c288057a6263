package splunk

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const canary = "canary-7f3a91-4d14-f8d9"

// event is one as the collector reads it.
type event struct {
	Time       json.Number       `json:"time"`
	Source     string            `json:"source"`
	SourceType string            `json:"sourcetype"`
	Index      string            `json:"index,omitempty"`
	Fields     map[string]string `json:"fields"`
	Event      json.RawMessage   `json:"event"`
}

// collector is an HTTP Event Collector. As has been seen of Splunk's, it indexes the events
// before a bad one and none behind it, tells an acknowledgement once, and knows only its own.
type collector struct {
	*httptest.Server
	clock *testingclock.FakeClock

	// noAck is a token without acknowledgements; lag is how often an indexer is asked in
	// vain; poison is the id of an event that cannot be read.
	noAck  bool
	lag    int
	poison string
	// fail answers events instead, and failAck questions, for the request of that number.
	fail, failAck map[int]http.HandlerFunc

	mu              sync.Mutex
	posts, asked    int
	indexed         []event
	pending         map[string]map[int64]int
	contentEncoding []string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{
		clock: testingclock.NewFakeClock(time.Unix(1_790_000_000, 0)), pending: map[string]map[int64]int{},
		fail: map[int]http.HandlerFunc{}, failAck: map[int]http.HandlerFunc{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/collector/event", func(w http.ResponseWriter, r *http.Request) { c.take(t, w, r) })
	mux.HandleFunc("POST /services/collector/ack", c.answer)
	c.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Splunk "+canary {
			say(w, 403, `{"text":"Invalid token","code":4}`)
			return
		}
		if r.Header.Get("X-Splunk-Request-Channel") == "" {
			say(w, 400, `{"text":"Data channel is missing","code":10}`)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func say(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

func (c *collector) take(t *testing.T, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.contentEncoding = append(c.contentEncoding, r.Header.Get("Content-Encoding"))
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Errorf("the body is no gzip: %v", err)
			return
		}
		body, _ = io.ReadAll(unpacked)
	}
	if len(body) > maxBytes || bytes.Contains(body, []byte("\n")) {
		t.Errorf("a body of %d bytes", len(body))
	}
	fail := c.fail[c.posts]
	c.posts++
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	for number := 0; ; number++ {
		var e event
		if err := decoder.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Errorf("event %d cannot be read: %v", number, err)
			return
		}
		if e.Fields["event_id"] == c.poison {
			say(w, 400, fmt.Sprintf(`{"text":"Invalid data format","code":6,"invalid-event-number":%d}`, number))
			return
		}
		if fail == nil {
			c.indexed = append(c.indexed, e)
		}
	}
	if fail != nil {
		fail(w, r)
		return
	}
	if c.noAck {
		say(w, 200, `{"text":"Success","code":0}`)
		return
	}
	channel := r.Header.Get("X-Splunk-Request-Channel")
	if c.pending[channel] == nil {
		c.pending[channel] = map[int64]int{}
	}
	id := int64(len(c.pending[channel]))
	c.pending[channel][id] = c.lag
	http.SetCookie(w, &http.Cookie{Name: "sticky", Value: "one"})
	say(w, 200, fmt.Sprintf(`{"text":"Success","code":0,"ackId":%d}`, id))
}

func (c *collector) answer(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fail := c.failAck[c.asked]
	c.asked++
	if fail != nil {
		fail(w, r)
		return
	}
	if c.noAck {
		say(w, 400, `{"text":"ACK is disabled","code":14}`)
		return
	}
	var question struct {
		Acks []int64 `json:"acks"`
	}
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
		say(w, 400, `{"text":"Invalid data format","code":6}`)
		return
	}
	channel := c.pending[r.URL.Query().Get("channel")]
	reply := map[string]bool{}
	for _, id := range question.Acks {
		left, known := channel[id]
		// Without the cookie it is another collector, which knows nothing.
		there := known && left == 0 && r.Header.Get("Cookie") == "sticky=one"
		reply[strconv.FormatInt(id, 10)] = there
		switch {
		case there:
			channel[id] = -1
		case known && left > 0:
			channel[id]--
		}
	}
	text, _ := json.Marshal(map[string]any{"acks": reply})
	say(w, 200, string(text))
}

// ids are those indexed, in their order.
func (c *collector) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []string
	for _, e := range c.indexed {
		found = append(found, e.Fields["event_id"])
	}
	return found
}

// hurry lets the clock run whenever somebody waits for it.
func (c *collector) hurry(t *testing.T) {
	done := t.Context().Done()
	go func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if c.clock.HasWaiters() {
				c.clock.Step(longestWait)
			}
		}
	}()
}

func (c *collector) output(t *testing.T, change func(*Config)) Output {
	t.Helper()
	guard := outbound.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	config := Config{
		Endpoint: c.URL, Token: identity.NewSecret([]byte(canary + "\n")), Index: "agents", RequireAck: true,
		Client: guard.Client(c.Client().Transport.(*http.Transport).TLSClientConfig), Clock: c.clock,
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

func records(ids ...string) []output.Record {
	var batch []output.Record
	for _, id := range ids {
		batch = append(batch, output.Record{
			ID: id, Time: time.UnixMilli(1_790_000_000_007), Type: "app.oauth2.token.grant", Severity: "INFO", Body: fmt.Appendf(nil, `{"uuid":%q}`, id),
		})
	}
	return batch
}
