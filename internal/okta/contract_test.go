package okta_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-logr/logr"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	cluster  = "test"
	audience = "api://agents"
)

func TestContract(t *testing.T) {
	directorytest.Run(t, func(t *testing.T) directorytest.Harness {
		w := newWorld(t, oktasim.Options{})
		return w.harness()
	})
}

func TestContractOfSignOns(t *testing.T) {
	directorytest.RunSignOns(t, func(t *testing.T) directorytest.Harness {
		w := newWorld(t, oktasim.Options{Classic: true})
		return w.harness()
	})
}

// world is a simulated org, reached over HTTP, with a Directory before it.
type world struct {
	t     *testing.T
	org   *oktasim.Org
	clock *clocktesting.FakeClock
	token string
	url   string

	mu     sync.Mutex
	writes int
	// lose counts down to the write whose answer is lost.
	lose int
	when directorytest.Loss
}

func newWorld(t *testing.T, options oktasim.Options) *world {
	t.Helper()
	w := &world{t: t, clock: clocktesting.NewFakeClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))}
	options.Clock = w.clock
	if options.Limits == "" {
		options.Limits = oktasim.LimitsUnlimited
	}
	w.org = oktasim.New(options)
	w.token = w.org.AddAPIToken()
	server := httptest.NewServer(checked(t, w))
	t.Cleanup(func() {
		server.Close()
		if unknown := w.org.Unknown(); len(unknown) > 0 {
			t.Errorf("Okta does not know: %s", strings.Join(unknown, "; "))
		}
	})
	w.url = server.URL
	w.org.SetBaseURL(server.URL)
	return w
}

// ServeHTTP loses answers where it was told to.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || !strings.HasPrefix(r.URL.Path, "/api/") {
		w.org.ServeHTTP(rw, r)
		return
	}
	w.mu.Lock()
	w.lose--
	struck, when := w.lose == 0, w.when
	w.mu.Unlock()
	if struck && when == directorytest.BeforeCommit {
		panic(http.ErrAbortHandler)
	}
	if struck {
		w.org.ServeHTTP(httptest.NewRecorder(), r)
		w.count(1)
		panic(http.ErrAbortHandler)
	}
	recorder := &statusRecorder{ResponseWriter: rw}
	w.org.ServeHTTP(recorder, r)
	if recorder.status < 300 {
		w.count(1)
	}
}

func (w *world) count(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes += n
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (w *world) open(change ...func(*okta.Config)) *okta.Directory {
	w.t.Helper()
	d, err := okta.New(w.config(change...))
	if err != nil {
		w.t.Fatalf("making a Directory: %v", err)
	}
	return d
}

func (w *world) config(change ...func(*okta.Config)) okta.Config {
	base := &http.Transport{MaxConnsPerHost: 10}
	w.t.Cleanup(base.CloseIdleConnections)
	config := okta.Config{
		OrgURL: w.url, Cluster: cluster, Audience: audience, Share: 100, Clock: w.clock, Logger: logr.Discard(), Base: base,
		Credentials: apiToken(w.token),
	}
	for _, c := range change {
		c(&config)
	}
	return config
}

func (w *world) harness() directorytest.Harness {
	return directorytest.Harness{
		Directory: w.open(),
		Cluster:   cluster,
		Reopen:    func() identity.Directory { return w.open() },
		Lose: func(when directorytest.Loss, nth int) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.when, w.lose = when, nth
		},
		Lag: func(lag time.Duration) {
			w.post("/_sim/settings", map[string]any{"listLag": lag, "getLag": lag})
		},
		Step: w.clock.Step,
		Writes: func() int {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.writes
		},
		Objects:    func() directorytest.Objects { return objects(w.org.Snapshot()) },
		Plant:      w.plant,
		Hand:       w.hand(),
		Credential: func(m identity.AuthMethod) identity.Credential { return newCredential(w.t, m) },
		Limit: func(m identity.AuthMethod) int {
			return map[identity.AuthMethod]int{identity.PrivateKeyJWT: 50, identity.ClientSecretBasic: 2}[m]
		},
		IsActive: w.isActive,
	}
}

