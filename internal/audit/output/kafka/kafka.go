// Package kafka sends events to a topic of Kafka, each as a record of its own. It refuses
// to know what events mean.
//
// The client is franz-go (github.com/twmb/franz-go, BSD-3): pure Go, idempotent by
// default, with the dialer and the context in the caller's hands, and with a broker of its
// own for tests.
//
// # Order
//
// Kafka keeps the order within a partition. Events of one agent have its name as their key,
// so that they are in one, and in order; others have no key.
//
// # Twice
//
// The producer is idempotent: what it repeats by itself the broker has once. After an error
// it is closed with all that it holds, so that nothing of a batch that failed is sent
// later, behind what came after it; the next batch has a new one. What was taken of the
// failed batch may so stand in the topic twice, with the same header "id".
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/reach"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Config says whom to send to.
type Config struct {
	// Brokers to begin with, as host:port.
	Brokers []string
	// Topic must exist.
	Topic string
	// SASL may be nil.
	SASL *SASL
	// TLS says whom to trust, and who we are; the system's authorities when nil.
	TLS *tls.Config
	// Dial opens connections; any address when nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// SASL says who we are.
type SASL struct {
	// Mechanism is Plain, SCRAMSHA256 or SCRAMSHA512.
	Mechanism string
	// Username and Password; space around them is not part of them.
	Username, Password identity.Secret
}

// lookAgain is how soon the client asks again who leads.
const lookAgain = 500 * time.Millisecond

// unknownTopic is how often the client asks for a topic that is not there.
const unknownTopic = 3

// Output sends to one topic.
type Output struct {
	options []kgo.Opt
	// hopeless gets errors of connections that trying again does not mend: the client
	// would try until the end of its time.
	hopeless chan error

	mu     sync.Mutex
	client *kgo.Client
	// known tells that brokers have taken the client's credentials. One batch is sent at a time.
	known bool
}

// New makes an output. It connects to nobody yet. An error holds no secret.
func New(config Config) (*Output, error) {
	if len(config.Brokers) == 0 || config.Topic == "" {
		return nil, errors.New("there is no broker, or no topic")
	}
	if slices.ContainsFunc(config.Brokers, senseless) {
		return nil, errors.New("brokers are host:port, with a port between 1 and 65535")
	}
	secure, err := reach.TLS(config.TLS)
	if err != nil {
		return nil, err
	}
	hopeless := make(chan error, 1)
	options := []kgo.Opt{
		kgo.ClientID("agent-identity-operator"), kgo.SeedBrokers(config.Brokers...), kgo.DefaultProduceTopic(config.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.UnknownTopicRetries(unknownTopic), kgo.MetadataMinAge(lookAgain),
		kgo.Dialer(dialer(config.Dial, secure, hopeless)),
	}
	if config.SASL != nil {
		mechanism, err := config.SASL.mechanism()
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.SASL(mechanism))
	}
	// The client says what is wrong with its options.
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, errors.New("brokers are host:port, and the topic is a name")
	}
	client.Close()
	return &Output{options: options, hopeless: hopeless}, nil
}

// senseless is what the client would read as something else, or try for ever.
func senseless(broker string) bool {
	host, port, err := net.SplitHostPort(broker)
	number, invalid := strconv.ParseUint(port, 10, 16)
	return err != nil || host == "" || invalid != nil || number == 0
}

// dialer connects by TLS, to whom dial lets it.
func dialer(
	dial func(ctx context.Context, network, addr string) (net.Conn, error), secure *tls.Config, hopeless chan<- error,
) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	connect := func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		config := secure.Clone()
		config.ServerName = host
		wrapped := tls.Client(conn, config)
		if err := wrapped.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return wrapped, nil
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := connect(ctx, network, addr)
		_, forbidden := errors.AsType[*output.Error](err)
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
		if forbidden || untrusted {
			select {
			case hopeless <- err:
			default:
			}
		}
		return conn, err
	}
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	user, password := plainText(s.Username), plainText(s.Password)
	switch s.Mechanism {
	case "Plain":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case "SCRAMSHA256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism(), nil
	case "SCRAMSHA512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("sasl.mechanism %q is none of Plain, SCRAMSHA256 and SCRAMSHA512", s.Mechanism)
}

func plainText(s identity.Secret) string { return strings.TrimSpace(string(s.Reveal())) }

// Format implements fmt.Formatter: the options hold credentials.
func (*Output) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "kafka output") }

