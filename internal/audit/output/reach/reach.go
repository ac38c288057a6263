// Package reach says why a receiver could not be reached, in words that are safe to show.
// It refuses to know what is sent.
//
// What a receiver sends is not repeated, ever. A receiver has our credentials, and Go's
// errors quote their peer: a status line that is none, the debug data of an HTTP/2 GOAWAY,
// the names in a certificate. Whoever answers could so write a credential into a
// condition or a log. So the words are this package's own, chosen by the error's type, and
// of a cause only the operating system's number is kept, and the context's own errors.
package reach

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

// Error is what a failure of the network is to whoever delivers: an *output.Error, or the
// context's own when that was cancelled. A guard's refusal comes out as it went in, however
// deep it is wrapped. Err is never nil.
func Error(ctx context.Context, err error) error {
	if told, ok := errors.AsType[*output.Error](err); ok {
		return told
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if ofCertificate(alert(err)) {
		return &output.Error{
			Kind:    output.Refused,
			Message: "the receiver does not take our certificate, or asks for one: see output.tls.clientCertificate",
		}
	}
	message, cause := words(ctx, err)
	return &output.Error{Kind: output.Unreachable, Message: message, Err: cause}
}

// words are what is said of err, and what is kept of it.
func words(ctx context.Context, err error) (string, error) {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "the receiver does not answer in time", context.DeadlineExceeded
	}
	if said := cmp.Or(certificate(err), handshake(err), name(err)); said != "" {
		return said, nil
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return "the receiver cannot be reached", number
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "the receiver does not answer in time", nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return "the receiver closed the connection without an answer", nil
	}
	return "the connection to the receiver broke, or it answers in another protocol", nil
}

// name is what is wrong with the receiver's.
func name(err error) string {
	dns, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return ""
	case dns.IsNotFound:
		return "the receiver's name is not known to the DNS: correct the endpoint"
	}
	return "the DNS does not answer for the receiver's name"
}

// certificate is what is wrong with theirs.
func certificate(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the receiver's certificate is of no trusted authority: set output.tls.ca"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the receiver's certificate is for other names than the endpoint's"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "the receiver's certificate has expired or is not yet valid"
		}
		return "the receiver's certificate is not valid"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the receiver's certificate is not valid"
	}
	return ""
}

// handshake is what else can be wrong with TLS.
func handshake(err error) string {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "the receiver does not speak TLS: name its TLS port"
	}
	if alert(err) != "" {
		return "the receiver ends the TLS handshake: see whether it wants another client certificate (output.tls.clientCertificate)"
	}
	return ""
}

// alert is the one by which the receiver ended TLS. Outside of QUIC that is an operation of
// its own, whose number is hidden; the words are Go's for each number.
func alert(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" && op.Err != nil {
		return op.Err.Error()
	}
	return ""
}

// ofCertificate tells the alerts that speak of a client's certificate (RFC 8446, 6.2):
// bad, unsupported, revoked, expired and unknown ones, an unknown authority, access
// denied, and that there is none.
func ofCertificate(alert string) bool {
	for _, number := range []tls.AlertError{42, 43, 44, 45, 46, 48, 49, 116} {
		if alert == number.Error() {
			return true
		}
	}
	return false
}
