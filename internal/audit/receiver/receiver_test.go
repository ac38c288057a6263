package receiver

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestOpen holds that all that a description says comes to the receiver.
func TestOpen(t *testing.T) {
	resource := map[string]string{
		"service.name": "agent-identity-operator", "service.version": "1.2.3",
		"agentidentity.cluster": "prod", "okta.org": "https://example.okta.com",
	}
	for kind, check := range map[string]func(t *testing.T, got []seen){
		"HTTP": func(t *testing.T, got []seen) {
			t.Helper()
			mustSee(t, got, "/in", "/in") // three events, two at most in one request
			first := got[0].header
			if first.Get("X-Tenant") != "tenant-"+canary || !strings.HasPrefix(first.Get("Webhook-Signature"), "v1,") {
				t.Errorf("a header or the signature is missing in %v", first)
			}
			if first.Get("Webhook-Timestamp") != "1795867200" {
				t.Errorf("signed at %s, which is not by the clock", first.Get("Webhook-Timestamp"))
			}
		},
		"SplunkHEC": func(t *testing.T, got []seen) {
			t.Helper()
			mustSee(t, got, "/hec/services/collector/ack", "/hec/services/collector/event", "/hec/services/collector/ack")
			if got[1].header.Get("Authorization") != "Splunk token-"+canary || !strings.Contains(string(got[1].body), `"index":"agents"`) {
				t.Errorf("the token or the index is missing in %v, %s", got[1].header, got[1].body)
			}
		},
		"OTLP over HTTP": func(t *testing.T, got []seen) {
			t.Helper()
			mustSee(t, got, "/otlp/v1/logs")
			if diff := cmp.Diff(resource, resourceOf(t, got[0].body)); diff != "" {
				t.Errorf("who sends (-want +got):\n%s", diff)
			}
		},
		"OTLP over gRPC": func(t *testing.T, got []seen) {
			t.Helper()
			mustSee(t, got, "/opentelemetry.proto.collector.logs.v1.LogsService/Export")
			if diff := cmp.Diff(resource, resourceOf(t, got[0].body[5:])); diff != "" {
				t.Errorf("who sends (-want +got):\n%s", diff)
			}
		},
		// The broker takes nobody else, and has no other topic.
		"Kafka": func(t *testing.T, got []seen) { t.Helper(); mustSee(t, got) },
	} {
		t.Run(kind, func(t *testing.T) {
			s := newServer(t)
			if err := deliver(t, opener(), s.outputs(t)[kind], s.material()); err != nil {
				t.Fatal(err)
			}
			check(t, s.requests())
			for _, request := range s.requests() {
				if strings.HasPrefix(kind, "OTLP") && request.header.Get("X-Tenant") != "tenant-"+canary {
					t.Errorf("the header is missing in %v", request.header)
				}
			}
		})
	}
}

func mustSee(t *testing.T, got []seen, want ...string) {
	t.Helper()
	var paths []string
	for _, request := range got {
		paths = append(paths, request.path)
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Fatalf("paths (-want +got):\n%s", diff)
	}
}

// TestAcknowledgementOptional holds that nobody is asked for what the sink does not ask for.
func TestAcknowledgementOptional(t *testing.T) {
	s := newServer(t)
	spec := s.outputs(t)["SplunkHEC"]
	spec.SplunkHEC.Acknowledgement = v1alpha1.RequirementOptional
	if err := deliver(t, opener(), spec, s.material()); err != nil {
		t.Fatal(err)
	}
	mustSee(t, s.requests(), "/hec/services/collector/event")
}

// TestGuarded holds that no kind of receiver is reached past the guard.
func TestGuarded(t *testing.T) {
	s := newServer(t)
	o := opener()
	o.Guard = outbound.Guard{}
	for kind, spec := range s.outputs(t) {
		t.Run(kind, func(t *testing.T) {
			mustBe(t, deliver(t, o, spec, s.material()), output.Forbidden, "loopback")
		})
	}
	mustSee(t, s.requests())
}

// TestStranger holds that each kind trusts those only that the sink names.
func TestStranger(t *testing.T) {
	s := newServer(t)
	for kind, spec := range s.outputs(t) {
		t.Run(kind, func(t *testing.T) {
			m := s.material()
			m.CA = nil
			mustBe(t, deliver(t, opener(), spec, m), output.Unreachable, "output.tls.ca")
		})
	}
	mustSee(t, s.requests())
}

