package proof

import (
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// MaximumLifetime is how far in the future an assertion may expire.
const MaximumLifetime = time.Hour

// skew is how far the client's clock may be ahead.
const skew = 5 * time.Minute

// Key is a public key a client has registered.
type Key struct {
	ID string
	// Algorithm is the only one allowed, when it was registered with one.
	Algorithm string
	Active    bool
	Public    any
}

// Expectation is what an assertion must say.
type Expectation struct {
	ClientID string
	// Audience is the URL of the endpoint the assertion was sent to. Okta documents
	// no other value, so the issuer is refused.
	Audience string
	Keys     []Key
	Now      time.Time
}

// Assertion is what a good assertion says.
type Assertion struct {
	KeyID string
	// ID is the jti; empty when the client sends none.
	ID      string
	Expires time.Time
}

// Algorithms lists what assertions may be signed with.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}
}

// Issuer reads who claims to have signed the assertion, before anything is proven.
func Issuer(assertion string) (string, error) {
	token, err := jwt.ParseSigned(assertion, Algorithms())
	if err != nil {
		return "", errors.New("the client_assertion is not a JWT signed with a supported algorithm")
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return "", errors.New("the claims of the client_assertion are malformed")
	}
	if claims.Issuer == "" {
		return "", errors.New("the client_assertion must contain the claims 'iss' and 'sub'")
	}
	return claims.Issuer, nil
}

// Verify checks the signature and then the claims, in this order.
func Verify(assertion string, want Expectation) (Assertion, error) {
	token, err := jwt.ParseSigned(assertion, Algorithms())
	if err != nil {
		return Assertion{}, errors.New("the client_assertion is not a JWT signed with a supported algorithm")
	}
	key, err := keyFor(token.Headers[0], want.Keys)
	if err != nil {
		return Assertion{}, err
	}
	var claims jwt.Claims
	if err := token.Claims(key.Public, &claims); err != nil {
		return Assertion{}, errors.New("the signature of the client_assertion is invalid")
	}
	if err := checkParties(claims, want); err != nil {
		return Assertion{}, err
	}
	if err := checkTimes(claims, want.Now); err != nil {
		return Assertion{}, err
	}
	return Assertion{KeyID: key.ID, ID: claims.ID, Expires: claims.Expiry.Time()}, nil
}

func keyFor(header jose.Header, keys []Key) (Key, error) {
	if header.KeyID == "" {
		return Key{}, errors.New("the client_assertion must name its key with 'kid'")
	}
	for _, key := range keys {
		if key.ID != header.KeyID {
			continue
		}
		if !key.Active {
			return Key{}, errors.New("the key the client_assertion names is inactive")
		}
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			return Key{}, errors.New("the client_assertion is signed with another algorithm than its key allows")
		}
		return key, nil
	}
	return Key{}, errors.New("the client has no key of the 'kid' the client_assertion names")
}

func checkParties(claims jwt.Claims, want Expectation) error {
	switch {
	case claims.Issuer != want.ClientID:
		return errors.New("the issuer of the client_assertion must be the client_id")
	case claims.Subject != want.ClientID:
		return errors.New("the subject of the client_assertion must be the client_id")
	case len(claims.Audience) != 1 || claims.Audience[0] != want.Audience:
		return errors.New("the audience claim for client_assertion must be the endpoint invoked for the request")
	}
	return nil
}

func checkTimes(claims jwt.Claims, now time.Time) error {
	switch {
	case claims.Expiry == nil:
		return errors.New("the client_assertion must contain the claim 'exp'")
	case !now.Before(claims.Expiry.Time()):
		return errors.New("the client_assertion token is expired")
	case claims.Expiry.Time().After(now.Add(MaximumLifetime)):
		return errors.New("the client_assertion token has an expiration more than one hour in the future")
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(skew)):
		return errors.New("the client_assertion token was issued in the future")
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(claims.Expiry.Time()):
		return errors.New("the client_assertion token expires before it was issued")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(skew)):
		return errors.New("the client_assertion token is not valid yet")
	}
	return nil
}
