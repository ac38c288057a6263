package restraint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// names tells that a ceiling lets the person be named. Okta does not mind the case.
func names(ceiling *v1alpha1.CeilingPolicy, login string) bool {
	return len(ceiling.Members) == 0 || slices.ContainsFunc(ceiling.Members, func(p v1alpha1.LoginPattern) bool {
		end, open := strings.CutPrefix(strings.ToLower(string(p)), "*")
		return open && strings.HasSuffix(login, end) || end == login
	})
}

// readable tells that it is known which namespaces the ceiling is over. One of which that
// is not known may forbid, and allows nothing.
func readable(ceiling *v1alpha1.CeilingPolicy) bool {
	_, err := metav1.LabelSelectorAsSelector(ceiling.NamespaceSelector)
	return err == nil
}
