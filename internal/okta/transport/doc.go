// Package transport is the way a call takes to Okta: authorization, metrics, typed
// errors, rate limits, TLS, each a http.RoundTripper around the next. It refuses to
// know what a call means.
package transport
