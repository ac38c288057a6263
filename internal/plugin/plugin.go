// Package plugin is kubectl agentid: what people do with agents' identities, from the
// command line. It reads and writes objects of the four kinds with the person's own
// kubeconfig, and reads Okta's System Log with the person's own API token.
//
// It refuses to know Secrets: its client speaks of the four kinds and of three others by name,
// and no verb can show what a credential is.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
)

// Exit codes: what scripts may rely on.
const (
	exitDone = iota
	// exitFailed: it was not done, or is not known to be.
	exitFailed
	// exitUsage: the command line is wrong; nothing was done.
	exitUsage
	// exitTimeout: it was asked for, and had not happened when the time was over.
	exitTimeout
)

// completer is the name by which kubectl asks for completions of "kubectl agentid".
const completer = "kubectl_complete-agentid"

// Options are what a run needs of the world.
type Options struct {
	// Args are the program's own, its name first.
	Args    []string
	Streams genericiooptions.IOStreams
	Clock   clock.Clock
	// Getenv reads the environment.
	Getenv  func(string) string
	Version string

	// Connect makes the client of the cluster that the flags name; nil means a real one.
	Connect func() (client.WithWatch, error)
	// OpenLog opens the System Log of an org; nil means Okta's.
	OpenLog func(orgURL string, credentials okta.CredentialSource) (identity.SystemLog, error)
	// Examine looks at an org as the operator; nil means okta.Examine.
	Examine func(context.Context, okta.Config) (okta.Examination, error)
}

// Run runs the verb that the arguments name and gives the program's exit code.
func Run(ctx context.Context, o Options) int {
	p := &plugin{Options: o}
	root := p.root()
	root.SetArgs(arguments(o.Args))
	root.SetIn(o.Streams.In)
	root.SetOut(o.Streams.Out)
	root.SetErr(o.Streams.ErrOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		p.say("stopped")
		return exitFailed
	}
	fmt.Fprintln(o.Streams.ErrOut, "error:", lines(err.Error()))
	return codeOf(err)
}

// arguments are those after the program's name. Under the name that kubectl looks for, the
// program completes: so one link is all that is needed for it.
func arguments(args []string) []string {
	if len(args) == 0 {
		return []string{}
	}
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") == completer {
		return append([]string{"__complete"}, args[1:]...)
	}
	return args[1:]
}

// usageError is a command line that cannot be meant.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func misuse(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// timeoutError is what was asked for and has not come.
type timeoutError struct{ error }

func (e timeoutError) Unwrap() error { return e.error }

func codeOf(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[timeoutError](err); ok {
		return exitTimeout
	}
	return exitFailed
}

// plugin is one run.
type plugin struct {
	Options
	flags flags
}

// say tells the person something that is no result.
func (p *plugin) say(format string, args ...any) {
	fmt.Fprintln(p.Streams.ErrOut, lines(fmt.Sprintf(format, args...)))
}

// tell prints a line of the result.
func (p *plugin) tell(format string, args ...any) {
	fmt.Fprintln(p.Streams.Out, lines(fmt.Sprintf(format, args...)))
}
