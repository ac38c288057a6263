package okta

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const accessPolicy = "ACCESS_POLICY"

func signInOf(owner identity.Mark, name string) orgPolicy {
	return orgPolicy{orgPolicies, accessPolicy, owner, name}
}

// PutSignIn implements identity.SignIns.
func (d *Directory) PutSignIn(ctx context.Context, want identity.SignIn) (string, error) {
	rules := make([]object, 0, len(want.Rules))
	for _, rule := range want.Rules {
		rules = append(rules, accessRule(rule))
	}
	deny := object{"actions": object{"appSignOn": object{"access": "DENY"}}}
	return d.ensureOrgPolicy(ctx, signInOf(want.Mark, want.Name), object{}, orgRules{wanted: rules, rest: deny})
}

// FindSignIn implements identity.SignIns.
func (d *Directory) FindSignIn(ctx context.Context, owner identity.Mark, name string) (string, error) {
	found, err := d.findOrgPolicies(ctx, signInOf(owner, name))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return text(found[0], "id"), nil
}

// DeleteSignIn implements identity.SignIns.
func (d *Directory) DeleteSignIn(ctx context.Context, owner identity.Mark, name string) error {
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	return d.deleteOrgPolicy(ctx, signInOf(owner, name))
}

// accessRule is a rule in Okta's words
// (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/).
func accessRule(rule identity.SignInRule) object {
	conditions := object{
		"people": object{
			"groups": object{"include": rule.Groups, "exclude": nil}, "users": object{"include": nil, "exclude": nil},
		},
		"elCondition": nil,
		"network":     network(rule.FromZones, rule.NotFromZones),
		"riskScore":   object{"level": "ANY"},
		"platform":    nil, "device": nil,
	}
	if rule.Registered {
		device := object{"registered": true, "managed": nil, "assurance": nil}
		if rule.Managed {
			device["managed"] = true
		}
		if len(rule.Assurances) > 0 {
			device["assurance"] = object{"include": rule.Assurances}
		}
		conditions["device"] = device
	}
	if rule.Risk != "" {
		conditions["riskScore"] = object{"level": rule.Risk}
	}
	if len(rule.Platforms) > 0 {
		conditions["platform"] = object{"include": platformsOf(rule.Platforms), "exclude": nil}
	}
	return object{
		"type": accessPolicy, "name": rule.Name, "conditions": conditions,
		"actions": object{"appSignOn": object{"access": "ALLOW", "verificationMethod": verification(rule.Proof)}},
	}
}

// network is from where a rule matches: of the two one at most is given.
func network(from, notFrom []string) object {
	switch {
	case len(from) > 0:
		return object{"connection": "ZONE", "include": from, "exclude": nil}
	case len(notFrom) > 0:
		return object{"connection": "ZONE", "exclude": notFrom, "include": nil}
	}
	return object{"connection": "ANYWHERE"}
}

func platformsOf(names []string) []any {
	mobile := map[string]bool{"ANDROID": true, "IOS": true}
	var all []any
	for _, name := range names {
		kind := "DESKTOP"
		switch {
		case mobile[name]:
			kind = "MOBILE"
		case name == "OTHER":
			kind = "OTHER"
		}
		all = append(all, object{"type": kind, "os": object{"type": name}})
	}
	return all
}

func verification(proof identity.Proof) object {
	method := object{"type": "ASSURANCE", "factorMode": "1FA", "constraints": nil, "reauthenticateIn": isoDuration(defaultProof)}
	if proof.TwoFactors {
		method["factorMode"] = "2FA"
	}
	if proof.Reauthenticate >= 0 {
		method["reauthenticateIn"] = isoDuration(proof.Reauthenticate)
	}
	if len(proof.Properties)+len(proof.Factors) == 0 {
		return method
	}
	possession := object{"authenticationMethods": nil}
	for property, name := range propertyNames() {
		possession[name] = nil
		if slices.Contains(proof.Properties, property) {
			possession[name] = "REQUIRED"
		}
	}
	if len(proof.Factors) > 0 {
		possession["authenticationMethods"] = methodsOf(proof.Factors)
	}
	method["constraints"] = []any{object{"possession": possession, "knowledge": nil}}
	return method
}

// defaultProof is how long a proof lasts when the policy does not say.
const defaultProof = 2 * time.Hour

func propertyNames() map[identity.FactorProperty]string {
	return map[identity.FactorProperty]string{
		identity.PhishingResistant: "phishingResistant", identity.HardwareProtected: "hardwareProtection",
		identity.DeviceBound: "deviceBound", identity.UserPresence: "userPresence", identity.UserVerification: "userVerification",
	}
}

// methodsOf are the ways to authenticate that count as one of the factors.
func methodsOf(factors []identity.FactorKind) []any {
	ways := map[identity.FactorKind][][2]string{
		identity.FactorPush:     {{"okta_verify", "push"}},
		identity.FactorSMS:      {{"phone_number", "sms"}},
		identity.FactorTOTP:     {{"okta_verify", "totp"}, {"google_otp", "otp"}},
		identity.FactorWebAuthn: {{"webauthn", "webauthn"}},
		identity.FactorEmail:    {{"okta_email", "email"}},
	}
	var methods []any
	for _, factor := range factors {
		for _, way := range ways[factor] {
			methods = append(methods, object{"key": way[0], "method": way[1]})
		}
	}
	return methods
}

// isoDuration writes whole minutes in the form of ISO 8601 that Okta gives back.
func isoDuration(d time.Duration) string {
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	var text strings.Builder
	text.WriteString("PT")
	if hours > 0 {
		fmt.Fprintf(&text, "%dH", hours)
	}
	if minutes > 0 || hours == 0 {
		fmt.Fprintf(&text, "%dM", minutes)
	}
	return text.String()
}