// Close implements output.Output.
func (o *Output) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client != nil {
		o.client.Close()
		o.client = nil
	}
}

// Deliver implements output.Output.
func (o *Output) Deliver(ctx context.Context, batch []output.Record) error {
	if err := ctx.Err(); err != nil || len(batch) == 0 {
		return err
	}
	select {
	case <-o.hopeless: //nolint:errcheck // it is of a time before
	default:
	}
	client, err := o.producer()
	if err != nil {
		return &output.Error{Kind: output.Refused, Message: "no client for Kafka can be made of the output"}
	}
	records, places := make([]*kgo.Record, len(batch)), map[*kgo.Record]int{}
	for i := range batch {
		records[i] = recordOf(&batch[i])
		places[records[i]] = i
	}
	produced := make(chan kgo.ProduceResults, 1)
	go func() { produced <- o.produce(ctx, client, records) }()
	var results kgo.ProduceResults
	select {
	case results = <-produced:
	case err = <-o.hopeless:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		// What is under way cannot be called off but with the whole client.
		o.Close()
		<-produced
		return reach.Error(ctx, err)
	}
	return o.judge(ctx, results, places)
}

// produce sends the records, of a new client after a call that shows whether brokers take its
// credentials: a producer would go on trying.
func (o *Output) produce(ctx context.Context, client *kgo.Client, records []*kgo.Record) kgo.ProduceResults {
	if !o.known {
		if err := client.Ping(ctx); err != nil {
			return kgo.ProduceResults{{Err: err}}
		}
		o.known = true
	}
	return client.ProduceSync(ctx, records...)
}

func (o *Output) producer() (*kgo.Client, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client == nil {
		client, err := kgo.NewClient(o.options...)
		if err != nil {
			return nil, err
		}
		o.client, o.known = client, false
	}
	return o.client, nil
}

func recordOf(r *output.Record) *kgo.Record {
	record := &kgo.Record{
		Value: r.Body, Timestamp: r.Time,
		Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(r.ID)}, {Key: "type", Value: []byte(r.Type)}},
	}
	if r.Agent != "" {
		record.Key = []byte(r.Agent)
	}
	return record
}

// judge says what came of the batch: single records may be refused while all others are taken.
func (o *Output) judge(ctx context.Context, results kgo.ProduceResults, places map[*kgo.Record]int) error {
	var refused []int
	for _, result := range results {
		switch {
		case result.Err == nil:
		case rejects(result.Err):
			refused = append(refused, places[result.Record])
		default:
			o.Close()
			return fault(ctx, result.Err)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	said := &output.Error{
		Kind: output.Rejected, Rejected: refused, Message: "the broker rejects events: they are too large, or not what the topic takes",
	}
	if len(refused) == len(results) {
		said.Rejected = nil
	}
	return said
}

// rejects tells an error about the record itself.
func rejects(err error) bool {
	for _, about := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.CorruptMessage,
	} {
		if errors.Is(err, about) {
			return true
		}
	}
	return false
}

// fault is what an error that is about no single record means.
func fault(ctx context.Context, err error) error {
	refusals := map[error]string{
		kerr.UnknownTopicOrPartition:            "the topic does not exist: create it, or correct output.kafka.topic",
		kerr.InvalidTopicException:              "the topic's name is none that the broker allows: correct output.kafka.topic",
		kerr.TopicAuthorizationFailed:           "the operator may not write to the topic: allow it to",
		kerr.ClusterAuthorizationFailed:         "the operator may not produce idempotently (IdempotentWrite): allow it to",
		kerr.SaslAuthenticationFailed:           "the broker does not take the credentials of output.kafka.sasl",
		kerr.UnsupportedSaslMechanism:           "the broker does not know the mechanism of output.kafka.sasl",
		kerr.IllegalSaslState:                   "the broker wants other credentials than output.kafka.sasl",
		kerr.TransactionalIDAuthorizationFailed: "the operator may not produce: allow it to",
	}
	for about, message := range refusals {
		if errors.Is(err, about) {
			return &output.Error{Kind: output.Refused, Message: message}
		}
	}
	if errors.Is(err, io.EOF) {
		return &output.Error{
			Kind:    output.Unreachable,
			Message: "the broker ends the connection at once: see that the port is one for TLS, and output.kafka.sasl",
		}
	}
	return reach.Error(ctx, err)
}
