package oktasim

import (
	"regexp"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// enrollRequest is what Okta calls the body of an enrolment in its errors.
const enrollRequest = "factorEnrollRequest"

func factorShape() shape.Shape {
	return shape.Object{
		"id": shape.ReadOnly{}, "status": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{},
		"vendorName": shape.ReadOnly{}, "_links": shape.ReadOnly{}, "_embedded": shape.ReadOnly{},
		"factorType": shape.Text{Min: 1}, "provider": shape.Text{Min: 1},
		"profile": shape.Object{"phoneNumber": shape.Text{}, "email": shape.Text{Max: 100}},
	}
}

// enrolment is what a request to enrol wishes.
type enrolment struct {
	owner               *user
	kind                factorKind
	target              string
	activate, newNumber bool
}

func (o *Org) enrollFactor(c *call) (*reply, error) {
	u, err := o.findChangeable(c)
	if err != nil {
		return nil, err
	}
	wish, err := readEnrolment(c, u)
	if err != nil {
		return nil, err
	}
	if !o.allowed(u, wish.kind) {
		return nil, validation(enrollRequest, "Factor not allowed for the user based on the Multifactor policy.")
	}
	if err := wish.admissible(); err != nil {
		return nil, err
	}
	f, err := o.enrol(wish, c.now)
	if err != nil {
		return nil, err
	}
	o.logEnrolled(o.caller(c), f)
	return ok(o.renderEnrolled(f))
}

func readEnrolment(c *call, u *user) (enrolment, error) {
	wish := enrolment{owner: u}
	body, err := parse(c, factorShape(), enrollRequest)
	if err != nil {
		return wish, err
	}
	if wish.kind, err = readFactorKind(body); err != nil {
		return wish, err
	}
	if wish.activate, err = readFlag(c, "activate"); err != nil {
		return wish, err
	}
	if wish.newNumber, err = readFlag(c, "updatePhone"); err != nil {
		return wish, err
	}
	if wish.activate && !wish.kind.selfActivating() {
		return wish, validation("activate", "activate: a factor of type "+wish.kind.name+" can't be activated on enrollment")
	}
	if wish.newNumber && wish.kind.name != factorSMS {
		return wish, validation("updatePhone", "updatePhone: is for phones only")
	}
	wish.target, err = readTarget(wish.kind, body.object("profile"), u)
	return wish, err
}

func readFactorKind(body document) (factorKind, error) {
	name, provider := body.text("factorType"), body.text("provider")
	if name == "" || provider == "" {
		return factorKind{}, validation(enrollRequest, "factorType and provider: The fields cannot be left blank")
	}
	for _, kind := range factorKinds() {
		if kind.name == name && kind.provider == provider {
			return kind, nil
		}
	}
	bad := validation(enrollRequest, "factorType "+name+" of provider "+provider+" is not simulated.")
	bad.unknown = []string{"factorType " + name + " of provider " + provider}
	return factorKind{}, bad
}

// readTarget reads where the codes go. Of a factor that sends none, the profile is the
// org's affair.
func readTarget(kind factorKind, profile document, u *user) (string, error) {
	phone, address := profile.text("phoneNumber"), profile.text("email")
	switch {
	case kind.name != factorSMS && phone != "", kind.name != factorEmail && address != "":
		return "", validation(enrollRequest, "profile: has a field that a factor of type "+kind.name+" has not")
	case kind.name == factorSMS && phone == "":
		return "", validation(enrollRequest, "phoneNumber: The field cannot be left blank")
	case kind.name == factorSMS && !regexp.MustCompile(`^\+[1-9]\d{7,13}$`).MatchString(phone):
		return "", badPhone()
	case kind.name == factorEmail && !strings.EqualFold(address, u.email):
		return "", validation("Only verified primary or secondary email can be enrolled.")
	}
	return phone + address, nil
}

// admissible holds an enrolment against what the user has: one factor of each kind,
// and one phone.
func (e enrolment) admissible() error {
	has := e.owner.of(e.kind)
	active := has != nil && has.active
	switch {
	case e.kind.name == factorSMS && e.owner.phone != "" && e.owner.phone != e.target && (active || !e.newNumber):
		return validation(enrollRequest, "There is an existing verified phone number.")
	case active:
		return validation(enrollRequest, "A factor of this type is already set up.")
	}
	return nil
}

// How long a person has to complete an enrolment.
const (
	pushLifetime = 10 * time.Minute
	codeLifetime = 5 * time.Minute
)

// enrol replaces a factor that was pending.
func (o *Org) enrol(wish enrolment, now time.Time) (*factor, error) {
	f := &factor{
		meta: o.newMeta(wish.kind.prefix, now), owner: wish.owner, kind: wish.kind, target: wish.target, active: wish.activate,
		secret: randomText(o.random, 20),
	}
	if !f.active {
		if err := o.start(f, now); err != nil {
			return nil, err
		}
	}
	if f.kind.name == factorSMS {
		f.owner.phone = f.target
	}
	f.owner.drop(f.kind)
	f.owner.factors = append(f.owner.factors, f)
	return f, nil
}

// start begins the time in which a factor can be activated.
func (o *Org) start(f *factor, now time.Time) error {
	switch f.kind.name {
	case factorPush:
		f.expires = now.Add(pushLifetime)
	case factorSMS, factorEmail:
		f.expires = now.Add(codeLifetime)
		f.code = o.newCode()
		return o.sendCode(f, now)
	case factorTOTP:
		f.code = o.newCode()
	}
	return nil
}

func (f *factor) expired(now time.Time) bool { return !f.expires.IsZero() && !now.Before(f.expires) }
