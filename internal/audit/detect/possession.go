package detect

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

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
		if !actsAs(e.Agent, &e.Actor) {
			return false, "the token was not granted to the agent itself"
		}
		return true, "Okta grants a token only to a client that has authenticated"
	case "app.oauth2.credentials.lifecycle.create":
		return about(e), "whoever adds a key or secret of the agent's client, by its id, holds it"
	case "app.oauth2.client.read_client_secret":
		return about(e), "whoever has read the secret of the agent's client, by its id, holds it"
	default:
		return false, "it can be caused without a credential of the agent"
	}
}

// actsAs tells that the actor is the agent's client: by the app's id, or as Okta writes one, with
// the client id beside it.
func actsAs(a *event.Agent, actor *event.Party) bool {
	return a.Is(actor.ID) || actor.Type == "PublicClientApp" && a.ClientID != "" && actor.AlternateID == a.ClientID
}

// about tells that it was done to the agent's client, by its id.
func about(e *event.Event) bool {
	return slices.ContainsFunc(e.Targets, func(t event.Party) bool { return e.Agent.Is(t.ID) })
}
