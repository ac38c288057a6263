package desired

import (
	"fmt"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// sessionLifetime is when a session ends of which the policy does not say it.
const sessionLifetime = 2 * time.Hour

// SignOnOf translates what an AccessPolicy says about people for a directory that asks once
// for all apps. It leaves out what BeyondSignOn names, of which there must be nothing.
func SignOnOf(policy *v1alpha1.AccessPolicy, cluster string, ids Resolved) identity.SignOn {
	mark := PolicyMark(policy, cluster)
	signOn := identity.SignOn{Mark: mark, Name: SignInName(mark)}
	for _, ref := range policy.Spec.Conditional.RoleRefs {
		signOn.Groups = append(signOn.Groups, ids.Groups[RoleOfRef(ref, policy.Namespace)])
	}
	slices.Sort(signOn.Groups)
	signOn.Groups = slices.Compact(signOn.Groups)
	for i := range policy.Spec.Conditional.SignIn.Rules {
		rule := &policy.Spec.Conditional.SignIn.Rules[i]
		whole := identity.SignInRule{}
		if rule.When != nil {
			addConditions(&whole, rule, ids)
		}
		proof := proofOf(rule.With)
		one := identity.SignOnRule{
			Name: rule.Name, FromZones: whole.FromZones, NotFromZones: whole.NotFromZones,
			TwoFactors: proof.TwoFactors, Lifetime: sessionLifetime,
		}
		if proof.Reauthenticate >= 0 {
			one.Lifetime = proof.Reauthenticate
		}
		signOn.Rules = append(signOn.Rules, one)
	}
	return signOn
}

// BeyondSignOn names the fields of an AccessPolicy, in their order, that demand what a
// directory cannot ask for that asks once for all apps.
func BeyondSignOn(policy *v1alpha1.AccessPolicy) []string {
	var beyond []string
	for _, rule := range policy.Spec.Conditional.SignIn.Rules {
		at := fmt.Sprintf("signIn.rules[%s].", rule.Name)
		if narrows(policy, rule.RoleRefs) {
			beyond = append(beyond, at+"roleRefs (make another AccessPolicy for these roles)")
		}
		for _, field := range slices.Concat(beyondWhen(rule.When), beyondWith(rule.With)) {
			beyond = append(beyond, at+field)
		}
	}
	return beyond
}

// narrows tells that a rule is for some of the policy's roles only. Whom such a policy is
// for it says once, for all of its rules.
func narrows(policy *v1alpha1.AccessPolicy, refs []v1alpha1.RoleReference) bool {
	return len(refs) > 0 && slices.ContainsFunc(policy.Spec.Conditional.RoleRefs, func(of v1alpha1.RoleReference) bool {
		return !slices.ContainsFunc(refs, func(ref v1alpha1.RoleReference) bool {
			return RoleOfRef(ref, policy.Namespace) == RoleOfRef(of, policy.Namespace)
		})
	})
}

func beyondWhen(when *v1alpha1.SignInConditions) (fields []string) {
	if when == nil {
		return nil
	}
	if when.Device != nil {
		fields = append(fields, "when.device")
	}
	if len(when.RiskLevels) > 0 {
		fields = append(fields, "when.riskLevels")
	}
	if len(when.Platforms) > 0 {
		fields = append(fields, "when.platforms")
	}
	return fields
}

func beyondWith(with *v1alpha1.SignInProof) (fields []string) {
	if with == nil {
		return nil
	}
	if len(with.Factors) > 0 {
		fields = append(fields, "with.factors")
	}
	if len(with.Properties) > 0 {
		fields = append(fields, "with.properties")
	}
	if with.ReauthenticateAfter != nil && with.ReauthenticateAfter.Duration < time.Minute {
		// A session of no minutes is one without an end.
		fields = append(fields, "with.reauthenticateAfter (say 1m or more)")
	}
	return fields
}
