// Package keysecret keeps credentials in Secrets. It is the only writer of
// Secrets, and with internal/okta the only place that opens key material.
//
// Every key has two Secrets. The staging Secret is written before anybody else
// hears of the credential and stays as the operator's own copy; the published
// Secret is rendered from it and is what agents mount. A Secret that is not owned
// by the very key, by UID, is never changed (docs/adr/0003).
package keysecret
