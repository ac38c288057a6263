package oktasim

import (
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// accessRule is the kind of rules app sign-in policies have.
func accessRule() ruleKind {
	return ruleKind{
		conditions: shape.Object{
			"people": peopleOfRule(), "network": networkShape(),
			"device": shape.Object{
				"registered": shape.Bool{}, "managed": shape.Bool{}, "assurance": shape.Object{"include": identifiers()},
			},
			"riskScore": shape.Object{"level": shape.Enum{"ANY", "LOW", "MEDIUM", "HIGH"}},
			"platform":  shape.Object{"include": platforms(), "exclude": platforms()},
			"userType":  shape.Object{"include": identifiers(), "exclude": identifiers()},
			// What an expression says is not evaluated: SignIn tells so when it meets one.
			"elCondition": shape.Object{"condition": shape.Text{}},
		},
		actions: shape.Object{"appSignOn": shape.Object{
			"access": shape.Enum{"ALLOW", "DENY"},
			"keepMeSignedIn": shape.Object{
				"postAuth": shape.Enum{"ALLOWED", "NOT_ALLOWED"}, "postAuthPromptFrequency": duration(),
			},
			"verificationMethod": shape.Object{
				// Okta has AUTH_METHOD_CHAIN and ID_PROOFING as well.
				"type": shape.Enum{"ASSURANCE"}, "factorMode": shape.Enum{"1FA", "2FA"},
				"reauthenticateIn": duration(), "inactivityPeriod": duration(),
				"constraints": shape.List{Of: shape.Object{
					"knowledge": constraint(nil), "possession": constraint(characteristics()),
				}},
			},
		}},
		defaults: func(*Org) document { return accessRuleDefaults() },
		check:    checkAccessRule, settle: settleAccessRule,
	}
}

func platforms() shape.Shape {
	return shape.List{Of: shape.Object{
		"type": shape.Enum{"ANY", "DESKTOP", "MOBILE", "OTHER"},
		"os": shape.Object{
			"type": shape.Enum{"ANDROID", "ANY", "CHROMEOS", "IOS", "LINUX", "MACOS", "OTHER", "WINDOWS"},
			// An expression narrows OTHER down; none that does is simulated.
			"expression": shape.Enum{""},
		},
	}}
}

func constraint(more shape.Object) shape.Shape {
	methods := shape.List{Of: shape.Object{"key": shape.Text{Min: 1}, "method": shape.Text{Min: 1}}}
	all := shape.Object{
		"required": shape.Bool{}, "reauthenticateIn": duration(),
		"types": shape.List{Of: eitherCase("SECURITY_KEY", "PHONE", "EMAIL", "PASSWORD", "SECURITY_QUESTION", "APP", "FEDERATED")},
		"methods": shape.List{Of: eitherCase(
			"PASSWORD", "SECURITY_QUESTION", "SMS", "VOICE", "EMAIL", "PUSH", "SIGNED_NONCE", "OTP", "TOTP", "WEBAUTHN",
		)},
		// The precise methods: without a method, all of the authenticator's.
		"authenticationMethods": methods, "excludedAuthenticationMethods": methods,
	}
	for name, field := range more {
		all[name] = field
	}
	return all
}

// eitherCase is for words that Okta describes in capitals and is recorded to take,
// and to give back, in small letters.
func eitherCase(words ...string) shape.Shape {
	var all shape.Enum
	for _, word := range words {
		all = append(all, word, strings.ToLower(word))
	}
	return all
}

// characteristics are what a possession factor may be asked to be.
func characteristics() shape.Object {
	choice := shape.Enum{"OPTIONAL", "REQUIRED"}
	return shape.Object{
		"deviceBound": choice, "hardwareProtection": choice, "phishingResistant": choice, "userPresence": choice,
		"userVerification": choice,
	}
}

func accessRuleDefaults() document {
	return document{
		"conditions": map[string]any{
			"people":    map[string]any{"users": map[string]any{"exclude": []any{}}},
			"network":   map[string]any{"connection": "ANYWHERE"},
			"riskScore": map[string]any{"level": "ANY"},
			"userType":  map[string]any{"include": []any{}, "exclude": []any{}},
		},
		"actions": map[string]any{"appSignOn": map[string]any{
			"keepMeSignedIn":     map[string]any{"postAuth": "NOT_ALLOWED"},
			"verificationMethod": map[string]any{"reauthenticateIn": "PT12H"},
		}},
	}
}

// settleAccessRule takes out what is empty, as Okta does, and puts in what it adds to
// what is there.
func settleAccessRule(doc document) {
	conditions := doc.object("conditions")
	for _, name := range []string{"platform", "elCondition", "device"} {
		if len(conditions.object(name)) == 0 {
			delete(conditions, name)
		}
	}
	if platform := conditions.object("platform"); platform != nil {
		for _, list := range []string{"include", "exclude"} {
			if platform[list] == nil {
				platform[list] = []any{}
			}
		}
	}
	signOn := doc.object("actions", "appSignOn")
	if signOn.text("verificationMethod", "type") == "" {
		delete(signOn, "verificationMethod")
	}
	// Nulls within lists of objects have no place in an answer.
	for _, list := range []string{"include", "exclude"} {
		all, _ := conditions.at("platform", list).([]any)
		for _, each := range all {
			if os := document(each.(map[string]any)).object("os"); os != nil && os["expression"] == nil {
				delete(os, "expression")
			}
		}
	}
}

func checkAccessRule(o *Org, body document) error {
	if err := o.checkRulePeople(body); err != nil {
		return err
	}
	if err := o.checkNetwork("conditions.network", body.object("conditions", "network")); err != nil {
		return err
	}
	if err := o.checkDevice(body.object("conditions", "device")); err != nil {
		return err
	}
	const userType = "conditions.userType"
	for _, list := range []string{"include", "exclude"} {
		for _, id := range body.texts("conditions", "userType", list) {
			if id != o.userType() {
				return validation(userType, userType+"."+list+": Invalid user type id: "+id)
			}
		}
	}
	return checkAppSignOn(body.object("actions", "appSignOn"))
}

// userType is the id of the one type that all users have.
func (o *Org) userType() string { return "oty" + o.id[3:] }

func (o *Org) checkDevice(device document) error {
	const field = "conditions.device"
	registered := device.flag("registered")
	if device["managed"] != nil && !registered {
		return validation(field, field+".registered: must be true when managed is sent")
	}
	assurances := device.texts("assurance", "include")
	if len(assurances) > 0 && !registered {
		return validation(field, field+".registered: must be true when assurance is sent")
	}
	for _, id := range assurances {
		if _, found := o.assurances.get(id); !found {
			return validation(field, field+".assurance.include: Invalid device assurance id: "+id)
		}
	}
	return nil
}

func checkAppSignOn(signOn document) error {
	const field = "actions.appSignOn"
	if signOn.text("access") == "" {
		return validation(field, field+".access: The field cannot be left blank")
	}
	method := signOn.object("verificationMethod")
	if method == nil && signOn.text("access") == "ALLOW" {
		return validation(field, field+".verificationMethod: The field cannot be left blank")
	}
	for _, required := range []string{"type", "factorMode"} {
		if method != nil && method.text(required) == "" {
			return validation(field, field+".verificationMethod."+required+": The field cannot be left blank")
		}
	}
	constraints, _ := method["constraints"].([]any)
	for _, each := range constraints {
		if len(each.(map[string]any)) == 0 {
			return validation(field, field+".verificationMethod.constraints: A constraint must not be empty")
		}
	}
	return nil
}
