package fault

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// row is one line of the table: the first that matches an answer decides.
type row struct {
	// purposes, status and code select; an empty field selects everything.
	purposes []Purpose
	from, to int
	code     string

	kind   identity.Kind
	reason string
	after  time.Duration
	say    func(Answer, body) string
}

const (
	soon  = 5 * time.Second
	lag   = 10 * time.Second
	slow  = time.Minute
	never = 10 * time.Minute
)

// table is Okta's error table as far as the operator's calls can meet it.
// Okta promises that errorCode is stable and says nothing of errorSummary, so
// only codes and statuses select.
func table() []row {
	operator := []Purpose{OperatorToken}
	agent := []Purpose{AgentToken}
	revocation := []Purpose{AgentRevocation}
	const unauthorized, forbidden = http.StatusUnauthorized, http.StatusForbidden
	return []row{
		{nil, 429, 429, "", identity.Throttled, identity.ReasonThrottled, soon, sayThrottled},
		{agent, 400, 403, "", identity.Waiting, identity.ReasonTokenRefused, lag, sayTokenRefused},
		{agent, 404, 404, "", identity.Waiting, identity.ReasonTokenRefused, lag, sayTokenRefused},
		{revocation, 400, 404, "", identity.Waiting, identity.ReasonTokenRefused, lag, sayNotRevoked},
		{operator, 400, 400, "invalid_scope", identity.Rejected, identity.ReasonPermissionDenied, slow, sayOperatorScopes},
		{operator, 400, 404, "", identity.Rejected, identity.ReasonAuthenticationFailed, slow, sayOperatorRefused},
		{nil, unauthorized, unauthorized, "E0000015", identity.Rejected, identity.ReasonFeatureUnavailable, never, sayFeature},
		{nil, unauthorized, unauthorized, "", identity.Rejected, identity.ReasonAuthenticationFailed, slow, sayRefused},
		{nil, forbidden, forbidden, "E0000016", identity.Waiting, identity.ReasonWaiting, lag, sayState},
		{nil, forbidden, forbidden, "E0000038", identity.Waiting, identity.ReasonWaiting, lag, sayState},
		{nil, forbidden, forbidden, "E0000056", identity.Waiting, identity.ReasonWaiting, lag, sayState},
		{nil, forbidden, forbidden, "E0000015", identity.Rejected, identity.ReasonFeatureUnavailable, never, sayFeature},
		{nil, forbidden, forbidden, "", identity.Rejected, identity.ReasonPermissionDenied, slow, sayDenied},
		{nil, 404, 404, "E0000008", identity.Rejected, identity.ReasonFeatureUnavailable, never, sayFeature},
		{nil, 404, 404, "", identity.Waiting, identity.ReasonWaiting, lag, sayMissing},
		{nil, 405, 405, "", identity.Rejected, identity.ReasonFeatureUnavailable, never, sayFeature},
		{nil, 408, 408, "", identity.Unavailable, identity.ReasonDirectoryError, 0, sayServer},
		{nil, 409, 409, "", identity.Waiting, identity.ReasonWaiting, soon, sayBusy},
		{nil, 423, 423, "", identity.Waiting, identity.ReasonWaiting, soon, sayBusy},
		{nil, 400, 499, "", identity.Rejected, identity.ReasonInvalidRequest, never, sayInvalid},
		{nil, 501, 501, "", identity.Rejected, identity.ReasonFeatureUnavailable, never, sayFeature},
		{nil, 500, 599, "", identity.Unavailable, identity.ReasonDirectoryError, 0, sayServer},
		{nil, 0, 999, "", identity.Unavailable, identity.ReasonDirectoryError, 0, sayRedirected},
	}
}

func (r row) matches(a Answer, b body) bool {
	if a.Status < r.from || a.Status > r.to {
		return false
	}
	if r.code != "" && r.code != b.code() {
		return false
	}
	for _, purpose := range r.purposes {
		if purpose == a.Purpose {
			return true
		}
	}
	return len(r.purposes) == 0
}

func (r row) message(a Answer, b body) string { return r.say(a, b) }

func lookUp(a Answer, b body) row {
	rows := table()
	for _, r := range rows {
		if r.matches(a, b) {
			return r
		}
	}
	return rows[len(rows)-1]
}

// needs is what a path asks of the operator's identity in Okta: an OAuth scope and
// an admin permission, as the OpenAPI description and the admin console name them.
type needs struct{ prefix, scope, role string }

