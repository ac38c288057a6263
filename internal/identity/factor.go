package identity

import "time"

// FactorKind is a kind of second factor.
type FactorKind string

// The kinds of second factors.
const (
	FactorPush     FactorKind = "Push"
	FactorSMS      FactorKind = "SMS"
	FactorTOTP     FactorKind = "TOTP"
	FactorWebAuthn FactorKind = "WebAuthn"
	FactorEmail    FactorKind = "Email"
)

// Startable tells the kinds whose enrolment somebody else can start. A code generator and
// a security key the person sets up alone, at the next sign-in.
func (k FactorKind) Startable() bool { return k == FactorPush || k == FactorSMS || k == FactorEmail }

// FactorSeen is a second factor of a person.
type FactorSeen struct {
	Kind FactorKind
	// Active is false while the person has not done their part.
	Active bool
	// Since is when the enrolment was started.
	Since time.Time
	// Number is where text messages go, in E.164 form; zero when the directory does not say
	// all of it, and of other kinds.
	Number Secret
}
