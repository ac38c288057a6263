package plugin

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/internal/orphanlist"
)

// withOperatorNamespace adds the flag of verbs that ask what the operator wrote for itself.
func withOperatorNamespace(c *cobra.Command, namespace *string) {
	c.Flags().StringVar(namespace, "operator-namespace", operatorNamespace, "where the operator is")
}

func (p *plugin) orphans() *cobra.Command {
	var namespace string
	c := &cobra.Command{
		Use:   "orphans",
		Short: "Show what stands in Okta for objects that do not exist any more",
		Long: `Show the list of orphans that the operator keeps: clients and roles in Okta with the mark of an
object that does not exist, and keys that were abandoned while Okta could not be asked. It is
as new as the operator's last look (orphans.interval in its configuration, an hour by default).

It needs the right to get the ConfigMap ` + orphanlist.Name + ` in the operator's
namespace.`,
		Example: `  kubectl agentid orphans
  kubectl agentid orphans -o json`,
		Args: atMost(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return p.runOrphans(c.Context(), namespace) },
	}
	withOperatorNamespace(c, &namespace)
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

func (p *plugin) runOrphans(ctx context.Context, namespace string) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	held := &unstructured.Unstructured{}
	held.SetGroupVersionKind(kindConfigMap())
	at := types.NamespacedName{Namespace: namespace, Name: orphanlist.Name}
	switch err := c.Get(ctx, at, held); {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no list in namespace %s: the operator writes it after its first look, some minutes after it has started; "+
			"--operator-namespace names another", namespace)
	case err != nil:
		return explain(err, "ConfigMap", at)
	}
	text, _, err := unstructured.NestedString(held.Object, "data", orphanlist.Key)
	if err != nil {
		return fmt.Errorf("ConfigMap %s: %w", at, err)
	}
	found, err := orphanlist.Read(text)
	if err != nil {
		return fmt.Errorf("ConfigMap %s: %w", at, err)
	}
	return p.showOrphans(found)
}

func (p *plugin) showOrphans(found orphanlist.List) error {
	if p.flags.output != formatTable {
		return p.printValue(found)
	}
	if len(found.Orphans)+len(found.Tombstones) == 0 {
		p.say("nothing in Okta belongs to nobody (policy %s)", found.Policy)
		return nil
	}
	var rows [][]string
	for _, e := range found.Orphans {
		rows = append(rows, []string{e.Owner, cmp.Or(e.ClientID, e.AppID), string(e.State), ago(e.FirstSeen, p.Clock.Now()), e.Plan})
	}
	for _, e := range found.Tombstones {
		rows = append(rows, []string{e.Owner, cmp.Or(e.ClientID, e.AppID), "Abandoned", ago(e.Since, p.Clock.Now()), e.Plan})
	}
	text := newTable("OWNER", "CLIENT ID", "STATE", "SINCE", "WHAT IS DONE").format(rows)
	if found.NotListed > 0 {
		text += fmt.Sprintf("and %d more, for which the list has no room\n", found.NotListed)
	}
	if found.Held != "" {
		text += "nothing is done by policy " + string(found.Policy) + ": " + plain(found.Held) + "\n"
	}
	_, err := io.WriteString(p.Streams.Out, text)
	return err
}
