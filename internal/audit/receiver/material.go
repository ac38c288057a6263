// Package receiver makes the output that an AuditSink describes. It is the one place that
// knows every kind of receiver; it refuses to know the cluster, and gets what the
// references of the description lead to handed in.
package receiver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Material is what the references of an output lead to.
type Material struct {
	// Values are those of Secrets.
	Values map[v1alpha1.SecretKeyReference]identity.Secret
	// CA is a bundle in PEM; nil where the output names none.
	CA []byte
	// Certificate and Key are in PEM; zero where the output names none.
	Certificate []byte
	Key         identity.Secret
}

// Revision changes when any of it does. It tells nothing of the values.
func (m Material) Revision() string {
	parts := []string{fmt.Sprintf("%q %q %s", m.CA, m.Certificate, m.Key.Fingerprint())}
	for ref, value := range m.Values {
		parts = append(parts, fmt.Sprintf("%s/%s=%s", ref.Name, ref.Key, value.Fingerprint()))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// References are the values of Secrets that an output needs, each once.
func References(o *v1alpha1.AuditOutput) []v1alpha1.SecretKeyReference {
	var refs []v1alpha1.SecretKeyReference
	add := func(headers []v1alpha1.SecretHeader, more ...v1alpha1.SecretKeyReference) {
		for _, h := range headers {
			refs = append(refs, h.Value)
		}
		refs = append(refs, more...)
	}
	switch {
	case o.OTLP != nil:
		add(o.OTLP.Headers)
	case o.HTTP != nil:
		add(o.HTTP.Headers)
		if o.HTTP.SigningKey != nil {
			add(nil, *o.HTTP.SigningKey)
		}
	case o.SplunkHEC != nil:
		add(nil, o.SplunkHEC.Token)
	case o.Kafka != nil && o.Kafka.SASL != nil:
		add(nil, o.Kafka.SASL.Username, o.Kafka.SASL.Password)
	}
	return refs
}
