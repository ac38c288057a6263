package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Config says whom to send to.
type Config struct {
	// Endpoint is an https URL without /v1/logs. For GRPC it has no path. The port is 443
	// when it names none.
	Endpoint string
	// GRPC is the transport; protobuf over HTTP when false.
	GRPC bool
	// Headers are sent with each request. Space around a value is not.
	Headers map[string]identity.Secret
	// TLS says whom to trust, and who we are; the system's authorities when nil.
	TLS *tls.Config
	// Dial opens connections; any address when nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Resource says who sends.
	Resource Resource
}

// Resource is what the records say of their sender; what is "" is left out.
type Resource struct {
	// Version of the operator.
	Version string
	// Cluster is the configuration's clusterID.
	Cluster string
	// Org is the URL of the Okta org.
	Org string
}

// parse reads the endpoint.
func (c Config) parse() (*url.URL, error) {
	// The parser's own error quotes the endpoint; a user could stand in it.
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("reading the endpoint: it is no https URL with a host")
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errors.New("reading the endpoint: it has a user, query or fragment")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if c.GRPC && u.Path != "" {
		return nil, errors.New("reading the endpoint: over gRPC it has no path")
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "443")
	}
	return u, nil
}

// headers opens the headers' secrets for one request. It is a function so that no field
// holds them: %+v of a struct shows what is in its unexported fields, a Secret's too.
func (c Config) headers() (func() http.Header, error) {
	for name, value := range c.Headers {
		plain := strings.TrimSpace(string(value.Reveal()))
		if !httpguts.ValidHeaderFieldName(name) || c.GRPC && strings.HasPrefix(strings.ToLower(name), "grpc-") {
			return nil, fmt.Errorf("reading header %q: it is no name of a header", name)
		}
		if !httpguts.ValidHeaderFieldValue(plain) || c.GRPC && !printable(plain) {
			return nil, fmt.Errorf("reading header %s: its value has a line break or another character that no header may have", name)
		}
	}
	secrets := c.Headers
	return func() http.Header {
		header := make(http.Header, len(secrets))
		for name, value := range secrets {
			header.Set(name, strings.TrimSpace(string(value.Reveal())))
		}
		return header
	}, nil
}

// printable is what gRPC allows in a header.
func printable(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
