// Command token obtains an access token from the files of a mounted AgentAPIKey
// Secret (delivery PrivateKeyJWT) and prints its claims. It reads the files anew
// each time, so it survives a change of the credential.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// token signs an assertion with the mounted key (RFC 7523) and exchanges it.
func token(dir, scopes string) (string, error) {
	file := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			log.Fatal(err)
		}
		return string(text)
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal([]byte(file("jwk")), &key); err != nil {
		return "", fmt.Errorf("reading jwk: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, nil)
	if err != nil {
		return "", fmt.Errorf("preparing to sign: %w", err)
	}
	now := time.Now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: file("client_id"), Subject: file("client_id"), Audience: jwt.Audience{file("token_url")},
		ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("signing the assertion: %w", err)
	}
	response, err := http.PostForm(file("token_url"), url.Values{
		"grant_type": {"client_credentials"}, "scope": {scopes}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	})
	if err != nil {
		return "", fmt.Errorf("asking for a token: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	if answer.Error != "" {
		return "", fmt.Errorf("the token is refused: %s", answer.Error)
	}
	return answer.AccessToken, nil
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: token DIRECTORY SCOPES")
	}
	access, err := token(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(access, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		log.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims["cid"], claims["scp"])
}
