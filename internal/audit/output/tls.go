package output

import (
	"crypto/tls"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// KeyPair reads a certificate and its key in PEM. The error, an *Error of kind Refused, says
// nothing of the key.
func KeyPair(certificate []byte, key identity.Secret) (tls.Certificate, error) {
	pair, err := tls.X509KeyPair(certificate, key.Reveal())
	if err != nil {
		return tls.Certificate{}, &Error{
			Kind: Refused, Message: "spec.output.tls.clientCertificate leads to no certificate with its key in PEM",
		}
	}
	return pair, nil
}
