package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
)

// mounted gives access tokens for the credential in a mounted Secret: a private key
// (delivery PrivateKeyJWT) or a client secret (delivery ClientSecret). It is an
// oauth2.TokenSource without memory: oauth2.ReuseTokenSourceWithExpiry remembers.
type mounted struct {
	directory, scopes string
	http              *http.Client
}

// Token reads the files, for they may have been replaced since, and asks for a token.
// Where Okta does not take the credential, it may have ended just after it was read: the
// files are read again and it is asked once more.
func (m *mounted) Token() (*oauth2.Token, error) {
	token, refused, err := m.ask()
	if refused {
		token, _, err = m.ask()
	}
	return token, err
}

// ask tells beside the error whether Okta refused the credential itself.
func (m *mounted) ask() (token *oauth2.Token, refused bool, err error) {
	request, err := m.request()
	if err != nil {
		return nil, false, err
	}
	now := time.Now()
	response, err := m.http.Do(request)
	if err != nil {
		return nil, false, fmt.Errorf("asking for a token: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		Error       string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, false, fmt.Errorf("reading the answer (%s): %w", response.Status, err)
	}
	if response.StatusCode != http.StatusOK {
		refused = response.StatusCode == http.StatusUnauthorized && answer.Error == "invalid_client"
		return nil, refused, fmt.Errorf("the token is refused: %s %s", response.Status, answer.Error)
	}
	return &oauth2.Token{
		AccessToken: answer.AccessToken, TokenType: answer.TokenType, Expiry: now.Add(time.Duration(answer.ExpiresIn) * time.Second),
	}, false, nil
}

// request reads the files and asks for the scopes with what is in them.
func (m *mounted) request() (*http.Request, error) {
	files := map[string]string{}
	for _, name := range []string{"client_id", "token_url", "client_secret", "jwk"} {
		text, err := os.ReadFile(filepath.Join(m.directory, name))
		if err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("reading the credential: %w", err)
		}
		files[name] = string(text)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {m.scopes}}
	if files["client_secret"] == "" {
		assertion, err := sign(files["jwk"], files["client_id"], files["token_url"])
		if err != nil {
			return nil, err
		}
		form.Set("client_assertion", assertion)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	}
	request, err := http.NewRequest(http.MethodPost, files["token_url"], strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("asking for a token: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if files["client_secret"] != "" {
		request.SetBasicAuth(url.QueryEscape(files["client_id"]), url.QueryEscape(files["client_secret"]))
	}
	return request, nil
}

// sign makes a client assertion (RFC 7523). The file jwk has the key and its id, so that
// never one of them is from before a rotation and the other from after it.
func sign(jwk, clientID, tokenURL string) (string, error) {
	var key jose.JSONWebKey
	if err := json.Unmarshal([]byte(jwk), &key); err != nil {
		return "", fmt.Errorf("reading jwk: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, nil)
	if err != nil {
		return "", fmt.Errorf("preparing to sign: %w", err)
	}
	now := time.Now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{tokenURL},
		ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("signing the assertion: %w", err)
	}
	return assertion, nil
}
