package oktasim

import (
	"slices"
)

// What an enrollment policy says about an authenticator, or a factor on Classic Engine.
const (
	enrollNever    = "NOT_ALLOWED"
	enrollOptional = "OPTIONAL"
	enrollRequired = "REQUIRED"
)

// enrollPolicyOf finds the enrollment policy that applies to a user: the first active
// one for a group of theirs. The system's is for everybody and comes last.
func (o *Org) enrollPolicyOf(u *user) *orgPolicy {
	for _, p := range o.orgPolicies(mfaEnroll) {
		if p.active && o.inAny(u, p.doc.texts("conditions", "people", "groups", "include")) {
			return p
		}
	}
	return nil
}

// says reads what an enrollment policy says about a kind of factor. Policies made on
// Classic Engine name factors, and go on to do so when the org has moved.
func (p *orgPolicy) says(kind factorKind) string {
	self := p.doc.text("settings", "factors", kind.classic, "enroll", "self")
	all, _ := p.doc.at("settings", "authenticators").([]any)
	for _, each := range all {
		if named := document(each.(map[string]any)); named.text("key") == kind.authenticator {
			self = named.text("enroll", "self")
		}
	}
	if self == "" {
		return enrollNever
	}
	return self
}

// enrollment tells whether a user may enrol in a kind of factor, or must: its
// authenticator is on, and the user's enrollment policy says so.
func (o *Org) enrollment(u *user, kind factorKind) string {
	p := o.enrollPolicyOf(u)
	if p == nil || !o.enabled(kind.authenticator) {
		return enrollNever
	}
	return p.says(kind)
}

func (o *Org) allowed(u *user, kind factorKind) bool { return o.enrollment(u, kind) != enrollNever }

// shownSettings are the settings of a policy, without the authenticators that are off.
func (o *Org) shownSettings(p *orgPolicy) document {
	all, found := p.doc.at("settings", "authenticators").([]any)
	if !found {
		return p.doc.object("settings")
	}
	off := func(each any) bool { return !o.enabled(document(each.(map[string]any)).text("key")) }
	return document{"authenticators": slices.DeleteFunc(slices.Clone(all), off)}.over(p.doc.object("settings"))
}
