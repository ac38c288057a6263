package post

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

// LongestWait is the longest that a receiver is left alone at its own wish: one that says
// a year by mistake is asked again.
const LongestWait = time.Hour

// Judge says what a status means; nil when the events were taken. What a 4xx speaks of
// decides: of what was sent, and sending the same again is in vain (Rejected); or of who
// sent it or where to, and then no event must be given up for it (Refused).
func (s *Sender) Judge(a Answer) *output.Error {
	switch status := a.Status; {
	case status >= 200 && status <= 299:
		return nil
	case status >= 300 && status <= 399:
		return told(output.Refused, status, "a redirect; it is not followed, for credentials would go with it: "+
			"set the endpoint to where it leads")
	case status == http.StatusTooManyRequests:
		wait, _ := RetryAfter(a.Header, s.clock.Now())
		return &output.Error{Kind: output.Busy, Message: "the receiver asks to be sent less (429)", RetryAfter: wait}
	case status == http.StatusServiceUnavailable:
		if wait, said := RetryAfter(a.Header, s.clock.Now()); said {
			return &output.Error{Kind: output.Busy, Message: "the receiver asks to be left alone for a while (503)", RetryAfter: wait}
		}
		return told(output.Unreachable, status, "a fault of its own")
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500, status < 200:
		return told(output.Unreachable, status, "a fault of its own")
	}
	return clientError(a.Status)
}

// clientError is the table of 4xx. Those that are not in it speak of what was sent.
func clientError(status int) *output.Error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusPaymentRequired, http.StatusProxyAuthRequired:
		return told(output.Refused, status, "that it does not take our credentials: look at the Secrets that the output references")
	case http.StatusGone:
		return told(output.Refused, status, "that it takes no events any more: remove the output, or set another endpoint")
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusMisdirectedRequest:
		return told(output.Refused, status, "that nothing takes events there: look at the endpoint")
	case http.StatusNotAcceptable, http.StatusLengthRequired, http.StatusUnsupportedMediaType, http.StatusUpgradeRequired,
		http.StatusRequestHeaderFieldsTooLarge, http.StatusUnavailableForLegalReasons:
		return told(output.Refused, status, "that it takes no requests like ours, whatever they say: look at the endpoint and at the headers")
	case http.StatusRequestEntityTooLarge:
		return told(output.Rejected, status, "that the request is too large")
	}
	return told(output.Rejected, status, "that it does not take these events")
}

func told(kind output.Kind, status int, what string) *output.Error {
	return &output.Error{Kind: kind, Message: fmt.Sprintf("the receiver answered %d, %s", status, what)}
}

// RetryAfter reads the header of that name (RFC 9110, 10.2.3): seconds or a date. It is
// never less than nothing nor more than an hour; false when nothing readable is said.
func RetryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseUint(text, 10, 64)
		if err != nil || seconds > uint64(LongestWait/time.Second) {
			// More digits than any number has is a long time too.
			return LongestWait, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return min(max(date.Sub(now), 0), LongestWait), true
}
