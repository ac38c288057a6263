package plugin

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
)

func (p *plugin) keys() *cobra.Command {
	c := &cobra.Command{Use: "keys", Short: "The keys of agents: how they are, and rotating them", Aliases: []string{"key"}}
	group(c)
	c.AddCommand(p.keysGet(), p.keysRotate())
	return c
}

// keyView is what is shown of a key. There is no field for a credential.
type keyView struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Agent     string   `json:"agent"`
	Owners    []string `json:"owners,omitempty"`
	// Role is namespace/name.
	Role     string `json:"role"`
	Delivery string `json:"delivery"`
	Secret   string `json:"secret"`
	ClientID string `json:"clientID,omitempty"`
	KeyID    string `json:"keyID,omitempty"`
	Ready    string `json:"ready"`
	Reason   string `json:"reason"`
	Message  string `json:"message,omitempty"`
	// CredentialCreatedAt and the others are absent where there is no such time.
	CredentialCreatedAt *metav1.Time `json:"credentialCreatedAt,omitempty"`
	NextRotationAt      *metav1.Time `json:"nextRotationAt,omitempty"`
	ExpiresAt           *metav1.Time `json:"expiresAt,omitempty"`
	RetiringKeyIDs      []string     `json:"retiringKeyIDs,omitempty"`
}

func viewOf(key *v1alpha1.AgentAPIKey) keyView {
	ready := readyOf(key.Status.Conditions, key.Generation)
	return keyView{
		Namespace: key.Namespace, Name: key.Name, Agent: key.Spec.Agent.Name, Owners: key.Spec.Agent.Owners,
		Role: desired.RoleOfRef(key.Spec.RoleRef, key.Namespace).String(), Delivery: string(key.Spec.Delivery),
		Secret: string(key.Spec.Secret.Name), ClientID: key.Status.ClientID, KeyID: key.Status.KeyID,
		Ready: string(ready.Status), Reason: ready.Reason, Message: ready.Message,
		CredentialCreatedAt: key.Status.CredentialCreatedAt, NextRotationAt: key.Status.NextRotationAt,
		ExpiresAt: key.Spec.ExpiresAt, RetiringKeyIDs: key.Status.RetiringKeyIDs,
	}
}

func (p *plugin) keysGet() *cobra.Command {
	c := &cobra.Command{
		Use:   "get [NAME...]",
		Short: "Show keys: whose they are, whether they work, when they are replaced",
		Long: `Show AgentAPIKeys: whose they are, whether they work, when they are replaced. Never a
credential: this program does not read Secrets at all.

AGE is the age of the credential, not of the object.`,
		Example: `  kubectl agentid keys get -A
  kubectl agentid keys get chatbot -n chatbot -o yaml`,
		Aliases:           []string{"list", "ls"},
		ValidArgsFunction: p.completeKeys,
		RunE:              func(c *cobra.Command, args []string) error { return p.runKeysGet(c.Context(), args) },
	}
	p.withAllNamespaces(c)
	p.withOutput(c, formatTable, formatJSON, formatYAML, formatName)
	return c
}

func (p *plugin) runKeysGet(ctx context.Context, names []string) error {
	if p.flags.allNamespaces && len(names) > 0 {
		return misuse("give either names or -A; namespace/name names a key of another namespace")
	}
	keys, err := p.keysOf(ctx, names)
	if err != nil {
		return err
	}
	views := make([]keyView, len(keys))
	for i := range keys {
		views[i] = viewOf(&keys[i])
	}
	switch p.flags.output {
	case formatName:
		for _, v := range views {
			p.tell("%s/%s", v.Namespace, v.Name)
		}
		return nil
	case formatTable:
		if len(views) == 0 {
			return nil
		}
		return p.printKeys(views, len(names) > 0)
	}
	return p.printValue(list[keyView]{views})
}

// keysOf gives those of the names, or all that the person looks at.
func (p *plugin) keysOf(ctx context.Context, names []string) ([]v1alpha1.AgentAPIKey, error) {
	c, err := p.connect()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		keys, namespace, err := p.listKeys(ctx, c)
		if err == nil && len(keys) == 0 {
			p.say("%s", none("AgentAPIKeys", namespace))
		}
		return keys, err
	}
	var keys []v1alpha1.AgentAPIKey
	for _, name := range names {
		at, err := p.keyNamed(name)
		if err != nil {
			return nil, err
		}
		key, err := p.getKey(ctx, c, at)
		if err != nil {
			return nil, err
		}
		keys = append(keys, *key)
	}
	return keys, nil
}

// listKeys lists the keys of the namespace the person looks at; "" is all.
func (p *plugin) listKeys(ctx context.Context, c client.Reader) (keys []v1alpha1.AgentAPIKey, namespace string, err error) {
	if namespace, err = p.scope(); err != nil {
		return nil, "", err
	}
	var found v1alpha1.AgentAPIKeyList
	if err := c.List(ctx, &found, client.InNamespace(namespace)); err != nil {
		return nil, "", explain(err, "AgentAPIKey", types.NamespacedName{Namespace: namespace})
	}
	return found.Items, namespace, nil
}

// printKeys prints the table, and below it what is wrong with keys that were asked for by name.
func (p *plugin) printKeys(views []keyView, named bool) error {
	now := p.Clock.Now()
	rows := make([][]string, len(views))
	for i, v := range views {
		rows[i] = []string{
			v.Namespace, v.Name, v.Agent, roleFrom(v), v.Delivery, v.ClientID, readyWord(v.Ready, v.Reason),
			ago(v.CredentialCreatedAt, now), until(v.NextRotationAt, now), until(v.ExpiresAt, now),
		}
	}
	text := newTable("NAMESPACE", "NAME", "AGENT", "ROLE", "DELIVERY", "CLIENT ID", "READY", "AGE", "NEXT ROTATION", "EXPIRES").format(rows)
	for _, v := range views {
		if named && v.Ready != string(metav1.ConditionTrue) {
			text += fmt.Sprintf("\n%s/%s is not ready (%s): %s\n", v.Namespace, v.Name, plain(v.Reason), plain(v.Message))
		}
	}
	_, err := io.WriteString(p.Streams.Out, text)
	return err
}

// roleFrom leaves out the namespace where it is the key's own.
func roleFrom(v keyView) string {
	if own := v.Namespace + "/"; len(v.Role) > len(own) && v.Role[:len(own)] == own {
		return v.Role[len(own):]
	}
	return v.Role
}

func readyWord(status, reason string) string {
	if status == string(metav1.ConditionTrue) {
		return status
	}
	return fmt.Sprintf("%s (%s)", status, reason)
}
