package agentapikey

import (
	"fmt"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// happened tells the one step that people want to hear of: at most an event a key.
func happened(key *v1alpha1.AgentAPIKey, s *scene, done []plan.KeyStep) []lifecycle.Event {
	for _, step := range done {
		if step.Verb == plan.Publish {
			return []lifecycle.Event{{
				Reason: "Published", Action: "Publish",
				Note: fmt.Sprintf("published credential %s in Secret %s/%s: %s",
					s.stored.Credential().KeyID, key.Namespace, s.want.SecretName, step.Reason),
			}}
		}
	}
	return nil
}

// leftSomewhere tells of a client that is there and cannot be found.
func leftSomewhere(err error) lifecycle.Event {
	return lifecycle.Event{Warning: true, Reason: "LeftBehind", Action: "Release", Note: err.Error()}
}

// leftBehind tells of a client under the key's client id that stays in Okta.
func leftBehind(seen identity.ClientSeen) lifecycle.Event {
	state := "inactive"
	if seen.Active {
		state = "ACTIVE"
	}
	return lifecycle.Event{
		Warning: true, Reason: "LeftBehind", Action: "Release",
		Note: fmt.Sprintf("left app %s (%s) in Okta: it does not carry this key's mark; if it was this key's, "+
			"deactivate and delete it there", seen.ID, state),
	}
}
