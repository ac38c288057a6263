package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// What the peer is, from the environment.
const (
	// peerBinary is a command line that reads Terraform's language, such as tofu or terraform.
	peerBinary = "PEER_BINARY"
	// peerProvider is a program of the provider okta/okta for it.
	peerProvider = "PEER_PROVIDER"
	// peerArguments are more arguments for apply, divided by spaces, such as -parallelism=50.
	peerArguments = "PEER_ARGUMENTS"
	// standIn is handed on to the peer, which in a test is the test itself.
	standIn = "BENCH_STAND_IN"
)

// peer is a Terraform-compatible program with a provider of Okta, which makes in an org of its
// own what the operator makes for the same keys and roles.
type peer struct {
	binary, provider string
	arguments        []string
	dir              string
}

// peerFrom gives the peer that the environment names; nil when it names none.
func peerFrom(getenv func(string) string, dir string) (*peer, error) {
	p := &peer{binary: getenv(peerBinary), provider: getenv(peerProvider), arguments: strings.Fields(getenv(peerArguments)), dir: dir}
	switch {
	case p.binary == "" && p.provider == "":
		return nil, nil
	case p.binary == "" || p.provider == "":
		return nil, fmt.Errorf("%s and %s go together: a program such as tofu, and the provider okta/okta for it", peerBinary, peerProvider)
	}
	return p, nil
}

//go:embed terraform.tf.tmpl
var terraformText string

// fleetPlan is what the peer is to make.
type fleetPlan struct {
	OrgURL, Host, Token string
	Keys, Roles         int
	// Modulus is the public key of all clients: to make one takes longer than all else.
	Modulus string
	// Note is what people may read of the first key.
	Note string
}

// Before is the role before that one.
func (fleetPlan) Before(role int) int { return role - 1 }

// write writes the configuration, in the way that somebody who knows the provider would: one
// app a key, one policy a role with its clients.
func (p *peer) write(w fleetPlan) error {
	text, err := template.New("main.tf").Parse(terraformText)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := text.Execute(&out, w); err != nil {
		return err
	}
	plugins := filepath.Join(p.dir, "plugins")
	cli := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"okta/okta\" = %q\n  }\n  direct {}\n}\n", plugins)
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		return err
	}
	provider, err := filepath.Abs(p.provider)
	if err != nil {
		return err
	}
	link := filepath.Join(plugins, "terraform-provider-okta")
	if err := os.Symlink(provider, link); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(p.dir, "main.tf"), out.Bytes(), 0o600),
		os.WriteFile(filepath.Join(p.dir, "cli.tfrc"), []byte(cli), 0o600),
	)
}

// run runs one command of the peer. Its output ends up in the error, without the token.
func (p *peer) run(ctx context.Context, token string, args ...string) error {
	binary, err := filepath.Abs(p.binary)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = p.dir
	// Nothing of the person's own settings of the peer, or of Okta, is let in.
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "TF_CLI_CONFIG_FILE=" + filepath.Join(p.dir, "cli.tfrc"),
		"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", standIn + "=" + os.Getenv(standIn),
	}
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	const most = 2000
	text := strings.ReplaceAll(string(out[max(0, len(out)-most):]), token, "(the access token)")
	return fmt.Errorf("%s %s: %w; its output ends\n%s", filepath.Base(binary), strings.Join(args, " "), err, text)
}

// effort is what a phase took.
type effort struct {
	Calls   int     `json:"calls"`
	Writes  int     `json:"writes"`
	Refused int     `json:"refused"`
	Seconds float64 `json:"seconds"`
}

// The phases that both sides go through.
const (
	phaseCreate  = "create"
	phaseRefresh = "look at everything, nothing changed"
	phaseChange  = "change one key"
)

func phases() []string { return []string{phaseCreate, phaseRefresh, phaseChange} }

// measurePeer lets the peer create everything, look at it, and change one key, in the org at
// that address.
func measurePeer(ctx context.Context, p *peer, org *oktasim.Org, orgURL string, keys, roles int) (map[string]effort, error) {
	token, err := accessToken(ctx, org, orgURL)
	if err != nil {
		return nil, err
	}
	modulus, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	parsed, err := url.Parse(orgURL)
	if err != nil {
		return nil, err
	}
	w := fleetPlan{
		OrgURL: orgURL, Host: parsed.Host, Token: token, Keys: keys, Roles: roles,
		Modulus: base64.RawURLEncoding.EncodeToString(modulus.N.Bytes()), Note: "as it was made",
	}
	efforts := map[string]effort{}
	for _, phase := range phases() {
		if phase == phaseChange {
			w.Note = "as it was changed"
		}
		if err := p.write(w); err != nil {
			return nil, err
		}
		args := append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, p.arguments...)
		if phase == phaseRefresh {
			args = append([]string{"plan", "-input=false", "-no-color", "-detailed-exitcode"}, p.arguments...)
		}
		first, began := org.OperationCount(), time.Now()
		if err := p.run(ctx, token, args...); err != nil {
			return nil, fmt.Errorf("%s: %w", phase, err)
		}
		efforts[phase] = effortOf(org.OperationsSince(first), time.Since(began))
	}
	return efforts, nil
}

func effortOf(operations []oktasim.Operation, took time.Duration) effort {
	c := tally(operations, nil)
	return effort{Calls: c.management, Writes: c.writes, Refused: c.refused, Seconds: took.Seconds()}
}

// peerScopes are what the peer's calls need.
func peerScopes() []string {
	var scopes []string
	for _, of := range []string{"apps", "authorizationServers", "groups", "policies"} {
		scopes = append(scopes, "okta."+of+".read", "okta."+of+".manage")
	}
	return scopes
}

// accessToken registers a service app for the peer and obtains a token for it (RFC 7523), as a
// person would hand it to the provider.
func accessToken(ctx context.Context, org *oktasim.Org, orgURL string) (string, error) {
	const clientID, kid = "0oa-peer-00000000001", "peer"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: kid, Algorithm: string(jose.RS256), Use: "sig"})
	if err != nil {
		return "", err
	}
	if err := org.AddServiceClient(clientID, public, peerScopes()...); err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		return "", err
	}
	now := time.Now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{orgURL + "/oauth2/v1/token"}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)),
	}).Serialize()
	if err != nil {
		return "", err
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(peerScopes(), " ")}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, orgURL+"/oauth2/v1/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("obtaining a token for the peer: status %d: %s", response.StatusCode, answer.Error)
	}
	return answer.Token, nil
}
