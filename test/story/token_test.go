package story

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	corev1 "k8s.io/api/core/v1"
)

// agent is a client that knows nothing but the files of its mounted Secret, and the time.
type agent struct {
	files map[string]string
	now   func() time.Time
}

func (w *world) agent(secret string) agent {
	w.Helper()
	var s corev1.Secret
	w.get(secret, &s)
	return agent{files: filesOf(&s), now: w.now}
}

// filesOf is what a pod sees that mounts the Secret.
func filesOf(secret *corev1.Secret) map[string]string {
	files := map[string]string{}
	for name, data := range secret.Data {
		files[name] = string(data)
	}
	return files
}

// token asks for an access token with the scopes and gives its claims, or the
// OAuth error code.
func (a agent) token(scopes ...string) (claims map[string]any, oauthError string, err error) {
	granted, oauthError, err := a.ask(scopes...)
	if err != nil || oauthError != "" {
		return nil, oauthError, err
	}
	claims, err = a.verified(granted)
	return claims, "", err
}

// ask asks for an access token and believes what it gets.
func (a agent) ask(scopes ...string) (granted, oauthError string, err error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}}
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	err = a.post(a.files["token_url"], form, &answer)
	return answer.AccessToken, answer.Error, err
}

// active asks whether a token, of whichever client, is good.
func (a agent) active(token string) (bool, error) {
	var answer struct {
		Active bool   `json:"active"`
		Error  string `json:"error"`
	}
	err := a.post(a.files["issuer"]+"/v1/introspect", url.Values{"token": {token}}, &answer)
	if answer.Error != "" {
		err = fmt.Errorf("introspection: %s", answer.Error)
	}
	return answer.Active, err
}

// post sends a form with a proof of who the agent is.
func (a agent) post(endpoint string, form url.Values, answer any) error {
	request, err := a.request(endpoint, form)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return json.NewDecoder(response.Body).Decode(answer)
}

// verified gives the claims of a token that the server has signed.
func (a agent) verified(granted string) (claims map[string]any, err error) {
	token, err := jwt.ParseSigned(granted, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	keys, err := a.serverKeys()
	if err != nil {
		return nil, err
	}
	return claims, token.Claims(keys, &claims)
}

// request authenticates with whichever credential the files hold.
func (a agent) request(endpoint string, form url.Values) (*http.Request, error) {
	if a.files["client_secret"] == "" {
		assertion, err := a.assertion(endpoint)
		if err != nil {
			return nil, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
	request, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret := a.files["client_secret"]; secret != "" {
		request.SetBasicAuth(a.files["client_id"], secret)
	}
	return request, nil
}

func (a agent) assertion(endpoint string) (string, error) {
	var key jose.JSONWebKey
	if err := json.Unmarshal([]byte(a.files["jwk"]), &key); err != nil {
		return "", fmt.Errorf("reading the file jwk: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		return "", err
	}
	now := a.now()
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: a.files["client_id"], Subject: a.files["client_id"], Audience: jwt.Audience{endpoint},
		ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
}

func (a agent) serverKeys() (*jose.JSONWebKeySet, error) {
	response, err := http.Get(a.files["issuer"] + "/v1/keys")
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	keys := &jose.JSONWebKeySet{}
	return keys, json.NewDecoder(response.Body).Decode(keys)
}

// mustWork holds that the agent gets exactly the scopes, and the others are refused.
func (w *world) mustWork(a agent, scopes []string, refused ...string) {
	w.Helper()
	claims, oauthError, err := a.token(scopes...)
	if err != nil || oauthError != "" {
		w.Errorf("no token for %v: %s %v", scopes, oauthError, err)
		return
	}
	var got []string
	for _, scope := range claims["scp"].([]any) {
		got = append(got, scope.(string))
	}
	if strings.Join(got, " ") != strings.Join(scopes, " ") {
		w.Errorf("the token holds %v, want %v", got, scopes)
	}
	for claim, want := range map[string]string{"iss": a.files["issuer"], "aud": a.files["audience"], "cid": a.files["client_id"]} {
		if claims[claim] != want {
			w.Errorf("claim %s of the token is %v, want %s", claim, claims[claim], want)
		}
	}
	for _, scope := range refused {
		if _, oauthError, err := a.token(append(scopes, scope)...); err != nil || oauthError == "" {
			w.Errorf("asking for %q too is not refused: %v", scope, err)
		}
	}
}
