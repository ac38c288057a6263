// Package proof checks what clients prove themselves with: public keys (RFC 7517)
// and the assertions signed with them (RFC 7523). It refuses to know apps and HTTP.
package proof

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// minimumModulus is Okta's bound for RSA keys, in bits.
const minimumModulus = 2048

// ErrShortKey tells an RSA key below Okta's minimum.
var ErrShortKey = errors.New("RSA key length in the 'jwks' is less than '2,048' bits for the given key")

// PublicKey reads the public half of a key pair. It refuses a JWK that holds
// private parts: whoever sends one has just given the key away.
func PublicKey(jwk map[string]any) (any, error) {
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if jwk[private] != nil {
			return nil, fmt.Errorf("reading a JWK: it holds the private part %q", private)
		}
	}
	switch jwk["kty"] {
	case "RSA":
		return rsaKey(jwk)
	case "EC":
		return ecKey(jwk)
	}
	return nil, errors.New("reading a JWK: 'kty' must be RSA or EC")
}

func rsaKey(jwk map[string]any) (any, error) {
	n, err := number(jwk, "n")
	if err != nil {
		return nil, err
	}
	e, err := number(jwk, "e")
	if err != nil {
		return nil, err
	}
	if n.BitLen() < minimumModulus {
		return nil, ErrShortKey
	}
	if !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0 {
		return nil, errors.New("reading an RSA key: 'e' is not a public exponent")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func ecKey(jwk map[string]any) (any, error) {
	x, err := number(jwk, "x")
	if err != nil {
		return nil, err
	}
	y, err := number(jwk, "y")
	if err != nil {
		return nil, err
	}
	curve, err := curveOf(jwk)
	if err != nil {
		return nil, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x.Bytes()) > size || len(y.Bytes()) > size {
		return nil, errors.New("reading an EC key: a coordinate is too long for the curve")
	}
	point := append([]byte{4}, x.FillBytes(make([]byte, size))...)
	key, err := ecdsa.ParseUncompressedPublicKey(curve, append(point, y.FillBytes(make([]byte, size))...))
	if err != nil {
		return nil, fmt.Errorf("reading an EC key: %w", err)
	}
	return key, nil
}

// curveOf takes a missing crv from the length of a coordinate: Okta accepts EC keys
// without it, as its recorded answers show.
func curveOf(jwk map[string]any) (elliptic.Curve, error) {
	name, _ := jwk["crv"].(string)
	x, _ := jwk["x"].(string)
	if name == "" {
		name = map[int]string{43: "P-256", 64: "P-384", 88: "P-521"}[len(x)]
	}
	switch name {
	case "P-256":
		return elliptic.P256(), nil
	case "P-384":
		return elliptic.P384(), nil
	case "P-521":
		return elliptic.P521(), nil
	}
	return nil, errors.New("reading an EC key: 'crv' must be P-256, P-384 or P-521")
}

func number(jwk map[string]any, name string) (*big.Int, error) {
	text, _ := jwk[name].(string)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, fmt.Errorf("reading a JWK: %q must be a number in base64url without padding", name)
	}
	return new(big.Int).SetBytes(raw), nil
}
