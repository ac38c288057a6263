package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// incident is what the flags ask for.
type incident struct {
	namespace string
	reason    string
	release   bool
	dryRun    bool
	wait      bool
	timeout   time.Duration
}

const defaultReason = "Cut off with kubectl agentid quarantine."

func (p *plugin) quarantine() *cobra.Command {
	var i incident
	c := &cobra.Command{
		Use:   "quarantine NAME...",
		Short: "Cut keys off at once, and let them in again",
		Long: `Cut keys off: they get no new tokens, and their Secrets are emptied. It holds whatever
their team or its GitOps does, until the key is released.

For each key it makes an AccessPolicy of type Quarantine in the incident namespace, so you
need the right to create AccessPolicies there. It ends when Okta gives the key no tokens any
more, and says how long one that was given before may still be taken; exit code 3 when that
is not seen in time: the key must then be held to be able to get tokens.

To cut off many keys by labels, namespaces or roles, write the AccessPolicy yourself
(targets.selector with maxTargets).

--release deletes the AccessPolicy. The credential that was in quarantine never works again:
the key gets a new one. Pods that read their Secret only when they start must be restarted,
where the key's restartTargets do not name them.`,
		Example: `  kubectl agentid quarantine chatbot -n chatbot --reason "Seen in a public repository."
  kubectl agentid quarantine list
  kubectl agentid quarantine --release chatbot -n chatbot`,
		ValidArgsFunction: p.completeKeys,
		Args:              atLeastOneKey,
		RunE:              func(c *cobra.Command, args []string) error { return p.runQuarantine(c.Context(), args, i) },
	}
	c.PersistentFlags().StringVar(&i.namespace, "incident-namespace", operatorNamespace,
		"the incidentNamespace of the operator's configuration; by default the operator's own")
	c.Flags().StringVar(&i.reason, "reason", defaultReason, "told to the owners of the key; write no secrets")
	c.Flags().BoolVar(&i.release, "release", false, "end the quarantine of the keys")
	c.Flags().BoolVar(&i.dryRun, "dry-run", false, "let the API server check it, print what would be done, and do nothing")
	c.Flags().BoolVar(&i.wait, "wait", true, "wait until it has taken effect")
	c.Flags().DurationVar(&i.timeout, "timeout", 2*time.Minute, "how long to wait for each key")
	c.AddCommand(p.quarantineList(&i))
	return c
}

func (i incident) check() error {
	if i.reason == "" || utf8.RuneCountInString(i.reason) > 500 {
		return misuse("--reason must have 1 to 500 characters")
	}
	return nil
}

