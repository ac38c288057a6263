package proof

import (
	"crypto"
	"encoding/base64"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// possessionLifetime is how old a proof of possession may be.
const possessionLifetime = 5 * time.Minute

// Request is what a proof of possession is for.
type Request struct {
	Method string
	// URL is without query and fragment.
	URL string
	Now time.Time
}

// Possession is what a good proof of possession says.
type Possession struct {
	// ID is the jti; Nonce is what the server has given, if anything.
	ID, Nonce string
	// Thumbprint is the RFC 7638 thumbprint of the key.
	Thumbprint string
	Expires    time.Time
}

// Possess checks a DPoP proof (RFC 9449, section 4.3): that it is one, that it is
// signed with the key it shows, and that it is for this request and this time.
func Possess(value string, request Request) (Possession, error) {
	token, err := jwt.ParseSigned(value, Algorithms())
	if err != nil {
		return Possession{}, errors.New("the DPoP proof is not a JWT signed with a supported algorithm")
	}
	header := token.Headers[0]
	if kind, _ := header.ExtraHeaders[jose.HeaderType].(string); kind != "dpop+jwt" {
		return Possession{}, errors.New("the DPoP proof must have 'typ' dpop+jwt")
	}
	key := header.JSONWebKey
	if key == nil || !key.Valid() || !key.IsPublic() {
		return Possession{}, errors.New("the DPoP proof must show a public key as 'jwk'")
	}
	var claims possessionClaims
	if err := token.Claims(key.Key, &claims); err != nil {
		return Possession{}, errors.New("the signature of the DPoP proof is invalid")
	}
	if err := claims.check(request); err != nil {
		return Possession{}, err
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return Possession{}, errors.New("the key of the DPoP proof has no thumbprint")
	}
	return Possession{
		ID: claims.ID, Nonce: claims.Nonce, Thumbprint: base64.RawURLEncoding.EncodeToString(sum),
		Expires: claims.IssuedAt.Time().Add(possessionLifetime),
	}, nil
}

type possessionClaims struct {
	jwt.Claims
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Nonce  string `json:"nonce"`
}

// check holds the claims of a proof against the request it came with.
func (claims possessionClaims) check(request Request) error {
	switch {
	case claims.Method != request.Method:
		return errors.New("the DPoP proof must have the method of the request as 'htm'")
	case claims.URL != request.URL:
		return errors.New("the DPoP proof must have the URL of the request as 'htu'")
	case claims.ID == "":
		return errors.New("the DPoP proof must have a 'jti'")
	case claims.IssuedAt == nil:
		return errors.New("the DPoP proof must have an 'iat'")
	}
	issued := claims.IssuedAt.Time()
	if issued.After(request.Now) || !request.Now.Before(issued.Add(possessionLifetime)) {
		return errors.New("the DPoP proof is not of this time")
	}
	return nil
}
