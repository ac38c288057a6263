package identity

import "time"

// SignIn says how people sign in to the apps it governs. Whoever no rule lets in is
// refused. In Okta it is one app sign-in policy.
type SignIn struct {
	Mark Mark
	// Name is stable for the life of the owner; it need not be unique.
	Name string
	// Rules are tried in their order; the first that matches decides.
	Rules []SignInRule
}

// SignInRule lets members of groups in, in some situations, with a proof.
type SignInRule struct {
	// Name is unique in the SignIn.
	Name string
	// Groups are ids, never empty; a member of any of them is meant.
	Groups []string
	// FromZones and NotFromZones are ids of network zones; one of them at most is given.
	FromZones, NotFromZones []string
	// Registered and Managed say what the directory must know of the device. One that is
	// Managed is Registered.
	Registered, Managed bool
	// Assurances are ids of device assurances, of which the device must fulfil the one of
	// its platform; only with Registered.
	Assurances []string
	// Risk is LOW, MEDIUM or HIGH; empty for any.
	Risk string
	// Platforms are operating systems, in Okta's words (MACOS); empty for any.
	Platforms []string
	Proof     Proof
}

// Proof is what people must show.
type Proof struct {
	// TwoFactors asks for two factors of different kinds.
	TwoFactors bool
	// Factors are the second factors that count; empty for all the org has.
	Factors []FactorKind
	// Properties are what the second factor must be; all must hold.
	Properties []FactorProperty
	// Reauthenticate is how long a proof lasts; negative leaves it to the directory.
	Reauthenticate time.Duration
}

// FactorProperty is a property of a second factor.
type FactorProperty string

// The properties of second factors.
const (
	PhishingResistant FactorProperty = "PhishingResistant"
	HardwareProtected FactorProperty = "HardwareProtected"
	DeviceBound       FactorProperty = "DeviceBound"
	UserPresence      FactorProperty = "UserPresence"
	UserVerification  FactorProperty = "UserVerification"
)

// PeopleGrant lets people who sign in to apps obtain tokens with the permissions of their
// roles. In Okta it is one access policy of the operator's authorization server.
type PeopleGrant struct {
	Mark Mark
	Name string
	// Clients are the client ids of the apps, sorted, never empty.
	Clients []string
	Rules   []PeopleRule
	// TokenLifetime is how long an access token lives; whole minutes, 5 to 1440.
	TokenLifetime time.Duration
}

// PeopleRule gives the members of groups, or some people, permissions.
type PeopleRule struct {
	// Name is unique in the grant.
	Name string
	// Groups and Users are ids; one of them is given.
	Groups, Users []string
	// Permissions are scope names, sorted, never empty.
	Permissions []string
}

// App is an app that people sign in to.
type App struct {
	ID    string
	Label string
	// ClientID is that of an OAuth client; empty for other apps.
	ClientID string
	// SignIn is the id of the sign-in policy that governs it; empty while none can.
	SignIn string
	// Service tells an app to which nobody signs in.
	Service bool
}

// Assurance says what a device of one platform must fulfil.
type Assurance struct {
	// Name is unique in the directory.
	Name string
	// Platform is MACOS, WINDOWS, IOS or ANDROID.
	Platform string
	// MinimumOS is a version; empty for any.
	MinimumOS string
	// Encrypted, Biometric, Locked, SecureHardware and Unbroken say what is wanted.
	// Biometric is a stronger Locked.
	Encrypted, Locked, Biometric, SecureHardware, Unbroken bool
}

// Enrollment says which second factors the members of a group must have enrolled before
// they get in anywhere. Others they may enrol as well.
type Enrollment struct {
	Mark Mark
	Name string
	// Group is an id.
	Group string
	// Required are sorted, never empty.
	Required []FactorKind
}
