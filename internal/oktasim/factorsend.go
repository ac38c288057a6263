package oktasim

import (
	"net/http"
	"strconv"
	"time"
)

// The shortest time between two messages to the same phone or address.
const (
	smsInterval   = 30 * time.Second
	emailInterval = 5 * time.Second
)

func badPhone() *refusal {
	return &refusal{status: http.StatusBadRequest, code: "E0000098", summary: "This phone number is invalid."}
}

// sendCode sends a code, which a test reads as the person would.
func (o *Org) sendCode(f *factor, now time.Time) error {
	interval, refused := smsInterval, &refusal{
		status: http.StatusTooManyRequests, code: "E0000109",
		summary: "An SMS message was recently sent. Please wait 30 seconds before trying again.",
	}
	if f.kind.name == factorEmail {
		interval, refused = emailInterval, &refusal{
			status: http.StatusTooManyRequests, code: "E0000118",
			summary: "An email was recently sent. Please wait 5 seconds before trying again.",
		}
	}
	if last, sent := o.sent[f.target]; sent && now.Sub(last) < interval {
		return refused
	}
	o.sent[f.target] = now
	if f.kind.name == factorSMS {
		f.owner.lastSMS = f.code
	}
	return nil
}

// mailActivation sends the person the link by which a push is set up. Okta has it in its
// links and does not describe it; that the answer has no body is a guess.
func (o *Org) mailActivation(c *call) (*reply, error) {
	f, err := o.findPending(c)
	if err != nil {
		return nil, err
	}
	switch {
	case f.kind.name != factorPush:
		return nil, noSuchPath()
	case f.active, f.expired(c.now):
		return nil, wrongState("The activation of the factor is over.")
	}
	if last, sent := o.sent[f.owner.email]; sent && c.now.Sub(last) < emailInterval {
		return nil, &refusal{
			status: http.StatusTooManyRequests, code: "E0000118",
			summary: "An email was recently sent. Please wait 5 seconds before trying again.",
		}
	}
	o.sent[f.owner.email] = c.now
	f.mails++
	return noContent()
}

// newCode draws six digits.
func (o *Org) newCode() string {
	return strconv.Itoa(100_000 + o.random.IntN(900_000))
}
