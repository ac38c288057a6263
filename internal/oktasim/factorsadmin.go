package oktasim

import (
	"errors"
	"fmt"
)

// The person's side of factors: what they do with their phone or key, and no call tells.

// pending finds a factor that the person can still complete; an empty id is the push.
func (o *Org) pending(idOrLogin, factorID string) (*factor, error) {
	u, err := o.adminUser(idOrLogin)
	if err != nil {
		return nil, err
	}
	for _, f := range u.factors {
		if f.id != factorID && (factorID != "" || f.kind.name != factorPush) {
			continue
		}
		switch {
		case f.active:
			return nil, fmt.Errorf("completing factor %s: it is active", f.id)
		case f.expired(o.clock.Now()):
			return nil, fmt.Errorf("completing factor %s: its time is over", f.id)
		case !o.enabled(f.kind.authenticator):
			return nil, fmt.Errorf("completing factor %s: the authenticator %s is off", f.id, f.kind.authenticator)
		case !o.allowed(u, f.kind):
			return nil, fmt.Errorf("completing factor %s: the user's enrollment policy does not allow %s", f.id, f.kind.authenticator)
		case u.gone() || u.status == userSuspended:
			return nil, fmt.Errorf("completing factor %s: the user is %s", f.id, u.status)
		}
		return f, nil
	}
	return nil, fmt.Errorf("finding factor %q of user %s: there is none", factorID, idOrLogin)
}

// CompletePush is the person scanning the QR code of their pending push with Okta
// Verify, which from then on shows codes as well. The user is found by id or login.
func (o *Org) CompletePush(idOrLogin string) error { return o.CompleteFactor(idOrLogin, "") }

// CompleteFactor is the person doing what makes a pending factor active: scanning,
// typing the code in, touching the key. It fails when they no longer can.
func (o *Org) CompleteFactor(idOrLogin, factorID string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, err := o.pending(idOrLogin, factorID)
	if err != nil {
		return err
	}
	o.complete(o.person(f.owner), f, o.clock.Now())
	return nil
}

// FactorCode is what the person reads off their phone or mail to activate a pending
// factor with. That of an app does not follow from the shared secret.
func (o *Org) FactorCode(idOrLogin, factorID string) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, err := o.pending(idOrLogin, factorID)
	if err != nil {
		return "", err
	}
	if f.code == "" {
		return "", fmt.Errorf("reading the code of factor %s: a %s has none", f.id, f.kind.name)
	}
	return f.code, nil
}

// LastSMSCode is the code in the last text message to a user, found by id or login,
// whether it is still good or not.
func (o *Org) LastSMSCode(idOrLogin string) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	u, err := o.adminUser(idOrLogin)
	if err != nil {
		return "", err
	}
	if u.lastSMS == "" {
		return "", errors.New("reading a text message: there was none")
	}
	return u.lastSMS, nil
}

// ActiveFactors gives the types of the factors that a user, found by id or login, can
// sign in with at this time, sorted and each once. The password is not among them.
func (o *Org) ActiveFactors(idOrLogin string) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	u, err := o.adminUser(idOrLogin)
	if err != nil {
		return nil, err
	}
	return o.activeFactors(u), nil
}
