package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// agent is an AI agent's OAuth client. All it knows is a directory: the files of
// its Secret, as a pod would mount them.
type agent struct {
	mount string
	http  *http.Client
}

// refusal is the token endpoint saying no (RFC 6749, section 5.2).
type refusal struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// Error is the refusal in one line.
func (r *refusal) Error() string {
	return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Description)
}

// newAgent trusts the simulated org's certificate authority, as an agent in
// production trusts the public ones.
func newAgent(mount, authority string) (*agent, error) {
	bundle, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("%s holds no certificate", authority)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return &agent{mount: mount, http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}, nil
}

// read returns one file of the Secret.
func (a *agent) read(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(a.mount, name))
	return strings.TrimSpace(string(text)), err
}

// token asks for an access token with the scopes (client_credentials).
func (a *agent) token(ctx context.Context, scopes string) (string, error) {
	endpoint, err := a.read("token_url")
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scopes}}
	request, err := a.authenticated(ctx, endpoint, form)
	if err != nil {
		return "", err
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := a.do(request, &granted); err != nil {
		return "", err
	}
	return granted.AccessToken, nil
}

// authenticated proves who asks with whatever the Secret holds.
func (a *agent) authenticated(ctx context.Context, endpoint string, form url.Values) (*http.Request, error) {
	id, err := a.read("client_id")
	if err != nil {
		return nil, err
	}
	secret, err := a.read("client_secret")
	basic := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		var assertion string
		if assertion, err = a.assertion(id, endpoint); err == nil {
			form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			form.Set("client_assertion", assertion)
		}
	}
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if basic {
		request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	return request, nil
}

// assertion is a statement of who asks, signed with the private key (RFC 7523).
func (a *agent) assertion(id, audience string) (string, error) {
	text, err := a.read("private_key.pem")
	if err != nil {
		return "", err
	}
	keyID, err := a.read("key_id")
	if err != nil {
		return "", err
	}
	key, algorithm, err := parseKey([]byte(text))
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", keyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		return "", err
	}
	now := time.Now()
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: id, Subject: id, Audience: jwt.Audience{audience}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)),
	}).Serialize()
}

func parseKey(text []byte) (any, jose.SignatureAlgorithm, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, "", errors.New("private_key.pem holds no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, "", fmt.Errorf("parsing private_key.pem: %w", err)
	}
	switch key.(type) {
	case *ecdsa.PrivateKey:
		return key, jose.ES256, nil
	case *rsa.PrivateKey:
		return key, jose.RS256, nil
	}
	return nil, "", fmt.Errorf("private_key.pem holds a %T", key)
}

// verify reads a token the way an API that receives it does: with the keys its
// issuer publishes.
func (a *agent) verify(ctx context.Context, token string) (map[string]any, error) {
	issuer, err := a.read("issuer")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/v1/keys", http.NoBody)
	if err != nil {
		return nil, err
	}
	keys := jose.JSONWebKeySet{}
	if err := a.do(request, &keys); err != nil {
		return nil, fmt.Errorf("fetching the issuer's keys: %w", err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	return claims, parsed.Claims(keys, &claims)
}

// do sends a request and decodes the answer, or the refusal.
func (a *agent) do(request *http.Request, into any) error {
	response, err := a.http.Do(request)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		no := &refusal{Status: response.StatusCode}
		if json.Unmarshal(body, no) != nil || no.Code == "" {
			return fmt.Errorf("%s answered %s: %s", request.URL, response.Status, body)
		}
		return no
	}
	return json.Unmarshal(body, into)
}
