package model

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// files are what an agent has: its mounted Secret and nothing else.
type files map[string][]byte

// token asks for an access token with the scopes and gives the OAuth error code,
// "" when one is granted.
func (w *world) token(f files, scopes []string) string {
	w.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}}
	if f["client_secret"] == nil {
		assertion, err := f.assertion(w.clock.Now())
		if err != nil {
			return err.Error()
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
	req, err := http.NewRequest(http.MethodPost, string(f["token_url"]), strings.NewReader(form.Encode()))
	if err != nil || len(f["token_url"]) == 0 {
		return "the Secret has no token_url"
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret := f["client_secret"]; secret != nil {
		req.SetBasicAuth(string(f["client_id"]), string(secret))
	}
	response, err := serve(w.org, req)
	w.must(err)
	var answer struct {
		Scope string `json:"scope"`
		Error string `json:"error"`
		Code  string `json:"errorCode"`
	}
	w.must(json.NewDecoder(response.Body).Decode(&answer))
	if answer.Error+answer.Code == "" && !slices.Equal(strings.Fields(answer.Scope), scopes) {
		return "other scopes: " + answer.Scope
	}
	return answer.Error + answer.Code
}

func (f files) assertion(now time.Time) (string, error) {
	var key jose.JSONWebKey
	if err := json.Unmarshal(f["jwk"], &key); err != nil {
		return "", fmt.Errorf("the file jwk is none")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		return "", fmt.Errorf("the file jwk does not sign")
	}
	client := string(f["client_id"])
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: client, Subject: client, Audience: jwt.Audience{string(f["token_url"])},
		ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
}

// credential names the credential in a Secret, staged or published, without telling
// it: the kid of a key, or a digest of a secret.
func (f files) credential() string {
	if secret := f["client_secret"]; secret != nil {
		sum := sha256.Sum256(secret)
		return hex.EncodeToString(sum[:])
	}
	if pem := f["private_key.pem"]; pem != nil {
		sum := sha256.Sum256(pem)
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return ""
}
