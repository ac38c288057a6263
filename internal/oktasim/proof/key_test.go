package proof

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func jwkOf(t *testing.T, public any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: public})
	if err != nil {
		t.Fatal(err)
	}
	var jwk map[string]any
	if err := json.Unmarshal(raw, &jwk); err != nil {
		t.Fatal(err)
	}
	return jwk
}

func ecJWK(t *testing.T, curve elliptic.Curve) map[string]any {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jwkOf(t, key.Public())
}

func TestPublicKey(t *testing.T) {
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(jwk map[string]any, name string, value any) map[string]any {
		jwk[name] = value
		return jwk
	}
	short := base64.RawURLEncoding.EncodeToString(make([]byte, 128))
	tests := map[string]struct {
		reason string
		jwk    map[string]any
		good   bool
	}{
		"RSA":           {"2048 bits", jwkOf(t, strong.Public()), true},
		"P-256":         {"a good curve", ecJWK(t, elliptic.P256()), true},
		"P-384":         {"a good curve", ecJWK(t, elliptic.P384()), true},
		"P-521":         {"a good curve", ecJWK(t, elliptic.P521()), true},
		"without crv":   {"Okta accepts it", with(ecJWK(t, elliptic.P384()), "crv", nil), true},
		"wrong crv":     {"the point is on another one", with(ecJWK(t, elliptic.P384()), "crv", "P-256"), false},
		"unknown crv":   {"no such curve", with(ecJWK(t, elliptic.P256()), "crv", "secp256k1"), false},
		"off the curve": {"not a point", with(ecJWK(t, elliptic.P256()), "x", "AQAB"), false},
		"private":       {"a private part", with(jwkOf(t, strong.Public()), "d", "AQAB"), false},
		"symmetric":     {"a secret is no key pair", map[string]any{"kty": "oct", "k": "AQAB"}, false},
		"even exponent": {"not a public exponent", with(jwkOf(t, strong.Public()), "e", "Ag"), false},
		"short RSA":     {"too short", with(jwkOf(t, strong.Public()), "n", "Aw"+short), false},
		"not base64url": {"not a number", with(jwkOf(t, strong.Public()), "n", "%%%"), false},
		"missing":       {"not a number", with(ecJWK(t, elliptic.P256()), "y", nil), false},
		"no kty":        {"what is it", map[string]any{}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := PublicKey(test.jwk); (err == nil) != test.good {
				t.Errorf("%s: got %v", test.reason, err)
			}
		})
	}
}

func TestShortKeysAreToldApart(t *testing.T) {
	_, err := PublicKey(map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"})
	if !errors.Is(err, ErrShortKey) {
		t.Errorf("Okta has words of its own for them, got %v", err)
	}
}
