package restraint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// IsCeiling tells that the policy is a Ceiling, in the namespace whose Ceilings count.
func (r Rules) IsCeiling(policy *v1alpha1.AccessPolicy) bool {
	return policy.Spec.Ceiling != nil && policy.Namespace == r.Home
}

// Asked is what a key asks for, as far as a ceiling may limit it.
type Asked struct {
	Permissions []string
	Delivery    v1alpha1.Delivery
	// Rotation is how often its credential is replaced; zero for never.
	Rotation time.Duration
	Owners   int
	Expires  bool
}

// AskedBy tells what a key asks for, with the permissions of its role.
func AskedBy(key *v1alpha1.AgentAPIKey, permissions []string) Asked {
	asked := Asked{
		Permissions: permissions, Delivery: cmp.Or(key.Spec.Delivery, v1alpha1.DeliveryPrivateKeyJWT),
		Owners: len(key.Spec.Agent.Owners), Expires: key.Spec.ExpiresAt != nil,
	}
	if key.Spec.Rotation != nil && key.Spec.Rotation.Every != nil {
		asked.Rotation = key.Spec.Rotation.Every.Duration
	}
	return asked
}

// Exceeds says what of it is more than the namespace may ask for; "" when nothing is.
// Where several ceilings select the namespace, all of them count.
func (r Rules) Exceeds(ctx context.Context, namespace string, asked Asked) (string, error) {
	ceilings, err := r.Ceilings(ctx, namespace)
	if err != nil {
		return "", err
	}
	if len(ceilings) == 0 && r.DefaultDeny {
		return fmt.Sprintf("no Ceiling selects namespace %q, and the operator's configuration allows nothing without one: "+
			"have an administrator create one in namespace %q", namespace, r.Home), nil
	}
	for _, policy := range ceilings {
		if excess := Excess(policy.Spec.Ceiling, asked); excess != "" {
			return fmt.Sprintf("Ceiling %s/%s: %s", policy.Namespace, policy.Name, excess), nil
		}
	}
	return "", nil
}

// Excess says what is more than one ceiling allows, with the way out; "" when nothing is.
func Excess(ceiling *v1alpha1.CeilingPolicy, asked Asked) string {
	over := slices.DeleteFunc(slices.Clone(asked.Permissions), func(name string) bool { return permits(ceiling, name) })
	switch {
	case len(over) > 0:
		return fmt.Sprintf("the role has permissions that the namespace may not have: %s; use a role without them", strings.Join(over, ", "))
	case len(ceiling.Deliveries) > 0 && !slices.Contains(ceiling.Deliveries, asked.Delivery):
		return fmt.Sprintf("spec.delivery %s is not allowed; choose one of %v", asked.Delivery, ceiling.Deliveries)
	case ceiling.MaxKeyAge != nil && asked.Rotation == 0:
		return fmt.Sprintf("the credential must be replaced within %s; set spec.rotation.every", ceiling.MaxKeyAge.Duration)
	case ceiling.MaxKeyAge != nil && asked.Rotation > ceiling.MaxKeyAge.Duration:
		return fmt.Sprintf("spec.rotation.every is %s, and a credential must be replaced within %s", asked.Rotation, ceiling.MaxKeyAge.Duration)
	case ceiling.Owners == v1alpha1.RequirementRequired && asked.Owners == 0:
		return "the agent must have owners; name them in spec.agent.owners"
	case ceiling.Expiry == v1alpha1.RequirementRequired && !asked.Expires:
		return "the key must expire; set spec.expiresAt"
	}
	return ""
}

// permits tells that a ceiling allows the permission. What administers Okta itself it must
// name in full: one that says nothing of permissions allows agents all, and people none of it.
func permits(ceiling *v1alpha1.CeilingPolicy, name string) bool {
	admin := strings.HasPrefix(name, identity.AdminPrefix)
	return len(ceiling.Permissions) == 0 && !admin || slices.ContainsFunc(ceiling.Permissions, func(p v1alpha1.PermissionPattern) bool {
		beginning, open := strings.CutSuffix(string(p), "*")
		return open && !admin && strings.HasPrefix(name, beginning) || string(p) == name
	})
}

// Permitted are those of the permissions that the ceilings over the namespace allow.
func (r Rules) Permitted(ctx context.Context, namespace string, permissions []string) ([]string, error) {
	ceilings, err := r.Ceilings(ctx, namespace)
	if err != nil || len(ceilings) == 0 && r.DefaultDeny {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(permissions), func(name string) bool {
		return slices.ContainsFunc(ceilings, func(p v1alpha1.AccessPolicy) bool { return !permits(p.Spec.Ceiling, name) })
	}), nil
}

// MayName tells whether roles of the namespace may name the person.
func (r Rules) MayName(ctx context.Context, namespace, login string) (bool, error) {
	ceilings, err := r.Ceilings(ctx, namespace)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(ceilings, func(p v1alpha1.AccessPolicy) bool { return !names(p.Spec.Ceiling, login) }), nil
}

// names tells that a ceiling lets the person be named. Okta does not mind the case.
func names(ceiling *v1alpha1.CeilingPolicy, login string) bool {
	return len(ceiling.Members) == 0 || slices.ContainsFunc(ceiling.Members, func(p v1alpha1.LoginPattern) bool {
		end, open := strings.CutPrefix(strings.ToLower(string(p)), "*")
		return open && strings.HasSuffix(login, end) || end == login
	})
}

// MaxTokenLifetime is the longest an access token of the namespace's keys may live; zero
// for any.
func (r Rules) MaxTokenLifetime(ctx context.Context, namespace string) (time.Duration, error) {
	ceilings, err := r.Ceilings(ctx, namespace)
	longest := time.Duration(0)
	for _, policy := range ceilings {
		if limit := policy.Spec.Ceiling.MaxTokenLifetime; limit != nil && (longest == 0 || limit.Duration < longest) {
			longest = limit.Duration
		}
	}
	return longest, err
}

// MayGovern tells whether ceilings let the namespace govern the app, and whether any of
// them says something of apps at all.
func (r Rules) MayGovern(ctx context.Context, namespace string, app identity.App) (allowed, said bool, err error) {
	ceilings, err := r.Ceilings(ctx, namespace)
	allowed = true
	for _, policy := range ceilings {
		apps := policy.Spec.Ceiling.Apps
		said = said || len(apps) > 0 && readable(policy.Spec.Ceiling)
		allowed = allowed && (len(apps) == 0 || slices.ContainsFunc(apps, func(ref v1alpha1.AppReference) bool {
			return ref.ID != "" && ref.ID == app.ID || ref.ID == "" && ref.Label == app.Label
		}))
	}
	return allowed, said, err
}

// Ceilings are those that select the namespace, sorted by name.
func (r Rules) Ceilings(ctx context.Context, namespace string) ([]v1alpha1.AccessPolicy, error) {
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

// readable tells that it is known which namespaces the ceiling is over. One of which that
// is not known may forbid, and allows nothing.
func readable(ceiling *v1alpha1.CeilingPolicy) bool {
	_, err := metav1.LabelSelectorAsSelector(ceiling.NamespaceSelector)
	return err == nil
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
