// Command bench measures what the operator costs and how fast it is, with as many keys as a fleet
// has: on a real kube-apiserver and etcd, against the simulated org with Okta's published rate
// limits times a factor, with the operator as a process of its own. It prints a table of goals and
// figures, and writes them as JSON. No figure fails it.
//
// Ground truth is what the org and the API server counted, and what the kernel says of the process:
// never what the operator says of itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == profiled {
		if err := operateProfiled(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.keys, "keys", 10_000, "how many AgentAPIKeys")
	flag.IntVar(&o.roles, "roles", 100, "how many AIAgentRoles they are spread over")
	flag.IntVar(&o.factor, "factor", 60, "by how much Okta's limits are multiplied, so that an hour passes in a minute")
	flag.IntVar(&o.rotated, "rotated", 500, "how many keys are rotated at once")
	flag.StringVar(&o.only, "only", "", "only these scenarios, by their names with commas between, and what each begins with")
	flag.StringVar(&o.sizes, "sizes", "", "only compare fleets of these sizes, such as 100,1000,10000, with a role for each hundred keys")
	flag.DurationVar(&o.churn, "churn", 3*time.Minute, "how long keys come and go")
	flag.StringVar(&o.json, "json", "bin/bench.json", "where the figures are written")
	flag.StringVar(&o.memory, "memory", "", "GOMEMLIMIT of the operator alone, such as 230MiB")
	flag.StringVar(&o.manager, "manager", "bin/manager", "the operator")
	flag.StringVar(&o.profile, "profile", "", "a directory for profiles of the operator; the last process's stay")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	keys, roles, factor, rotated int
	churn                        time.Duration
	only, sizes                  string
	json, manager, profile       string
	memory                       string
}

func run(ctx context.Context, o options) error {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return errors.New("KUBEBUILDER_ASSETS is unset: run it with make bench-fleet")
	}
	figures := &table{Keys: o.keys, Roles: o.roles, Factor: o.factor}
	failed := measured(ctx, o, figures)
	fmt.Print(figures)
	return errors.Join(failed, figures.write(o.json))
}

func measured(ctx context.Context, o options, figures *table) error {
	if o.sizes == "" {
		return measure(ctx, o, figures)
	}
	sizes, err := parseSizes(o.sizes)
	if err != nil {
		return err
	}
	return compare(ctx, o, sizes, figures)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
