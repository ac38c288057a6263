package process

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// start runs an org and gives its URL as told, and what ends it.
func start(t *testing.T, config Config) (base string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Run(ctx, config, writer)
		writer.CloseWithError(err)
		ended <- err
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("reading where it listens: %v", err)
	}
	base, found := strings.CutPrefix(strings.TrimSpace(line), "oktasim: listening on ")
	if !found {
		t.Fatalf("the line is a promise to scripts, got %q", line)
	}
	return base, func() error { cancel(); return <-ended }
}

func TestOperatorGetsInWithTheFilesAlone(t *testing.T) {
	dir := t.TempDir()
	tlsDir, bootstrapDir := filepath.Join(dir, "tls"), filepath.Join(dir, "operator")
	base, stop := start(t, Config{Listen: "127.0.0.1:0", TLSDir: tlsDir, BootstrapDir: bootstrapDir})
	read := func(dir, name string, mode os.FileMode) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s must have mode %v, got %v, %v", name, mode, info.Mode(), err)
		}
		return string(raw)
	}
	file := func(name string) string { return read(bootstrapDir, name, 0o600) }
	if told := file("url"); told != base {
		t.Errorf("the file url says %s, the process %s", told, base)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(tlsDir, "ca.crt", 0o644)))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	client := &http.Client{Transport: transport}

	endpoint := base + "/oauth2/v1/token"
	assertion := signAssertion(t, file("private_key.pem"), file("key_id"), file("client_id"), endpoint)
	answer, err := client.PostForm(endpoint, url.Values{
		"grant_type": {"client_credentials"}, "scope": {"okta.apps.read"}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
		t.Fatal(err)
	}
	for _, authorization := range []string{"Bearer " + token.AccessToken, "SSWS " + file("api_token")} {
		request, err := http.NewRequest("GET", base+"/api/v1/apps", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization)
		listed, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		listed.Body.Close()
		if listed.StatusCode != http.StatusOK {
			t.Errorf("the written credentials must let one in, got %d", listed.StatusCode)
		}
	}
	transport.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Errorf("a signal is a good end, got %v", err)
	}
}

func signAssertion(t *testing.T, pemText, keyID, clientID, audience string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(pemText))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: keyID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{audience},
		Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return assertion
}

func TestRunTellsWhatItCannotDo(t *testing.T) {
	tests := map[string]struct {
		reason string
		config Config
	}{
		"limits":  {"a misspelt profile", Config{Listen: "127.0.0.1:0", Options: oktasim.Options{Limits: "wrokforce"}}},
		"address": {"an address that is none", Config{Listen: "nowhere", Options: oktasim.Options{Limits: oktasim.LimitsWorkforce}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := Run(t.Context(), test.config, io.Discard); err == nil {
				t.Errorf("%s must be an error", test.reason)
			}
		})
	}
}
