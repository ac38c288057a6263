package keysecret

import (
	"errors"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// parsed remembers the key pairs that were read in one look at a key. Both Secrets hold the
// same one, and each step compares them again; to derive the public half takes longer than all
// the rest of a look at a key that is complete.
type parsed []parsedKey

type parsedKey struct {
	credential identity.Credential
	// jwk is the key pair as a private JSON Web Key; none until it was asked for.
	jwk identity.Secret
}

// find gives the key pair of that material; nil when it was not read yet.
func (p *parsed) find(material identity.Secret) *parsedKey {
	i := slices.IndexFunc(*p, func(known parsedKey) bool { return known.credential.Material.Equal(material) })
	if i < 0 {
		return nil
	}
	return &(*p)[i]
}

func (p *parsed) credentialOf(material []byte, method identity.AuthMethod) (identity.Credential, error) {
	if len(material) == 0 {
		return identity.Credential{}, errors.New("there is no credential")
	}
	if method != identity.PrivateKeyJWT {
		return sharedSecret(material), nil
	}
	if known := p.find(identity.NewSecret(material)); known != nil {
		return known.credential, nil
	}
	credential, err := keyPair(material)
	if err != nil {
		return identity.Credential{}, err
	}
	*p = append(*p, parsedKey{credential: credential})
	return credential, nil
}

// jwk is the key pair as a private JSON Web Key (RFC 7517).
func (p *parsed) jwk(c identity.Credential) (identity.Secret, error) {
	known := p.find(c.Material)
	if known != nil && !known.jwk.IsZero() {
		return known.jwk, nil
	}
	encoded, err := privateJWK(c.Material.Reveal(), c.KeyID)
	if err != nil {
		return identity.Secret{}, err
	}
	jwk := identity.NewSecret(encoded)
	if known != nil {
		known.jwk = jwk
	}
	return jwk, nil
}
