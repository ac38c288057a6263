package proof

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func TestPossessShowsItsKey(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(embed bool) string {
		signer, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.ES256, Key: key},
			(&jose.SignerOptions{EmbedJWK: embed}).WithType("dpop+jwt"),
		)
		if err != nil {
			t.Fatal(err)
		}
		claims := map[string]any{"htm": "POST", "htu": "https://example.com/token", "jti": "one", "iat": now.Unix(), "nonce": "n"}
		value, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	request := Request{Method: "POST", URL: "https://example.com/token", Now: now}
	shown, err := Possess(sign(true), request)
	if err != nil || shown.ID != "one" || shown.Nonce != "n" || len(shown.Thumbprint) != 43 || !shown.Expires.After(now) {
		t.Errorf("a good proof: got %v, %v", shown, err)
	}
	if _, err := Possess(sign(false), request); err == nil {
		t.Error("a proof that shows no key proves nothing")
	}
	value := sign(true)
	if _, err := Possess(value[:len(value)-8]+"AAAAAAAA", request); err == nil {
		t.Error("a signature that is not the key's proves nothing")
	}
}
