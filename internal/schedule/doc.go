// Package schedule says when a credential is replaced: at an age, with a jitter that
// keeps credentials made together from being replaced together, and in the windows
// people leave open for it. Its functions are pure; it knows no key and no clock.
package schedule
