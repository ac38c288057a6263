package reach

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

// canary is in all that receivers say here.
const canary = "canary-88e1f0"

// TestTLS breaks connections where TLS can, as receivers that are set up wrongly do.
func TestTLS(t *testing.T) {
	trusted, other := newAuthority(t), newAuthority(t)
	good := trusted.issue(t, "127.0.0.1", future)
	for name, test := range map[string]struct {
		server *tls.Config
		client *tls.Config
		kind   output.Kind
		says   string
	}{
		"authority": {server(other.issue(t, "127.0.0.1", future)), &tls.Config{}, output.Unreachable, "output.tls.ca"},
		"name":      {server(trusted.issue(t, canary+".example.com", future)), &tls.Config{}, output.Unreachable, "other names"},
		"expired":   {server(trusted.issue(t, "127.0.0.1", past)), &tls.Config{}, output.Unreachable, "expired"},
		"purpose":   {server(trusted.certificate(t)), &tls.Config{}, output.Unreachable, "not valid"},
		"nobody": {
			&tls.Config{Certificates: server(good).Certificates, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13},
			&tls.Config{}, output.Refused, "output.tls.clientCertificate",
		},
		"stranger": {
			&tls.Config{Certificates: server(good).Certificates, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: other.pool, MinVersion: tls.VersionTLS12},
			&tls.Config{Certificates: server(good).Certificates, MaxVersion: tls.VersionTLS12}, output.Refused, "output.tls.clientCertificate",
		},
		"version": {
			&tls.Config{Certificates: server(good).Certificates, MinVersion: tls.VersionTLS13},
			&tls.Config{MaxVersion: tls.VersionTLS12}, output.Unreachable, "ends the TLS handshake",
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.client.RootCAs = trusted.pool
			mustBe(t, Error(t.Context(), get(t.Context(), serve(t, test.server), test.client)), test.kind, test.says)
		})
	}
}

// TestConnections breaks them where the network can, and where the peer says something else.
func TestConnections(t *testing.T) {
	trusted := newAuthority(t)
	client := &tls.Config{RootCAs: trusted.pool}
	for name, test := range map[string]struct {
		to   string
		want *output.Error
	}{
		"refused": {closed(t), &output.Error{Kind: output.Unreachable, Message: "the receiver cannot be reached", Err: syscall.ECONNREFUSED}},
		"plain": {
			speak(t, nil, "HTTP/1.1 400 "+canary+"\r\n\r\n"),
			&output.Error{Kind: output.Unreachable, Message: "the receiver does not speak TLS: name its TLS port"},
		},
		"plain, no HTTP": {
			speak(t, nil, "220 "+canary+"\r\n"),
			&output.Error{Kind: output.Unreachable, Message: "the receiver does not speak TLS: name its TLS port"},
		},
		"hangs up": {
			speak(t, nil, ""), &output.Error{Kind: output.Unreachable, Message: "the receiver closed the connection without an answer"},
		},
		"no answer": {
			speak(t, server(trusted.issue(t, "127.0.0.1", future)), ""),
			&output.Error{Kind: output.Unreachable, Message: "the receiver closed the connection without an answer"},
		},
		"no HTTP": {
			speak(t, server(trusted.issue(t, "127.0.0.1", future)), "Bearer "+canary+"\r\n\r\n"),
			&output.Error{Kind: output.Unreachable, Message: "the connection to the receiver broke, or it answers in another protocol"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := Error(t.Context(), get(t.Context(), "https://"+test.to, client))
			got, ok := errors.AsType[*output.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(*test.want, *got, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNames tells a name that there is not from a DNS that is away.
func TestNames(t *testing.T) {
	for says, err := range map[string]*net.DNSError{
		"correct the endpoint":    {Name: canary, IsNotFound: true, Err: canary},
		"the DNS does not answer": {Name: canary, IsTemporary: true, Err: canary, Server: canary},
	} {
		mustBe(t, Error(t.Context(), fmt.Errorf("dialling: %w", &net.OpError{Op: "dial", Err: err})), output.Unreachable, says)
	}
}

// TestEnds tells a deadline, which is the receiver's fault, from the operator's end.
func TestEnds(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	told := Error(late, get(late, "https://"+silent.Addr().String(), nil))
	mustBe(t, told, output.Unreachable, "in time")
	if !errors.Is(told, context.DeadlineExceeded) {
		t.Errorf("whoever set the deadline does not find it in %#v", told)
	}
	// One that is not the caller's is the receiver's fault as well.
	mustBe(t, Error(t.Context(), timeout{}), output.Unreachable, "in time")
	ended, end := context.WithCancel(t.Context())
	end()
	if err := Error(ended, get(ended, "https://"+silent.Addr().String(), nil)); err != context.Canceled { //nolint:errorlint // the context's own
		t.Errorf("got %v, want the context's own error", err)
	}
}

type timeout struct{}

func (timeout) Error() string   { return canary }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// TestGuarded holds that the guard's word comes out as it went in.
func TestGuarded(t *testing.T) {
	refusal := &output.Error{Kind: output.Forbidden, Message: "not there"}
	ended, end := context.WithCancel(t.Context())
	end()
	for _, ctx := range []context.Context{t.Context(), ended} {
		if got := Error(ctx, &net.OpError{Op: "dial", Err: fmt.Errorf("guarding: %w", refusal)}); got != error(refusal) { //nolint:errorlint // the very same
			t.Errorf("got %v", got)
		}
	}
}

func TestConfiguration(t *testing.T) {
	if _, err := TLS(&tls.Config{InsecureSkipVerify: true}); err == nil {
		t.Error("certificates need not be verified")
	}
	for name, config := range map[string]*tls.Config{"none": nil, "old": {MinVersion: tls.VersionTLS10, KeyLogWriter: io.Discard, ServerName: "a"}} {
		got, err := TLS(config)
		if err != nil {
			t.Fatal(err)
		}
		if got.MinVersion != tls.VersionTLS12 || got.KeyLogWriter != nil || config != nil && (got.ServerName != "a" || config.KeyLogWriter == nil) {
			t.Errorf("%s: got %v of %v", name, got, config)
		}
	}
	if got, err := TLS(&tls.Config{MinVersion: tls.VersionTLS13}); err != nil || got.MinVersion != tls.VersionTLS13 {
		t.Errorf("what is newer is made older: %v, %v", got, err)
	}
}

// mustBe holds what an error says, and that it does not say what a receiver said.
func mustBe(t *testing.T, err error, kind output.Kind, says string) {
	t.Helper()
	told, ok := errors.AsType[*output.Error](err)
	if !ok || told.Kind != kind || !strings.Contains(told.Message, says) {
		t.Errorf("got %#v, want an error of kind %d that says %q", err, kind, says)
	}
	if said := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(said, canary) {
		t.Errorf("the error repeats the receiver: %s", said)
	}
}

// get is one request, with an error wrapped as net/http does it.
func get(ctx context.Context, to string, config *tls.Config) error {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to+"/"+canary, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return errors.Join(errors.New("it answered"), response.Body.Close())
}

func server(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// closed is an address where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	return listener.Addr().String()
}

// speak listens and says this to each that calls, once something has come from it.
func speak(t *testing.T, config *tls.Config, what string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			// All of it: a connection that is closed with something unread is reset.
			_, _ = conn.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(conn, what)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}
