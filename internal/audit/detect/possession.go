package detect

import "github.com/agentidentity/agent-identity-operator/internal/audit/event"

// provesPossession tells whether nobody can cause the event without holding a credential of
// the agent, and why. What is not listed proves nothing: so does every type Okta invents.
func provesPossession(e *event.Event) (proves bool, reason string) {
	if e.Agent == nil || e.Operator {
		return false, "it is no event of Okta about one agent"
	}
	if e.Outcome.Result != "SUCCESS" {
		return false, "what is refused can be asked for with a client id alone"
	}
	switch e.Type {
	case "app.oauth2.as.token.grant.access_token", "app.oauth2.token.grant.access_token":
		if id := e.Agent.ClientID; id == "" || e.Actor.ID != id && e.Actor.AlternateID != id {
			return false, "the token was not granted to the agent itself"
		}
		return true, "Okta grants a token only to a client that has authenticated"
	case "app.oauth2.credentials.lifecycle.create":
		return true, "whoever adds a key or secret holds it"
	case "app.oauth2.client.read_client_secret":
		return true, "whoever has read the secret holds it"
	default:
		return false, "it can be caused without a credential of the agent"
	}
}