// TestClientCertificate holds that each kind shows who we are where the sink says so.
func TestClientCertificate(t *testing.T) {
	s := newServer(t, tls.RequireAnyClientCert)
	for kind, spec := range s.outputs(t) {
		t.Run(kind, func(t *testing.T) {
			m := s.material()
			// What it says of that may come, or the connection may be gone before.
			if err := deliver(t, opener(), spec, m); err == nil {
				t.Error("it takes anybody")
			}
			m.Certificate, m.Key = s.pair(t)
			if err := deliver(t, opener(), spec, m); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFaults holds that what is wrong is told by the field in which it stands, before
// anybody is called, and without what a Secret holds.
func TestFaults(t *testing.T) {
	s := newServer(t)
	broken := identity.NewSecret([]byte("a\r\n" + canary + ": b"))
	for name, test := range map[string]struct {
		kind  string
		spoil func(*v1alpha1.AuditOutput, *Material)
		says  string
	}{
		"no receiver":     {"HTTP", func(o *v1alpha1.AuditOutput, _ *Material) { o.HTTP = nil }, "spec.output says nothing"},
		"no authority":    {"HTTP", func(_ *v1alpha1.AuditOutput, m *Material) { m.CA = []byte(canary) }, "spec.output.tls.ca"},
		"empty authority": {"HTTP", func(_ *v1alpha1.AuditOutput, m *Material) { m.CA = []byte{} }, "spec.output.tls.ca"},
		"no key": {"HTTP", func(_ *v1alpha1.AuditOutput, m *Material) {
			m.Certificate, m.Key = m.CA, identity.NewSecret([]byte(canary))
		}, "spec.output.tls.clientCertificate"},
		"endpoint":    {"HTTP", func(o *v1alpha1.AuditOutput, _ *Material) { o.HTTP.Endpoint = "http://" + canary }, "spec.output.http: endpoint"},
		"header":      {"HTTP", func(_ *v1alpha1.AuditOutput, m *Material) { m.Values[ref("tenant")] = broken }, "spec.output.http: "},
		"signing key": {"HTTP", func(_ *v1alpha1.AuditOutput, m *Material) { m.Values[ref("signing")] = broken }, "spec.output.http: "},
		"token":       {"SplunkHEC", func(_ *v1alpha1.AuditOutput, m *Material) { m.Values[ref("token")] = broken }, "spec.output.splunkHEC: "},
		"no token":    {"SplunkHEC", func(_ *v1alpha1.AuditOutput, m *Material) { delete(m.Values, ref("token")) }, "spec.output.splunkHEC: "},
		"path": {"SplunkHEC", func(o *v1alpha1.AuditOutput, _ *Material) {
			o.SplunkHEC.Endpoint += "/services/collector"
		}, "spec.output.splunkHEC: endpoint"},
		"gRPC with a path": {"OTLP over gRPC", func(o *v1alpha1.AuditOutput, _ *Material) { o.OTLP.Endpoint += "/x" }, "spec.output.otlp: "},
		"header of OTLP":   {"OTLP over HTTP", func(_ *v1alpha1.AuditOutput, m *Material) { m.Values[ref("tenant")] = broken }, "spec.output.otlp: "},
		"mechanism":        {"Kafka", func(o *v1alpha1.AuditOutput, _ *Material) { o.Kafka.SASL.Mechanism = "None" }, "spec.output.kafka: sasl.mechanism"},
		"broker":           {"Kafka", func(o *v1alpha1.AuditOutput, _ *Material) { o.Kafka.Brokers[0] = "kafka:99999" }, "spec.output.kafka: brokers"},
	} {
		t.Run(name, func(t *testing.T) {
			spec, m := s.outputs(t)[test.kind], s.material()
			test.spoil(spec, &m)
			out, err := opener().Open(spec, m)
			if out != nil {
				t.Errorf("it was opened: %v", out)
			}
			mustBe(t, err, output.Refused, test.says)
		})
	}
	mustSee(t, s.requests())
}

func TestReferences(t *testing.T) {
	s := newServer(t)
	got := map[string][]v1alpha1.SecretKeyReference{}
	for kind, spec := range s.outputs(t) {
		got[kind] = References(spec)
	}
	want := map[string][]v1alpha1.SecretKeyReference{
		"HTTP": {ref("tenant"), ref("signing")}, "SplunkHEC": {ref("token")},
		"OTLP over HTTP": {ref("tenant")}, "OTLP over gRPC": {ref("tenant")},
		"Kafka": {ref("user"), ref("password")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, spec := range map[string]*v1alpha1.AuditOutput{
		"HTTP": {HTTP: &v1alpha1.HTTPOutput{}}, "Kafka": {Kafka: &v1alpha1.KafkaOutput{}}, "nothing": {},
	} {
		if refs := References(spec); refs != nil {
			t.Errorf("%s without Secrets leads to %v", name, refs)
		}
	}
}

func TestBatchOf(t *testing.T) {
	for _, test := range []struct {
		spec v1alpha1.AuditOutput
		want int
	}{
		{v1alpha1.AuditOutput{HTTP: &v1alpha1.HTTPOutput{MaxEvents: new(int32(7))}}, 7},
		{v1alpha1.AuditOutput{HTTP: &v1alpha1.HTTPOutput{}}, standardBatch},
		{v1alpha1.AuditOutput{OTLP: &v1alpha1.OTLPOutput{}}, standardBatch},
	} {
		if got := BatchOf(&test.spec); got != test.want {
			t.Errorf("got %d, want %d", got, test.want)
		}
	}
}
