package okta_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const operatorID = "agent-identity-operator"

// serviceApp registers the operator's service app with the org.
func (w *world) serviceApp(public any, algorithm string, private []byte, scopes ...string) credential.Credentials {
	w.t.Helper()
	jwk, err := json.Marshal(jose.JSONWebKey{Key: public, KeyID: "op-key", Algorithm: algorithm, Use: "sig"})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.org.AddServiceClient(operatorID, jwk, scopes...); err != nil {
		w.t.Fatal(err)
	}
	return credential.Credentials{ClientID: operatorID, KeyID: "op-key", PrivateKey: identity.NewSecret(private)}
}

func (w *world) elliptic(scopes ...string) credential.Credentials {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.serviceApp(key.Public(), "ES256", pemOf(w.t, key), scopes...)
}

// tokens counts how often the operator asked for its own token.
func (w *world) tokens() int {
	n := 0
	for _, op := range w.org.Operations() {
		if op.Template == "/oauth2/v1/token" {
			n++
		}
	}
	return n
}

func observe(t *testing.T, d *okta.Directory) error {
	t.Helper()
	d.Forget()
	_, err := d.ObserveClient(t.Context(), "aik-nobody", identity.ClientHint{Label: "k8s/test/a/nobody"})
	return err
}

func TestServiceApp(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	for name, app := range map[string]func(*world) credential.Credentials{
		"EC, PKCS 8": func(w *world) credential.Credentials { return w.elliptic(okta.RequiredScopes()...) },
		"RSA, PKCS 8": func(w *world) credential.Credentials {
			return w.serviceApp(rsaKey.Public(), "RS256", pemOf(t, rsaKey), okta.RequiredScopes()...)
		},
		"RSA, PKCS 1": func(w *world) credential.Credentials {
			return w.serviceApp(rsaKey.Public(), "RS256", pkcs1, okta.RequiredScopes()...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			d := w.open(func(c *okta.Config) { c.Credentials = fixed(app(w)) })
			if err := observe(t, d); err != nil {
				t.Fatalf("observing: %v", err)
			}
			if err := d.CreateServer(t.Context(), false, nil); err != nil {
				t.Fatalf("creating the server: %v", err)
			}
			if w.tokens() != 1 {
				t.Errorf("%d tokens were asked for, want 1", w.tokens())
			}
		})
	}
}

func TestTokenLife(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	credentials := w.elliptic(okta.RequiredScopes()...)
	d := w.open(func(c *okta.Config) { c.Credentials = fixed(credentials) })
	var calling sync.WaitGroup
	for range 20 {
		calling.Go(func() { _, _ = d.ObserveClient(t.Context(), "aik-nobody", identity.ClientHint{}) })
	}
	calling.Wait()
	if w.tokens() != 1 {
		t.Errorf("20 calls at once asked for %d tokens, want 1", w.tokens())
	}
	w.clock.Step(47 * time.Minute)
	if err := observe(t, d); err != nil || w.tokens() != 1 {
		t.Errorf("before 80 %% of its life: %v, %d tokens, want the first still", err, w.tokens())
	}
	w.clock.Step(2 * time.Minute)
	if err := observe(t, d); err != nil || w.tokens() != 2 {
		t.Errorf("after 80 %% of its life: %v, %d tokens, want a second", err, w.tokens())
	}
	w.clock.Step(50 * time.Minute)
	w.org.Inject(oktasim.Fault{Method: "POST", Path: "^/oauth2/v1/token$", Nth: 1, Action: oktasim.Status(503, "")})
	if err := observe(t, d); err != nil {
		t.Errorf("a refresh that fails while the token lives: %v, want success", err)
	}
}

