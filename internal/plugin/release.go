package plugin

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// targets tells whether the policy cuts the key off, by name or by what it once matched.
func targets(policy *v1alpha1.AccessPolicy, key types.NamespacedName) bool {
	return slices.Contains(cutOffBy(policy), v1alpha1.KeyReference{
		Namespace: v1alpha1.NamespaceName(key.Namespace), Name: v1alpha1.ObjectName(key.Name),
	})
}

func cutOffBy(policy *v1alpha1.AccessPolicy) []v1alpha1.KeyReference {
	var keys []v1alpha1.KeyReference
	if q := policy.Spec.Quarantine; q != nil {
		keys = append(keys, q.Targets.Keys...)
	}
	if status := policy.Status.Quarantine; status != nil {
		for _, key := range status.Keys {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// quarantines lists the policies of that type in the incident namespace.
func quarantines(ctx context.Context, c client.Reader, namespace string) ([]v1alpha1.AccessPolicy, error) {
	var policies v1alpha1.AccessPolicyList
	if err := c.List(ctx, &policies, client.InNamespace(namespace)); err != nil {
		return nil, explain(err, "AccessPolicy", types.NamespacedName{Namespace: namespace})
	}
	return slices.DeleteFunc(policies.Items, func(p v1alpha1.AccessPolicy) bool { return p.Spec.Type != v1alpha1.PolicyQuarantine }), nil
}

// letIn deletes the policy that cuts the key off, if it cuts off no other.
func (p *plugin) letIn(ctx context.Context, c client.WithWatch, key types.NamespacedName, i incident) (types.NamespacedName, error) {
	found, err := quarantines(ctx, c, i.namespace)
	if err != nil {
		return types.NamespacedName{}, err
	}
	found = slices.DeleteFunc(found, func(p v1alpha1.AccessPolicy) bool { return !targets(&p, key) })
	if len(found) == 0 {
		return types.NamespacedName{}, fmt.Errorf("no AccessPolicy in namespace %s cuts %s off; "+
			"kubectl agentid quarantine list shows what is", i.namespace, key)
	}
	for _, policy := range found {
		if selector := policy.Spec.Quarantine.Targets.Selector; selector != nil || len(cutOffBy(&policy)) > 1 {
			return types.NamespacedName{}, fmt.Errorf("AccessPolicy %s/%s cuts off other keys than %s, too: nothing was released; "+
				"to release all, kubectl delete accesspolicy -n %s %s", policy.Namespace, policy.Name, key, policy.Namespace, policy.Name)
		}
	}
	for _, policy := range found {
		options := []client.DeleteOption{client.Preconditions{UID: &policy.UID}}
		if i.dryRun {
			options = append(options, client.DryRunAll)
		}
		if err := c.Delete(ctx, &policy, options...); err != nil && !apierrors.IsNotFound(err) {
			return types.NamespacedName{}, explain(err, "AccessPolicy", client.ObjectKeyFromObject(&policy))
		}
		if i.dryRun {
			p.tell("%s: AccessPolicy %s/%s would be deleted", key, policy.Namespace, policy.Name)
			continue
		}
		p.say("%s: AccessPolicy %s/%s is deleted; a new credential follows, the earlier one never works again",
			key, policy.Namespace, policy.Name)
	}
	return client.ObjectKeyFromObject(&found[len(found)-1]), nil
}

// awaitLetIn ends when the policy is gone and the key works with another credential.
func (p *plugin) awaitLetIn(ctx context.Context, c client.WithWatch, key, at types.NamespacedName, patience time.Duration) error {
	late, err := p.await(ctx, c, &v1alpha1.AccessPolicyList{}, at, patience, func(o client.Object) (bool, error) { return o == nil, nil })
	if err != nil {
		return err
	}
	if late {
		return timeoutError{fmt.Errorf("AccessPolicy %s is not gone after %s; does the operator run?", at, patience)}
	}
	told := newProgress(p, key)
	var keyID string
	late, err = p.await(ctx, c, &v1alpha1.AgentAPIKeyList{}, key, patience, func(o client.Object) (bool, error) {
		k, exists := o.(*v1alpha1.AgentAPIKey)
		if !exists {
			return false, fmt.Errorf("%s does not exist any more: there is nothing to let in", key)
		}
		ready := readyOf(k.Status.Conditions, k.Generation)
		keyID = k.Status.KeyID
		if ready.Status != metav1.ConditionTrue {
			told.see(ready)
		}
		return ready.Status == metav1.ConditionTrue, nil
	})
	if err != nil {
		return err
	}
	if late {
		return timeoutError{fmt.Errorf("%s is released, and has no credential that works after %s%s", key, patience, told.because())}
	}
	p.tell("%s: is let in again; its credential is %s", key, keyID)
	return nil
}

func (p *plugin) quarantineList(i *incident) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "Show what is in quarantine",
		Long:    "Show the AccessPolicies of type Quarantine in the incident namespace, and which keys they cut off.",
		Example: "  kubectl agentid quarantine list",
		Aliases: []string{"ls"},
		Args:    atMost(0, "no arguments"),
		RunE:    func(c *cobra.Command, _ []string) error { return p.runQuarantineList(c.Context(), *i) },
	}
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

// quarantineView is what is shown of a quarantine.
type quarantineView struct {
	Policy string `json:"policy"`
	Reason string `json:"reason"`
	// Keys are namespace/name; Blocked is how many of them get no new tokens.
	Keys    []string `json:"keys"`
	Blocked int32    `json:"blocked"`
	// NewTokensBlockedAt is absent while one of the keys may still get tokens.
	NewTokensBlockedAt *metav1.Time `json:"newTokensBlockedAt,omitempty"`
	ExposureEndsAt     *metav1.Time `json:"exposureEndsAt,omitempty"`
	Ready              string       `json:"ready"`
	ReadyReason        string       `json:"readyReason"`
	Message            string       `json:"message,omitempty"`
}

func quarantineViewOf(policy *v1alpha1.AccessPolicy) quarantineView {
	ready := readyOf(policy.Status.Conditions, policy.Generation)
	v := quarantineView{
		Policy: policy.Name, Keys: []string{},
		Ready: string(ready.Status), ReadyReason: ready.Reason, Message: ready.Message,
	}
	if q := policy.Spec.Quarantine; q != nil {
		v.Reason = q.Reason
	}
	for _, key := range cutOffBy(policy) {
		v.Keys = append(v.Keys, string(key.Namespace)+"/"+string(key.Name))
	}
	if status := policy.Status.Quarantine; status != nil {
		v.NewTokensBlockedAt, v.ExposureEndsAt = status.NewTokensBlockedAt, status.ExposureEndsAt
		if status.Blocked != nil {
			v.Blocked = *status.Blocked
		}
	}
	return v
}

func (p *plugin) runQuarantineList(ctx context.Context, i incident) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	policies, err := quarantines(ctx, c, i.namespace)
	if err != nil {
		return err
	}
	views := []quarantineView{}
	for n := range policies {
		views = append(views, quarantineViewOf(&policies[n]))
	}
	if p.flags.output != formatTable {
		return p.printValue(list[quarantineView]{views})
	}
	if len(views) == 0 {
		p.say("nothing is in quarantine (namespace %s; --incident-namespace looks in another)", i.namespace)
		return nil
	}
	rows := make([][]string, len(views))
	for n, v := range views {
		rows[n] = []string{
			v.Policy, strings.Join(v.Keys, " "), strconv.Itoa(int(v.Blocked)) + " of " + strconv.Itoa(len(v.Keys)), when(v.NewTokensBlockedAt),
			when(v.ExposureEndsAt), readyWord(v.Ready, v.ReadyReason), v.Reason,
		}
	}
	_, err = io.WriteString(p.Streams.Out, newTable("POLICY", "KEYS", "BLOCKED", "SINCE", "TOKENS TAKEN UNTIL", "READY", "WHY").format(rows))
	return err
}
