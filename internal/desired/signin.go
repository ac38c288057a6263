package desired

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// PolicyMark is the mark of an AccessPolicy.
func PolicyMark(policy *v1alpha1.AccessPolicy, cluster string) identity.Mark {
	return identity.Mark{
		Cluster: cluster, Kind: "AccessPolicy", Namespace: policy.Namespace, Name: policy.Name,
		UID: string(policy.UID), Since: policy.CreationTimestamp.Unix(),
	}
}

// SignInName is the name of an AccessPolicy's sign-in policy.
func SignInName(mark identity.Mark) string { return fit(path(mark), maxPolicyName) }

// PeopleGrantName is the name of an AccessPolicy's access policy for people, beside those
// of roles.
func PeopleGrantName(mark identity.Mark) string { return fit(path(mark)+"/people", maxPolicyName) }

// AssurancePrefix begins the names of the device assurances that were made for an
// AccessPolicy, and of no other's.
func AssurancePrefix(mark identity.Mark) string { return fit(path(mark), maxPolicyName) + "/" }

// RoleOfRef is where a reference from a namespace points.
func RoleOfRef(ref v1alpha1.RoleReference, from string) types.NamespacedName {
	namespace := string(ref.Namespace)
	if namespace == "" {
		namespace = from
	}
	return types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}
}

// AssuranceRef names what a rule wants of the devices of one platform.
type AssuranceRef struct {
	Rule     string
	Platform v1alpha1.DevicePlatform
}

// Resolved are the directory's ids of what an AccessPolicy names.
type Resolved struct {
	Groups     map[types.NamespacedName]string
	Zones      map[v1alpha1.NetworkZoneName]string
	Assurances map[AssuranceRef]string
}

// SignInOf translates what an AccessPolicy says about people.
func SignInOf(policy *v1alpha1.AccessPolicy, cluster string, ids Resolved) identity.SignIn {
	conditional := policy.Spec.Conditional
	mark := PolicyMark(policy, cluster)
	signIn := identity.SignIn{Mark: mark, Name: SignInName(mark)}
	for i := range conditional.SignIn.Rules {
		rule := &conditional.SignIn.Rules[i]
		refs := rule.RoleRefs
		if len(refs) == 0 {
			refs = conditional.RoleRefs
		}
		one := identity.SignInRule{Name: rule.Name, Proof: proofOf(rule.With)}
		for _, ref := range refs {
			one.Groups = append(one.Groups, ids.Groups[RoleOfRef(ref, policy.Namespace)])
		}
		if rule.When != nil {
			addConditions(&one, rule, ids)
		}
		signIn.Rules = append(signIn.Rules, byRisk(one, rule.When)...)
	}
	return signIn
}

// PeopleOfRole is a role as far as people who sign in get tokens by it.
type PeopleOfRole struct {
	Name        string
	Group       string
	Permissions []string
	// Members are the ids of the people in it, as far as the role itself says who is.
	Members []string
}

// PeopleGrantOf gives every role's people its permissions, and whoever is in several those
// of all of them: of Okta's rules the first that has all that is asked for decides, and
// they do not add up.
func PeopleGrantOf(policy *v1alpha1.AccessPolicy, settings Settings, clients []string, roles []PeopleOfRole) identity.PeopleGrant {
	mark := PolicyMark(policy, settings.Cluster)
	grant := identity.PeopleGrant{Mark: mark, Name: PeopleGrantName(mark), Clients: clients, TokenLifetime: settings.TokenLifetime}
	for _, role := range roles {
		grant.Rules = append(grant.Rules, identity.PeopleRule{
			Name: fit(role.Name, maxPolicyName), Groups: []string{role.Group}, Permissions: role.Permissions,
		})
	}
	together := map[string][]string{}
	for person, in := range rolesByPerson(roles) {
		if len(in) > 1 {
			key := fmt.Sprint(in)
			together[key] = append(together[key], person)
		}
	}
	byPerson := rolesByPerson(roles)
	for _, key := range slices.Sorted(maps.Keys(together)) {
		people := together[key]
		slices.Sort(people)
		var names, permissions []string
		for _, i := range byPerson[people[0]] {
			names, permissions = append(names, roles[i].Name), append(permissions, roles[i].Permissions...)
		}
		slices.Sort(permissions)
		grant.Rules = append(grant.Rules, identity.PeopleRule{
			Name: fit(strings.Join(names, " and "), maxPolicyName), Users: people, Permissions: slices.Compact(permissions),
		})
	}
	return grant
}

