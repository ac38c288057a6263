// Package openapicheck holds exchanges with an Okta org against Okta's published
// OpenAPI descriptions. Wrap it around a simulated org, and everything a client
// sends and everything the org answers is checked. It refuses to know the org.
//
// Okta's descriptions let extra properties pass everywhere. The checker does not:
// a field that the schema does not name is a problem, unless the table of known
// deviations says why not. Nulls count as absent in both directions, since Okta
// answers null for most of what has no value, whatever its schema says.
//
// Problems never hold values, which may be secrets.
package openapicheck
