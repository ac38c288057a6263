package plugin

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
)

func (p *plugin) status() *cobra.Command {
	c := &cobra.Command{
		Use:   "status [ROLE]",
		Short: "Show roles with their keys and policies, as a tree, with what each is in Okta",
		Long: `Show AIAgentRoles as a tree: their permissions and people, the keys that have them and the
policies that are about them, each with what it is in Okta and what is wrong with it.

Keys of other namespaces that use a role are below it with -A only, or where the role itself
is asked for by name.`,
		Example: `  kubectl agentid status -n chatbot
  kubectl agentid status ai-user -n chatbot -o json`,
		Args:              atMost(1, "one role at most"),
		ValidArgsFunction: p.completeRole,
		RunE:              func(c *cobra.Command, args []string) error { return p.runStatus(c.Context(), args) },
	}
	p.withAllNamespaces(c)
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

// stateView is what is said of an object.
type stateView struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Ready     string `json:"ready"`
	Reason    string `json:"reason"`
	Message   string `json:"message,omitempty"`
}

// treeView is a role with what hangs on it. One without a name holds what hangs on no role
// that is shown.
type treeView struct {
	stateView
	GroupID     string       `json:"groupID,omitempty"`
	Issuer      string       `json:"issuer,omitempty"`
	Permissions []string     `json:"permissions,omitempty"`
	Members     int          `json:"members,omitempty"`
	Keys        []keyView    `json:"keys,omitempty"`
	Policies    []policyView `json:"policies,omitempty"`
}

type policyView struct {
	stateView
	Type v1alpha1.PolicyType `json:"type"`
	// PolicyID is what it is in Okta; "" where it is nothing of its own there.
	PolicyID string `json:"policyID,omitempty"`
}

func (p *plugin) runStatus(ctx context.Context, names []string) error {
	roles, err := p.rolesOf(ctx, names)
	if err != nil {
		return err
	}
	h, err := p.hanging(ctx, len(names) > 0)
	if err != nil {
		return err
	}
	trees := forest(roles, h.keys, h.policies, len(names) == 0)
	if p.flags.output != formatTable {
		return p.printValue(list[treeView]{trees})
	}
	_, err = io.WriteString(p.Streams.Out, drawn(trees))
	return err
}

// hangs are what may hang on roles.
type hangs struct {
	keys     []v1alpha1.AgentAPIKey
	policies []v1alpha1.AccessPolicy
	// all tells that the keys of all namespaces are among them.
	all bool
}

// hanging lists what may hang on roles: of all namespaces where everywhere and the person may.
func (p *plugin) hanging(ctx context.Context, everywhere bool) (hangs, error) {
	c, err := p.connect()
	if err != nil {
		return hangs{}, err
	}
	own, err := p.scope()
	if err != nil {
		return hangs{}, err
	}
	namespace := own
	if everywhere {
		namespace = ""
	}
	var keys v1alpha1.AgentAPIKeyList
	err = c.List(ctx, &keys, client.InNamespace(namespace))
	if everywhere && own != "" && apierrors.IsForbidden(err) {
		p.say("you may not look in all namespaces; what uses the role from others is not shown")
		namespace = own
		err = c.List(ctx, &keys, client.InNamespace(namespace))
	}
	if err != nil {
		return hangs{}, explain(err, "AgentAPIKey", types.NamespacedName{Namespace: namespace})
	}
	var policies v1alpha1.AccessPolicyList
	if err := c.List(ctx, &policies, client.InNamespace(namespace)); err != nil {
		return hangs{}, explain(err, "AccessPolicy", types.NamespacedName{Namespace: namespace})
	}
	return hangs{keys.Items, policies.Items, namespace == ""}, nil
}

// forest hangs keys and policies on their roles; rest says whether what hangs on none of them
// comes too.
func forest(roles []v1alpha1.AIAgentRole, keys []v1alpha1.AgentAPIKey, policies []v1alpha1.AccessPolicy, rest bool) []treeView {
	trees := make([]treeView, len(roles))
	at := map[types.NamespacedName]*treeView{}
	for i := range roles {
		trees[i] = treeOf(&roles[i])
		at[client.ObjectKeyFromObject(&roles[i])] = &trees[i]
	}
	other := treeView{}
	for i := range keys {
		tree := at[desired.RoleOfRef(keys[i].Spec.RoleRef, keys[i].Namespace)]
		if tree == nil {
			tree = &other
		}
		tree.Keys = append(tree.Keys, viewOf(&keys[i]))
	}
	for i := range policies {
		hangs := false
		for _, ref := range rolesNamed(&policies[i]) {
			if tree := at[desired.RoleOfRef(ref, policies[i].Namespace)]; tree != nil {
				tree.Policies, hangs = append(tree.Policies, policyViewOf(&policies[i])), true
			}
		}
		if !hangs {
			other.Policies = append(other.Policies, policyViewOf(&policies[i]))
		}
	}
	if rest && len(other.Keys)+len(other.Policies) > 0 {
		trees = append(trees, other)
	}
	return trees
}

