package collector

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/receiver"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// event is what a receiver knows of one.
type event struct {
	ID, Type, Name, Agent, Body string
	Time                        time.Time
	Severity                    string
	Number                      logs.SeverityNumber
	Resource                    map[string]string
	Scope                       string
}

func eventOf(r *logs.ResourceLogs, s *logs.ScopeLogs, record *logs.LogRecord) event {
	said := texts(record.GetAttributes())
	body := record.GetBody().GetStringValue()
	if raw := record.GetBody().GetBytesValue(); raw != nil {
		body = string(raw)
	}
	return event{
		ID: said["log.record.uid"], Type: said["event.name"], Agent: said["agentidentity.agent"], Name: record.GetEventName(), Body: body,
		Time:     time.Unix(0, int64(record.GetTimeUnixNano())).UTC(),
		Severity: record.GetSeverityText(), Number: record.GetSeverityNumber(),
		Resource: texts(r.GetResource().GetAttributes()), Scope: s.GetScope().GetName() + " " + s.GetScope().GetVersion(),
	}
}

func texts(attributes []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attributes {
		all[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return all
}

// sentBy is what the receiver must know of the record.
func sentBy(r output.Record) event {
	numbers := map[string]logs.SeverityNumber{"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17}
	return event{
		ID: r.ID, Type: r.Type, Name: r.Type, Agent: r.Agent, Body: string(r.Body), Time: r.Time,
		Severity: r.Severity, Number: numbers[r.Severity],
		Resource: map[string]string{
			"service.name": "agent-identity-operator", "service.version": "1.2.3",
			"agentidentity.cluster": "prod", "okta.org": "https://example.okta.com",
		},
		Scope: "agentidentity.dev/audit 1.2.3",
	}
}

// protocols are all there are.
func protocols() []v1alpha1.OTLPProtocol {
	return []v1alpha1.OTLPProtocol{v1alpha1.OTLPProtocolHTTP, v1alpha1.OTLPProtocolGRPC}
}

// endpoint is where the collector speaks a protocol.
func (c *collector) endpoint(protocol v1alpha1.OTLPProtocol) v1alpha1.Endpoint {
	port := c.http
	if protocol == v1alpha1.OTLPProtocolGRPC {
		port = c.grpc
	}
	return v1alpha1.Endpoint(fmt.Sprintf("https://127.0.0.1:%d", port))
}

// open makes the output that a sink describes.
func (c *collector) open(protocol v1alpha1.OTLPProtocol, changes ...func(*v1alpha1.OTLPOutput, *receiver.Material)) output.Output {
	c.Helper()
	ref := v1alpha1.SecretKeyReference{Name: "collector", Key: "token"}
	spec := &v1alpha1.OTLPOutput{
		Protocol: protocol, Endpoint: c.endpoint(protocol), Headers: []v1alpha1.SecretHeader{{Name: "authorization", Value: ref}},
	}
	m := receiver.Material{
		CA: c.certificate, Values: map[v1alpha1.SecretKeyReference]identity.Secret{ref: identity.NewSecret([]byte("Bearer " + token + "\n"))},
	}
	for _, change := range changes {
		change(spec, &m)
	}
	opener := receiver.Opener{
		Guard:   outbound.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		Version: "1.2.3", Cluster: "prod", Org: "https://example.okta.com", Clock: clock.RealClock{},
	}
	out, err := opener.Open(&v1alpha1.AuditOutput{Type: v1alpha1.OutputOTLP, OTLP: spec}, m)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(out.Close)
	return out
}

// deliver sends one batch with a deadline as the operator has it.
func deliver(out output.Output, batch []output.Record) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return out.Deliver(ctx, batch)
}

// mustBe holds what an error is, and that it tells no secret.
func mustBe(t *testing.T, err error, want ...output.Kind) {
	t.Helper()
	told, ok := errors.AsType[*output.Error](err)
	if !ok {
		t.Fatalf("got %v, want an error of kind %v", err, want)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)), token) {
		t.Errorf("the error tells the token: %v", err)
	}
	for _, kind := range want {
		if told.Kind == kind {
			return
		}
	}
	t.Errorf("got %v, which is of kind %d; want %v", err, told.Kind, want)
}

// records are n events with bodies as JSON may have them, each of about size bytes.
func records(n, size int) []output.Record {
	// What any of these loses, a body that is parsed on the way would lose.
	odd := []string{
		`"n":12345678901234567890`, `"twice":1,"twice":2`, `"z":1,"a":2`, `"text":"Müller 🔑 \u0000 \ud800 </script> \\"`, `"f":1.0,"e":1E+2`,
		"\"cut\":\"\xff\xfe\"",
	}
	random := rand.NewChaCha8([32]byte{1})
	all := make([]output.Record, n)
	for i := range all {
		id := fmt.Sprintf("%08d-9e1c-11f0-b7a8-%012x", i, random.Uint64()>>16)
		all[i] = output.Record{
			ID: id, Time: time.UnixMilli(1_795_867_200_000 + int64(i)).UTC(), Type: []string{"user.session.start", "app.oauth2.as.token.grant"}[i%2],
			Severity: []string{"DEBUG", "INFO", "WARN", "ERROR"}[i%4], Agent: []string{"shop/bot", ""}[i%2],
			Body: fmt.Appendf(nil, `{"uuid":%q,%s,"pad":%q}`, id, odd[i%len(odd)], noise(random, size)),
		}
	}
	return all
}

// noise is text that cannot be packed to much less.
func noise(random *rand.ChaCha8, size int) string {
	raw := make([]byte, size*3/4)
	_, _ = random.Read(raw) // never fails
	return base64.StdEncoding.EncodeToString(raw)
}
