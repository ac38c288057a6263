package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// keys are one private key of each form that is taken, and of some that are not.
func keys(t *testing.T) map[string]string {
	t.Helper()
	curve := func(c elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return block("PRIVATE KEY", der, err)
	}
	p256 := curve(elliptic.P256())
	sec1, err := x509.MarshalECPrivateKey(p256)
	return map[string]string{
		"RS256 PKCS 8": pkcs8(rsaKey), "RS256 PKCS 1": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil),
		"ES256 PKCS 8": pkcs8(p256), "ES256 SEC 1": block("EC PRIVATE KEY", sec1, err),
		"ES384 PKCS 8": pkcs8(curve(elliptic.P384())), "ES512 PKCS 8": pkcs8(curve(elliptic.P521())),
		"none P-224": pkcs8(curve(elliptic.P224())), "none text": "not a key", "none PEM": block("PRIVATE KEY", []byte("canary-in-der"), nil),
	}
}

func TestAssertion(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			algorithm, _, _ := strings.Cut(name, " ")
			made, err := Assertion("client", "kid", identity.NewSecret([]byte(key)), "https://o/token", now)
			if algorithm == "none" {
				if err == nil || strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v, want an error that does not quote the key", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, kid := readAssertion(t, made, algorithm, key)
			issued, expires := time.Unix(got.IssuedAt, 0), time.Unix(got.Expiry, 0)
			if issued.After(now) || expires.Sub(now) > 5*time.Minute || expires.Before(now) {
				t.Errorf("it holds from %s to %s, want about %s", issued, expires, now)
			}
			got.IssuedAt, got.Expiry = 0, 0
			if want := (claims{Issuer: "client", Subject: "client", Audience: "https://o/token", ID: got.ID}); got != want || got.ID == "" || kid != "kid" {
				t.Errorf("got %+v with kid %q", got, kid)
			}
			again, err := Assertion("client", "kid", identity.NewSecret([]byte(key)), "https://o/token", now)
			if err != nil || again.Equal(made) {
				t.Error("two assertions are one: they must name themselves")
			}
		})
	}
}

// readAssertion verifies an assertion as Okta would.
func readAssertion(t *testing.T, made identity.Secret, algorithm, key string) (claims, string) {
	t.Helper()
	token, err := jwt.ParseSigned(string(made.Reveal()), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	if err != nil {
		t.Fatalf("reading the assertion: %v", err)
	}
	private, err := parseKey(identity.NewSecret([]byte(key)))
	if err != nil {
		t.Fatal(err)
	}
	var got claims
	if err := token.Claims(private.Public(), &got); err != nil {
		t.Fatalf("verifying the assertion: %v", err)
	}
	return got, token.Headers[0].KeyID
}

func TestFiles(t *testing.T) {
	key := keys(t)["ES256 PKCS 8"]
	for name, test := range map[string]struct {
		reason string
		files  map[string]string
		says   string
	}{
		"service app":   {"a service app's three files", map[string]string{"client_id": "c\n", "key_id": "k", "private_key.pem": key}, ""},
		"token":         {"an API token alone", map[string]string{"api_token": "canary-token\n"}, ""},
		"nothing":       {"an empty directory", nil, "client_id is missing"},
		"both":          {"which of the two would hold?", map[string]string{"api_token": "canary-token", "client_id": "c"}, "an API token and a service app's files"},
		"no key id":     {"half a set", map[string]string{"client_id": "c", "private_key.pem": key}, "key_id is missing"},
		"empty":         {"an empty file", map[string]string{"api_token": " \n"}, "api_token is empty"},
		"not a key":     {"a file that is no key", map[string]string{"client_id": "c", "key_id": "k", "private_key.pem": "canary-token"}, "private_key.pem"},
		"large":         {"a file that is no value", map[string]string{"api_token": strings.Repeat("x", 70_000)}, "larger than"},
		"wrong secrets": {"another Secret was mounted", map[string]string{"tls.crt": "x"}, "put either client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, test.files)
			got, err := Files(dir)(t.Context())
			if test.says == "" {
				if err != nil || got.IsToken() != (test.files["api_token"] != "") || strings.HasSuffix(got.ClientID, "\n") {
					t.Errorf("%s: got %+v, %v", test.reason, got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: got %v, want it to say %q", test.reason, err, test.says)
			}
		})
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFilesSwapped swaps the link as Kubernetes does when a Secret changes.
func TestFilesSwapped(t *testing.T) {
	dir := t.TempDir()
	version := func(name, token string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), map[string]string{"api_token": token})
		next := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(name, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	source := Files(dir)
	for _, token := range []string{"first", "second"} {
		version("..version_"+token, token)
		got, err := source(t.Context())
		if err != nil || string(got.APIToken.Reveal()) != token {
			t.Errorf("got %v, %v, want the %s token", got, err, token)
		}
	}
}