func needsOf(path string) needs {
	for _, n := range []needs{
		{"/api/v1/apps", "okta.apps.manage", "manage applications"},
		{"/api/v1/groups", "okta.groups.manage", "manage groups"},
		{"/api/v1/authorizationServers", "okta.authorizationServers.manage", "manage authorization servers"},
		{"/api/v1/iam", "okta.roles.manage", "manage admin roles, which a super administrator has"},
		{"/api/v1/org", "okta.orgs.read", "view the organization's settings"},
	} {
		if strings.HasPrefix(path, n.prefix) {
			return n
		}
	}
	return needs{path, "the scope of the call", "the permission for the call"}
}

func sayThrottled(Answer, body) string {
	return "Okta's rate limit is used up; calls go on in the next window"
}

func sayTokenRefused(_ Answer, b body) string {
	return fmt.Sprintf("Okta refuses the agent a token%s; the credential may not have arrived everywhere yet. "+
		"If this stays, check in Okta that the app is active and the access policy of the role lists it", inBrackets(b.code()))
}

func sayNotRevoked(_ Answer, b body) string {
	return fmt.Sprintf("Okta does not take a token back%s, for it refuses the credential of the agent; "+
		"the token ends by itself when it expires", inBrackets(b.code()))
}

// sayOperatorScopes leaves it to the caller to name the scopes: Okta does not say which is missing.
func sayOperatorScopes(Answer, body) string {
	return "Okta refuses the operator's service app a token, for a scope is not granted to it (invalid_scope); " +
		"grant it under Okta API Scopes"
}

func sayOperatorRefused(a Answer, b body) string {
	if b.code() == "invalid_dpop_proof" {
		return "Okta demands DPoP of the operator's service app; switch off \"Require DPoP\" in the app's general settings"
	}
	return fmt.Sprintf("Okta refuses the operator's service app a token%s; check that client_id, key_id and private_key.pem "+
		"of the credentials Secret are those of an active app, and that the public key is registered there%s", inBrackets(b.code()), b.words(a))
}

func sayRefused(a Answer, b body) string {
	return fmt.Sprintf("Okta refuses the operator's credential%s; check that the API token, or the service app and its key, "+
		"in the credentials Secret has not been revoked or deactivated%s", inBrackets(b.code()), b.words(a))
}

func sayFeature(a Answer, b body) string {
	if strings.HasPrefix(a.Path, "/api/v1/authorizationServers") {
		return fmt.Sprintf("this Okta organization has no custom authorization servers%s; "+
			"the feature API Access Management must be licensed and switched on", inBrackets(b.code()))
	}
	return fmt.Sprintf("this Okta organization does not offer %s%s; ask Okta to switch the feature on", family(a.Path), inBrackets(b.code()))
}

func sayDenied(a Answer, b body) string {
	n := needsOf(a.Path)
	return fmt.Sprintf("Okta forbids the operator to call %s%s; grant its service app the scope %s, "+
		"and its admin role the permission to %s", family(a.Path), inBrackets(b.code()), n.scope, n.role)
}

func sayState(a Answer, b body) string {
	return fmt.Sprintf("an object under %s is in another state than the call needs%s; it is looked at again",
		family(a.Path), inBrackets(b.code()))
}

func sayMissing(a Answer, _ body) string {
	return fmt.Sprintf("Okta does not find an object under %s that was there; it is looked at again", family(a.Path))
}

func sayBusy(a Answer, b body) string {
	return fmt.Sprintf("Okta is busy with another change under %s%s", family(a.Path), inBrackets(b.code()))
}

func sayInvalid(a Answer, b body) string {
	return fmt.Sprintf("Okta rejects a request under %s%s%s", family(a.Path), inBrackets(b.code()), b.words(a))
}

func sayServer(a Answer, b body) string {
	return fmt.Sprintf("Okta answers calls of %s with a server error%s; see status.okta.com if this stays",
		family(a.Path), inBrackets(b.code()))
}

func sayRedirected(Answer, body) string {
	return "Okta answers with a redirect; okta.orgURL must be the organization's own address, without -admin and without a path"
}

// family is the class of a path: without ids, so that messages are stable.
func family(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) >= 3 && parts[0] == "api" {
		return "/api/v1/" + plain(parts[2])
	}
	return "the token endpoint"
}

func inBrackets(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ")"
}
