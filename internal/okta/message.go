package okta

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

// contact is where the org can reach a user.
type contact struct {
	Phone string `json:"mobilePhone"`
	Email string `json:"email"`
}

func (d *Directory) contactOf(ctx context.Context, person identity.Person) (contact, error) {
	var has struct {
		Profile contact `json:"profile"`
	}
	_, err := d.org.call(ctx, http.MethodGet, "/api/v1/users/"+url.PathEscape(person.ID), nil, &has)
	return has.Profile, err
}

// startMail enrols the address that the org has of the person, and has Okta believe that it
// is theirs, as it believes the profile.
func (d *Directory) startMail(ctx context.Context, person identity.Person) error {
	has, err := d.contactOf(ctx, person)
	if err != nil {
		return err
	}
	return d.enrolContact(ctx, person, url.Values{"activate": {"true"}}, object{
		"factorType": "email", "provider": "OKTA", "profile": object{"email": has.Email},
	})
}

// startText enrols a number. The one that stands in the person's profile Okta is to believe,
// too; to any other it sends a code: whoever may write the number down must not be able to
// put their own phone in the place of a person.
func (d *Directory) startText(ctx context.Context, person identity.Person, number identity.Secret) error {
	has, err := d.contactOf(ctx, person)
	if err != nil {
		return err
	}
	phone, query := has.Phone, url.Values{}
	if !number.IsZero() {
		phone = string(number.Reveal())
	}
	switch {
	case phone == "":
		return &identity.Error{
			Kind: identity.Rejected, Reason: identity.ReasonNoPhoneNumber,
			Message: "the person's profile in Okta has no mobile phone number",
		}
	case number.IsZero() || e164(has.Phone).Equal(number):
		query.Set("activate", "true")
	}
	begun, err := d.begunElsewhere(ctx, person, e164(phone))
	if err != nil {
		return err
	}
	if begun {
		query.Set("updatePhone", "true")
	}
	return d.enrolContact(ctx, person, query, object{
		"factorType": "sms", "provider": "OKTA", "profile": object{"phoneNumber": phone},
	})
}

// begunElsewhere tells that an enrolment of another number was begun and never finished,
// which the new one is to replace. A number that the person has proved to be theirs is not
// replaced: Okta also takes it for recovering a password.
func (d *Directory) begunElsewhere(ctx context.Context, person identity.Person, number identity.Secret) (bool, error) {
	seen, err := d.ObserveFactors(ctx, person)
	return slices.ContainsFunc(seen, func(f identity.FactorSeen) bool {
		return f.Kind == identity.FactorSMS && !f.Active && !f.Number.Equal(number)
	}), err
}

// enrolContact keeps to itself what Okta says of it, which may quote the number.
func (d *Directory) enrolContact(ctx context.Context, person identity.Person, query url.Values, body object) error {
	path := factorsOf(person.ID)
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	_, err := d.org.call(fault.WithPurpose(ctx, fault.ManageSecret), http.MethodPost, path, body, nil)
	return err
}

// e164 is a number without what people write into it; zero when some of it is hidden.
func e164(number string) identity.Secret {
	plain := []byte(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()/", r) {
			return -1
		}
		return r
	}, number))
	if !identity.IsE164(plain) {
		return identity.Secret{}
	}
	return identity.NewSecret(plain)
}
