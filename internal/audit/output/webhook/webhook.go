// Package webhook posts batches of JSON to whoever takes them, signed as the Standard
// Webhooks specification 1.0.0 says (https://www.standardwebhooks.com). It refuses to know
// what events say.
//
// A request is
//
//	POST <endpoint>
//	content-type: application/json
//	webhook-id: msg_<SHA-256 of the events' ids, in hexadecimal>
//	webhook-timestamp: <seconds since 1970, of this try>
//	webhook-signature: v1,<base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>">
//
//	{"events":[<event>,...]}
//
// Any status of 2xx acknowledges all its events. The id is the same whenever the same
// events are sent again, so that a receiver can tell that it has them; the time is that of
// the try, so that it can turn away replays. Each event has an id of its own too, for a
// batch may be cut anew. Nothing is signed, but all else is the same, without a key.
//
// Bodies are not compressed. Few servers unpack what they are sent, and nothing tells
// beforehand which do; of those that do, many verify a signature over what they unpacked,
// and others over what came: one of them would always be wrong.
package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/post"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	defaultEvents = 500
	mostEvents    = 1000
	// maxBytes of one request, unless a single event is larger.
	maxBytes = 4 << 20

	opening, closing = `{"events":[`, `]}`
)

// Config says where events are posted to, and how.
type Config struct {
	// Endpoint is an https URL.
	Endpoint string
	// Headers go with each request. Those that this package sets itself win over them. A
	// line break at the end of a value is left out.
	Headers map[string]identity.Secret
	// SigningKey is whsec_ and the base64 of 24 to 64 random bytes, or that base64 alone;
	// white space around it is left out. Nothing is signed when it is empty.
	SigningKey identity.Secret
	// MaxEvents of one request, 1000 at most; 500 when zero.
	MaxEvents int
	// Client is one that outbound.Guard gave.
	Client *http.Client
	// Clock tells the time that is signed.
	Clock clock.PassiveClock
}

// Output posts to one receiver. A batch that is larger than one request is sent in several,
// one after another; when one of them fails, the whole batch has.
type Output struct {
	config *Config
	sender *post.Sender
}

var _ output.Output = Output{}

// New returns an output, or says what is wrong with the configuration. No error holds a
// secret.
func New(config Config) (Output, error) {
	if config.MaxEvents == 0 {
		config.MaxEvents = defaultEvents
	}
	if config.MaxEvents < 1 || config.MaxEvents > mostEvents {
		return Output{}, fmt.Errorf("maxEvents is %d, but must be between 1 and %d", config.MaxEvents, mostEvents)
	}
	for name, secret := range config.Headers {
		if _, err := post.HeaderValue(name, secret); err != nil {
			return Output{}, err
		}
	}
	if !config.SigningKey.IsZero() {
		if _, err := signingKey(config.SigningKey); err != nil {
			return Output{}, err
		}
	}
	sender, err := post.NewSender(config.Client, config.Clock, config.Endpoint, "")
	if err != nil {
		return Output{}, err
	}
	return Output{config: &config, sender: sender}, nil
}

// Format implements fmt.Formatter for every verb without showing what the output holds.
func (Output) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "webhook output") }

// Close implements output.Output.
func (o Output) Close() { o.sender.Close() }

// Deliver implements output.Output.
func (o Output) Deliver(ctx context.Context, batch []output.Record) error {
	for _, part := range post.Split(batch, o.config.MaxEvents, maxBytes-len(opening)-len(closing), len(",")) {
		if err := o.deliver(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (o Output) deliver(ctx context.Context, part []output.Record) error {
	body := bodyOf(part)
	header, err := o.header(idOf(part), body)
	if err != nil {
		return err
	}
	answer, err := o.sender.Post(ctx, post.Request{Header: header, Body: body})
	if err != nil {
		return err
	}
	if fault := o.sender.Judge(answer); fault != nil {
		return fault
	}
	return nil
}

// header reveals secrets for one request.
func (o Output) header(id string, body []byte) (http.Header, error) {
	header := http.Header{"User-Agent": {"agent-identity-operator"}}
	for name, secret := range o.config.Headers {
		value, err := post.HeaderValue(name, secret)
		if err != nil {
			return nil, &output.Error{Kind: output.Refused, Message: err.Error()}
		}
		header[textproto.CanonicalMIMEHeaderKey(name)] = []string{value}
	}
	timestamp := strconv.FormatInt(o.config.Clock.Now().Unix(), 10)
	header.Set("Content-Type", "application/json")
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", timestamp)
	header.Del("Webhook-Signature")
	if o.config.SigningKey.IsZero() {
		return header, nil
	}
	key, err := signingKey(o.config.SigningKey)
	if err != nil {
		return nil, &output.Error{Kind: output.Refused, Message: err.Error()}
	}
	header.Set("Webhook-Signature", sign(key, id, timestamp, body))
	return header, nil
}

// bodyOf is the events as they are, in an object.
func bodyOf(part []output.Record) []byte {
	size := len(opening) + len(closing)
	for _, record := range part {
		size += len(record.Body) + 1
	}
	body := append(make([]byte, 0, size), opening...)
	for i, record := range part {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, record.Body...)
	}
	return append(body, closing...)
}

// idOf names the events of a request, in their order. Each id is told with its length: two
// that say together what two others do are others still.
func idOf(part []output.Record) string {
	digest := sha256.New()
	var length [8]byte
	for _, record := range part {
		binary.BigEndian.PutUint64(length[:], uint64(len(record.ID)))
		digest.Write(length[:])
		_, _ = io.WriteString(digest, record.ID)
	}
	return "msg_" + hex.EncodeToString(digest.Sum(nil))
}
