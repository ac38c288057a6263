package oktasim

import (
	"slices"
	"strconv"
	"time"
)

// factor is a user's enrolment in one method of an authenticator. It is pending until
// the person has done their part.
type factor struct {
	meta
	owner  *user
	kind   factorKind
	active bool
	// target is the phone number or the address that codes are sent to.
	target string
	// secret is what the QR code holds.
	secret string
	// code is what activates a pending factor until expires, which for a push is when
	// the person can no longer scan the QR code.
	code    string
	expires time.Time
	// mails counts the messages with the link to set it up.
	mails int
}

// factorKind is one way to enrol.
type factorKind struct {
	name, provider string
	authenticator  string
	// classic names it in enrollment policies of the Classic Engine.
	classic string
	// prefix leads the factors' ids.
	prefix string
}

// The names of factors, which Okta calls factorType.
const (
	factorPush     = "push"
	factorSMS      = "sms"
	factorEmail    = "email"
	factorTOTP     = "token:software:totp"
	factorWebAuthn = "webauthn"
)

// The providers of factors.
const (
	providerOkta   = "OKTA"
	providerGoogle = "GOOGLE"
	providerFIDO   = "FIDO"
)

func factorKinds() []factorKind {
	return []factorKind{
		{factorPush, providerOkta, keyOktaVerify, "okta_push", "opf"},
		oktaVerifyCodes(),
		googleCodes(),
		{factorSMS, providerOkta, keyPhoneNumber, "okta_sms", "sms"},
		{factorEmail, providerOkta, keyOktaEmail, "okta_email", "emf"},
		{factorWebAuthn, providerFIDO, keyWebAuthn, "fido_webauthn", "fwf"},
	}
}

// oktaVerifyCodes is the kind that comes and goes with a push.
func oktaVerifyCodes() factorKind {
	return factorKind{factorTOTP, providerOkta, keyOktaVerify, "okta_otp", "ost"}
}

// googleCodes is the kind that has the same name as the codes of Okta Verify.
func googleCodes() factorKind {
	return factorKind{factorTOTP, providerGoogle, keyGoogleOTP, "google_otp", "ost"}
}

// selfActivating tells the factors that an admin may activate for the person.
func (k factorKind) selfActivating() bool { return k.name == factorSMS || k.name == factorEmail }

func (f *factor) status() string {
	if f.active {
		return "ACTIVE"
	}
	return "PENDING_ACTIVATION"
}

func (o *Org) enabled(key string) bool {
	return slices.ContainsFunc(o.authenticators.order, func(a *authenticator) bool {
		return a.key == key && a.active
	})
}

// of gives the user's factor of a kind; there is never more than one.
func (u *user) of(kind factorKind) *factor {
	for _, f := range u.factors {
		if f.kind == kind {
			return f
		}
	}
	return nil
}

// drop takes the user's factor of a kind away.
func (u *user) drop(kind factorKind) {
	u.factors = slices.DeleteFunc(u.factors, func(f *factor) bool { return f.kind == kind })
}

// usable tells a factor that its owner can prove themselves with at this time: it is
// active, and may still be enrolled in.
func (o *Org) usable(f *factor) bool { return f.active && o.allowed(f.owner, f.kind) }

// activeFactors names the factors of a user that are usable, each once.
func (o *Org) activeFactors(u *user) []string {
	var names []string
	for _, f := range u.factors {
		if o.usable(f) && !slices.Contains(names, f.kind.name) {
			names = append(names, f.kind.name)
		}
	}
	slices.Sort(names)
	return names
}

// findOwner takes a user's id only: what is below a user knows no logins.
func (o *Org) findOwner(c *call) (*user, error) {
	u, found := o.users.get(c.params["userId"])
	if !found {
		return nil, notFound(c.params["userId"], "User")
	}
	return u, nil
}

// findChangeable finds a user whose factors may be changed.
func (o *Org) findChangeable(c *call) (*user, error) {
	u, err := o.findOwner(c)
	if err != nil {
		return nil, err
	}
	if u.gone() || u.status == userSuspended {
		return nil, wrongState("The factors of a user who is " + u.status + " can't be changed.")
	}
	return u, nil
}

func (u *user) factor(id string) (*factor, error) {
	for _, f := range u.factors {
		if f.id == id {
			return f, nil
		}
	}
	return nil, notFound(id, "UserFactor")
}

// listFactors omits those whose authenticator is off, or not allowed by the user's
// enrollment policy any more.
func (o *Org) listFactors(c *call) (*reply, error) {
	u, err := o.findOwner(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, f := range u.factors {
		if o.allowed(u, f.kind) {
			rendered = append(rendered, o.renderFactor(f))
		}
	}
	return ok(rendered)
}

func (o *Org) getFactor(c *call) (*reply, error) {
	u, err := o.findOwner(c)
	if err != nil {
		return nil, err
	}
	f, err := u.factor(c.params["factorId"])
	if err != nil {
		return nil, err
	}
	return ok(o.renderFactor(f))
}

// deleteFactor unenrols. With a push, the codes of the same Okta Verify go. The number
// of a phone stays with the user unless the caller says otherwise.
func (o *Org) deleteFactor(c *call) (*reply, error) {
	u, err := o.findChangeable(c)
	if err != nil {
		return nil, err
	}
	f, err := u.factor(c.params["factorId"])
	if err != nil {
		return nil, err
	}
	forget, err := readFlag(c, "removeRecoveryEnrollment")
	if err != nil {
		return nil, err
	}
	if forget && f.kind.name != factorSMS {
		return nil, validation("removeRecoveryEnrollment", "removeRecoveryEnrollment: is for phones only")
	}
	o.logUnenrolled(o.caller(c), f)
	u.drop(f.kind)
	if f.kind.name == factorPush {
		u.drop(oktaVerifyCodes())
	}
	if forget {
		u.phone = ""
	}
	return noContent()
}

// listSupportedFactors gives what the user may enrol in.
func (o *Org) listSupportedFactors(c *call) (*reply, error) {
	u, err := o.findOwner(c)
	if err != nil {
		return nil, err
	}
	rendered := []any{}
	for _, kind := range factorKinds() {
		enrollment := o.enrollment(u, kind)
		if enrollment == enrollNever {
			continue
		}
		status := "NOT_SETUP"
		if f := u.of(kind); f != nil {
			status = f.status()
		}
		rendered = append(rendered, map[string]any{
			"factorType": kind.name, "provider": kind.provider, "vendorName": kind.provider, "status": status,
			"enrollment": enrollment, "_links": map[string]any{"enroll": o.link(u.factorsPath(), "POST")},
		})
	}
	return ok(rendered)
}

func (u *user) factorsPath() string { return "/api/v1/users/" + u.id + "/factors" }

// readFlag reads a query parameter that is false unless it is there.
func readFlag(c *call, name string) (bool, error) {
	text := c.query.Get(name)
	if text == "" {
		return false, nil
	}
	flag, err := strconv.ParseBool(text)
	if err != nil || text != strconv.FormatBool(flag) {
		return false, validation(name, name+": must be true or false")
	}
	return flag, nil
}
