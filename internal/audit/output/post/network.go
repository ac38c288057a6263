package post

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"syscall"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

// lost types the error of a request without an answer.
func lost(ctx context.Context, err error) error {
	if typed, ok := errors.AsType[*output.Error](err); ok {
		return typed
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		// It quotes the URL.
		err = wrapped.Err
	}
	kind, reason := because(err)
	lost := &output.Error{Kind: kind, Message: "the receiver cannot be reached: " + reason, Err: bare(err)}
	if ctx.Err() != nil {
		// Whoever set the deadline finds it.
		lost.Err = ctx.Err()
	}
	return lost
}

// bare is a cause of which the words are known to be harmless: those of the standard
// library's lower floors quote names and addresses, those of HTTP what was sent.
func bare(err error) error {
	if cause, ok := errors.AsType[*net.OpError](err); ok {
		return cause
	}
	if cause, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return cause
	}
	return nil
}

// because names the class of a network error in words that stay the same.
func because(err error) (output.Kind, string) {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var timeout net.Error
	switch {
	case errors.As(err, &name):
		return output.Unreachable, "its name cannot be resolved"
	case errors.As(err, &certificate):
		return output.Unreachable, "its certificate is not trusted; if its authority is your own, name it in output.tls.ca"
	case errors.As(err, &alert) && ofCertificate(alert):
		return output.Refused, "it does not take our certificate, or asks for one: look at output.tls.clientCertificate"
	case errors.Is(err, syscall.ECONNREFUSED):
		return output.Unreachable, "the connection was refused"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return output.Unreachable, "it took too long"
	}
	return output.Unreachable, "the connection broke"
}

// ofCertificate tells the alerts that speak of a client's certificate (RFC 8446, 6.2):
// bad, unsupported, revoked, expired and unknown ones, an unknown authority, access
// denied, and that there is none.
func ofCertificate(alert tls.AlertError) bool {
	return alert >= 42 && alert <= 46 || alert == 48 || alert == 49 || alert == 116
}
