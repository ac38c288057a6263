package plugin

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// flags are those that verbs share.
type flags struct {
	kube          *genericclioptions.ConfigFlags
	allNamespaces bool
	output        string
}

// root makes the tree of verbs.
func (p *plugin) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-agentid",
		Short: "The identities of AI agents: their keys, their people, their log",
		Long: `The identities of AI agents, which agent-identity-operator keeps in Okta.

It acts with your own kubeconfig; "logs" also with your own Okta API token. It never reads
a Secret. Exit codes: 0 done, 1 not done, 2 the command line is wrong, 3 asked for, but
not seen to happen in time.

Beside the flags shown, those of kubectl that say how the cluster is reached are taken
("kubectl options" lists them).`,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl agentid"},
		Version:           p.Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	group(root)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return misuse("%w; see %s --help", err, c.CommandPath())
	})
	p.flags.kube = genericclioptions.NewConfigFlags(true)
	p.flags.kube.AddFlags(root.PersistentFlags())
	hideAllBut(root.PersistentFlags(), "namespace", "context", "kubeconfig")
	_ = root.RegisterFlagCompletionFunc("namespace", p.completeNamespaces) // it fails for flags that do not exist only
	root.AddCommand(p.status(), p.plan(), p.logs(), p.leastPrivilege(), p.mfa(), p.keys(), p.quarantine(), p.orphans(), p.doctor(), p.drain())
	return root
}

// hideAllBut hides how the cluster is reached, of which there are twenty ways, from help.
func hideAllBut(set *pflag.FlagSet, shown ...string) {
	show := map[string]bool{}
	for _, name := range shown {
		show[name] = true
	}
	set.VisitAll(func(f *pflag.Flag) { f.Hidden = !show[f.Name] })
}

// group makes c one that has verbs below it: alone it explains itself, and a verb that it
// does not have is an error with those that may have been meant.
func group(c *cobra.Command) {
	c.SuggestionsMinimumDistance = 2
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownVerb(c, args[0])
	}
}

func unknownVerb(c *cobra.Command, verb string) error {
	if near := c.SuggestionsFor(verb); len(near) > 0 {
		return misuse("%s has no verb %q; did you mean %s?", c.CommandPath(), verb, strings.Join(near, " or "))
	}
	var verbs []string
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			verbs = append(verbs, child.Name())
		}
	}
	return misuse("%s has no verb %q; it has %s", c.CommandPath(), verb, strings.Join(verbs, ", "))
}

// atMost and atLeast are cobra's checks with words that help.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return misuse("%s takes %s, not %q; see %s --help", c.CommandPath(), what, strings.Join(args, " "), c.CommandPath())
		}
		return nil
	}
}

func atLeastOneKey(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{errors.New("name the keys: " + c.UseLine() + "; kubectl agentid keys get lists them")}
	}
	return nil
}

// shared adds the flags that several verbs have.
func (p *plugin) withAllNamespaces(c *cobra.Command) {
	c.Flags().BoolVarP(&p.flags.allNamespaces, "all-namespaces", "A", false, "look in all namespaces")
}

func (p *plugin) withOutput(c *cobra.Command, formats ...string) {
	c.Flags().StringVarP(&p.flags.output, "output", "o", formats[0], "one of "+strings.Join(formats, ", "))
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		for _, format := range formats {
			if p.flags.output == format {
				return run(c, args)
			}
		}
		return misuse("-o %s is none of %s", p.flags.output, strings.Join(formats, ", "))
	}
}
