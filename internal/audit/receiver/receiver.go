package receiver

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/kafka"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/otlp"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/splunk"
	"github.com/agentidentity/agent-identity-operator/internal/audit/output/webhook"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Opener makes outputs.
type Opener struct {
	// Guard says which networks events are sent to.
	Guard outbound.Guard
	// Version, Cluster and Org are told to receivers that ask who sends.
	Version, Cluster, Org string
	Clock                 clock.WithTicker
}

// Open makes the output that is described. It makes no connection. What is wrong with the
// material is an *output.Error of kind Refused.
func (o Opener) Open(spec *v1alpha1.AuditOutput, m Material) (output.Output, error) {
	secure, err := trust(m)
	if err != nil {
		return nil, err
	}
	switch {
	case spec.HTTP != nil:
		return o.webhook(spec, m, secure)
	case spec.SplunkHEC != nil:
		return o.splunk(spec.SplunkHEC, m, secure)
	case spec.OTLP != nil:
		return o.otlp(spec.OTLP, m, secure)
	case spec.Kafka != nil:
		return o.kafka(spec.Kafka, m, secure)
	}
	return nil, &output.Error{Kind: output.Refused, Message: "spec.output says nothing of the receiver that its type names"}
}

// trust says whom to trust, and who we are.
func trust(m Material) (*tls.Config, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.CA != nil {
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(m.CA) {
			return nil, &output.Error{Kind: output.Refused, Message: "spec.output.tls.ca leads to no certificate in PEM"}
		}
	}
	if m.Certificate != nil {
		pair, err := output.KeyPair(m.Certificate, m.Key)
		if err != nil {
			return nil, err
		}
		secure.Certificates = []tls.Certificate{pair}
	}
	return secure, nil
}

func (o Opener) webhook(spec *v1alpha1.AuditOutput, m Material, secure *tls.Config) (output.Output, error) {
	config := webhook.Config{
		Endpoint: string(spec.HTTP.Endpoint), Headers: headers(spec.HTTP.Headers, m), MaxEvents: BatchOf(spec),
		Client: o.Guard.Client(secure), Clock: o.Clock,
	}
	if key := spec.HTTP.SigningKey; key != nil {
		config.SigningKey = m.Values[*key]
	}
	out, err := webhook.New(config)
	return opened(out, "spec.output.http", err)
}

func (o Opener) splunk(spec *v1alpha1.SplunkHECOutput, m Material, secure *tls.Config) (output.Output, error) {
	out, err := splunk.New(splunk.Config{
		Endpoint: string(spec.Endpoint), Token: m.Values[spec.Token], Index: spec.Index,
		RequireAck: spec.Acknowledgement != v1alpha1.RequirementOptional, Client: o.Guard.Client(secure), Clock: o.Clock,
	})
	return opened(out, "spec.output.splunkHEC", err)
}

func (o Opener) otlp(spec *v1alpha1.OTLPOutput, m Material, secure *tls.Config) (output.Output, error) {
	out, err := otlp.New(otlp.Config{
		Endpoint: string(spec.Endpoint), GRPC: spec.Protocol == v1alpha1.OTLPProtocolGRPC, Headers: headers(spec.Headers, m),
		TLS: secure, Dial: o.Guard.DialContext,
		Resource: otlp.Resource{Version: o.Version, Cluster: o.Cluster, Org: o.Org},
	}, o.Clock)
	return opened(out, "spec.output.otlp", err)
}

func (o Opener) kafka(spec *v1alpha1.KafkaOutput, m Material, secure *tls.Config) (output.Output, error) {
	config := kafka.Config{Topic: spec.Topic, TLS: secure, Dial: o.Guard.DialContext}
	for _, broker := range spec.Brokers {
		config.Brokers = append(config.Brokers, string(broker))
	}
	if spec.SASL != nil {
		config.SASL = &kafka.SASL{
			Mechanism: spec.SASL.Mechanism, Username: m.Values[spec.SASL.Username], Password: m.Values[spec.SASL.Password],
		}
	}
	out, err := kafka.New(config)
	return opened(out, "spec.output.kafka", err)
}

// opened says in which field of the spec there is a fault.
func opened(out output.Output, field string, err error) (output.Output, error) {
	if err != nil {
		return nil, &output.Error{Kind: output.Refused, Message: fmt.Sprintf("%s: %v", field, err)}
	}
	return out, nil
}

func headers(of []v1alpha1.SecretHeader, m Material) map[string]identity.Secret {
	all := map[string]identity.Secret{}
	for _, header := range of {
		all[header.Name] = m.Values[header.Value]
	}
	return all
}

// standardBatch is how many events are sent at once where the output does not say.
const standardBatch = 500

// BatchOf is how many events are sent to the receiver at once: what it gets in one request,
// so that what it took is not sent again when the rest has to be.
func BatchOf(spec *v1alpha1.AuditOutput) int {
	if spec.HTTP != nil && spec.HTTP.MaxEvents != nil {
		return int(*spec.HTTP.MaxEvents)
	}
	return standardBatch
}

// acknowledged is how long a batch takes at most for whose acknowledgement an indexer is waited
// for: the wait that the output gives it, and what leads up to that.
const acknowledged = 6 * time.Minute

// DeadlineOf bounds one try to deliver a batch to the receiver; zero is the caller's own.
func DeadlineOf(spec *v1alpha1.AuditOutput) time.Duration {
	if spec.SplunkHEC != nil && spec.SplunkHEC.Acknowledgement != v1alpha1.RequirementOptional {
		return acknowledged
	}
	return 0
}
