package otlp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/post"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/reach"
)

// overGRPC calls LogsService.Export.
type overGRPC struct {
	config  Config
	target  string
	headers func() http.Header

	// A connection is let go of when it fails. gRPC would keep it, and for up to two minutes
	// answer each call with the failure it remembers.
	conn  *grpc.ClientConn
	fault *fault
}

// Format implements fmt.Formatter for the same reason as Output's.
func (*overGRPC) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "OTLP over gRPC") }

func newGRPC(config Config, endpoint *url.URL, headers func() http.Header) *overGRPC {
	// What is kept of the configuration has no secrets: see Config.headers.
	config.Headers = nil
	if config.Dial == nil {
		config.Dial = new(net.Dialer).DialContext
	}
	// The name is resolved by whoever dials: the guard.
	return &overGRPC{config: config, target: "passthrough:///" + endpoint.Host, headers: headers}
}

func (g *overGRPC) close() {
	if g.conn != nil {
		_ = g.conn.Close()
		g.conn = nil
	}
}

func (g *overGRPC) send(ctx context.Context, message *collector.ExportLogsServiceRequest) (int64, error) {
	if err := g.connect(); err != nil {
		return 0, &output.Error{Kind: output.Refused, Message: "the endpoint is nothing that gRPC can call"}
	}
	pairs := metadata.MD{}
	for name, values := range g.headers() {
		pairs.Set(name, values...)
	}
	response, err := collector.NewLogsServiceClient(g.conn).Export(metadata.NewOutgoingContext(ctx, pairs), message)
	if err == nil {
		return response.GetPartialSuccess().GetRejectedLogRecords(), nil
	}
	said := grpcstatus.Convert(err)
	failed := g.failure(ctx, said)
	switch said.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Internal, codes.Unknown:
		g.close()
	}
	return 0, failed
}

func (g *overGRPC) connect() error {
	if g.conn != nil {
		return nil
	}
	seen := &fault{}
	conn, err := grpc.NewClient(g.target,
		grpc.WithTransportCredentials(handshaker{credentials.NewTLS(g.config.TLS), seen}),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			dialled, err := g.config.Dial(ctx, "tcp", addr)
			seen.set(err)
			return dialled, err
		}),
		// Neither a proxy nor a TXT record has a say, and the caller is who tries again.
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(),
		grpc.WithUserAgent("agent-identity-operator"),
		grpc.WithMaxHeaderListSize(maxResponse),
		// The limit holds for what was unpacked.
		grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name), grpc.MaxCallRecvMsgSize(maxResponse)),
	)
	if err != nil {
		return err
	}
	g.conn, g.fault = conn, seen
	return nil
}

// failure is what a status means. The table is the protocol's, but for what may be lost:
// what it does not let a client send again is Rejected only where it is about the events,
// because these would be set aside one by one. The receiver's own words are read here and
// not repeated.
func (g *overGRPC) failure(ctx context.Context, said *grpcstatus.Status) error {
	if ctx.Err() != nil {
		return reach.Error(ctx, ctx.Err())
	}
	wait, asked := retryInfo(said)
	code := said.Code()
	switch code {
	case codes.InvalidArgument:
		return status(output.Rejected, code.String())
	case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented, codes.NotFound, codes.FailedPrecondition:
		return status(output.Refused, code.String())
	case codes.ResourceExhausted:
		if !asked && oversized(said.Message()) {
			return status(output.Rejected, code.String())
		}
		asked = true
	case codes.Unavailable:
		if err := g.fault.get(); err != nil {
			return reach.Error(ctx, err)
		}
	}
	if asked {
		busy := status(output.Busy, code.String())
		busy.RetryAfter = wait
		return busy
	}
	return status(output.Unreachable, code.String())
}

// oversized tells a request that is too large, for which there is no code of its own: these
// are the words of gRPC in Go and C++, in Java, and of proxies.
func oversized(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "larger than max") || strings.Contains(message, "exceeds maximum") ||
		strings.Contains(message, "too large")
}

// retryInfo is how long the receiver asks to be left alone.
func retryInfo(said *grpcstatus.Status) (time.Duration, bool) {
	for _, detail := range said.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return min(max(info.GetRetryDelay().AsDuration(), 0), post.LongestWait), true
		}
	}
	return 0, false
}

// fault remembers why there is no connection. gRPC tells it as text only, together with
// what the receiver says.
type fault struct {
	mu  sync.Mutex
	err error
}

func (f *fault) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fault) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// handshaker tells fault how the handshake went.
type handshaker struct {
	credentials.TransportCredentials
	fault *fault
}

func (h handshaker) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	h.fault.set(err)
	if err != nil {
		return nil, nil, err
	}
	return listening{conn, h.fault}, info, nil
}

// listening tells fault of an alert: since TLS 1.3 a receiver says no to our certificate when
// the handshake is over for us.
type listening struct {
	net.Conn
	fault *fault
}

func (l listening) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		l.fault.set(err)
	}
	return n, err
}

func (h handshaker) Clone() credentials.TransportCredentials {
	return handshaker{h.TransportCredentials.Clone(), h.fault}
}
