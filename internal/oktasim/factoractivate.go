package oktasim

import (
	"net/http"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

func activationShape() shape.Shape {
	return shape.Object{"passCode": shape.Text{Min: 1}, "attestation": shape.Text{}, "clientData": shape.Text{}}
}

func wrongCode() *refusal {
	return &refusal{
		status: http.StatusForbidden, code: "E0000068", summary: "Invalid Passcode/Answer",
		causes: []string{"Your passcode doesn't match our records. Please try again."},
	}
}

// A user has so many attempts at activation within so much time.
const (
	activationAttempts = 5
	activationWindow   = 5 * time.Minute
)

// attempt counts an attempt of a user to activate a factor.
func (u *user) attempt(now time.Time) error {
	u.attempts = slices.DeleteFunc(u.attempts, func(t time.Time) bool { return now.Sub(t) >= activationWindow })
	if len(u.attempts) >= activationAttempts {
		return tooManyRequests()
	}
	u.attempts = append(u.attempts, now)
	return nil
}

func (o *Org) findPending(c *call) (*factor, error) {
	u, err := o.findChangeable(c)
	if err != nil {
		return nil, err
	}
	f, err := u.factor(c.params["factorId"])
	if err != nil {
		return nil, err
	}
	switch {
	case !o.enabled(f.kind.authenticator):
		return nil, accessDenied("The authenticator " + f.kind.authenticator + " is not active.")
	case !o.allowed(u, f.kind):
		return nil, accessDenied("The enrollment policy of the user does not allow " + f.kind.authenticator + ".")
	}
	return f, nil
}

// activateFactor is for who has the code. A push is not activated but waited for: it
// begins again when its time is over.
func (o *Org) activateFactor(c *call) (*reply, error) {
	f, err := o.findPending(c)
	if err != nil {
		return nil, err
	}
	if err := f.owner.attempt(c.now); err != nil {
		return nil, err
	}
	if f.kind.name == factorPush {
		return o.restartPush(c, f)
	}
	body, err := parse(c, activationShape(), "factorActivateRequest")
	if err != nil {
		return nil, err
	}
	switch {
	case f.active:
		return nil, wrongState("The factor is active.")
	case f.kind.name == factorWebAuthn && (body.text("attestation") == "" || body.text("clientData") == ""):
		return nil, validation("factorActivateRequest", "attestation and clientData: The fields cannot be left blank")
	case f.kind.name != factorWebAuthn && body.text("passCode") == "":
		return nil, validation("passCode", "passCode: The field cannot be left blank")
	case f.kind.name == factorWebAuthn, body.text("passCode") != f.code, f.expired(c.now):
		// No attestation is ever right: only the person holds the key.
		return nil, wrongCode()
	}
	o.complete(o.caller(c), f, c.now)
	return ok(o.renderFactor(f))
}

func (o *Org) restartPush(c *call, f *factor) (*reply, error) {
	if len(c.body) > 0 {
		if _, err := parse(c, shape.Object{}, "factorActivateRequest"); err != nil {
			return nil, err
		}
	}
	if !f.active && f.expired(c.now) {
		if err := o.start(f, c.now); err != nil {
			return nil, err
		}
		f.secret = randomText(o.random, 20)
		f.touch(c.now)
	}
	return ok(o.renderPush(f, c.now))
}

// pollFactor tells how the activation of a push stands. Okta has it in its links and
// not in its description.
func (o *Org) pollFactor(c *call) (*reply, error) {
	f, err := o.findPending(c)
	if err != nil {
		return nil, err
	}
	if f.kind.name != factorPush {
		return nil, noSuchPath()
	}
	return ok(o.renderPush(f, c.now))
}

func (o *Org) renderPush(f *factor, now time.Time) map[string]any {
	switch {
	case f.active:
		return o.renderFactor(f)
	case f.expired(now):
		return o.renderTimeout(f)
	}
	return o.renderWaiting(f)
}

// complete makes a factor active. A phone that Okta Verify has been set up on for
// pushes shows codes as well.
func (o *Org) complete(by source, f *factor, now time.Time) {
	f.active, f.code, f.expires = true, "", time.Time{}
	f.touch(now)
	o.logEnrolled(by, f)
	codes := oktaVerifyCodes()
	if has := f.owner.of(codes); f.kind.name != factorPush || has != nil && has.active {
		return
	}
	f.owner.drop(codes)
	shown := &factor{meta: o.newMeta(codes.prefix, now), owner: f.owner, kind: codes, active: true, secret: f.secret}
	f.owner.factors = append(f.owner.factors, shown)
	o.logEnrolled(by, shown)
}
