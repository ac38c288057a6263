package splunk

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/post"
)

// response is what HEC answers. Its text is not read: a code says the same, and a text may
// quote what was sent.
type response struct {
	Code  *int   `json:"code"`
	AckID *ackID `json:"ackId"`
	// Acks answers which acknowledgements are there.
	Acks map[string]bool `json:"acks"`
}

// ackID is a number; some collectors write it as a text.
type ackID int64

// UnmarshalJSON implements json.Unmarshaler.
func (a *ackID) UnmarshalJSON(text []byte) error {
	if len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	id, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || id < 0 {
		return errors.New("an ackId is no number")
	}
	*a = ackID(id)
	return nil
}

// parse reads an answer; false when HEC would not have written it.
func parse(body []byte) (response, bool) {
	var r response
	if err := json.Unmarshal(body, &r); err != nil {
		return response{}, false
	}
	return r, r.Code != nil || r.Acks != nil
}

// judge says what an answer means. A code says more than a status does; a success needs
// both, for a proxy or a page to log in at answers 200 too.
func judge(sender *post.Sender, a post.Answer) (response, *output.Error) {
	said, ok := parse(a.Body)
	fault := sender.Judge(a)
	switch {
	case ok && said.Code != nil && *said.Code != 0:
		if known := byCode(*said.Code); known != nil {
			if fault != nil {
				known.RetryAfter = fault.RetryAfter
			}
			return response{}, known
		}
	case ok && fault == nil && a.Status == http.StatusOK:
		return said, nil
	}
	return response{}, unexplained(a.Status, fault)
}

// unexplained is what an answer means that gives no reason of HEC's.
func unexplained(status int, fault *output.Error) *output.Error {
	switch {
	case fault == nil:
		return noCollector()
	case fault.Kind == output.Rejected && status != http.StatusRequestEntityTooLarge:
		// Splunk gives its reasons: this one is of somebody before it, or one that is not
		// known here. No event is given up for either.
		return &output.Error{Kind: output.Refused, Message: "the collector answered " + strconv.Itoa(status) +
			" without a reason that is known: make sure that the endpoint is that of an HTTP Event Collector"}
	}
	return fault
}

func noCollector() *output.Error {
	return &output.Error{Kind: output.Unreachable, Message: "the answer is not that of an HTTP Event Collector, " +
		"so no event counts as delivered: look at the endpoint"}
}

// byCode is the table of HEC's codes (Splunk, Getting Data In, Troubleshoot HTTP Event
// Collector); nil for those that it does not have. Only what a code says of an event itself
// is Rejected.
func byCode(code int) *output.Error {
	refused := func(message string) *output.Error { return &output.Error{Kind: output.Refused, Message: message} }
	switch code {
	case 1, 22:
		return refused("the token is disabled: turn it on in Splunk, or reference another")
	case 2, 3, 16:
		return refused("Splunk does not take our authorization: look at the token in the Secret, and at what stands before the collector")
	case 4, 21:
		return refused("Splunk does not know the token: look at the Secret")
	case 5:
		return refused("Splunk saw no events in the request: what stands before the collector must pass on bodies in gzip")
	case 7:
		return refused("the token does not allow the index: set output.splunkHEC.index to one that it allows, or let it allow this one")
	case 8, 23:
		return &output.Error{Kind: output.Unreachable, Message: "Splunk has a fault of its own, or is ending"}
	case 9, 18, 19, 20:
		return &output.Error{Kind: output.Busy, Message: "Splunk is busy"}
	case 10, 11:
		return noChannel()
	case 14:
		return ackDisabled()
	}
	return ofEvent(code)
}

// ofEvent is the part of the table that speaks of events.
func ofEvent(code int) *output.Error {
	rejected := func(message string) *output.Error { return &output.Error{Kind: output.Rejected, Message: message} }
	switch code {
	case 6:
		return rejected("Splunk cannot read an event of the batch")
	case 12, 13:
		return rejected("Splunk takes an event of the batch for an empty one")
	case 15:
		return rejected("Splunk cannot read the indexed fields of an event of the batch")
	}
	return nil
}

func ackDisabled() *output.Error {
	return &output.Error{Kind: output.Refused, Message: "the token has no indexer acknowledgement: turn it on in Splunk, " +
		"or set output.splunkHEC.acknowledgement to Optional"}
}

func noChannel() *output.Error {
	return &output.Error{Kind: output.Refused, Message: "Splunk saw no channel: what stands before the collector must pass on " +
		"the header X-Splunk-Request-Channel"}
}
