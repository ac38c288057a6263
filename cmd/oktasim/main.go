// Command oktasim runs a simulated Okta org; package oktasim documents it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/process"
)

func main() {
	var config process.Config
	limits := string(oktasim.LimitsWorkforce)
	flag.StringVar(&config.Listen, "listen", "127.0.0.1:0", "host and port to listen on; port 0 takes a free one")
	flag.StringVar(&config.Host, "host", "", "host name in the URL and the certificate, when it is not the one of --listen")
	flag.StringVar(&config.TLSDir, "tls-dir", "", "serve HTTPS and write ca.crt into this directory; empty is plain HTTP")
	flag.StringVar(&config.BootstrapDir, "bootstrap-dir", "", "write an operator's credentials into this directory")
	flag.StringVar(&limits, "limits", limits, "workforce, enterprise, integrator-free or unlimited; *N multiplies")
	flag.IntVar(&config.Options.PrincipalShare, "principal-share", 50, "percentage of each limit one principal may use")
	flag.IntVar(&config.Options.Concurrency, "concurrency", 75, "requests in flight the org lets through")
	flag.Int64Var(&config.Options.Seed, "seed", 0, "draws ids and the phases of the rate limit windows")
	flag.BoolVar(&config.Options.NoAPIAccessManagement, "no-api-access-management", false, "an org without custom authorization servers")
	flag.BoolVar(&config.Options.Classic, "classic", false, "an org of the Classic Engine")
	flag.BoolVar(&config.Options.ClientsGetSuperAdmin, "clients-get-super-admin", false, "an org that makes every new client a super admin")
	flag.DurationVar(&config.Options.ListLag, "list-lag", 0, "how long a new object is missing in lists")
	flag.DurationVar(&config.Options.GetLag, "get-lag", 0, "how long GET of a new object answers 404")
	flag.Parse()
	config.Options.Limits = oktasim.Limits(limits)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := process.Run(ctx, config, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oktasim:", err)
		os.Exit(1)
	}
}
