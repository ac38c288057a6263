package oktasim

import (
	"slices"
	"strings"
)

// shownFactor is a proof that a person shows, as policies see it.
type shownFactor struct {
	// key and method name it as policies do, kind is the authenticator's type.
	key, method, kind string
	// classes are knowledge, possession and inherence: what it proves.
	classes []string
	// traits are the characteristics that a policy may ask for.
	traits []string
}

// factorNamed knows the factors. What they are is Okta's table of factor types and
// their characteristics; where it depends on a device, the attempt tells.
func factorNamed(name string, v visit) (shownFactor, bool) {
	known := map[string]shownFactor{
		"password":          {"okta_password", "password", "password", []string{"knowledge"}, nil},
		"security_question": {"security_question", "security_question", "security_question", []string{"knowledge"}, nil},
		"email":             {"okta_email", "email", "email", nil, nil},
		"sms":               {"phone_number", "sms", "phone", nil, nil},
		"voice":             {"phone_number", "voice", "phone", nil, nil},
		"push":              {"okta_verify", "push", "app", nil, []string{"deviceBound"}},
		"totp":              {"okta_verify", "totp", "app", nil, []string{"deviceBound"}},
		"google_otp":        {"google_otp", "otp", "app", nil, []string{"deviceBound"}},
		"fastpass":          {"okta_verify", "signed_nonce", "app", nil, []string{"deviceBound", "phishingResistant"}},
		"webauthn": {
			"webauthn", "webauthn", "security_key", nil, []string{"deviceBound", "phishingResistant", "hardwareProtection"},
		},
	}
	f, found := known[name]
	if !found || name == "fastpass" && !v.Device.Registered {
		return f, false
	}
	if f.classes == nil {
		f.classes = []string{"possession"}
		f.traits = append(f.traits, "userPresence")
	}
	if name == "fastpass" && v.Device.SecureHardware {
		f.traits = append(f.traits, "hardwareProtection")
	}
	if slices.Contains(f.traits, "phishingResistant") && v.UserVerified {
		f.classes = append(f.classes, "inherence")
		f.traits = append(f.traits, "userVerification")
	}
	return f, true
}

// enrolled tells whether a user has a factor that can be shown. Everybody has a password.
// FastPass comes with the same Okta Verify as a push. Security questions and calls are
// known to policies and cannot be enrolled here, so nobody has them.
func (o *Org) enrolled(u *user, name string) bool {
	kinds := map[string]factorKind{"totp": oktaVerifyCodes(), "google_otp": googleCodes()}
	for _, kind := range factorKinds() {
		if kind.name != factorTOTP {
			kinds[kind.name] = kind
		}
	}
	kinds["fastpass"] = kinds[factorPush]
	f := u.of(kinds[name])
	return name == "password" || f != nil && o.usable(f)
}

// shown gives the factors of an attempt; they are known to exist.
func (v visit) shown() []shownFactor {
	var all []shownFactor
	for _, name := range v.Factors {
		f, _ := factorNamed(name, v)
		all = append(all, f)
	}
	return all
}

// classes are what factors prove together.
func classes(factors []shownFactor) []string {
	var all []string
	for _, f := range factors {
		all = append(all, f.classes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// verify tells what factors miss of a verification method, if anything. Of its
// constraints one must hold, and of that one everything.
func verify(method document, shown []shownFactor) string {
	constraints, _ := method["constraints"].([]any)
	wanted := map[string]int{"1FA": 1, "2FA": 2}[method.text("factorMode")]
	if len(constraints) == 0 {
		constraints = []any{map[string]any{}}
	}
	for _, each := range constraints {
		if suffices(each.(map[string]any), shown, wanted) {
			return ""
		}
	}
	return "the rule wants " + method.text("factorMode") + " under its constraints, and these factors are not that: " + names(shown)
}

func names(shown []shownFactor) string {
	all := []string{"none"}
	for i, f := range shown {
		if i == 0 {
			all = nil
		}
		all = append(all, f.method)
	}
	return strings.Join(all, ", ")
}

// suffices counts what is proved by the factors that a constraint lets count. A
// constraint on knowledge, or possession, also requires it, unless it says otherwise.
func suffices(constraint document, shown []shownFactor, wanted int) bool {
	var counting []shownFactor
	for _, f := range shown {
		if limit := constraint.object(f.classes[0]); limit == nil || f.fulfils(limit) {
			counting = append(counting, f)
		}
	}
	proved := classes(counting)
	for _, class := range []string{"knowledge", "possession"} {
		limit := constraint.object(class)
		if limit == nil || limit["required"] == false || len(limit.texts("excludedAuthenticationMethods")) > 0 && limit["required"] == nil {
			continue
		}
		if !slices.Contains(proved, class) {
			return false
		}
	}
	return len(proved) >= wanted
}

// fulfils holds a factor against a constraint of its class.
func (f shownFactor) fulfils(limit document) bool {
	for _, trait := range []string{"deviceBound", "hardwareProtection", "phishingResistant", "userPresence", "userVerification"} {
		if limit.text(trait) == "REQUIRED" && !slices.Contains(f.traits, trait) {
			return false
		}
	}
	within := func(field, value string) bool {
		allowed := limit.texts(field)
		return len(allowed) == 0 || slices.ContainsFunc(allowed, func(word string) bool { return strings.EqualFold(word, value) })
	}
	allowed, _ := limit["authenticationMethods"].([]any)
	excluded, _ := limit["excludedAuthenticationMethods"].([]any)
	return within("types", f.kind) && within("methods", f.method) && !slices.ContainsFunc(excluded, f.is) &&
		(len(allowed) == 0 || slices.ContainsFunc(allowed, f.is))
}

// is tells whether a factor is the one that a rule names precisely.
func (f shownFactor) is(named any) bool {
	precise := document(named.(map[string]any))
	method := precise.text("method")
	return precise.text("key") == f.key && (method == "" || strings.EqualFold(method, f.method))
}
