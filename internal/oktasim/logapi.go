package oktasim

import (
	"errors"
	"net/http"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/eventlog"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// logsRead is the OAuth scope of the System Log.
const logsRead = "okta.logs.read"

// logRoutes lists the operations on the System Log.
func logRoutes() []route {
	return []route{{
		method: "GET", template: "/api/v1/logs", bucket: throttle.Logs, scope: logsRead, handle: (*Org).listLogs,
		query: eventlog.Parameters(),
	}}
}

func (o *Org) listLogs(c *call) (*reply, error) {
	q, err := eventlog.ReadQuery(c.query, c.now)
	if err != nil {
		return nil, logRefusal(err)
	}
	page, err := o.journal.Read(q, c.now)
	if err != nil {
		return nil, logRefusal(err)
	}
	r := &reply{status: http.StatusOK, body: page.Events, header: http.Header{}}
	r.header.Add("Link", "<"+o.selfLink(c, c.query.Get("after"))+`>; rel="self"`)
	if page.Next != "" {
		r.header.Add("Link", "<"+o.selfLink(c, page.Next)+`>; rel="next"`)
	}
	return r, nil
}

// logRefusal says what is wrong with a query in Okta's words.
func logRefusal(err error) error {
	bad, is := errors.AsType[*eventlog.Refusal](err)
	if !is {
		return err
	}
	switch bad.Kind {
	case eventlog.BadDate:
		return &refusal{
			status: http.StatusBadRequest, code: "E0000030",
			summary: "Bad request. Invalid date. Dates must be of the form yyyy-MM-dd'T'HH:mm:ss.SSSZZ, e.g. 2013-01-01T12:00:00.000-07:00.",
		}
	case eventlog.BadFilter:
		return &refusal{status: http.StatusBadRequest, code: "E0000053", summary: bad.Text}
	case eventlog.BadComparison:
		return &refusal{status: http.StatusBadRequest, code: "E0000031", summary: bad.Text}
	}
	return validation("'"+bad.Field+"': "+bad.Text, bad.Field+": "+bad.Text)
}

// LogTrouble is what makes the System Log hard to read without losing anything.
type LogTrouble = eventlog.Trouble

// LogRecord is one showing of an event.
type LogRecord = eventlog.Entry

// LogParty is who does something, or what it is done to.
type LogParty = eventlog.Party

// LogBatch is many events that say the same. Only the type is needed.
type LogBatch struct {
	// Type is one of Okta's catalogue, which is not checked.
	Type    string     `json:"type"`
	Actor   LogParty   `json:"actor"`
	Targets []LogParty `json:"targets"`
	// Result is SUCCESS unless it is set.
	Result string         `json:"result"`
	Reason string         `json:"reason"`
	IP     string         `json:"ip"`
	Debug  map[string]any `json:"debug"`

	// First is when the first is published, now unless it is set; each other one is
	// published Step after the one before it.
	First time.Time     `json:"first"`
	Step  time.Duration `json:"step"`
	// Late is how long after its publication each is persisted, besides the LogTrouble.
	Late time.Duration `json:"late"`
}

// AddLogEvents writes n events, at 40 bytes each, besides what they say together. None
// is persisted before what is in the log already; what is to be persisted in the future
// can be seen when the org's clock gets there.
func (o *Org) AddLogEvents(n int, b LogBatch) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.clock.Now()
	event := eventlog.Event{
		Type: b.Type, Message: o.eventKinds[b.Type], Result: b.Result, Reason: b.Reason, Actor: b.Actor, Debug: b.Debug,
		Targets: append([]LogParty(nil), b.Targets...), Client: eventlog.Client{IP: b.IP, Device: "Unknown"},
	}
	for field, standard := range map[*string]string{&event.Message: b.Type, &event.Result: "SUCCESS"} {
		if *field == "" {
			*field = standard
		}
	}
	if event.Actor.ID == "" {
		event.Actor = LogParty(o.administrator)
	}
	event.Severity = severity(event.Type, event.Result)
	if b.First.IsZero() {
		b.First = now
	}
	return o.journal.AddBatch(n, eventlog.Batch{Event: event, First: b.First, Step: b.Step, Late: b.Late}, now)
}

// SetLogTrouble is for what happens from now on, and for all cursors.
func (o *Org) SetLogTrouble(t LogTrouble) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.options.Log = t
	o.journal.SetTrouble(t)
}

// LogLedger gives what has been persisted so far, in that order: what who has read every
// page must have got.
func (o *Org) LogLedger() []LogRecord { return o.LogLedgerAfter(0, 0) }

// LogLedgerAfter gives at most limit of what has been persisted after the place seq.
func (o *Org) LogLedgerAfter(seq, limit int) []LogRecord {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.journal.Ledger(o.clock.Now(), seq, limit)
}
