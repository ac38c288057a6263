// Package otlp sends events as OpenTelemetry log records, over HTTP or gRPC. It refuses to
// know what events mean.
//
// # Why not the exporters of the OpenTelemetry SDK
//
// They are made for telemetry that may be lost, and audit events may not. As read in
// otlploghttp and otlploggrpc v0.23.0:
//
//   - A 2xx whose Content-Type is not exactly application/x-protobuf counts as taken, be it
//     a proxy's page for logging in or a partial success written as JSON.
//   - Partial success is joined to the result in an expression whose order of evaluation Go
//     does not define, and its type is internal: the count stands in a text only.
//   - So do statuses that are not retried: 401 cannot be told from 400.
//   - Errors repeat what the receiver says, up to 4 MiB: it may say our credentials.
//   - OTEL_EXPORTER_OTLP_* and HTTPS_PROXY of the operator's environment would have their
//     say, beside what the sink says.
//
// So this package speaks through the protocol's generated messages, which cost no module
// that the operator did not have; test/collector holds it to a real collector.
//
// # Partial success
//
// A receiver says how many records it rejects, never which. The protocol forbids to send
// the request again; to obey would be to lose events, or to have none to set aside. So the
// batch is reported as Rejected, and the caller halves it: no request is ever
// repeated, and each ends, at the latest as a batch of one, which is set aside. What was
// taken is sent twice, with the same log.record.uid, which is how OpenTelemetry defines
// that the second is a duplicate.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"io"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/reach"
)

// maxRequest is how many bytes one request has before it is compressed. Receivers over gRPC
// take 4 MiB unless they are told to take more.
const maxRequest = 3 << 20

// maxResponse is far more than a receiver has to say.
const maxResponse = 64 << 10

// Output sends to one receiver.
type Output struct {
	encoder encoder
	sender  sender
}

// sender is a transport.
type sender interface {
	// send gives how many records the receiver rejects, of those that it could read.
	send(ctx context.Context, req *collector.ExportLogsServiceRequest) (rejected int64, err error)
	close()
}

// New makes an output. It connects to nobody yet. An error holds no secret.
func New(config Config, now clock.PassiveClock) (*Output, error) {
	endpoint, err := config.parse()
	if err != nil {
		return nil, err
	}
	headers, err := config.headers()
	if err != nil {
		return nil, err
	}
	if config.TLS, err = reach.TLS(config.TLS); err != nil {
		return nil, err
	}
	o := &Output{encoder: newEncoder(config.Resource, now)}
	if config.GRPC {
		o.sender = newGRPC(config, endpoint, headers)
	} else {
		o.sender = newHTTP(config, endpoint, headers, now)
	}
	return o, nil
}

// Format implements fmt.Formatter: what is in it is in use, and holds credentials.
func (Output) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "OTLP output") }

// Close implements output.Output.
func (o *Output) Close() { o.sender.close() }

// Deliver implements output.Output. A batch is sent in as many requests as its size asks
// for, one after the other.
func (o *Output) Deliver(ctx context.Context, batch []output.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var refused []int
	for from := 0; from < len(batch); {
		size := fits(batch[from:])
		all, err := o.sendPart(ctx, batch[from:from+size])
		if err != nil {
			return err
		}
		for i := 0; all && i < size; i++ {
			refused = append(refused, from+i)
		}
		from += size
	}
	switch len(refused) {
	case 0:
		return nil
	case len(batch):
		return rejection(nil)
	}
	return rejection(refused)
}

// sendPart sends what one request has room for. all tells that every record was rejected; of
// some it is not known which.
func (o *Output) sendPart(ctx context.Context, part []output.Record) (all bool, err error) {
	rejected, err := o.sender.send(ctx, o.encoder.request(part))
	if told, ok := errors.AsType[*output.Error](err); ok && told.Kind == output.Rejected && len(part) == 1 {
		return true, nil
	}
	if err == nil && rejected != 0 && rejected != int64(len(part)) {
		err = rejection(nil)
	}
	return rejected != 0, err
}

// rejection does not repeat what the receiver says: see package reach.
func rejection(places []int) error {
	return &output.Error{
		Kind: output.Rejected, Rejected: places,
		Message: "the receiver rejects events: its own log says why",
	}
}

// fits is how many of the records one request has room for, and at least one.
func fits(records []output.Record) int {
	total := 0
	for i := range records {
		total += sizeOf(&records[i])
		if total > maxRequest && i > 0 {
			return i
		}
	}
	return len(records)
}

// status is an answer that is not a success.
func status(kind output.Kind, said string) *output.Error {
	words := map[output.Kind]string{
		output.Unreachable: "the receiver cannot take events now",
		output.Busy:        "the receiver asks to be left alone",
		output.Refused:     "the receiver does not take events from the operator: see the endpoint and its headers",
		output.Rejected:    "the receiver rejects what was sent",
	}
	return &output.Error{Kind: kind, Message: fmt.Sprintf("%s (%s)", words[kind], said)}
}
