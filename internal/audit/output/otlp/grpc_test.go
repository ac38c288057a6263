package otlp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/reach"
)

// TestCodes is the table of what a receiver may answer; each message says our credential.
func TestCodes(t *testing.T) {
	info := func(wait time.Duration) []protoadapt.MessageV1 {
		return []protoadapt.MessageV1{&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}}
	}
	kind := func(kind output.Kind) *told { return &told{Kind: kind} }
	for name, test := range map[string]struct {
		reason  string
		code    codes.Code
		message string
		details []protoadapt.MessageV1
		want    *told
	}{
		"InvalidArgument":          {"it is about the events", codes.InvalidArgument, "", nil, kind(output.Rejected)},
		"Unauthenticated":          {"it does not know us", codes.Unauthenticated, "", nil, kind(output.Refused)},
		"PermissionDenied":         {"we may not", codes.PermissionDenied, "", nil, kind(output.Refused)},
		"Unimplemented":            {"it takes no logs", codes.Unimplemented, "", nil, kind(output.Refused)},
		"NotFound":                 {"there is no such receiver", codes.NotFound, "", nil, kind(output.Refused)},
		"FailedPrecondition":       {"it is not ready for us, whatever is sent", codes.FailedPrecondition, "", nil, kind(output.Refused)},
		"Unavailable":              {"its fault", codes.Unavailable, "", nil, kind(output.Unreachable)},
		"Unavailable for 30 s":     {"it says how long", codes.Unavailable, "", info(30 * time.Second), &told{Kind: output.Busy, RetryAfter: 30 * time.Second}},
		"ResourceExhausted":        {"a quota is not about events", codes.ResourceExhausted, "quota", nil, kind(output.Busy)},
		"ResourceExhausted, 5 s":   {"it says how long", codes.ResourceExhausted, "", info(5 * time.Second), &told{Kind: output.Busy, RetryAfter: 5 * time.Second}},
		"ResourceExhausted, years": {"an hour is the most", codes.ResourceExhausted, "", info(1e6 * time.Hour), &told{Kind: output.Busy, RetryAfter: time.Hour}},
		"ResourceExhausted, -1 s":  {"the past is now", codes.ResourceExhausted, "", info(-time.Second), kind(output.Busy)},
		"Too large, Go":            {"fewer may be taken", codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 4)", nil, kind(output.Rejected)},
		"Too large, Java":          {"fewer may be taken", codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 9", nil, kind(output.Rejected)},
		"DeadlineExceeded":         {"its own deadline", codes.DeadlineExceeded, "", nil, kind(output.Unreachable)},
		"Canceled":                 {"by it, not by us", codes.Canceled, "", nil, kind(output.Unreachable)},
		"Aborted":                  {"its fault", codes.Aborted, "", nil, kind(output.Unreachable)},
		"OutOfRange":               {"the protocol says to try again", codes.OutOfRange, "", nil, kind(output.Unreachable)},
		"DataLoss":                 {"its fault", codes.DataLoss, "", nil, kind(output.Unreachable)},
		"Internal":                 {"its fault, though the protocol would have us drop", codes.Internal, "", nil, kind(output.Unreachable)},
		"Unknown":                  {"its fault, though the protocol would have us drop", codes.Unknown, "", nil, kind(output.Unreachable)},
		"Nobody's":                 {"nobody's number", codes.Code(99), "", nil, kind(output.Unreachable)},
	} {
		t.Run(name, func(t *testing.T) {
			r := &receiver{answer: func([]*logs.LogRecord) (int64, error) {
				said, err := grpcstatus.New(test.code, test.message+" Bearer "+canary).WithDetails(test.details...)
				if err != nil {
					t.Error(err)
				}
				return 0, said.Err()
			}}
			o := open(t, serveGRPC(t, r))
			for range 2 {
				if diff := cmp.Diff(test.want, tell(t, o.Deliver(context.Background(), batch(2)))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", test.reason, diff)
				}
			}
		})
	}
}

// TestLimit holds that receivers' own limit, met by one record, is a rejection of it alone.
func TestLimit(t *testing.T) {
	records := batch(3)
	records[1].Body = []byte(strings.Repeat("x", 5<<20))
	want := &told{Kind: output.Rejected, Rejected: []int{1}}
	r := &receiver{}
	if diff := cmp.Diff(want, tell(t, open(t, serveGRPC(t, r)).Deliver(context.Background(), records))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"event-0000", "event-0002"}, r.ids()); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

// TestHugeAnswer holds that an answer that grows when it is unpacked is cut off.
func TestHugeAnswer(t *testing.T) {
	huge := answerer{answer: &collector.ExportLogsServiceResponse{
		PartialSuccess: &collector.ExportLogsPartialSuccess{ErrorMessage: strings.Repeat(canary, 1<<20)},
	}}
	if got := tell(t, open(t, serveGRPC(t, huge)).Deliver(context.Background(), batch(1))); got == nil {
		t.Error("an answer of 15 MB was read")
	}
}

type answerer struct {
	collector.UnimplementedLogsServiceServer
	answer *collector.ExportLogsServiceResponse
}

func (a answerer) Export(context.Context, *collector.ExportLogsServiceRequest) (*collector.ExportLogsServiceResponse, error) {
	return a.answer, nil
}

// TestNoLogsService holds that a gRPC server of something else is told as such.
func TestNoLogsService(t *testing.T) {
	config := serveGRPC(t, &receiver{}, grpc.UnknownServiceHandler(nil))
	config.Endpoint = serveHTTP(t, answering(404, nil, nil)).Endpoint
	if diff := cmp.Diff(&told{Kind: output.Refused}, tell(t, open(t, config).Deliver(context.Background(), batch(1)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAlert holds that why the receiver ended TLS is known, when it says so after the
// handshake, and that nothing else that ends a connection is taken for it.
func TestAlert(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want *told
	}{
		"no certificate": {&net.OpError{Op: "remote error", Err: tls.AlertError(116)}, &told{Kind: output.Refused}},
		"another alert":  {&net.OpError{Op: "remote error", Err: tls.AlertError(80)}, &told{Kind: output.Unreachable}},
		"the end":        {io.EOF, nil},
		"a reset":        {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, nil},
	} {
		seen := &fault{}
		if _, err := (listening{saying{err: test.err}, seen}).Read(nil); err != test.err { //nolint:errorlint // the same
			t.Errorf("%s: got %v", name, err)
		}
		var got *told
		if err := seen.get(); err != nil {
			got = tell(t, reach.Error(t.Context(), err))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// saying is a connection that reads an error.
type saying struct {
	net.Conn
	err error
}

func (s saying) Read([]byte) (int, error) { return 0, s.err }
