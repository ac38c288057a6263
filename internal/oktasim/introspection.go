package oktasim

import (
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4/jwt"
)

// presented reads a request about a token and proves who sends it. Without an error
// the third result tells whether the token is one of the server's, and good.
func (o *Org) presented(c *call) (*app, accessClaims, bool, error) {
	s, err := o.issuer(c)
	if err != nil {
		return nil, accessClaims{}, false, err
	}
	f, err := readForm(c)
	if err != nil {
		return nil, accessClaims{}, false, err
	}
	asking, err := o.proveApp(c, f)
	if err != nil {
		return nil, accessClaims{}, false, err
	}
	if !f.has("token") {
		return nil, accessClaims{}, false, badOAuth("invalid_request", "The `token` parameter is required.")
	}
	claims, err := s.key.verify(f.Get("token"))
	subject, known := o.byClientID[claims.ClientID]
	_, revoked := o.revoked[claims.ID]
	good := err == nil && claims.Issuer == o.issuerOf(s) && c.now.Before(claims.Expiry.Time()) && known && subject.active && !revoked
	return asking, claims, good, nil
}

// introspect tells whether a token is good; only clients of the org may ask.
func (o *Org) introspect(c *call) (*reply, error) {
	_, claims, good, err := o.presented(c)
	if err != nil {
		return nil, err
	}
	if !good {
		return ok(map[string]any{"active": false})
	}
	told := map[string]any{
		"active": true, "token_type": "Bearer", "scope": strings.Join(claims.Scopes, " "),
		"client_id": claims.ClientID, "sub": claims.Subject, "username": claims.Subject,
		"aud": claims.Audience, "iss": claims.Issuer, "jti": claims.ID,
		"iat": seconds(claims.IssuedAt), "exp": seconds(claims.Expiry),
	}
	if claims.Confirmation != nil {
		told["token_type"], told["cnf"] = "DPoP", claims.Confirmation
	}
	if claims.UserID != "" {
		told["uid"] = claims.UserID
	}
	return ok(told)
}

// revoke makes introspection call a token inactive (RFC 7009). A token that is not
// good is success, so that nobody learns what a token is worth by revoking it.
func (o *Org) revoke(c *call) (*reply, error) {
	asking, claims, good, err := o.presented(c)
	if err != nil {
		return nil, err
	}
	if good && claims.ClientID != asking.clientID() {
		return nil, badOAuth("invalid_request", "A client may only revoke its own tokens.")
	}
	if good {
		o.revoked.spend(claims.ID, claims.Expiry.Time(), c.now)
	}
	return &reply{status: http.StatusOK}, nil
}

func seconds(date *jwt.NumericDate) int64 { return date.Time().Unix() }