func (p *plugin) runQuarantine(ctx context.Context, names []string, i incident) error {
	if err := i.check(); err != nil {
		return err
	}
	c, err := p.connect()
	if err != nil {
		return err
	}
	keys, err := p.keysNamed(names)
	if err != nil {
		return err
	}
	// First all are asked for, then each is waited for: none waits for another.
	do, await := p.cutOff, p.awaitBlocked
	if i.release {
		do, await = p.letIn, p.awaitLetIn
	}
	begun := map[types.NamespacedName]types.NamespacedName{}
	var failed []error
	for _, key := range keys {
		policy, err := do(ctx, c, key, i)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		begun[key] = policy
	}
	for _, key := range keys {
		policy, is := begun[key]
		if !is || !i.wait || i.dryRun {
			continue
		}
		if err := await(ctx, c, key, policy, i.timeout); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// policyName is the same for the same key, so that one cut off twice is cut off once. The
// sum tells a/b-c from a-b/c.
func policyName(key types.NamespacedName) string {
	sum := sha256.Sum256([]byte(key.String()))
	return fmt.Sprintf("quarantine-%.40s-%s", key.Name, hex.EncodeToString(sum[:4]))
}

func quarantineFor(key types.NamespacedName, i incident) *v1alpha1.AccessPolicy {
	return restraint.QuarantineOf(key, types.NamespacedName{Namespace: i.namespace, Name: policyName(key)}, i.reason)
}

// cutOff makes the policy. A name that no key has is refused here, for a slip of the
// finger would leave the key that was meant at work. Who may not read the key may cut it
// off nevertheless.
func (p *plugin) cutOff(ctx context.Context, c client.WithWatch, key types.NamespacedName, i incident) (types.NamespacedName, error) {
	policy := quarantineFor(key, i)
	at := client.ObjectKeyFromObject(policy)
	if err := c.Get(ctx, key, &v1alpha1.AgentAPIKey{}); err != nil && !apierrors.IsForbidden(err) {
		return at, explain(err, "AgentAPIKey", key)
	}
	options := []client.CreateOption{client.FieldOwner("kubectl-agentid")}
	if i.dryRun {
		options = append(options, client.DryRunAll)
	}
	manifest := policy.DeepCopy()
	err := c.Create(ctx, policy, options...)
	switch {
	case apierrors.IsAlreadyExists(err):
		return at, p.already(ctx, c, key, at)
	case apierrors.IsNotFound(err) && !unknownToServer(err):
		return at, fmt.Errorf("there is no namespace %s; --incident-namespace must be the operator's incidentNamespace: %w", at.Namespace, err)
	case err != nil:
		return at, explain(err, "AccessPolicy", at)
	}
	if i.dryRun {
		return at, p.printManifest(manifest)
	}
	p.say("%s: AccessPolicy %s is made", key, at)
	return at, nil
}

// already holds that the policy that is there does what is wanted.
func (p *plugin) already(ctx context.Context, c client.Reader, key, at types.NamespacedName) error {
	there := &v1alpha1.AccessPolicy{}
	if err := c.Get(ctx, at, there); err != nil {
		return explain(err, "AccessPolicy", at)
	}
	if !there.DeletionTimestamp.IsZero() {
		return fmt.Errorf("%s is being released just now (AccessPolicy %s is being deleted); try again when that is done", key, at)
	}
	if !targets(there, key) {
		return fmt.Errorf("there is an AccessPolicy %s that does not cut %s off; delete it or write one of another name", at, key)
	}
	p.say("%s: is in quarantine already, by AccessPolicy %s", key, at)
	return nil
}

func (p *plugin) printManifest(policy *v1alpha1.AccessPolicy) error {
	text, err := encode(map[string]any{
		"apiVersion": policy.APIVersion, "kind": policy.Kind,
		"metadata": map[string]string{"namespace": policy.Namespace, "name": policy.Name}, "spec": policy.Spec,
	}, "")
	if err != nil {
		return err
	}
	if text, err = asYAML(text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Streams.Out, "---\n%s", text)
	return err
}

// awaitBlocked ends when Okta gives the key no tokens any more.
func (p *plugin) awaitBlocked(ctx context.Context, c client.WithWatch, key, at types.NamespacedName, patience time.Duration) error {
	told := newProgress(p, key)
	var status v1alpha1.QuarantineStatus
	late, err := p.await(ctx, c, &v1alpha1.AccessPolicyList{}, at, patience, func(o client.Object) (bool, error) {
		policy, exists := o.(*v1alpha1.AccessPolicy)
		if !exists {
			return false, fmt.Errorf("AccessPolicy %s was deleted: %s is not cut off", at, key)
		}
		ready := readyOf(policy.Status.Conditions, policy.Generation)
		if ready.Reason == v1alpha1.ReasonNotHonouredHere {
			return false, fmt.Errorf("%s is NOT cut off: %s; delete AccessPolicy %s, and give --incident-namespace", key, ready.Message, at)
		}
		if q := policy.Status.Quarantine; q != nil && ready.Status != metav1.ConditionUnknown {
			status = *q
		}
		if status.NewTokensBlockedAt == nil {
			told.see(ready)
		}
		return status.NewTokensBlockedAt != nil, nil
	})
	if err != nil {
		return err
	}
	if late {
		return timeoutError{fmt.Errorf("%s is NOT known to be cut off after %s%s; AccessPolicy %s stands, and the operator goes on",
			key, patience, told.because(), at)}
	}
	p.tell("%s: gets no new tokens since %s", key, when(status.NewTokensBlockedAt))
	p.tell("%s: %s", key, exposure(status.ExposureEndsAt, p.Clock.Now()))
	return nil
}

// exposure says what a quarantine cannot do.
func exposure(ends *metav1.Time, now time.Time) string {
	switch {
	case ends.IsZero():
		return "how long a token that it has may still be taken is not known"
	case ends.After(now):
		return "whoever checks tokens by their signature alone may still take one that it has until " + when(ends) + " (" + until(ends, now) + ")"
	}
	return "no token that it had can be valid any more, since " + when(ends)
}
