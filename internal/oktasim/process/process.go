// Package process runs a simulated org as a process of its own: listener,
// certificate, and the files an operator needs to get in. It refuses to know the
// simulation.
package process

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// Config is what the flags of cmd/oktasim say.
type Config struct {
	// Listen is a host and port; port 0 takes a free one.
	Listen string
	// TLSDir gets ca.crt; empty is plain HTTP.
	TLSDir string
	// Host is the name or address in the URL and in the certificate, when it is not
	// the one of Listen: the name of a Kubernetes Service, for example.
	Host string
	// BootstrapDir gets an operator's credentials; empty makes none.
	BootstrapDir string
	Options      oktasim.Options
}

// shutdownGrace is how long requests in flight may take after the context has ended.
const shutdownGrace = 5 * time.Second

// Run serves the org until ctx ends, and says on out where it listens. What it
// writes there holds no key material.
func Run(ctx context.Context, config Config, out io.Writer) error {
	if config.Options.Limits == "" {
		config.Options.Limits = oktasim.LimitsWorkforce
	}
	// New panics on limits that do not exist; a flag deserves an error.
	if _, err := config.Options.Limits.Profile(); err != nil {
		return fmt.Errorf("reading the limits: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer listener.Close()
	scheme := "http"
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return fmt.Errorf("reading the address: %w", err)
	}
	if config.Host != "" {
		host = config.Host
	}
	if config.TLSDir != "" {
		scheme = "https"
		certificate, err := newCertificate(host, config.TLSDir)
		if err != nil {
			return err
		}
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
		})
	}
	url := scheme + "://" + net.JoinHostPort(host, port)
	config.Options.BaseURL = url
	org := oktasim.New(config.Options)
	if config.BootstrapDir != "" {
		if err := bootstrap(org, config.BootstrapDir, url); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, "oktasim: listening on %s\n", url); err != nil {
		return fmt.Errorf("saying where the org listens: %w", err)
	}
	return serve(ctx, listener, org)
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("shutting down: %w", err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
