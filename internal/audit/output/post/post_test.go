package post

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const canary = "canary-7f3a91"

func now() time.Time { return time.Date(2026, 11, 28, 1, 0, 0, 0, time.UTC) }

func sender(t *testing.T, server *httptest.Server) *Sender {
	t.Helper()
	s, err := NewSender(server.Client(), testingclock.NewFakePassiveClock(now()), server.URL+"/"+canary, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestJudge(t *testing.T) {
	for status, test := range map[int]struct {
		reason string
		after  string
		want   *output.Error
	}{
		200: {"taken", "", nil},
		202: {"taken", "", nil},
		204: {"taken", "", nil},
		101: {"it speaks something else", "", &output.Error{Kind: output.Unreachable}},
		301: {"moved", "", &output.Error{Kind: output.Refused}},
		304: {"nothing was asked for", "", &output.Error{Kind: output.Refused}},
		307: {"credentials would go along", "", &output.Error{Kind: output.Refused}},
		400: {"it does not like what events say", "", &output.Error{Kind: output.Rejected}},
		401: {"it does not know us", "", &output.Error{Kind: output.Refused}},
		403: {"it does not let us", "", &output.Error{Kind: output.Refused}},
		404: {"a mistake in the endpoint costs no event", "", &output.Error{Kind: output.Refused}},
		405: {"a mistake in the endpoint costs no event", "", &output.Error{Kind: output.Refused}},
		408: {"it was too slow for us or we for it", "", &output.Error{Kind: output.Unreachable}},
		409: {"other 4xx are of what was sent", "", &output.Error{Kind: output.Rejected}},
		410: {"it wants nothing any more", "", &output.Error{Kind: output.Refused}},
		413: {"the request is too large", "", &output.Error{Kind: output.Rejected}},
		415: {"it takes no JSON, whatever it says", "", &output.Error{Kind: output.Refused}},
		418: {"other 4xx are of what was sent", "", &output.Error{Kind: output.Rejected}},
		422: {"it does not like what events say", "", &output.Error{Kind: output.Rejected}},
		425: {"later is fine", "", &output.Error{Kind: output.Unreachable}},
		429: {"it says how long", "7", &output.Error{Kind: output.Busy, RetryAfter: 7 * time.Second}},
		500: {"its fault", "9", &output.Error{Kind: output.Unreachable}},
		502: {"its proxy's", "", &output.Error{Kind: output.Unreachable}},
		503: {"it says until when", "Sat, 28 Nov 2026 01:02:00 GMT", &output.Error{Kind: output.Busy, RetryAfter: 2 * time.Minute}},
		504: {"its proxy's", "", &output.Error{Kind: output.Unreachable}},
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s := &Sender{clock: testingclock.NewFakePassiveClock(now())}
			header := http.Header{}
			if test.after != "" {
				header.Set("Retry-After", test.after)
			}
			got := s.Judge(Answer{Status: status, Header: header, Body: []byte(canary)})
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(output.Error{}, "Message")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			if got != nil && !strings.Contains(got.Message, strconv.Itoa(status)) {
				t.Errorf("the message does not name %d: %s", status, got.Message)
			}
		})
	}
	s := &Sender{clock: testingclock.NewFakePassiveClock(now())}
	if got := s.Judge(Answer{Status: 503, Header: http.Header{}}); got.Kind != output.Unreachable {
		t.Errorf("a 503 that does not say how long is an outage, got %v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	for text, test := range map[string]struct {
		reason string
		want   time.Duration
		said   bool
	}{
		"":                                 {"nothing is said", 0, false},
		"0":                                {"at once", 0, true},
		" 30 ":                             {"seconds", 30 * time.Second, true},
		"3600":                             {"the longest", time.Hour, true},
		"86400":                            {"no longer than the longest", time.Hour, true},
		"99999999999999999999999999":       {"more than a number holds", time.Hour, true},
		"-5":                               {"no time runs backwards", 0, false},
		"1.5":                              {"seconds are whole", 0, false},
		"soon":                             {"a word is no time", 0, false},
		"Sat, 28 Nov 2026 01:00:30 GMT":    {"a date", 30 * time.Second, true},
		"Saturday, 28-Nov-26 01:00:30 GMT": {"an old form of it", 30 * time.Second, true},
		"Sat, 28 Nov 2026 00:59:00 GMT":    {"one that is past", 0, true},
		"Sun, 28 Nov 2027 01:00:00 GMT":    {"no longer than the longest", time.Hour, true},
		"Fri, 31 Dec 9999 23:59:59 GMT":    {"nor when it overflows", time.Hour, true},
	} {
		got, said := RetryAfter(http.Header{"Retry-After": {text}}, now())
		if got != test.want || said != test.said {
			t.Errorf("%q: %s: got %v, %v, want %v, %v", text, test.reason, got, said, test.want, test.said)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "120", "-1", "1e9", "18446744073709551616", "Sat, 28 Nov 2026 01:00:30 GMT", "Sat, 28 Nov 2026"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, said := RetryAfter(http.Header{"Retry-After": {text}}, now())
		if got < 0 || got > LongestWait || (!said && got != 0) {
			t.Errorf("%q is %v, %v", text, got, said)
		}
	})
}

func TestSplit(t *testing.T) {
	record := func(size int) output.Record { return output.Record{Body: make([]byte, size)} }
	for name, test := range map[string]struct {
		reason        string
		sizes         []int
		events, bytes int
		want          [][]int
	}{
		"Nothing":  {"there is nothing to send", nil, 2, 100, nil},
		"Events":   {"so many at most", []int{1, 1, 1, 1, 1}, 2, 100, [][]int{{1, 1}, {1, 1}, {1}}},
		"Bytes":    {"so large at most, with what each takes more", []int{40, 40, 40}, 9, 90, [][]int{{40, 40}, {40}}},
		"TooLarge": {"one that is too large goes alone", []int{1, 500, 1}, 9, 100, [][]int{{1}, {500}, {1}}},
		"One":      {"one fits", []int{90}, 1, 95, [][]int{{90}}},
	} {
		var batch []output.Record
		for _, size := range test.sizes {
			batch = append(batch, record(size))
		}
		var got [][]int
		for _, part := range Split(batch, test.events, test.bytes, 5) {
			var sizes []int
			for _, r := range part {
				sizes = append(sizes, len(r.Body))
			}
			got = append(got, sizes)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, test.reason, diff)
		}
	}
}

func TestNewSenderEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://a.example":                "https://a.example/in",
		"https://a.example/x/":             "https://a.example/x/in",
		"http://a.example":                 "",
		"https://":                         "",
		"https://:443":                     "",
		"https://" + canary + "@a.example": "",
		"https://a.example?t=" + canary:    "",
		"https://a.example#" + canary:      "",
		"https://a.example/%zz" + canary:   "",
	} {
		s, err := NewSender(&http.Client{}, testingclock.NewFakePassiveClock(now()), endpoint, "/in")
		if (err == nil) != (want != "") || (err == nil && s.target != want) {
			t.Errorf("%s: got %v, %v, want %q", endpoint, s, err, want)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("the error quotes the endpoint: %v", err)
		}
	}
}

func TestHeaderValue(t *testing.T) {
	for value, want := range map[string]string{
		canary: canary, canary + "\n": canary, canary + "\r\n": canary, "Bearer " + canary: "Bearer " + canary,
		"a\n" + canary: "", "a\x00" + canary: "", "": "", "\n": "", "ü" + canary: "ü" + canary,
	} {
		got, err := HeaderValue("authorization", identity.NewSecret([]byte(value)))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", value, got, err)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
}

// gone waits until the client has left, and never answers: a handler that returns would, and the
// client may hear of that before it notices that its time is over.
func gone(r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// TestPostLost breaks requests in the ways of networks.
func TestPostLost(t *testing.T) {
	hold := func(_ http.ResponseWriter, r *http.Request) {
		// Only a server that has read the request notices that its client left.
		_, _ = io.Copy(io.Discard, r.Body)
		gone(r)
	}
	for name, test := range map[string]struct {
		reason string
		answer http.HandlerFunc
		spoil  func(*Sender, *httptest.Server)
		cancel bool
		want   output.Kind
		is     error
	}{
		"Silence":  {"it takes the events and never answers", hold, nil, false, output.Unreachable, context.DeadlineExceeded},
		"Shutdown": {"the operator ends", hold, nil, true, -1, context.Canceled},
		"Hangup":   {"the connection breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, false, output.Unreachable, nil},
		"Cut": {"half an answer is none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("x"))
		}, nil, false, output.Unreachable, nil},
		"Down":      {"nobody listens", hold, func(_ *Sender, server *httptest.Server) { server.Close() }, false, output.Unreachable, nil},
		"Untrusted": {"another's authority", hold, func(s *Sender, _ *httptest.Server) { s.client.Transport = &http.Transport{} }, false, output.Unreachable, nil},
		"Drip": {"one byte a second is no answer", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("{"))
			w.(http.Flusher).Flush()
			gone(r)
		}, nil, false, output.Unreachable, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(test.answer)
			defer server.Close()
			s := sender(t, server)
			if test.spoil != nil {
				test.spoil(s, server)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if test.cancel {
				cancel()
			}
			defer cancel()
			_, err := s.Post(ctx, Request{Header: http.Header{"Authorization": {canary}}, Body: []byte(canary), Read: true})
			typed, ok := errors.AsType[*output.Error](err)
			if test.want >= 0 && (!ok || typed.Kind != test.want) || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%s: got %#v", test.reason, err)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error holds what was sent: %v", err)
			}
		})
	}
}

// TestPostSkips reads no more than it must where the status says all.
func TestPostSkips(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusAccepted)
		w.(http.Flusher).Flush()
		gone(r)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	answer, err := sender(t, server).Post(ctx, Request{Header: http.Header{}})
	if err != nil || answer.Status != http.StatusAccepted {
		t.Errorf("a receiver that drips after it has taken the events: %v, %v", answer, err)
	}
}
