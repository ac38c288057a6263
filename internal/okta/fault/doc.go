// Package fault translates what Okta, or something between Okta and us, answers
// into the error kinds of package identity. One table decides. It refuses to know
// which object a call was about: its messages speak of the call's class only, so
// that they stay the same from try to try.
package fault
