package plugin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// completionTime is how long a shell waits at most: somebody has pressed a key.
const completionTime = 3 * time.Second

const noFiles = cobra.ShellCompDirectiveNoFileComp

// completeKeys completes names of keys of the namespace, and namespace/name when a slash
// was written.
func (p *plugin) completeKeys(c *cobra.Command, have []string, begun string) ([]string, cobra.ShellCompDirective) {
	var keys v1alpha1.AgentAPIKeyList
	namespace, _, both := strings.Cut(begun, "/")
	if !p.listFor(c, &keys, namespace, both) {
		return nil, noFiles
	}
	var names []string
	for _, key := range keys.Items {
		name := key.Name
		if both {
			name = key.Namespace + "/" + key.Name
		}
		if strings.HasPrefix(name, begun) && !slices.Contains(have, name) {
			names = append(names, cobra.CompletionWithDesc(name, plain(key.Spec.Agent.Name)))
		}
	}
	return names, noFiles
}

// completeRole completes the name of a role of the namespace.
func (p *plugin) completeRole(c *cobra.Command, have []string, begun string) ([]string, cobra.ShellCompDirective) {
	var roles v1alpha1.AIAgentRoleList
	if len(have) > 0 || !p.listFor(c, &roles, "", false) {
		return nil, noFiles
	}
	var names []string
	for _, role := range roles.Items {
		if strings.HasPrefix(role.Name, begun) {
			names = append(names, role.Name)
		}
	}
	return names, noFiles
}

// completeNamespaces completes namespaces that have keys.
func (p *plugin) completeNamespaces(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var keys v1alpha1.AgentAPIKeyList
	if !p.listFor(c, &keys, "", true) {
		return nil, noFiles
	}
	var names []string
	for _, key := range keys.Items {
		if strings.HasPrefix(key.Namespace, begun) {
			names = append(names, key.Namespace)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), noFiles
}

// listFor lists for a completion, which is silent about what goes wrong: in the given
// namespace (all, if that is empty), or in the person's.
func (p *plugin) listFor(c *cobra.Command, list client.ObjectList, namespace string, given bool) bool {
	ctx, cancel := context.WithTimeout(c.Context(), completionTime)
	defer cancel()
	cluster, err := p.connect()
	if err != nil {
		return false
	}
	if !given {
		if namespace, err = p.namespace(); err != nil {
			return false
		}
	}
	return cluster.List(ctx, list, client.InNamespace(namespace)) == nil
}
