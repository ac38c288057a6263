// Package credential holds what proves the operator, or an agent, to Okta: an API
// token, or a key that signs client assertions. It reads files and makes
// assertions; it refuses to know how either is sent.
package credential

import (
	"context"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Credentials prove the operator. Exactly one of the two ways is set.
type Credentials struct {
	// ClientID, KeyID and PrivateKey (PEM, RSA or EC) are a service app's.
	ClientID   string
	KeyID      string
	PrivateKey identity.Secret
	// APIToken is an SSWS token.
	APIToken identity.Secret
}

// IsToken tells an API token from a service app's key.
func (c Credentials) IsToken() bool { return !c.APIToken.IsZero() }

// Equal tells whether both prove the same thing in the same way.
func (c Credentials) Equal(other Credentials) bool {
	return c.ClientID == other.ClientID && c.KeyID == other.KeyID &&
		c.PrivateKey.Equal(other.PrivateKey) && c.APIToken.Equal(other.APIToken)
}

// Source gives the credentials that hold now; it is asked before every call, so
// that a change needs no restart.
type Source func(ctx context.Context) (Credentials, error)
