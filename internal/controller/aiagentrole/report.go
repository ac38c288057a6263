package aiagentrole

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
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
func reportPermissions(role *v1alpha1.AIAgentRole, err error, now time.Time) {
	if lifecycle.Stands(role, v1alpha1.ConditionPermissionsReady, err) {
		return
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionPermissionsReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady,
		Message: "agents get what the role permits", ObservedGeneration: role.Generation, LastTransitionTime: metav1.NewTime(now),
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
	factors := map[v1alpha1.Login][]v1alpha1.FactorStatus{}
	if len(want.Factors) > 0 {
		for _, before := range role.Status.Members {
			factors[before.Login] = before.Factors
		}
	}
	for _, login := range want.Refused {
		states[login] = v1alpha1.MemberStateRefused
	}
	role.Status.Members = nil
	for _, name := range slices.Sorted(slices.Values(slices.Concat(want.Members, want.Refused))) {
		login := v1alpha1.Login(name)
		role.Status.Members = append(role.Status.Members, v1alpha1.MemberStatus{
			Login: login, State: cmp.Or(states[name], v1alpha1.MemberStatePending), Factors: factors[login],
		})
	}
}

// reportNobody is for a role that says nothing of people.
func reportNobody(role *v1alpha1.AIAgentRole) {
	role.Status.Members = nil
	forgetFactors(role)
}

func forgetFactors(role *v1alpha1.AIAgentRole) {
	meta.RemoveStatusCondition(&role.Status.Conditions, v1alpha1.ConditionFactorsEnrolled)
}

// reportFactors tells how far every member is, and whom something is asked of.
func (c *Controller) reportFactors(role *v1alpha1.AIAgentRole, want desired.Role, members []plan.MemberFactors, missing string) {
	byLogin := map[string]plan.MemberFactors{}
	for _, member := range members {
		byLogin[strings.ToLower(member.Person.Login)] = member
	}
	for i := range role.Status.Members {
		status := &role.Status.Members[i]
		member, is := byLogin[string(status.Login)]
		if !is {
			continue
		}
		status.Factors = nil
		for _, kind := range want.Factors {
			state := v1alpha1.FactorStateNotEnrolled
			if seen, begun := member.State(kind); seen.Active {
				state = v1alpha1.FactorStateActive
			} else if begun {
				state = v1alpha1.FactorStatePending
			}
			status.Factors = append(status.Factors, v1alpha1.FactorStatus{Factor: v1alpha1.Factor(kind), State: state})
		}
	}
	condition := metav1.Condition{
		Type: v1alpha1.ConditionFactorsEnrolled, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAllEnrolled,
		Message: "every member has every factor", ObservedGeneration: role.Generation, LastTransitionTime: metav1.NewTime(c.Clock.Now()),
	}
	if missing != "" {
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, v1alpha1.ReasonFactorsMissing, missing
	}
	meta.SetStatusCondition(&role.Status.Conditions, condition)
}

// revision changes whenever the permissions, their order aside, or the grant do.
// Keys watch it to learn that the role's policy lists them.
func revision(want desired.Role, grant *identity.Grant) string {
	terms := want.PermissionNames()
	if grant == nil {
		return reference.Revision(terms, nil)
	}
	terms = append(terms, "", grant.TokenLifetime.String())
	return reference.Revision(append(terms, grant.Permissions...), grant.Clients)
}

func message(want desired.Role) string {
	names := want.PermissionNames()
	for _, p := range want.Admin {
		names = append(names, p.Name)
	}
	return fmt.Sprintf("group %q and its permissions (%s) stand in Okta", want.Group.Name, strings.Join(names, ", "))
}
