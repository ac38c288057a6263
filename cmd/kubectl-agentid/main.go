// Command kubectl-agentid is the plugin "kubectl agentid"; package plugin documents it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/internal/plugin"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctrl.SetLogger(logr.Discard()) // its libraries would log among the output
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := plugin.Run(ctx, plugin.Options{
		Args:    os.Args,
		Streams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Clock:   clock.RealClock{}, Getenv: os.Getenv, Version: version,
	})
	stop()
	os.Exit(code)
}
