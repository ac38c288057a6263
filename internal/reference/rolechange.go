package reference

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// Revision names what Okta holds for a role: the terms on which its keys get tokens, and the
// clients that do. It changes whenever either does.
func Revision(terms, clients []string) string { return digest(terms) + "-" + digest(clients) }

func digest(parts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:8])
}

// TermsChanged tells that a role says something else to every key that points at it than before:
// not that it has got another key, or reports otherwise of its people. A key that is halfway
// looks at every change of its role.
func TermsChanged(before, after client.Object) bool {
	a, is := before.(*v1alpha1.AIAgentRole)
	b, also := after.(*v1alpha1.AIAgentRole)
	return !is || !also || a.UID != b.UID || a.Generation != b.Generation || a.DeletionTimestamp.IsZero() != b.DeletionTimestamp.IsZero() ||
		a.Status.Issuer != b.Status.Issuer || terms(a) != terms(b) || RoleStands(a) != RoleStands(b)
}

// terms is the part of the applied revision that every key looks at.
func terms(role *v1alpha1.AIAgentRole) string {
	terms, _, _ := strings.Cut(role.Status.AppliedRevision, "-")
	return terms
}

// RoleStands tells that what agents need of the role stands in Okta as its present spec says.
func RoleStands(role *v1alpha1.AIAgentRole) bool {
	return role.Status.ObservedGeneration == role.Generation &&
		meta.IsStatusConditionTrue(role.Status.Conditions, v1alpha1.ConditionPermissionsReady)
}

// Halfway tells that a key's client is there, and that the key has not all it asks for. It is such a key that
// waits until its role lists the client.
func Halfway(key *v1alpha1.AgentAPIKey) bool { return key.Status.ClientID != "" && !settled(key) }

// settled tells that a key has all it asks for.
func settled(key *v1alpha1.AgentAPIKey) bool {
	ready := meta.FindStatusCondition(key.Status.Conditions, v1alpha1.ConditionReady)
	return key.DeletionTimestamp.IsZero() && ready != nil && ready.Status == "True" && ready.ObservedGeneration == key.Generation
}
