package agentapikey

import (
	"fmt"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
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
