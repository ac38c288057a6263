package accesspolicy

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// mostViolators is how many keys a ceiling names that ask for more than it allows.
const mostViolators = 20

// ceiling reports whom the policy binds. Keys and roles carry it out.
func (c *Controller) ceiling(ctx context.Context, policy *v1alpha1.AccessPolicy) (lifecycle.Outcome, error) {
	if c.Restraints.Home == "" || policy.Namespace != c.Restraints.Home {
		return lifecycle.Outcome{}, notHonouredHere(policy.Spec.Type, c.Restraints.Home)
	}
	selector, err := metav1.LabelSelectorAsSelector(policy.Spec.Ceiling.NamespaceSelector)
	if err != nil {
		return lifecycle.Outcome{}, &identity.Error{
			Kind: identity.Rejected, Reason: v1alpha1.ReasonInvalidSelector,
			Message: fmt.Sprintf("ceiling.namespaceSelector cannot be read: %v; mend it. Until then the ceiling binds every namespace", err),
		}
	}
	namespaces, err := c.namespaces(ctx, selector)
	if err != nil {
		return lifecycle.Outcome{}, err
	}
	var keys v1alpha1.AgentAPIKeyList
	if err := c.Client.List(ctx, &keys, client.UnsafeDisableDeepCopy); err != nil {
		return lifecycle.Outcome{}, fmt.Errorf("listing the keys: %w", err)
	}
	status := &v1alpha1.CeilingStatus{Namespaces: new(int32(len(namespaces))), Keys: new(int32), Violations: new(int32)}
	permitted := permissionsOf{c: c, known: map[permissionsFor][]string{}}
	for i := range keys.Items {
		key := &keys.Items[i]
		if !namespaces[key.Namespace] {
			continue
		}
		*status.Keys++
		permissions, err := permitted.of(ctx, key)
		if err != nil {
			return lifecycle.Outcome{}, err
		}
		if restraint.Excess(policy.Spec.Ceiling, restraint.AskedBy(key, permissions)) == "" {
			continue
		}
		*status.Violations++
		if len(status.Violators) < mostViolators {
			status.Violators = append(status.Violators, refOf(key))
		}
	}
	sorted(status.Violators)
	policy.Status.Ceiling = status
	c.reportCeiling(policy, len(namespaces))
	return lifecycle.Outcome{Message: fmt.Sprintf("%d keys in %d namespaces are bound, of which %d ask for more and get nothing",
		*status.Keys, len(namespaces), *status.Violations)}, nil
}

func (c *Controller) namespaces(ctx context.Context, selector labels.Selector) (map[string]bool, error) {
	var all corev1.NamespaceList
	if err := c.Client.List(ctx, &all, client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, fmt.Errorf("listing the namespaces: %w", err)
	}
	names := map[string]bool{}
	for i := range all.Items {
		names[all.Items[i].Name] = true
	}
	return names, nil
}

// permissionsOf looks once at each role for all the keys of one namespace that have it.
type permissionsOf struct {
	c     *Controller
	known map[permissionsFor][]string
}

type permissionsFor struct {
	role      types.NamespacedName
	namespace string
}

// of are the permissions of the key's role; none while it has none.
func (p permissionsOf) of(ctx context.Context, key *v1alpha1.AgentAPIKey) ([]string, error) {
	which := permissionsFor{reference.RoleOf(key), key.Namespace}
	if permissions, known := p.known[which]; known {
		return permissions, nil
	}
	role, err := reference.Resolve(ctx, p.c.Client, key)
	switch {
	case identity.KindOf(err) == identity.Waiting:
		p.known[which] = nil
	case err != nil:
		return nil, err
	default:
		p.known[which] = desired.RoleOf(role, p.c.Settings).PermissionNames()
	}
	return p.known[which], nil
}

func (c *Controller) reportCeiling(policy *v1alpha1.AccessPolicy, namespaces int) {
	condition := metav1.Condition{
		Type: v1alpha1.ConditionEffective, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonEverythingBinds,
		Message: "the ceiling binds namespaces", ObservedGeneration: policy.Generation, LastTransitionTime: metav1.NewTime(c.Clock.Now()),
	}
	if namespaces == 0 {
		condition.Status, condition.Reason = metav1.ConditionFalse, v1alpha1.ReasonNoSubjects
		condition.Message = "the ceiling selects no namespace"
	}
	meta.SetStatusCondition(&policy.Status.Conditions, condition)
}
