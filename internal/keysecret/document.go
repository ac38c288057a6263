package keysecret

import (
	"fmt"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Keys of the published Secret. Mounted as a directory, each is a file.
const (
	KeyClientID     = "client_id"
	KeyPrivateKey   = "private_key.pem"
	KeyKeyID        = "key_id"
	KeyJWK          = "jwk"
	KeyClientSecret = "client_secret"
	KeyTokenURL     = "token_url"
	KeyIssuer       = "issuer"
	KeyAudience     = "audience"
	KeyScopes       = "scopes"
)

// Document is all of a published Secret but the credential.
type Document struct {
	ClientID    string
	Server      identity.Server
	Permissions []string
}

// render lays out the published Secret.
func render(doc Document, credential identity.Credential) (map[string][]byte, error) {
	data := map[string][]byte{
		KeyClientID: []byte(doc.ClientID),
		KeyTokenURL: []byte(doc.Server.TokenURL),
		KeyIssuer:   []byte(doc.Server.Issuer),
		KeyAudience: []byte(doc.Server.Audience),
		KeyScopes:   []byte(strings.Join(doc.Permissions, " ")),
	}
	if credential.Method != identity.PrivateKeyJWT {
		data[KeyClientSecret] = credential.Material.Reveal()
		return data, nil
	}
	jwk, err := privateJWK(credential.Material.Reveal(), credential.KeyID)
	if err != nil {
		return nil, fmt.Errorf("rendering the Secret: %w", err)
	}
	data[KeyPrivateKey] = credential.Material.Reveal()
	data[KeyKeyID] = []byte(credential.KeyID)
	data[KeyJWK] = jwk
	return data, nil
}

// credentialIn reads the credential out of a Secret's data, staged or published:
// both keep it under the same keys. What it is called follows from what it is, so a
// credential that was exchanged is another one, whatever else the Secret says.
func credentialIn(data map[string][]byte, method identity.AuthMethod) (identity.Credential, error) {
	if method == identity.PrivateKeyJWT {
		return keyPair(data[KeyPrivateKey])
	}
	if len(data[KeyClientSecret]) == 0 {
		return identity.Credential{}, fmt.Errorf("%s is missing", KeyClientSecret)
	}
	return sharedSecret(data[KeyClientSecret]), nil
}
