package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/post"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/reach"
)

const (
	typeProtobuf = "application/x-protobuf"
	typeJSON     = "application/json"
)

// overHTTP posts protobuf. It uses the transport itself, not a client: no redirect is
// followed, so that no credential goes where nobody wrote it down.
type overHTTP struct {
	transport *http.Transport
	url       string
	headers   func() http.Header
	packer    *gzip.Writer
	clock     clock.PassiveClock
}

// Format implements fmt.Formatter for the same reason as Output's.
func (overHTTP) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "OTLP over HTTP") }

func newHTTP(config Config, endpoint *url.URL, headers func() http.Header, now clock.PassiveClock) *overHTTP {
	return &overHTTP{
		url:     endpoint.JoinPath("v1", "logs").String(),
		headers: headers,
		packer:  newPacker(),
		clock:   now,
		transport: &http.Transport{
			// No proxy: what it dials, the guard does not see.
			DialContext:            config.Dial,
			TLSClientConfig:        config.TLS,
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           2,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: maxResponse,
			// Answers are a few bytes: what is packed could only be meant to burst.
			DisableCompression: true,
		},
	}
}

// newPacker packs fast: throughput is most of all this.
func newPacker() *gzip.Writer {
	packer, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // The level is a constant.
	}
	return packer
}

func (h *overHTTP) close() { h.transport.CloseIdleConnections() }

func (h *overHTTP) send(ctx context.Context, message *collector.ExportLogsServiceRequest) (int64, error) {
	req, err := h.request(ctx, message)
	if err != nil {
		return 0, &output.Error{Kind: output.Rejected, Message: "events cannot be written as protobuf"}
	}
	resp, err := h.transport.RoundTrip(req)
	if err != nil {
		// A connection that hangs is not tried again.
		h.close()
		return 0, reach.Error(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// The rest of the body is nobody's: it may be endless, and it is not repeated.
		return 0, h.failure(resp)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		h.close()
		return 0, reach.Error(ctx, err)
	}
	return readAnswer(resp.Header.Get("Content-Type"), resp.Header.Get("Content-Encoding"), answer)
}

func (h *overHTTP) request(ctx context.Context, message *collector.ExportLogsServiceRequest) (*http.Request, error) {
	raw, err := proto.Marshal(message)
	if err != nil {
		return nil, err
	}
	// A new buffer each time: the transport may read it after it has answered.
	packed := bytes.NewBuffer(make([]byte, 0, len(raw)/4))
	h.packer.Reset(packed)
	if _, err := h.packer.Write(raw); err != nil {
		return nil, err
	}
	if err := h.packer.Close(); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, packed)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "agent-identity-operator")
	maps.Copy(req.Header, h.headers())
	req.Header.Set("Content-Type", typeProtobuf)
	req.Header.Set("Content-Encoding", "gzip")
	return req, nil
}

// readAnswer reads what came with a success. Only an answer of the protocol acknowledges: a
// page for logging in is a 200 as well. Some receivers answer in JSON or with nothing.
func readAnswer(contentType, encoding string, answer []byte) (int64, error) {
	foreign := &output.Error{
		Kind:    output.Unreachable,
		Message: "the endpoint answers with success, but not as an OTLP receiver does: see that it leads to one",
	}
	kind, ok := mediaType(contentType)
	if !ok || len(answer) > maxResponse || encoding != "" && encoding != "identity" {
		return 0, foreign
	}
	var said collector.ExportLogsServiceResponse
	if len(answer) == 0 && kind == "" {
		return 0, nil
	}
	if err := unmarshal(kind, answer, &said); err != nil {
		return 0, foreign
	}
	return said.GetPartialSuccess().GetRejectedLogRecords(), nil
}

// unmarshal reads an answer of either form; nothing at all is one that says nothing.
func unmarshal(kind string, answer []byte, into proto.Message) error {
	switch {
	case kind == typeProtobuf:
		return proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(answer, into)
	case kind == typeJSON && len(answer) == 0:
		return nil
	case kind == typeJSON:
		return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(answer, into)
	}
	return errors.New("it is of another type")
}

// mediaType is the type without its parameters; absent is a type, too.
func mediaType(header string) (kind string, ok bool) {
	kind, _, err := mime.ParseMediaType(header)
	return kind, err == nil || header == "" || errors.Is(err, mime.ErrInvalidMediaParameter)
}

// failure is what an answer other than a success means. A status that nobody foresaw is
// never taken to be about the events: they would be set aside one by one.
func (h *overHTTP) failure(resp *http.Response) error {
	said := strconv.Itoa(resp.StatusCode)
	wait, _ := post.RetryAfter(resp.Header, h.clock.Now())
	switch code := resp.StatusCode; {
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		return status(output.Rejected, said)
	case code == http.StatusTooManyRequests, code >= 500 && wait > 0:
		busy := status(output.Busy, said)
		busy.RetryAfter = wait
		return busy
	case code >= 300 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooEarly:
		return status(output.Refused, said)
	}
	return status(output.Unreachable, said)
}
