package identity

import "time"

// SignOn says how people sign in to a directory that asks once, at the beginning of a
// session, for all apps together. Who is in one of the groups, and whom no rule lets in, is
// refused. In Okta it is one sign-on policy of an org without Identity Engine.
type SignOn struct {
	Mark Mark
	// Name is stable for the life of the owner; it need not be unique.
	Name string
	// Groups are ids, sorted, never empty; a member of any of them is bound.
	Groups []string
	// Rules are tried in their order; the first that matches decides.
	Rules []SignOnRule
}

// SignOnRule lets people in, from somewhere, with a proof.
type SignOnRule struct {
	// Name is unique in the SignOn.
	Name string
	// FromZones and NotFromZones are ids of network zones; one of them at most is given.
	FromZones, NotFromZones []string
	// TwoFactors asks for a second factor at the beginning of every session.
	TwoFactors bool
	// Lifetime is when a session ends, whatever the person does; whole minutes, never
	// zero.
	Lifetime time.Duration
}
