// Package oktasim is a simulated Okta organization: stateful, over HTTP(S), and
// stricter than Okta wherever Okta's behaviour is not known. Tests, benchmarks, the
// demo and users' own CI take it for the truth. It refuses to know the operator: it
// imports nothing of it.
//
// # What is simulated
//
// The well-known organization document and the clientPrivilegesSetting; groups and
// their members; OIDC apps with their secrets and public keys; custom authorization
// servers with scopes, access policies and rules; the token endpoints of the org
// (private_key_jwt, okta.* scopes) and of custom servers (client_credentials), with
// keys, discovery, introspection and revocation. Assertions are verified and tokens
// are signed. Rate limits, concurrency limits, the scopes of each operation, paging
// and errors are Okta's. A request for anything else is an error, and is told by Unknown.
//
// # What is stricter than Okta
//
//   - Unknown body fields, query and form parameters are refused; Okta ignores most.
//   - Lifecycle operations on an object that is in that state already are refused.
//   - A scope ending in .manage does not let its holder read.
//   - Token requests take their parameters from the body only.
//   - The audience of a client assertion is the token endpoint's URL and nothing else,
//     and it must name its key.
//   - A scope that a rule names cannot be deleted; a scope cannot be renamed.
//   - An authorization server must be deactivated before it can be deleted; two servers
//     may have the same name, so that a name protects nobody from making twins.
//   - A token request without scopes is refused even where scopes are the default.
//   - A client that revokes a token of another is told so; who is told nothing might
//     believe it.
//   - A rule applies to client_credentials only when it is for EVERYONE.
//   - Two requests at once that change the priorities below one parent: 423.
//
// # The control API
//
// For an org that runs as a process of its own (cmd/oktasim), JSON under /_sim/:
//
//	GET    /_sim/healthz     {"status":"ok"}
//	GET    /_sim/operations  every request so far, a list of Operation
//	GET    /_sim/unknown     what was asked for that this API does not have
//	GET    /_sim/state       State
//	POST   /_sim/faults      a Fault; durations in nanoseconds
//	DELETE /_sim/faults      disarms all faults
//	POST   /_sim/settings    limits, principalShare, concurrency, noAPIAccessManagement,
//	                         clientsGetSuperAdmin, listLag, getLag (nanoseconds)
//	POST   /_sim/users       {"login":"jane@example.com"} gives {"id":"00u…"}
//
// Requests to it are neither counted nor logged.
package oktasim
