package aiagentrole

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// reportPermissions says whether what agents need of the role stands.
func reportPermissions(role *v1alpha1.AIAgentRole, err error, now metav1.Time) {
	condition := metav1.Condition{
		Type: v1alpha1.ConditionPermissionsReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady,
		Message: "agents get what the role permits", ObservedGeneration: role.Generation, LastTransitionTime: now,
	}
	if err != nil {
		condition.Status, condition.Reason = metav1.ConditionFalse, v1alpha1.ReasonProgressing
		condition.Message = "what agents need of the role does not stand in Okta yet; see Ready"
		if e, ok := errors.AsType[*identity.Error](err); ok {
			condition.Reason, condition.Message = e.Reason, e.Message
		}
	}
	meta.SetStatusCondition(&role.Status.Conditions, condition)
}

// reportPeople tells how far everybody is whom the role names.
func reportPeople(role *v1alpha1.AIAgentRole, want desired.Role, seen plan.PeopleSeen) {
	states := map[string]v1alpha1.MemberState{}
	for _, login := range seen.Unknown {
		states[login] = v1alpha1.MemberStateUnknown
	}
	for _, member := range seen.Members {
		states[strings.ToLower(member.Login)] = v1alpha1.MemberStateMember
		if !member.Active {
			states[strings.ToLower(member.Login)] = v1alpha1.MemberStateInactive
		}
	}
	role.Status.Members = nil
	for _, login := range want.Members {
		role.Status.Members = append(role.Status.Members, v1alpha1.MemberStatus{
			Login: v1alpha1.Login(login), State: cmp.Or(states[login], v1alpha1.MemberStatePending),
		})
	}
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
