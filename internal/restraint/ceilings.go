package restraint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Ceilings are the limits on one namespace; all of them count. The zero value limits nothing.
type Ceilings struct {
	// policies are sorted by name.
	policies []v1alpha1.AccessPolicy
	// lacking says why nothing is allowed although there are none; "" when all is.
	lacking string
}

// Ceilings reads those over the namespace.
func (r Rules) Ceilings(ctx context.Context, namespace string) (Ceilings, error) {
	policies, err := r.selecting(ctx, namespace)
	if err != nil {
		return Ceilings{}, err
	}
	over := Ceilings{policies: policies}
	if len(policies) == 0 && r.DefaultDeny {
		over.lacking = fmt.Sprintf("no Ceiling selects namespace %q, and the operator's configuration allows nothing without one: "+
			"have an administrator create one in namespace %q", namespace, r.Home)
	}
	return over, nil
}

// selecting are the ceilings over the namespace, sorted by name.
func (r Rules) selecting(ctx context.Context, namespace string) ([]v1alpha1.AccessPolicy, error) {
	if r.Home == "" {
		return nil, nil
	}
	var policies v1alpha1.AccessPolicyList
	if err := r.Reader.List(ctx, &policies, client.InNamespace(r.Home), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the ceilings: %w", err)
	}
	var selecting []v1alpha1.AccessPolicy
	for _, policy := range policies.Items {
		selects, err := r.selects(ctx, &policy, namespace)
		if err != nil {
			return nil, err
		}
		if selects {
			selecting = append(selecting, policy)
		}
	}
	slices.SortFunc(selecting, func(a, b v1alpha1.AccessPolicy) int { return cmp.Compare(a.Name, b.Name) })
	return selecting, nil
}

// selects tells that the policy is a ceiling over the namespace. One whose selector cannot
// be read is over every namespace: it is not known over which it is not.
func (r Rules) selects(ctx context.Context, policy *v1alpha1.AccessPolicy, namespace string) (bool, error) {
	if policy.Spec.Ceiling == nil || !policy.DeletionTimestamp.IsZero() {
		return false, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(policy.Spec.Ceiling.NamespaceSelector)
	if err != nil || selector.Empty() {
		return true, nil //nolint:nilerr // the policy says of itself that its selector cannot be read
	}
	ns := &corev1.Namespace{}
	if err := r.Reader.Get(ctx, types.NamespacedName{Name: namespace}, ns); err != nil {
		return false, fmt.Errorf("reading namespace %s: %w", namespace, err)
	}
	return selector.Matches(labels.Set(ns.Labels)), nil
}

// Excess says what of it is more than a key of the namespace may ask for; "" when nothing is.
func (c Ceilings) Excess(asked Asked) string {
	for _, policy := range c.policies {
		if excess := Excess(policy.Spec.Ceiling, asked); excess != "" {
			return fmt.Sprintf("Ceiling %s/%s: %s", policy.Namespace, policy.Name, excess)
		}
	}
	return c.lacking
}

// Permitted are those of the permissions that are allowed.
func (c Ceilings) Permitted(permissions []string) []string {
	if c.lacking != "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(permissions), func(name string) bool {
		return slices.ContainsFunc(c.policies, func(p v1alpha1.AccessPolicy) bool { return !permits(p.Spec.Ceiling, name) })
	})
}

// MayName tells whether roles of the namespace may name the person.
func (c Ceilings) MayName(login string) bool {
	return !slices.ContainsFunc(c.policies, func(p v1alpha1.AccessPolicy) bool { return !names(p.Spec.Ceiling, login) })
}

// MaxTokenLifetime is the longest an access token of the namespace's keys may live; zero
// for any.
func (c Ceilings) MaxTokenLifetime() time.Duration {
	longest := time.Duration(0)
	for _, policy := range c.policies {
		if limit := policy.Spec.Ceiling.MaxTokenLifetime; limit != nil && (longest == 0 || limit.Duration < longest) {
			longest = limit.Duration
		}
	}
	return longest
}

// MayGovern tells whether the namespace may govern the app, and whether any ceiling says
// something of apps at all.
func (c Ceilings) MayGovern(app identity.App) (allowed, said bool) {
	allowed = true
	for _, policy := range c.policies {
		apps := policy.Spec.Ceiling.Apps
		said = said || len(apps) > 0 && readable(policy.Spec.Ceiling)
		allowed = allowed && (len(apps) == 0 || slices.ContainsFunc(apps, func(ref v1alpha1.AppReference) bool {
			return ref.ID != "" && ref.ID == app.ID || ref.ID == "" && ref.Label == app.Label
		}))
	}
	return allowed, said
}

// Look is one look at many keys: it reads the ceilings over each namespace once.
type Look struct {
	rules Rules
	over  map[string]Ceilings
}

// Look begins one.
func (r Rules) Look() Look { return Look{r, map[string]Ceilings{}} }

// Ceilings gives those over the namespace.
func (l Look) Ceilings(ctx context.Context, namespace string) (Ceilings, error) {
	if over, known := l.over[namespace]; known {
		return over, nil
	}
	over, err := l.rules.Ceilings(ctx, namespace)
	if err == nil {
		l.over[namespace] = over
	}
	return over, err
}
