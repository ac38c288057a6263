// Package splunk sends events to an HTTP Event Collector (HEC) of Splunk's, or to what
// speaks like one. It refuses to know what events say.
//
// A request holds at most a megabyte of event objects, one behind the other, as gzip. What
// HEC makes of a batch with a bad event is not written down; it has been seen to index those
// before it and none after. So whatever it says, nothing of a request that it answers with
// an error counts as taken: the events go again, and each has its id in the indexed field
// event_id, by which a search can tell those that are there twice.
package splunk

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/post"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	pathEvent = "/services/collector/event"
	pathAck   = "/services/collector/ack"

	// maxEvents and maxBytes of one request, before it is packed. A megabyte is what
	// Splunk Cloud takes.
	maxEvents = 1000
	maxBytes  = 1_000_000
	// worthPacking is the size from which gzip saves more than it costs.
	worthPacking = 1500
)

// Config says where events are sent to, and how.
type Config struct {
	// Endpoint is an https URL, without /services/collector.
	Endpoint string
	// Token of the collector; a line break at its end is left out.
	Token identity.Secret
	// Index is the token's own when empty.
	Index string
	// RequireAck lets events count as delivered only when the indexer acknowledges them.
	RequireAck bool
	// Client is one that outbound.Guard gave.
	Client *http.Client
	// Clock is what waiting for the indexer goes by.
	Clock clock.Clock
}

// Output sends to one collector.
type Output struct {
	config *Config
	events *post.Sender
	acks   *post.Sender
	// probed tells that the token is known to have acknowledgement turned on.
	probed *bool
}

var _ output.Output = Output{}

// New returns an output, or says what is wrong with the configuration. No error holds the
// token.
func New(config Config) (Output, error) {
	if strings.Contains(config.Endpoint, "/services/collector") {
		return Output{}, errors.New("endpoint must end before /services/collector: the operator adds it")
	}
	if _, err := post.HeaderValue("authorization", config.Token); err != nil {
		return Output{}, fmt.Errorf("reading the token: %w", err)
	}
	events, err := post.NewSender(config.Client, config.Clock, config.Endpoint, pathEvent)
	if err != nil {
		return Output{}, err
	}
	acks, err := post.NewSender(config.Client, config.Clock, config.Endpoint, pathAck)
	if err != nil {
		return Output{}, err
	}
	return Output{config: &config, events: events, acks: acks, probed: new(bool)}, nil
}

// Format implements fmt.Formatter for every verb without showing what the output holds.
func (Output) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "Splunk output") }

// Close implements output.Output.
func (o Output) Close() {
	o.events.Close()
	o.acks.Close()
}

// newChannel is a random GUID.
func newChannel() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// Deliver implements output.Output.
func (o Output) Deliver(ctx context.Context, batch []output.Record) error {
	if o.config.RequireAck && !*o.probed {
		if err := o.probe(ctx); err != nil {
			return err
		}
	}
	d := &delivery{Output: o, channel: newChannel(), pending: map[ackID]bool{}}
	envelope := newEnvelope(o.config.Index)
	for _, part := range post.Split(batch, maxEvents, maxBytes, envelope.size()) {
		if err := d.send(ctx, envelope, part); err != nil {
			return err
		}
	}
	return d.await(ctx)
}

// delivery is that of one batch, over a channel of its own. Collectors count their
// acknowledgements by channel: behind a balancer, two of them may say the same number, of
// which one must not be taken for the other's.
type delivery struct {
	Output
	channel string
	pending map[ackID]bool
	// cookies are those by which a balancer finds the same collector again, which alone
	// knows of the acknowledgements.
	cookies []string
}

// send posts one request.
func (d *delivery) send(ctx context.Context, envelope envelope, part []output.Record) error {
	var body []byte
	for _, record := range part {
		body = envelope.append(body, record)
	}
	header, err := d.header()
	if err != nil {
		return err
	}
	if len(body) >= worthPacking {
		header.Set("Content-Encoding", "gzip")
		body = pack(body)
	}
	answer, err := d.events.Post(ctx, post.Request{Header: header, Body: body, Read: true})
	if err != nil {
		return err
	}
	said, fault := judge(d.events, answer)
	if fault != nil {
		return fault
	}
	if said.Code == nil {
		return noCollector()
	}
	d.cookies = unique(append(d.cookies, cookiesOf(answer.Header)...))
	return d.expect(said)
}

// expect writes down which acknowledgement is to come.
func (d *delivery) expect(said response) error {
	switch {
	case !d.config.RequireAck:
		return nil
	case said.AckID == nil:
		*d.probed = false
		return ackDisabled()
	case d.pending[*said.AckID]:
		return &output.Error{Kind: output.Unreachable, Message: "several collectors answered, so none can be asked for its acknowledgement: " +
			"let the balancer before them lead one client to one collector"}
	}
	d.pending[*said.AckID] = true
	return nil
}

// header reveals the token for one request.
func (d *delivery) header() (http.Header, error) {
	token, err := post.HeaderValue("authorization", d.config.Token)
	if err != nil {
		return nil, &output.Error{Kind: output.Refused, Message: err.Error()}
	}
	header := http.Header{
		"User-Agent":               {"agent-identity-operator"},
		"Content-Type":             {"application/json"},
		"Authorization":            {"Splunk " + token},
		"X-Splunk-Request-Channel": {d.channel},
	}
	if len(d.cookies) > 0 {
		header.Set("Cookie", strings.Join(d.cookies, "; "))
	}
	return header, nil
}

func cookiesOf(header http.Header) []string {
	var found []string
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		found = append(found, cookie.Name+"="+cookie.Value)
	}
	return found
}

// pack cannot fail: it writes to memory.
func pack(body []byte) []byte {
	var packed bytes.Buffer
	packer, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	_, _ = packer.Write(body)
	_ = packer.Close()
	return packed.Bytes()
}
