package agentapikey

import (
	"fmt"
	"slices"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// report fills the status but its conditions.
func report(key *v1alpha1.AgentAPIKey, s *scene, complete bool) {
	if s.seen.Client != nil {
		key.Status.ClientID = s.seen.Client.ClientID
		key.Status.AppID = s.seen.Client.ID
	}
	if !complete {
		return
	}
	key.Status.KeyID = s.stored.Credential().KeyID
	key.Status.Scopes = slices.Clone(s.seen.Permissions)
}

func message(s *scene) string {
	return fmt.Sprintf("Secret %q holds a credential with the permissions of AIAgentRole %s", s.want.SecretName, s.seen.RoleRef)
}
