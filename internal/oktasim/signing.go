package oktasim

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signingKey signs access tokens. The key pair is made when it is first needed,
// since most servers of most tests never sign.
type signingKey struct {
	id      string
	private func() *rsa.PrivateKey
}

func newSigningKey(random *mathrand.Rand) *signingKey {
	return &signingKey{
		id: randomText(random, 43),
		private: sync.OnceValue(func() *rsa.PrivateKey {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				panic(fmt.Sprintf("making a signing key: %v", err))
			}
			return key
		}),
	}
}

// jwks is what resource servers verify tokens with.
func (k *signingKey) jwks() map[string]any {
	public := jose.JSONWebKey{Key: &k.private().PublicKey, KeyID: k.id, Algorithm: string(jose.RS256), Use: "sig"}
	return map[string]any{"keys": []any{public}}
}

// accessClaims is what an access token of Okta says.
type accessClaims struct {
	Version  int              `json:"ver"`
	ID       string           `json:"jti"`
	Issuer   string           `json:"iss"`
	Audience string           `json:"aud"`
	IssuedAt *jwt.NumericDate `json:"iat"`
	Expiry   *jwt.NumericDate `json:"exp"`
	ClientID string           `json:"cid"`
	Scopes   []string         `json:"scp"`
	Subject  string           `json:"sub"`
	// UserID is in the tokens of people only.
	UserID string `json:"uid,omitempty"`
	// Confirmation is in tokens that are bound to a key.
	Confirmation *confirmation `json:"cnf,omitempty"`
}

func (k *signingKey) sign(claims accessClaims) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.private(), KeyID: k.id}},
		&jose.SignerOptions{},
	)
	if err != nil {
		return "", fmt.Errorf("making a signer: %w", err)
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

func (k *signingKey) verify(value string) (accessClaims, error) {
	token, err := jwt.ParseSigned(value, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return accessClaims{}, fmt.Errorf("reading an access token: %w", err)
	}
	if token.Headers[0].KeyID != k.id {
		return accessClaims{}, errors.New("reading an access token: it is signed with another key")
	}
	var claims accessClaims
	if err := token.Claims(&k.private().PublicKey, &claims); err != nil {
		return accessClaims{}, fmt.Errorf("verifying an access token: %w", err)
	}
	if claims.Expiry == nil {
		return accessClaims{}, errors.New("reading an access token: it does not expire")
	}
	return claims, nil
}

// grant is the answer of a token endpoint that says yes.
func (o *Org) grant(key *signingKey, claims accessClaims, now time.Time, lifetime time.Duration) (*reply, error) {
	claims.Version = 1
	claims.ID = "AT." + randomSecret(43)
	claims.IssuedAt, claims.Expiry = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(lifetime))
	token, err := key.sign(claims)
	if err != nil {
		return nil, err
	}
	kind := "Bearer"
	if claims.Confirmation != nil {
		kind = "DPoP"
	}
	scope := ""
	for i, name := range claims.Scopes {
		if i > 0 {
			scope += " "
		}
		scope += name
	}
	return &reply{
		status: http.StatusOK,
		header: http.Header{"Cache-Control": {"no-cache, no-store"}, "Pragma": {"no-cache"}},
		body: map[string]any{
			"token_type": kind, "expires_in": int(lifetime / time.Second),
			"access_token": token, "scope": scope,
		},
	}, nil
}

// randomSecret is unguessable, whatever the org's seed.
func randomSecret(length int) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	text := make([]byte, length)
	for i := range text {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(fmt.Sprintf("drawing a secret: %v", err))
		}
		text[i] = alphabet[n.Int64()]
	}
	return string(text)
}