// TestOperatorLetOutAndIn is F6: the operator's access is taken away and given back.
func TestOperatorLetOutAndIn(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open(func(c *okta.Config) { c.Credentials = fixed(w.elliptic(okta.RequiredScopes()...)) })
	mustFail := func(what, reason string) {
		t.Helper()
		typed, ok := errors.AsType[*identity.Error](observe(t, d))
		if !ok || typed.Kind != identity.Rejected || typed.Reason != reason || typed.RetryAfter > time.Minute {
			t.Errorf("%s: got %#v, want %s, to be looked at within a minute", what, typed, reason)
		}
	}
	mustWork := func(what string) {
		t.Helper()
		w.clock.Step(time.Minute)
		if err := observe(t, d); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	mustWork("at first")
	w.org.RevokeServiceClient(operatorID)
	mustFail("revoked", identity.ReasonAuthenticationFailed)
	w.org.SetScopes(operatorID, okta.RequiredScopes()...)
	mustWork("let in again")
	w.org.SetScopes(operatorID, "okta.orgs.read")
	mustFail("without its scopes", identity.ReasonPermissionDenied)
	w.clock.Step(31 * time.Second)
	_ = observe(t, d)
	mustFail("a new token without its scopes", identity.ReasonPermissionDenied)
	w.org.SetScopes(operatorID, okta.RequiredScopes()...)
	mustWork("with its scopes again")
}

// TestClockSkew is F18: what Okta judges by its clock is told by its clock.
func TestClockSkew(t *testing.T) {
	for _, skew := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			mine := clocktesting.NewFakePassiveClock(w.clock.Now().Add(skew))
			d := w.open(func(c *okta.Config) {
				c.Credentials, c.Clock = fixed(w.elliptic(okta.RequiredScopes()...)), mine
			})
			if err := observe(t, d); err != nil {
				t.Errorf("a clock that is %s off keeps the operator out: %v", skew, err)
			}
			if w.tokens() > 2 {
				t.Errorf("%d tokens were asked for, want 2 at most", w.tokens())
			}
		})
	}
}

func TestCredentialsChange(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	held := credential.Credentials{APIToken: identity.NewSecret([]byte("revoked-token"))}
	d := w.open(func(c *okta.Config) { c.Credentials = changing(&held) })
	err := observe(t, d)
	if identity.KindOf(err) != identity.Rejected || strings.Contains(err.Error(), "revoked-token") {
		t.Errorf("a refused token: got %v, want Rejected without the token", err)
	}
	held = credential.Credentials{APIToken: identity.NewSecret([]byte(w.token))}
	if err := observe(t, d); err != nil {
		t.Errorf("after the token changed: %v", err)
	}
	held = w.elliptic(okta.RequiredScopes()...)
	if err := observe(t, d); err != nil {
		t.Errorf("after a service app took its place: %v", err)
	}
}

// TestUnsafeSetting holds that nothing is made while the org's setting is unsafe, and
// that everything can be taken away.
func TestUnsafeSetting(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	install(t, w.open())
	w.post("/_sim/settings", map[string]any{"clientsGetSuperAdmin": true})
	d := w.open()
	_, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	for what, err := range map[string]error{
		"ObserveRole":    err,
		"CreateServer":   d.CreateServer(t.Context(), false, nil),
		"RegisterClient": d.RegisterClient(t.Context(), identity.Registration{ClientID: "aik-x"}),
	} {
		typed, ok := errors.AsType[*identity.Error](err)
		if !ok || typed.Reason != identity.ReasonUnsafeOrganizationSetting {
			t.Errorf("%s: got %v, want the unsafe setting to be refused", what, err)
		}
	}
	seen, err := d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{})
	if err != nil || seen == nil {
		t.Fatalf("observing a client: %v, %v", seen, err)
	}
	must(t, d.DeactivateClient(t.Context(), *seen), d.DeleteClient(t.Context(), *seen))
	must(t, d.ConfirmNoClient(t.Context(), "aik-one", identity.ClientHint{ID: seen.ID}))
	must(t, d.DeleteGrant(t.Context(), roleMark()), d.DeleteGroup(t.Context(), roleMark(), "k8s/test/a/r"))
	w.post("/_sim/settings", map[string]any{"clientsGetSuperAdmin": false})
	w.clock.Step(61 * time.Second)
	if _, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r"); err != nil {
		t.Errorf("a minute after it was switched off: %v", err)
	}
}

func TestNoLicence(t *testing.T) {
	w := newWorld(t, oktasim.Options{NoAPIAccessManagement: true})
	_, err := w.open().ObserveRole(t.Context(), identity.Mark{Cluster: cluster, Kind: "AIAgentRole", Namespace: "a", Name: "b", UID: "c"}, "k8s/test/a/b")
	typed, ok := errors.AsType[*identity.Error](err)
	if !ok || typed.Reason != identity.ReasonFeatureUnavailable || !strings.Contains(typed.Message, "API Access Management") {
		t.Errorf("got %v, want the missing licence named", err)
	}
}
