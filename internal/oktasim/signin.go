package oktasim

import (
	"net/netip"
	"slices"
)

// Attempt is a person at the door of an app.
type Attempt struct {
	// Login is the user's.
	Login string `json:"login"`
	// ClientID or AppID names the app.
	ClientID string `json:"clientID,omitempty"`
	AppID    string `json:"appID,omitempty"`
	// IP is where the person comes from; without one it is in no zone.
	IP     string `json:"ip,omitempty"`
	Device Device `json:"device,omitzero"`
	// Risk is LOW, MEDIUM or HIGH; LOW when it is empty.
	Risk string `json:"risk,omitempty"`
	// Factors are what the person shows, each of which must be enrolled and allowed by
	// the user's enrollment policy: password, which everybody has; email, sms, push,
	// totp, google_otp, webauthn; fastpass, which comes with an active push and needs a
	// registered device; security_question and voice, which nobody has.
	Factors []string `json:"factors,omitempty"`
	// UserVerified tells that fastpass or webauthn asked for a PIN or a fingerprint.
	UserVerified bool `json:"userVerified,omitempty"`

	// Server asks for an authorization code of this authorization server, with the
	// scopes, the redirect URI and the S256 challenge of PKCE that follow.
	Server        string   `json:"server,omitempty"`
	Scopes        []string `json:"scopes,omitempty"`
	RedirectURI   string   `json:"redirectURI,omitempty"`
	CodeChallenge string   `json:"codeChallenge,omitempty"`
}

// Decision is what the org says to an Attempt.
type Decision struct {
	Allowed bool `json:"allowed"`
	// The policy and the rule that decided; empty when none was asked, or none spoke.
	PolicyID   string `json:"policyID,omitempty"`
	PolicyName string `json:"policyName,omitempty"`
	RuleID     string `json:"ruleID,omitempty"`
	RuleName   string `json:"ruleName,omitempty"`
	// Why tells it in words.
	Why string `json:"why"`
	// Code is the authorization code that was asked for.
	Code string `json:"code,omitempty"`
}

// visit is an attempt whose names have been looked up.
type visit struct {
	Attempt
	user *user
	app  *app
	ip   netip.Addr
}

// SignIn lets a person in to an app, or does not. On Identity Engine the global
// session policy decides first and the app's policy after it; on Classic Engine there
// is only the first. Every attempt is the first of a new session.
func (o *Org) SignIn(a Attempt) Decision {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, why := o.lookUp(a)
	if why != "" {
		o.logStranger(v, why)
		return Decision{Why: why}
	}
	d := o.passSession(v)
	if d.Allowed && !o.options.Classic {
		d = o.passApp(v)
	}
	judged := d
	if d.Allowed && a.Server != "" {
		d.Code, why = o.issueCode(v)
		if why != "" {
			d.Allowed, d.Why = false, why
		}
	}
	o.logVisit(v, judged, d)
	return d
}

// lookUp finds what an attempt names, and refuses what no policy is asked about.
func (o *Org) lookUp(a Attempt) (visit, string) {
	v := visit{Attempt: a}
	var found bool
	if v.user, found = o.findUser(a.Login); !found {
		return v, "there is no user " + a.Login
	}
	if v.app, found = o.apps.get(a.AppID); !found {
		v.app, found = o.byClientID[a.ClientID]
	}
	switch {
	case v.user.status != userActive:
		return v, "the user is " + v.user.status
	case !found:
		return v, "there is no app " + a.AppID + a.ClientID
	case !v.app.active:
		return v, "the app is INACTIVE"
	case !v.app.interactive():
		return v, "the app is a service: nobody signs in to it"
	}
	if v.Risk == "" {
		v.Risk = "LOW"
	}
	if !slices.Contains([]string{"LOW", "MEDIUM", "HIGH"}, v.Risk) {
		return v, "there is no risk " + a.Risk
	}
	if a.IP != "" {
		var err error
		if v.ip, err = netip.ParseAddr(a.IP); err != nil {
			return v, "the IP address is not one: " + a.IP
		}
	}
	v.ip = v.ip.Unmap()
	if o.blocked(v.ip) {
		return v, "the IP address is in a zone that is blocked"
	}
	return v, o.checkFactors(v)
}

// checkFactors wants the factors shown to exist, and the user to have them.
func (o *Org) checkFactors(v visit) string {
	for i, name := range v.Factors {
		_, known := factorNamed(name, v)
		switch {
		case !known:
			return "the factor can't be shown: " + name
		case slices.Contains(v.Factors[:i], name):
			return "the factor " + name + " is shown twice"
		case !o.enrolled(v.user, name):
			return "the user has no active factor that the enrollment policy allows: " + name
		}
	}
	return ""
}

// ruleDenies is why nothing that a person could show would help.
const ruleDenies = "the rule denies it"

// decided is the decision of a rule.
func decided(p *orgPolicy, r *orgRule, why string) Decision {
	return Decision{
		Allowed: why == "", PolicyID: p.id, PolicyName: p.name(), RuleID: r.id, RuleName: r.name(), Why: orAllowed(why),
	}
}

func orAllowed(why string) string {
	if why == "" {
		return "the rule allows it"
	}
	return why
}

// passSession asks the global session policies: the first rule that matches, of the
// first policy for the user that has one, decides.
func (o *Org) passSession(v visit) Decision {
	for _, p := range o.orgPolicies(oktaSignOn) {
		if !p.active || !o.inAny(v.user, p.doc.texts("conditions", "people", "groups", "include")) {
			continue
		}
		for _, r := range p.rules {
			if r.active && o.matchesSession(r, v) {
				return decided(p, r, o.sessionWants(r, v))
			}
		}
	}
	return Decision{Why: "no rule of any global session policy matches"}
}

// sessionWants tells what a rule of a session policy misses, if anything.
func (o *Org) sessionWants(r *orgRule, v visit) string {
	signon := r.doc.object("actions", "signon")
	passwordFirst := o.options.Classic || signon.text("primaryFactor") == "PASSWORD_IDP"
	switch {
	case signon.text("access") == "DENY":
		return ruleDenies
	case passwordFirst && !slices.Contains(v.Factors, "password"):
		return "the rule wants the password"
	case len(v.Factors) == 0:
		return "no factor was shown"
	case signon.flag("requireFactor") && len(classes(v.shown())) < 2:
		return "the rule wants another factor besides the first"
	}
	return ""
}

// passApp asks the policy of the app. Its last rule catches what no other does.
func (o *Org) passApp(v visit) Decision {
	p := o.accessPolicyOf(v.app)
	if !p.active {
		return Decision{PolicyID: p.id, PolicyName: p.name(), Why: "the policy of the app is INACTIVE"}
	}
	for _, r := range p.rules {
		if !r.active || !o.matchesAccess(r, v) {
			continue
		}
		if r.doc.text("conditions", "elCondition", "condition") != "" {
			return decided(p, r, "the rule has an expression, and expressions are not evaluated here")
		}
		signOn := r.doc.object("actions", "appSignOn")
		if signOn.text("access") == "DENY" {
			return decided(p, r, ruleDenies)
		}
		return decided(p, r, verify(signOn.object("verificationMethod"), v.shown()))
	}
	return Decision{PolicyID: p.id, PolicyName: p.name(), Why: "no rule of the policy matches"}
}
