package keysecret

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	pemType = "PRIVATE KEY" // PKCS #8, RFC 5958
	// secretBytes gives 43 characters; Okta takes 14 to 100 printable ones.
	secretBytes = 32
)

// mint makes a credential: an ECDSA key pair on P-256, named by the thumbprint of
// its public half (RFC 7638), or 256 random bits named by their digest.
func mint(method identity.AuthMethod) (identity.Credential, error) {
	if method == identity.PrivateKeyJWT {
		return mintKeyPair()
	}
	return mintSecret(), nil
}

func mintKeyPair() (identity.Credential, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity.Credential{}, fmt.Errorf("generating a key pair: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return identity.Credential{}, fmt.Errorf("encoding a private key: %w", err)
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
	return keyPair(encoded)
}

// keyPair reads a private key in PEM and derives everything else from it.
func keyPair(encoded []byte) (identity.Credential, error) {
	private, err := parsePrivateKey(encoded)
	if err != nil {
		return identity.Credential{}, err
	}
	jwk := jose.JSONWebKey{Key: private.Public(), Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return identity.Credential{}, fmt.Errorf("naming a public key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	public, err := json.Marshal(jwk)
	if err != nil {
		return identity.Credential{}, fmt.Errorf("encoding a public key: %w", err)
	}
	return identity.Credential{
		KeyID: jwk.KeyID, Method: identity.PrivateKeyJWT, PublicJWK: public, Material: identity.NewSecret(encoded),
	}, nil
}

func parsePrivateKey(encoded []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(encoded)
	if block == nil || block.Type != pemType {
		return nil, errors.New("reading a private key: it is not a PEM block of type " + pemType)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		// The parser's own words could quote the input.
		return nil, errors.New("reading a private key: it is not PKCS #8")
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("reading a private key: it is not an ECDSA key on P-256")
	}
	return private, nil
}

// privateJWK is the key pair as a private JSON Web Key (RFC 7517).
func privateJWK(encoded []byte, keyID string) ([]byte, error) {
	private, err := parsePrivateKey(encoded)
	if err != nil {
		return nil, err
	}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: private, KeyID: keyID, Algorithm: string(jose.ES256), Use: "sig"})
	if err != nil {
		return nil, errors.New("encoding a private key as JWK: it cannot be marshalled")
	}
	return jwk, nil
}

// mintSecret cannot fail: crypto/rand ends the process when it has no randomness.
func mintSecret() identity.Credential {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random)
	return sharedSecret([]byte(base64.RawURLEncoding.EncodeToString(random)))
}

func sharedSecret(material []byte) identity.Credential {
	secret := identity.NewSecret(material)
	return identity.Credential{KeyID: identity.SecretName(secret), Method: identity.ClientSecretBasic, Material: secret}
}
