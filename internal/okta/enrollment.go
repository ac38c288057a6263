package okta

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const mfaEnroll = "MFA_ENROLL"

// authenticatorKey names the authenticator behind a factor, by Okta's key. Codes come
// from Okta Verify or from another app.
func authenticatorKey(kind identity.FactorKind, active []string) (string, bool) {
	keys := map[identity.FactorKind][]string{
		identity.FactorPush: {"okta_verify"}, identity.FactorSMS: {"phone_number"}, identity.FactorTOTP: {"google_otp", "okta_verify"},
		identity.FactorWebAuthn: {"webauthn"}, identity.FactorEmail: {"okta_email"},
	}[kind]
	for _, key := range keys {
		if slices.Contains(active, key) {
			return key, true
		}
	}
	return strings.Join(keys, " or "), false
}

// PutEnrollment implements identity.Enrollments. Everything else the org has stays open to the
// members: Okta asks the first policy that has them, and forbids what that does not name.
func (d *Directory) PutEnrollment(ctx context.Context, want identity.Enrollment) (string, error) {
	byApp, err := d.AsksByApp(ctx)
	switch {
	case err != nil:
		return "", err
	case !byApp:
		return "", &identity.Error{
			Kind: identity.Rejected, Reason: identity.ReasonFeatureUnavailable, RetryAfter: verifiedFor,
			Message: "the Okta organization has no Identity Engine: enrolments are started, and members are not asked for them at a sign-in; " +
				"say mfa.enroll: Watch, and what they must enrol in a policy of your own",
		}
	}
	authenticators, err := d.authenticators.get(ctx)
	if err != nil {
		return "", err
	}
	required := []string{"okta_password"}
	for _, kind := range want.Required {
		key, active := authenticatorKey(kind, authenticators)
		if !active {
			return "", &identity.Error{
				Kind: identity.Rejected, Reason: identity.ReasonFeatureUnavailable,
				Message: "the authenticator " + key + ", which the factor " + string(kind) + " needs, is not active in the Okta organization; " +
					"activate it under Security > Authenticators, or leave the factor out",
			}
		}
		required = append(required, key)
	}
	var settings []any
	for _, key := range authenticators {
		self := "OPTIONAL"
		if slices.Contains(required, key) {
			self = "REQUIRED"
		}
		settings = append(settings, object{"key": key, "enroll": object{"self": self}})
	}
	body := object{
		"conditions": forGroups([]string{want.Group}),
		"settings":   object{"type": "AUTHENTICATORS", "authenticators": settings},
	}
	rule := object{
		"type": mfaEnroll, "name": want.Name,
		"conditions": object{"network": object{"connection": "ANYWHERE"}},
		"actions":    object{"enroll": object{"self": "CHALLENGE"}},
	}
	return d.ensureOrgPolicy(ctx, orgPolicy{orgPolicies, mfaEnroll, want.Mark, want.Name}, body, orgRules{wanted: []object{rule}, first: 1})
}

// DeleteEnrollment implements identity.Enrollments.
func (d *Directory) DeleteEnrollment(ctx context.Context, owner identity.Mark, name string) error {
	if !d.granting.TryLock() {
		return busy()
	}
	defer d.granting.Unlock()
	return d.deleteOrgPolicy(ctx, orgPolicy{orgPolicies, mfaEnroll, owner, name})
}

// authenticatorList remembers which authenticators are active.
type authenticatorList struct {
	org   *org
	clock clock.PassiveClock

	mu     sync.Mutex
	keys   []string
	looked time.Time
}

func (l *authenticatorList) get(ctx context.Context) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys != nil && l.clock.Since(l.looked) < verifiedFor {
		return l.keys, nil
	}
	keys, err := l.active(ctx)
	if err == nil {
		l.keys, l.looked = keys, l.clock.Now()
	}
	return keys, err
}

// active gives the keys of those that are active, each once, sorted. A policy forbids what
// it does not name, and of some it must name the ids, which the operator does not.
func (l *authenticatorList) active(ctx context.Context) ([]string, error) {
	var listed []struct {
		Key    string `json:"key"`
		Status string `json:"status"`
	}
	if _, err := l.org.call(ctx, http.MethodGet, "/api/v1/authenticators", nil, &listed); err != nil {
		return nil, err
	}
	several := []string{"custom_app", "custom_otp", "external_idp", "smart_card_idp", "yubikey_token"}
	keys := []string{}
	for _, a := range listed {
		if a.Status == statusActive && slices.Contains(several, a.Key) {
			return nil, &identity.Error{
				Kind: identity.Rejected, Reason: identity.ReasonFeatureUnavailable, RetryAfter: verifiedFor,
				Message: "the Okta organization has the authenticator " + a.Key + ", which an enrolment policy of the operator would " +
					"forbid the members: say mfa.enroll: Watch, and what they must enrol in a policy of your own",
			}
		}
		if a.Status == statusActive {
			keys = append(keys, a.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}
