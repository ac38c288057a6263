package desired

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func signOnPolicy(rules ...v1alpha1.SignInRule) *v1alpha1.AccessPolicy {
	return &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: "u"},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
			RoleRefs: []v1alpha1.RoleReference{{Name: "b"}, {Name: "a", Namespace: "ns"}},
			SignIn:   &v1alpha1.SignInPolicy{Rules: rules},
		}},
	}
}

func TestSignOnOf(t *testing.T) {
	policy := signOnPolicy(
		v1alpha1.SignInRule{Name: "plain"},
		v1alpha1.SignInRule{
			Name: "office",
			When: &v1alpha1.SignInConditions{NetworkZones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{"Office"}}},
			With: &v1alpha1.SignInProof{FactorMode: v1alpha1.FactorModeOne, ReauthenticateAfter: &metav1.Duration{Duration: time.Minute}},
		},
		v1alpha1.SignInRule{
			Name: "not-barred",
			When: &v1alpha1.SignInConditions{NetworkZones: &v1alpha1.NetworkZones{Deny: []v1alpha1.NetworkZoneName{"Barred"}}},
			With: &v1alpha1.SignInProof{FactorMode: v1alpha1.FactorModeTwo, ReauthenticateAfter: &metav1.Duration{Duration: 12 * time.Hour}},
		},
	)
	ids := Resolved{
		Groups: map[types.NamespacedName]string{{Namespace: "ns", Name: "a"}: "00gA", {Namespace: "ns", Name: "b"}: "00gB"},
		Zones:  map[v1alpha1.NetworkZoneName]string{"Office": "nzo1", "Barred": "nzo2"},
	}
	want := identity.SignOn{
		Mark: PolicyMark(policy, "c"), Name: "k8s/c/ns/p", Groups: []string{"00gA", "00gB"},
		Rules: []identity.SignOnRule{
			{Name: "plain", TwoFactors: true, Lifetime: 2 * time.Hour},
			{Name: "office", FromZones: []string{"nzo1"}, Lifetime: time.Minute},
			{Name: "not-barred", NotFromZones: []string{"nzo2"}, TwoFactors: true, Lifetime: 12 * time.Hour},
		},
	}
	if diff := cmp.Diff(want, SignOnOf(policy, "c", ids)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if beyond := BeyondSignOn(policy); beyond != nil {
		t.Errorf("all of it can be asked for, but not %v", beyond)
	}
}

func TestBeyondSignOn(t *testing.T) {
	for name, tt := range map[string]struct {
		reason string
		rule   v1alpha1.SignInRule
		want   []string
	}{
		"Device": {
			"no device is known there",
			v1alpha1.SignInRule{When: &v1alpha1.SignInConditions{Device: &v1alpha1.DeviceCondition{}}},
			[]string{"when.device"},
		},
		"Risk": {
			"Okta's description of these rules knows no risk",
			v1alpha1.SignInRule{When: &v1alpha1.SignInConditions{RiskLevels: []v1alpha1.RiskLevel{v1alpha1.RiskLow}}},
			[]string{"when.riskLevels"},
		},
		"Platforms": {
			"nor platforms",
			v1alpha1.SignInRule{When: &v1alpha1.SignInConditions{Platforms: []v1alpha1.Platform{v1alpha1.PlatformIOS}}},
			[]string{"when.platforms"},
		},
		"Factors": {
			"any second factor counts",
			v1alpha1.SignInRule{With: &v1alpha1.SignInProof{
				Factors: []v1alpha1.Factor{v1alpha1.FactorPush}, Properties: []v1alpha1.FactorProperty{v1alpha1.FactorDeviceBound},
			}},
			[]string{"with.factors", "with.properties"},
		},
		"Always": {
			"the shortest session has a minute, and one of zero never ends",
			v1alpha1.SignInRule{With: &v1alpha1.SignInProof{ReauthenticateAfter: &metav1.Duration{}}},
			[]string{"with.reauthenticateAfter (say 1m or more)"},
		},
		"SomeRoles": {
			"the policy says for whom it is",
			v1alpha1.SignInRule{RoleRefs: []v1alpha1.RoleReference{{Name: "a"}}},
			[]string{"roleRefs (make another AccessPolicy for these roles)"},
		},
		"AllRoles": {
			"all of them, by whatever spelling, are those of the policy",
			v1alpha1.SignInRule{RoleRefs: []v1alpha1.RoleReference{{Name: "a"}, {Name: "b", Namespace: "ns"}}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.rule.Name = "r"
			var want []string
			for _, field := range tt.want {
				want = append(want, "signIn.rules[r]."+field)
			}
			if diff := cmp.Diff(want, BeyondSignOn(signOnPolicy(v1alpha1.SignInRule{Name: "fine"}, tt.rule))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}
