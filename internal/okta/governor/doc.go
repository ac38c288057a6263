// Package governor shares out Okta's rate limits before a call is sent. It knows
// windows, shares, lanes and namespaces. It refuses to sleep, to send, and to read
// a clock: whoever asks brings the (server's) time, so that every decision is a
// plain function of what was asked before.
package governor
