package outbound

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// maxBody is far more than any receiver has to say.
	maxBody   = 64 << 10
	maxHeader = 32 << 10
	// requestTimeout bounds one request with its whole answer, whatever the caller's
	// context says: a receiver that sends one byte a second holds nobody up for longer.
	requestTimeout = 60 * time.Second
)

// errLong is the end of a body that is longer than anything worth reading.
var errLong = errors.New("the answer is too long")

// Client speaks HTTP with whom the guard lets it dial. The configuration says whom to trust
// and who we are; certificates are verified and TLS is 1.2 or newer whatever it says.
//
// It follows no redirect: credentials would go with it, or a place be reached that nobody
// wrote down. It keeps no cookies. It never asks for compressed answers, so that none grows
// while it is read, and reads at most 64 KiB of one.
//
// It uses no proxy, of the environment's or otherwise. A proxy would be what is dialled and
// judged, while it dials the receiver itself: whoever writes an endpoint could then reach
// whatever the proxy reaches. Where events have to leave through one, name it as the
// endpoint: a collector there is a receiver like any other.
func (g Guard) Client(config *tls.Config) *http.Client {
	return &http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: bounded{&http.Transport{
			Proxy:                  nil,
			DialContext:            g.DialContext,
			TLSClientConfig:        hardened(config),
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  30 * time.Second,
			ExpectContinueTimeout:  time.Second,
			IdleConnTimeout:        90 * time.Second,
			MaxConnsPerHost:        4,
			MaxIdleConnsPerHost:    4,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true,
			ForceAttemptHTTP2:      true,
		}},
	}
}

// hardened takes from a configuration what may be chosen.
func hardened(config *tls.Config) *tls.Config {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config = config.Clone()
	config.InsecureSkipVerify = false
	config.Renegotiation = tls.RenegotiateNever
	config.KeyLogWriter = nil
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	if config.MaxVersion != 0 {
		config.MaxVersion = max(config.MaxVersion, config.MinVersion)
	}
	return config
}

// bounded ends bodies that are too long.
type bounded struct{ next *http.Transport }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &body{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

// CloseIdleConnections is what http.Client looks for.
func (b bounded) CloseIdleConnections() { b.next.CloseIdleConnections() }

// body is that of an answer, up to a bound.
type body struct {
	io.ReadCloser
	left int
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
