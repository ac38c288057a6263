package desired

import (
	"fmt"
	"strings"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Key is what should stand in the directory and in Secrets for an AgentAPIKey.
type Key struct {
	Mark     identity.Mark
	ClientID string
	Label    string
	// AppID is where the client was seen last. It only helps to find a client that
	// lists do not show; nothing is decided from it.
	AppID  string
	Note   string
	Method identity.AuthMethod
	// StagingName and SecretName are Secrets in the key's namespace.
	StagingName string
	SecretName  string
}

// KeyMark is the mark of an AgentAPIKey.
func KeyMark(key *v1alpha1.AgentAPIKey, cluster string) identity.Mark {
	return identity.Mark{
		Cluster: cluster, Kind: "AgentAPIKey", Namespace: key.Namespace, Name: key.Name, UID: string(key.UID),
	}
}

// KeyOf translates an AgentAPIKey.
func KeyOf(key *v1alpha1.AgentAPIKey, settings Settings) Key {
	mark := KeyMark(key, settings.Cluster)
	return Key{
		Mark:        mark,
		ClientID:    ClientID(settings.Cluster, key.Namespace, key.Name),
		Label:       Label(mark),
		AppID:       key.Status.AppID,
		Note:        note(key),
		Method:      method(key.Spec.Delivery),
		StagingName: StagingName(key.Name),
		SecretName:  string(key.Spec.Secret.Name),
	}
}

// method is how a client with that delivery proves itself.
func method(delivery v1alpha1.Delivery) identity.AuthMethod {
	if delivery == v1alpha1.DeliveryClientSecret {
		return identity.ClientSecretBasic
	}
	return identity.PrivateKeyJWT
}

func note(key *v1alpha1.AgentAPIKey) string {
	lines := []string{fmt.Sprintf("Agent %s, managed by AgentAPIKey %s/%s.", key.Spec.Agent.Name, key.Namespace, key.Name)}
	if key.Spec.Agent.Purpose != "" {
		lines = append(lines, "Purpose: "+key.Spec.Agent.Purpose)
	}
	if len(key.Spec.Agent.Owners) > 0 {
		lines = append(lines, "Owners: "+strings.Join(key.Spec.Agent.Owners, ", "))
	}
	return strings.Join(lines, "\n")
}

// Hint is what the key's client may be found by.
func (k Key) Hint() identity.ClientHint { return identity.ClientHint{Label: k.Label, ID: k.AppID} }

// Registration is the wish for the key's client with a credential.
func (k Key) Registration(credential identity.Credential) identity.Registration {
	return identity.Registration{
		Mark: k.Mark, ClientID: k.ClientID, Label: k.Label, Note: k.Note, Credential: credential,
	}
}