func treeOf(role *v1alpha1.AIAgentRole) treeView {
	ready := readyOf(role.Status.Conditions, role.Generation)
	tree := treeView{
		stateView: stateView{role.Namespace, role.Name, string(ready.Status), ready.Reason, ready.Message},
		GroupID:   role.Status.GroupID, Issuer: role.Status.Issuer, Members: len(role.Status.Members),
	}
	for _, permission := range role.Spec.Permissions {
		tree.Permissions = append(tree.Permissions, string(permission.Name))
	}
	slices.Sort(tree.Permissions)
	return tree
}

func rolesNamed(policy *v1alpha1.AccessPolicy) []v1alpha1.RoleReference {
	if policy.Spec.Conditional == nil {
		return nil
	}
	return policy.Spec.Conditional.RoleRefs
}

func policyViewOf(policy *v1alpha1.AccessPolicy) policyView {
	ready := readyOf(policy.Status.Conditions, policy.Generation)
	view := policyView{
		stateView: stateView{policy.Namespace, policy.Name, string(ready.Status), ready.Reason, ready.Message}, Type: policy.Spec.Type,
	}
	if status := policy.Status.Conditional; status != nil {
		view.PolicyID = status.PolicyID
		if view.PolicyID == "" {
			view.PolicyID = status.SignOnPolicyID
		}
	}
	return view
}

// drawn is the forest as lines.
func drawn(trees []treeView) string {
	var out strings.Builder
	for i, tree := range trees {
		if i > 0 {
			out.WriteByte('\n')
		}
		if tree.Name == "" {
			out.WriteString("on no role that is shown\n")
		} else {
			ready := readyWord(tree.Ready, plain(tree.Reason))
			fmt.Fprintf(&out, "AIAgentRole %s/%s  %s%s\n", tree.Namespace, tree.Name, ready, inOkta("group", tree.GroupID))
		}
		branches := tree.branches()
		for n, lines := range branches {
			first, further := "├── ", "│   "
			if n == len(branches)-1 {
				first, further = "└── ", "    "
			}
			for at, line := range lines {
				lead := further
				if at == 0 {
					lead = first
				}
				out.WriteString(lead + line + "\n")
			}
		}
	}
	return out.String()
}

// branches are what hangs on a role, each in one line or two.
func (t *treeView) branches() [][]string {
	var all [][]string
	add := func(state stateView, line string) {
		lines := []string{line}
		if state.Ready != "True" && state.Message != "" {
			lines = append(lines, plain(state.Message))
		}
		all = append(all, lines)
	}
	if t.Ready != "True" && t.Message != "" {
		add(stateView{}, plain(t.Message))
	}
	if len(t.Permissions) > 0 {
		add(stateView{}, "permissions: "+strings.Join(t.Permissions, ", "))
	}
	if t.Members > 0 {
		add(stateView{}, fmt.Sprintf("people: %d (kubectl agentid mfa status %s -n %s)", t.Members, t.Name, t.Namespace))
	}
	for _, key := range t.Keys {
		state := stateView{key.Namespace, key.Name, key.Ready, key.Reason, key.Message}
		add(state, fmt.Sprintf("AgentAPIKey %s/%s  %s%s  %s in Secret %s", key.Namespace, key.Name, readyWord(key.Ready, plain(key.Reason)),
			inOkta("client", key.ClientID), key.Delivery, key.Secret))
	}
	for _, policy := range t.Policies {
		add(policy.stateView, fmt.Sprintf("AccessPolicy %s/%s  %s%s  %s", policy.Namespace, policy.Name,
			readyWord(policy.Ready, plain(policy.Reason)), inOkta("policy", policy.PolicyID), policy.Type))
	}
	return all
}

func inOkta(what, id string) string {
	if id == "" {
		return ""
	}
	return "  " + what + " " + plain(id)
}
