package oktasim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/fault"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// strikeBefore gives the answer of a fault that strikes before a request is carried
// out, or nil when the request is to go on.
func (o *Org) strikeBefore(c *call) *answer {
	action, struck := c.struck[fault.Before]
	if !struck {
		return nil
	}
	if action.Kind == fault.KindSlow {
		o.wait(c, action.Delay)
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	c.now = o.clock.Now()
	a := o.act(c, action)
	code := action.ErrorCode
	if a.status == http.StatusTooManyRequests {
		code = tooManyRequests().code
	}
	o.record(c, a.status, code)
	return &a
}

// strikeAfter replaces the answer of a request that has been carried out.
func (o *Org) strikeAfter(c *call, a answer) *answer {
	action, struck := c.struck[fault.AfterCommit]
	if !struck {
		return &a
	}
	if action.Kind == fault.KindSlow {
		o.wait(c, action.Delay)
		return &a
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	replaced := o.act(c, action)
	return &replaced
}

// act makes the answer a fault gives; status 0 is no answer at all.
func (o *Org) act(c *call, action Action) answer {
	switch action.Kind {
	case fault.KindStatus:
		return o.faulty(action, "")
	case fault.KindEchoSecrets:
		return o.faulty(action, string(c.body))
	case fault.KindRateLimited:
		c.verdict = &throttle.Verdict{Limit: o.limitOf(c), Reset: c.now.Add(action.Delay)}
		return answer{status: http.StatusTooManyRequests, body: encode(tooManyRequests().body(o.errorID()))}
	case fault.KindConcurrencyLimited:
		c.verdict = &throttle.Verdict{Reset: c.now.Add(throttle.Window / 4)}
		return answer{status: http.StatusTooManyRequests, body: encode(tooManyRequests().body(o.errorID()))}
	case fault.KindHTML502:
		return answer{
			status: http.StatusBadGateway,
			header: http.Header{"Content-Type": {"text/html"}},
			body:   []byte("<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n"),
		}
	}
	return answer{}
}

func (o *Org) faulty(action Action, echo string) answer {
	bad := &refusal{status: action.Status, code: action.ErrorCode, summary: summaryOf(action.ErrorCode)}
	if echo != "" {
		bad.summary += ": " + echo
		bad.causes = []string{echo}
	}
	return answer{status: bad.status, body: encode(bad.body(o.errorID()))}
}

// summaryOf gives Okta's words for the codes that tests inject.
func summaryOf(code string) string {
	summaries := map[string]string{
		"E0000001": "Api validation failed",
		"E0000006": "You do not have permission to perform the requested action",
		"E0000007": "Not found: Resource not found",
		"E0000009": "Internal Server Error",
		"E0000010": "Service is in read only mode",
		"E0000011": "Invalid token provided",
		"E0000015": "You do not have permission to access the feature you are requesting",
		"E0000047": "API call exceeded rate limit due to too many requests.",
		"E0000239": "Policy priorities are being reconciled. Please try again later.",
	}
	return summaries[code]
}

func (o *Org) limitOf(c *call) int {
	if c.route == nil {
		return 0
	}
	return o.limiter.Limit(c.route.bucket)
}

// wait passes time, on the org's clock if it can wait.
func (o *Org) wait(c *call, delay time.Duration) {
	var waiting interface {
		After(time.Duration) <-chan time.Time
	} = clock.RealClock{}
	if own, can := o.clock.(clock.Clock); can {
		waiting = own
	}
	select {
	case <-waiting.After(delay):
	case <-c.request.Context().Done():
	}
}

// send writes an answer, or breaks off where a fault says so.
func (o *Org) send(w http.ResponseWriter, c *call, a *answer) {
	last := c.struck[fault.Body]
	if last.Kind == fault.KindSlow {
		o.wait(c, last.Delay)
	}
	if a.status == 0 || last.Kind == fault.KindDrop {
		panic(http.ErrAbortHandler)
	}
	header := w.Header()
	header.Set("Date", o.clock.Now().UTC().Format(http.TimeFormat))
	header.Set("X-Okta-Request-Id", c.requestID)
	if len(a.body) > 0 {
		header.Set("Content-Type", "application/json")
	}
	for name, values := range a.header {
		header[name] = values
	}
	if v := c.verdict; v != nil {
		header.Set("X-Rate-Limit-Limit", strconv.Itoa(v.Limit))
		header.Set("X-Rate-Limit-Remaining", strconv.Itoa(v.Remaining))
		header.Set("X-Rate-Limit-Reset", strconv.FormatInt(v.Reset.Unix(), 10))
	}
	body := a.body
	if last.Kind == fault.KindTruncatedBody {
		header.Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	w.WriteHeader(a.status)
	// A client that has gone away cannot be told, so the error is of no use.
	_, _ = w.Write(body)
	if last.Kind == fault.KindTruncatedBody {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func encode(body any) []byte {
	if body == nil {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("encoding an answer: %v", err))
	}
	return raw
}
