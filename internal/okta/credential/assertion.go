package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// AssertionType is the value of client_assertion_type (RFC 7523).
	AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// lifetime is how long an assertion holds. Okta takes an hour at most; one that
	// leaks is of use for as long as it lives.
	lifetime = 4 * time.Minute
	// leeway dates an assertion back, because the server's time is known only to
	// about a second and one from the future is refused.
	leeway  = 5 * time.Second
	minBits = 2048
)

// claims are the assertion's. The library's own type writes the audience as a list,
// where Okta describes a string.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expiry   int64  `json:"exp"`
}

// Assertion signs a client assertion (RFC 7523) that names itself once (jti).
// now is the server's time, not ours.
func Assertion(clientID, keyID string, private identity.Secret, audience string, now time.Time) (identity.Secret, error) {
	key, err := parseKey(private)
	if err != nil {
		return identity.Secret{}, err
	}
	algorithm, err := algorithmOf(key)
	if err != nil {
		return identity.Secret{}, err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: key},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", keyID),
	)
	if err != nil {
		return identity.Secret{}, errors.New("the private key cannot sign")
	}
	issued := now.Add(-leeway)
	signed, err := jwt.Signed(signer).Claims(claims{
		Issuer: clientID, Subject: clientID, Audience: audience, ID: rand.Text(),
		IssuedAt: issued.Unix(), Expiry: issued.Add(lifetime).Unix(),
	}).Serialize()
	if err != nil {
		return identity.Secret{}, errors.New("the private key cannot sign")
	}
	return identity.NewSecret([]byte(signed)), nil
}

// parseKey reads an RSA or EC key in PEM, PKCS #8, PKCS #1 or SEC 1. Its errors
// never quote the parser, whose words can quote the input.
func parseKey(private identity.Secret) (crypto.Signer, error) {
	block, _ := pem.Decode(private.Reveal())
	if block == nil {
		return nil, errors.New("it holds no PEM block; it must be an unencrypted RSA or EC private key in PEM")
	}
	key, err := parseDER(block.Bytes)
	if err != nil {
		return nil, err
	}
	if _, err := algorithmOf(key); err != nil {
		return nil, err
	}
	return key, nil
}

func parseDER(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("it is not a private key in PKCS #8, PKCS #1 or SEC 1; it must be an unencrypted RSA or EC private key in PEM")
}

// algorithmOf chooses the algorithm by the key, as Okta does.
func algorithmOf(key crypto.Signer) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minBits {
			return "", errors.New("its RSA key has less than 2048 bits, which Okta refuses")
		}
		return jose.RS256, nil
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256():
			return jose.ES256, nil
		case elliptic.P384():
			return jose.ES384, nil
		case elliptic.P521():
			return jose.ES512, nil
		}
	}
	return "", errors.New("its key is neither RSA nor EC on P-256, P-384 or P-521")
}
