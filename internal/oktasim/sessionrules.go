package oktasim

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// signOnRule is the kind of rules global session policies have, on both engines.
func signOnRule() ruleKind {
	return ruleKind{
		conditions: shape.Object{
			"people": peopleOfRule(), "network": networkShape(),
			"authContext":      shape.Object{"authType": shape.Enum{"ANY", "RADIUS"}},
			"identityProvider": shape.Object{"provider": shape.Enum{"ANY", "OKTA"}},
			"riskScore":        shape.Object{"level": shape.Enum{"ANY", "LOW", "MEDIUM", "HIGH"}},
			// Behaviors are not simulated: the list must be empty.
			"risk": shape.Object{"behaviors": shape.List{Of: shape.Enum{}}},
		},
		actions: shape.Object{"signon": shape.Object{
			"access": shape.Enum{"ALLOW", "DENY"}, "requireFactor": shape.Bool{}, "rememberDeviceByDefault": shape.Bool{},
			"factorPromptMode": shape.Enum{"ALWAYS", "DEVICE", "SESSION"}, "factorLifetime": shape.Int{Min: 0, Max: 1 << 20},
			"primaryFactor": shape.Enum{"PASSWORD_IDP", "PASSWORD_IDP_ANY_FACTOR"},
			"session": shape.Object{
				"usePersistentCookie":   shape.Bool{},
				"maxSessionIdleMinutes": shape.Int{Min: 1, Max: 1 << 20}, "maxSessionLifetimeMinutes": shape.Int{Min: 0, Max: 1 << 20},
			},
		}},
		defaults: signOnDefaults, check: checkSignOnRule,
		settle: func(doc document) {
			if doc.text("conditions", "riskScore", "level") != "" {
				doc.object("conditions")["risk"] = map[string]any{"behaviors": []any{}}
			}
		},
	}
}

func signOnDefaults(o *Org) document {
	signon := map[string]any{
		"requireFactor": false, "rememberDeviceByDefault": false,
		"session": map[string]any{"usePersistentCookie": false, "maxSessionIdleMinutes": 120.0, "maxSessionLifetimeMinutes": 0.0},
	}
	if !o.options.Classic {
		signon["primaryFactor"] = "PASSWORD_IDP_ANY_FACTOR"
	}
	return document{
		"conditions": map[string]any{
			"people":           map[string]any{"users": map[string]any{"exclude": []any{}}},
			"network":          map[string]any{"connection": "ANYWHERE"},
			"authContext":      map[string]any{"authType": "ANY"},
			"identityProvider": map[string]any{"provider": "ANY"},
		},
		"actions": map[string]any{"signon": signon},
	}
}

func checkSignOnRule(o *Org, body document) error {
	if err := o.checkRulePeople(body); err != nil {
		return err
	}
	if err := o.checkNetwork("conditions.network", body.object("conditions", "network")); err != nil {
		return err
	}
	const field = "actions.signon"
	signon := body.object("actions", "signon")
	mode := signon.text("factorPromptMode")
	switch {
	case signon.text("access") == "":
		return validation(field, field+".access: The field cannot be left blank")
	case signon.flag("requireFactor") && mode == "":
		return validation(field, field+".factorPromptMode: is required when requireFactor is true")
	case mode == "SESSION" && signon["factorLifetime"] == nil:
		return validation(field, field+".factorLifetime: is required for the factorPromptMode SESSION")
	case signon.text("primaryFactor") != "" && o.options.Classic:
		return validation(field, field+".primaryFactor: is for Identity Engine orgs only")
	}
	return nil
}

// enrollRule is the kind of rules authenticator enrollment policies have.
func enrollRule() ruleKind {
	return ruleKind{
		conditions: shape.Object{
			"people": shape.Object{"users": shape.Object{"exclude": identifiers()}}, "network": networkShape(),
		},
		actions: shape.Object{"enroll": shape.Object{
			"self": shape.Enum{"CHALLENGE", "LOGIN", "NEVER"},
		}},
		defaults: func(*Org) document {
			return document{"conditions": map[string]any{
				"people":  map[string]any{"users": map[string]any{"exclude": []any{}}},
				"network": map[string]any{"connection": "ANYWHERE"},
			}}
		},
		check: func(o *Org, body document) error {
			if err := o.checkRulePeople(body); err != nil {
				return err
			}
			if body.text("actions", "enroll", "self") == "" {
				return validation("actions.enroll", "actions.enroll.self: The field cannot be left blank")
			}
			return o.checkNetwork("conditions.network", body.object("conditions", "network"))
		},
		settle: func(document) {},
	}
}