// objects writes down all that stands in the org but what every org has.
func objects(s oktasim.State) directorytest.Objects {
	var all directorytest.Objects
	names := map[string]string{}
	for _, v := range s.Servers {
		names[v.ID] = v.Name
		all = append(all, fmt.Sprintf("server %s %q %s %s", v.Name, v.Description, v.Audience, v.Status))
	}
	for _, v := range s.Scopes {
		if !v.System {
			all = append(all, fmt.Sprintf("scope %s/%s %q", names[v.ServerID], v.Name, v.Description))
		}
	}
	for _, v := range s.Groups {
		all = append(all, fmt.Sprintf("group %s %q", v.Name, v.Description))
	}
	for _, v := range s.Policies {
		names[v.ID] = v.Name
		all = append(all, fmt.Sprintf("policy %s/%s %q %s %v", names[v.ServerID], v.Name, v.Description, v.Status, v.Clients))
	}
	for _, v := range s.Rules {
		all = append(all, fmt.Sprintf("rule %s/%s %s %v %v %v %d", names[v.PolicyID], v.Name, v.Status, v.Scopes, v.GrantTypes, v.Groups, v.LifetimeMinutes))
	}
	all = append(all, admission(s)...)
	all = append(all, administration(s)...)
	for _, v := range s.Apps {
		var credentials []string
		for _, k := range v.Keys {
			credentials = append(credentials, k.KID+" "+k.Status)
		}
		for _, s := range v.Secrets {
			credentials = append(credentials, "secret "+s.Status)
		}
		slices.Sort(credentials)
		all = append(all, fmt.Sprintf("app %s %q %s %q %s %v %v %v", v.ClientID, v.Label, v.Status, v.Note, v.AuthMethod, v.GrantTypes, credentials, v.Profile))
	}
	slices.Sort(all)
	return all
}

// admission writes down how people get in, but for what every org has.
func admission(s oktasim.State) directorytest.Objects {
	var all directorytest.Objects
	names := map[string]string{}
	for _, p := range s.OrgPolicies {
		if !p.System {
			names[p.ID] = p.Name
			all = append(all, fmt.Sprintf("org policy %s %s %q %s %d %v", p.Type, p.Name, p.Description, p.Status, len(p.Groups), p.Settings))
		}
	}
	for _, r := range s.OrgRules {
		if names[r.PolicyID] != "" {
			all = append(all, fmt.Sprintf("org rule %s/%s %d %s %v", names[r.PolicyID], r.Name, r.Priority, r.Status, r.Actions))
		}
	}
	for _, a := range s.Assurances {
		all = append(all, fmt.Sprintf("assurance %s %s %v", a.Name, a.Platform, a.Wants))
	}
	return all
}

// post makes a call as a person's script would, and gives the answer.
func (w *world) post(path string, body any) map[string]any {
	w.t.Helper()
	var made map[string]any
	w.ask(http.MethodPost, path, body, &made)
	return made
}

// ask makes any call so; out may be nil.
func (w *world) ask(method, path string, body, out any) {
	w.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(string(text)))
	req.Header.Set("Authorization", "SSWS "+w.token)
	req.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	w.org.ServeHTTP(recorder, req)
	if recorder.Code >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, recorder.Code, recorder.Body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), out); err != nil {
		w.t.Fatal(err)
	}
}

// plantClient makes an app of somebody else under our prefix.
func (w *world) plantClient(id string) {
	w.t.Helper()
	w.plant(directorytest.Plant{What: directorytest.PlantClient, Name: id, Label: "k8s/" + cluster + "/x/" + id})
}

// send makes a call without a body, as a person's script would.
func (w *world) send(method, path string) {
	w.t.Helper()
	req := httptest.NewRequestWithContext(w.t.Context(), method, path, http.NoBody)
	req.Header.Set("Authorization", "SSWS "+w.token)
	recorder := httptest.NewRecorder()
	w.org.ServeHTTP(recorder, req)
	if recorder.Code >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, recorder.Code, recorder.Body)
	}
}

func newCredential(t *testing.T, method identity.AuthMethod) identity.Credential {
	t.Helper()
	if method == identity.ClientSecretBasic {
		material := identity.NewSecret([]byte("canary%+ " + rand.Text() + "/:"))
		return identity.Credential{KeyID: identity.SecretName(material), Method: method, Material: material}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := "kid-" + rand.Text()
	jwk, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"})
	if err != nil {
		t.Fatal(err)
	}
	return identity.Credential{KeyID: id, Method: method, PublicJWK: jwk, Material: identity.NewSecret(pemOf(t, key))}
}

func pemOf(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func apiToken(token string) okta.CredentialSource {
	return fixed(credential.Credentials{APIToken: identity.NewSecret([]byte(token))})
}
