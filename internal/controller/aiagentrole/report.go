package aiagentrole

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// report fills the status but its conditions from what was seen last.
func report(role *v1alpha1.AIAgentRole, want desired.Role, seen plan.RoleSeen) {
	keys := int32(0)
	if seen.Grant != nil {
		keys = int32(min(len(seen.Grant.Clients), 1<<30))
	}
	role.Status.Keys = &keys
	if seen.Group != nil {
		role.Status.GroupID = seen.Group.ID
	}
	if seen.Server != nil {
		role.Status.Issuer = seen.Server.Issuer
	}
	role.Status.AppliedRevision = revision(want, seen.Grant)
}

// revision changes whenever the permissions, their order aside, or the grant do.
// Keys watch it to learn that the role's policy lists them.
func revision(want desired.Role, grant *identity.Grant) string {
	parts := want.PermissionNames()
	if grant != nil {
		parts = append(parts, "", grant.TokenLifetime.String())
		parts = append(append(parts, grant.Permissions...), grant.Clients...)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:8])
}

func message(want desired.Role) string {
	return fmt.Sprintf("group %q and its permissions (%s) stand in Okta", want.Group.Name,
		strings.Join(want.PermissionNames(), ", "))
}
