package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Possession proves that whoever asks for a token has a key, to which the token is then
// bound (DPoP, RFC 9449). The key is made for one token and thrown away with it.
type Possession struct{ signer jose.Signer }

// NewPossession makes a key.
func NewPossession() (Possession, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Possession{}, errors.New("there is no randomness for a key")
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"),
	)
	return Possession{signer}, err
}

// proof are the claims of a proof (RFC 9449, section 4.2).
type proof struct {
	ID       string `json:"jti"`
	Method   string `json:"htm"`
	URL      string `json:"htu"`
	IssuedAt int64  `json:"iat"`
	Nonce    string `json:"nonce,omitempty"`
}

// Proof is the proof for one request. nonce is what the server asked for; empty for none.
// now is the server's time, not ours.
func (p Possession) Proof(method, url, nonce string, now time.Time) (string, error) {
	signed, err := jwt.Signed(p.signer).Claims(proof{
		ID: rand.Text(), Method: method, URL: url, IssuedAt: now.Add(-leeway).Unix(), Nonce: nonce,
	}).Serialize()
	if err != nil {
		return "", errors.New("the proof of possession cannot be signed")
	}
	return signed, nil
}
