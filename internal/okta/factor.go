package okta

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// enrolledFor is how long the factors of a person are believed of whom nothing is
// waited for, and how long a refusal to enrol one is.
const enrolledFor = time.Hour

// factor is a second factor of a user, as listed.
type factor struct {
	ID       string    `json:"id"`
	Type     string    `json:"factorType"`
	Provider string    `json:"provider"`
	Status   string    `json:"status"`
	Created  time.Time `json:"created"`
	Profile  struct {
		Phone string `json:"phoneNumber"`
	} `json:"profile"`
}

// kind gives the factor in the terms of the port; "" for one that is of no interest.
func (f factor) kind() identity.FactorKind {
	switch {
	case f.Type == "push":
		return identity.FactorPush
	case f.Type == "sms":
		return identity.FactorSMS
	case strings.HasPrefix(f.Type, "token:software:totp"):
		return identity.FactorTOTP
	case f.Type == "webauthn":
		return identity.FactorWebAuthn
	case f.Type == "email":
		return identity.FactorEmail
	}
	return ""
}

// enrolments remember what was seen of people's factors.
type enrolments struct {
	mu      sync.Mutex
	seen    map[string]enrolled
	refused map[string]refusedFactor
	// texted is when we had a person sent a code last. Okta may keep the time at which an
	// enrolment was begun when the number of it is replaced.
	texted map[string]time.Time
}

type enrolled struct {
	factors []identity.FactorSeen
	looked  time.Time
}

type refusedFactor struct {
	err error
	at  time.Time
}

// fresh gives what is believed: for an hour, but while an enrolment is open for minutes.
func (e *enrolments) fresh(userID string, now time.Time) ([]identity.FactorSeen, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, is := e.seen[userID]
	lifetime := enrolledFor
	for _, f := range known.factors {
		if !f.Active {
			lifetime = revisit
		}
	}
	return known.factors, is && now.Sub(known.looked) < lifetime
}

func (e *enrolments) put(userID string, factors []identity.FactorSeen, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for other, known := range e.seen {
		if now.Sub(known.looked) >= enrolledFor {
			delete(e.seen, other)
		}
	}
	for i, f := range factors {
		if last := e.texted[userID]; f.Kind == identity.FactorSMS && last.After(f.Since) {
			factors[i].Since = last
		}
	}
	e.seen[userID] = enrolled{factors, now}
}

func (e *enrolments) forget(userID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.seen, userID)
}

// refusal is the last one, while it is believed.
func (e *enrolments) refusal(what string, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r, is := e.refused[what]; is && now.Sub(r.at) < enrolledFor {
		return r.err
	}
	delete(e.refused, what)
	return nil
}

func (e *enrolments) refuse(what string, err error, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for other, r := range e.refused {
		if now.Sub(r.at) >= enrolledFor {
			delete(e.refused, other)
		}
	}
	e.refused[what] = refusedFactor{err, now}
}

func (e *enrolments) text(userID string, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for other, at := range e.texted {
		if now.Sub(at) >= enrolledFor {
			delete(e.texted, other)
		}
	}
	e.texted[userID] = now
}

func factorsOf(userID string) string { return "/api/v1/users/" + url.PathEscape(userID) + "/factors" }

// ObserveFactors implements identity.Factors.
func (d *Directory) ObserveFactors(ctx context.Context, person identity.Person) ([]identity.FactorSeen, error) {
	if known, fresh := d.enrolments.fresh(person.ID, d.clock.Now()); fresh {
		return known, nil
	}
	var listed []factor
	if _, err := d.org.call(ctx, http.MethodGet, factorsOf(person.ID), nil, &listed); err != nil {
		return nil, err
	}
	var seen []identity.FactorSeen
	for _, f := range listed {
		if kind := f.kind(); kind != "" {
			seen = append(seen, identity.FactorSeen{
				Kind: kind, Active: f.Status == statusActive, Since: f.Created, Number: e164(f.Profile.Phone),
			})
		}
	}
	d.enrolments.put(person.ID, seen, d.clock.Now())
	return seen, nil
}

// StartFactor implements identity.Factors.
func (d *Directory) StartFactor(ctx context.Context, person identity.Person, kind identity.FactorKind, number identity.Secret) error {
	sum := sha256.Sum256(number.Reveal())
	what := person.ID + " " + string(kind) + " " + hex.EncodeToString(sum[:])
	if err := d.enrolments.refusal(what, d.clock.Now()); err != nil {
		return err
	}
	err := d.startFactor(ctx, person, kind, number)
	d.enrolments.forget(person.ID)
	if kind == identity.FactorSMS && (err == nil || identity.KindOf(err) == identity.Unavailable) {
		d.enrolments.text(person.ID, d.clock.Now())
	}
	if identity.KindOf(err) == identity.Rejected {
		d.enrolments.refuse(what, err, d.clock.Now())
	}
	return err
}

func (d *Directory) startFactor(ctx context.Context, person identity.Person, kind identity.FactorKind, number identity.Secret) error {
	switch kind {
	case identity.FactorPush:
		return d.startPush(ctx, person)
	case identity.FactorSMS:
		return d.startText(ctx, person, number)
	case identity.FactorEmail:
		return d.startMail(ctx, person)
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonInvalidRequest,
		Message: fmt.Sprintf("a factor %s is set up by the person alone, at the next sign-in", kind),
	}
}

// startPush has Okta mail the person the link by which Okta Verify is set up. Nobody else
// ever sees it.
func (d *Directory) startPush(ctx context.Context, person identity.Person) error {
	var made factor
	body := map[string]any{"factorType": "push", "provider": "OKTA"}
	if _, err := d.org.call(ctx, http.MethodPost, factorsOf(person.ID), body, &made); err != nil {
		return err
	}
	if made.ID == "" {
		return incomplete()
	}
	// Okta's answer has this link, and does not promise that it is the only one.
	_, err := d.org.call(ctx, http.MethodPost, factorsOf(person.ID)+"/"+url.PathEscape(made.ID)+"/lifecycle/activate/email", nil, nil)
	return err
}