// rolesByPerson gives for each person the roles, by their place, in their order.
func rolesByPerson(roles []PeopleOfRole) map[string][]int {
	in := map[string][]int{}
	for i, role := range roles {
		for _, person := range role.Members {
			in[person] = append(in[person], i)
		}
	}
	return in
}

func addConditions(one *identity.SignInRule, rule *v1alpha1.SignInRule, ids Resolved) {
	if zones := rule.When.NetworkZones; zones != nil {
		for _, name := range zones.Allow {
			one.FromZones = append(one.FromZones, ids.Zones[name])
		}
		for _, name := range zones.Deny {
			one.NotFromZones = append(one.NotFromZones, ids.Zones[name])
		}
	}
	for _, platform := range rule.When.Platforms {
		one.Platforms = append(one.Platforms, strings.ToUpper(string(platform)))
	}
	device := rule.When.Device
	if device == nil {
		return
	}
	// Every posture is one of a registered device.
	one.Registered = true
	one.Managed = slices.Contains(device.Posture, v1alpha1.PostureManaged)
	for _, assurance := range device.Assurances {
		one.Assurances = append(one.Assurances, ids.Assurances[AssuranceRef{rule.Name, assurance.Platform}])
	}
}

// byRisk makes a rule for each level: Okta's rules have one or any.
func byRisk(rule identity.SignInRule, when *v1alpha1.SignInConditions) []identity.SignInRule {
	const levels = 3
	if when == nil || len(when.RiskLevels) == 0 || len(when.RiskLevels) == levels {
		return []identity.SignInRule{rule}
	}
	var rules []identity.SignInRule
	for _, level := range when.RiskLevels {
		one := rule
		one.Risk = strings.ToUpper(string(level))
		if len(when.RiskLevels) > 1 {
			one.Name += "-" + strings.ToLower(string(level))
		}
		rules = append(rules, one)
	}
	return rules
}

func proofOf(with *v1alpha1.SignInProof) identity.Proof {
	proof := identity.Proof{TwoFactors: true, Reauthenticate: -1}
	if with == nil {
		return proof
	}
	proof.TwoFactors = with.FactorMode != v1alpha1.FactorModeOne
	for _, factor := range with.Factors {
		proof.Factors = append(proof.Factors, identity.FactorKind(factor))
	}
	for _, property := range with.Properties {
		proof.Properties = append(proof.Properties, identity.FactorProperty(property))
	}
	if with.ReauthenticateAfter != nil {
		proof.Reauthenticate = with.ReauthenticateAfter.Duration
	}
	return proof
}

// AssuranceOf translates what a rule of an AccessPolicy requires of a device.
func AssuranceOf(prefix, rule string, want v1alpha1.DeviceAssurance) identity.Assurance {
	need := want.Requirements
	return identity.Assurance{
		Name: prefix + rule + "/" + strings.ToLower(string(want.Platform)), Platform: strings.ToUpper(string(want.Platform)),
		MinimumOS: need.MinimumOSVersion, Encrypted: need.DiskEncryption == v1alpha1.RequirementRequired,
		Locked:         need.ScreenLock == v1alpha1.ScreenLockPasscode,
		Biometric:      need.ScreenLock == v1alpha1.ScreenLockBiometric,
		SecureHardware: need.SecureHardware == v1alpha1.RequirementRequired,
		Unbroken:       need.Jailbreak == v1alpha1.JailbreakForbidden,
	}
}