// authenticatorKeys are those of all the org's authenticators, whether on or off.
func (o *Org) authenticatorKeys() []string {
	var keys []string
	for _, a := range o.authenticators.order {
		keys = append(keys, a.key)
	}
	return keys
}

// classicFactors are what users of a Classic Engine org can enroll.
func classicFactors() []string {
	return []string{
		"fido_webauthn", "google_otp", "okta_call", "okta_email", "okta_otp", "okta_password", "okta_push", "okta_question", "okta_sms",
		"duo", "fido_u2f", "hotp", "rsa_token", "symantec_vip", "yubikey_token",
	}
}

// enrollFields are the fields of an enrollment policy, which differ by engine.
func enrollFields(o *Org) shape.Object {
	enroll := shape.Object{"self": shape.Enum{enrollNever, enrollOptional, enrollRequired}}
	settings := shape.Object{
		"type":           shape.Enum{"AUTHENTICATORS"},
		"authenticators": shape.List{Of: shape.Object{"key": shape.Text{Min: 1}, "enroll": enroll}},
	}
	if o.options.Classic {
		factors := shape.Object{}
		for _, name := range classicFactors() {
			factors[name] = shape.Object{"enroll": enroll, "consent": shape.Object{"type": shape.Enum{"NONE"}}}
		}
		settings = shape.Object{"type": shape.Enum{"FACTORS"}, "factors": factors}
	}
	return shape.Object{"conditions": peopleOfPolicy(), "settings": settings}
}

func checkEnroll(o *Org, body document) error {
	if err := o.checkPolicyPeople(body); err != nil {
		return err
	}
	const field = "settings"
	if o.options.Classic {
		if len(body.object("settings", "factors")) == 0 {
			return validation(field, field+".factors: The field cannot be left blank")
		}
		return nil
	}
	all, _ := body.at("settings", "authenticators").([]any)
	if len(all) == 0 || body.text("settings", "type") == "" {
		return validation(field, field+": type and authenticators cannot be left blank")
	}
	var seen []string
	for _, each := range all {
		authenticator := document(each.(map[string]any))
		key := authenticator.text("key")
		switch {
		case !slices.Contains(o.authenticatorKeys(), key):
			return validation(field, field+".authenticators: There is no such authenticator: "+key)
		case !o.enabled(key):
			return validation(field, field+".authenticators: The authenticator is INACTIVE: "+key)
		case slices.Contains(seen, key):
			return validation(field, field+".authenticators: The authenticator is listed twice: "+key)
		case authenticator.text("enroll", "self") == "":
			return validation(field, field+".authenticators: enroll.self cannot be left blank")
		}
		seen = append(seen, key)
	}
	return nil
}

// settleEnroll lists every authenticator of the org: those that nobody named are not
// allowed, as recorded, and those that are off will not be when they are on. On Classic
// Engine the type is taken out.
func settleEnroll(o *Org, doc document) {
	settings := doc.object("settings")
	if o.options.Classic {
		delete(settings, "type")
		return
	}
	given := map[string]any{}
	all, _ := settings["authenticators"].([]any)
	for _, each := range all {
		given[document(each.(map[string]any)).text("key")] = each
	}
	complete := []any{}
	for _, key := range o.authenticatorKeys() {
		if given[key] == nil {
			given[key] = map[string]any{"key": key, "enroll": map[string]any{"self": enrollNever}}
		}
		complete = append(complete, given[key])
	}
	settings["authenticators"] = complete
}

// defaultEnrollment lets everybody enroll whatever the org offers, now or later.
func (o *Org) defaultEnrollment() document {
	self := func(key string) map[string]any {
		if key == keyOktaPassword {
			return map[string]any{"self": enrollRequired}
		}
		return map[string]any{"self": enrollOptional}
	}
	if o.options.Classic {
		factors := map[string]any{keyOktaPassword: map[string]any{"enroll": self(keyOktaPassword), "consent": map[string]any{"type": "NONE"}}}
		for _, kind := range factorKinds() {
			factors[kind.classic] = map[string]any{"enroll": self(kind.classic), "consent": map[string]any{"type": "NONE"}}
		}
		return document{"factors": factors}
	}
	var all []any
	for _, key := range o.authenticatorKeys() {
		all = append(all, map[string]any{"key": key, "enroll": self(key)})
	}
	return document{"type": "AUTHENTICATORS", "authenticators": all}
}
