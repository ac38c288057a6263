package oktasim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// authenticator is a way to prove oneself that the org may let people use.
type authenticator struct {
	meta
	key, kind, name string
	settings        document
	active          bool
}

// The keys of the authenticators that every org has. Nobody can enrol in a security
// question here.
const (
	keyOktaEmail        = "okta_email"
	keyGoogleOTP        = "google_otp"
	keyOktaVerify       = "okta_verify"
	keyOktaPassword     = "okta_password"
	keyPhoneNumber      = "phone_number"
	keySecurityQuestion = "security_question"
	keyWebAuthn         = "webauthn"
)

// DefaultAuthenticators are on in a new org, as in the recorded ones.
func DefaultAuthenticators() []string {
	return []string{keyOktaEmail, keyOktaVerify, keyOktaPassword, keyPhoneNumber}
}

func newAuthenticators() []*authenticator {
	return []*authenticator{
		{key: keyOktaEmail, kind: "email", name: "Email", settings: document{"allowedFor": "any", "tokenLifetimeInMinutes": 5}},
		{key: keyGoogleOTP, kind: "app", name: "Google Authenticator", settings: document{}},
		{key: keyOktaVerify, kind: "app", name: "Okta Verify", settings: document{
			"compliance":       map[string]any{"fips": "OPTIONAL"},
			"channelBinding":   map[string]any{"style": "NUMBER_CHALLENGE", "required": "HIGH_RISK_ONLY"},
			"userVerification": "PREFERRED", "appInstanceId": "",
		}},
		{key: keyOktaPassword, kind: "password", name: "Password"},
		{key: keyPhoneNumber, kind: "phone", name: "Phone", settings: document{"allowedFor": "any"}},
		{key: keySecurityQuestion, kind: "security_question", name: "Security Question", settings: document{"allowedFor": "recovery"}},
		{key: keyWebAuthn, kind: "security_key", name: "Security Key or Biometric"},
	}
}

func (o *Org) addAuthenticators() {
	for _, a := range newAuthenticators() {
		a.meta = o.newMeta("aut", o.longAgo())
		o.authenticators.add(a)
	}
	if err := o.enable(o.options.Authenticators, o.longAgo()); err != nil {
		panic(err)
	}
}

// enable switches the named authenticators on and the others off. The password is
// always on: Okta gives no link to deactivate it.
func (o *Org) enable(keys []string, now time.Time) error {
	for _, key := range keys {
		if !slices.ContainsFunc(o.authenticators.order, func(a *authenticator) bool { return a.key == key }) {
			return fmt.Errorf("enabling authenticator %s: there is none", key)
		}
	}
	for _, a := range o.authenticators.order {
		active := a.key == keyOktaPassword || slices.Contains(keys, a.key)
		if active != a.active {
			a.touch(now)
		}
		a.active = active
	}
	o.options.Authenticators = slices.Clone(keys)
	return nil
}

// SetAuthenticators says which authenticators people may enrol in and use from now on.
func (o *Org) SetAuthenticators(keys ...string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.switchAuthenticators(keys)
}

// switchAuthenticators is enable, once the org has begun.
func (o *Org) switchAuthenticators(keys []string) error {
	before := map[string]bool{}
	for _, a := range o.authenticators.order {
		before[a.key] = a.active
	}
	if err := o.enable(keys, o.clock.Now()); err != nil {
		return err
	}
	for _, a := range o.authenticators.order {
		switch {
		case a.active && !before[a.key]:
			o.log(o.console(), authenticatorOn, a)
		case !a.active && before[a.key]:
			o.log(o.console(), authenticatorOff, a)
		}
	}
	return nil
}

// unlicensed tells the operations of a feature that the org has not got: recorded orgs
// without network zones or authorization servers answer them with 401 E0000015.
func (o *Org) unlicensed(template string) bool {
	return o.options.NoAPIAccessManagement && strings.HasPrefix(template, "/api/v1/authorizationServers") ||
		o.options.Classic && strings.HasPrefix(template, "/api/v1/authenticators")
}

// listAuthenticators gives all of them: the list has no pages.
func (o *Org) listAuthenticators(*call) (*reply, error) {
	rendered := []any{}
	for _, a := range o.authenticators.order {
		rendered = append(rendered, o.renderAuthenticator(a))
	}
	return ok(rendered)
}

func (o *Org) getAuthenticator(c *call) (*reply, error) {
	a, found := o.authenticators.get(c.params["authenticatorId"])
	if !found {
		return nil, notFound(c.params["authenticatorId"], "Authenticator")
	}
	return ok(o.renderAuthenticator(a))
}

func (o *Org) renderAuthenticator(a *authenticator) map[string]any {
	self := "/api/v1/authenticators/" + a.id
	links := map[string]any{"self": o.link(self, "GET", "PUT"), "methods": o.link(self+"/methods", "GET")}
	switch {
	case a.key == keyOktaPassword:
	case a.active:
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	default:
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
	}
	if a.key == keyOktaVerify {
		links["enroll"] = o.link("/idp/authenticators", "POST")
	}
	rendered := map[string]any{
		"type": a.kind, "id": a.id, "key": a.key, "status": statusOf(a.active), "name": a.name,
		"created": stamp(a.created), "lastUpdated": stamp(a.updated), "_links": links,
	}
	if a.settings != nil {
		rendered["settings"] = map[string]any(a.settings)
	}
	return rendered
}
