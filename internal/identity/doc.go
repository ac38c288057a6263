// Package identity is the language the operator thinks in: roles, clients,
// credentials, the marks that say who owns what, and the Directory they live in.
//
// It refuses to know Okta, HTTP and Kubernetes: it imports the standard library
// only, so that every decision made in its terms can be tested as a plain value.
package identity
