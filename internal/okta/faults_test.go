package okta_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// life is a role and a client from beginning to end, as a controller would take it;
// every step may be repeated.
type life struct {
	t *testing.T
	d identity.Directory
	r identity.Registration
	// next takes the place of the credential.
	next identity.Credential
	// probe tells to end with a token, for which the org makes a key, which is slow.
	probe bool
}

func (l *life) live() error {
	ctx := l.t.Context()
	seen, err := l.d.ObserveRole(ctx, roleMark(), "k8s/test/a/r")
	if err != nil {
		return err
	}
	if seen.Server == nil {
		return errors.Join(l.d.CreateServer(ctx, false, nil), &identity.Error{Kind: identity.Waiting, Reason: "Again", Message: "again"})
	}
	steps := []func() error{
		func() error { return l.d.PutPermission(ctx, identity.Permission{Name: "p", Description: "P"}) },
		func() error {
			return l.d.PutGroup(ctx, identity.Group{Mark: roleMark(), Name: "k8s/test/a/r", Description: "R"})
		},
		func() error {
			client, err := l.d.ObserveClient(ctx, l.r.ClientID, identity.ClientHint{Label: l.r.Label})
			if err != nil || client != nil {
				return err
			}
			return l.d.RegisterClient(ctx, l.r)
		},
		func() error { return l.d.PutGrant(ctx, grantOf(l.r.ClientID)) },
		func() error { return l.withClient(l.update) },
		func() error { return l.withClient(l.rotate) },
		func() error {
			token, err := l.d.ObtainToken(ctx, *seen.Server, l.r.ClientID, l.next, []string{"p"})
			if err != nil {
				return err
			}
			return l.d.RevokeToken(ctx, *seen.Server, l.r.ClientID, l.next, token.Token)
		},
	}
	if !l.probe {
		steps = steps[:len(steps)-1]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) withClient(do func(identity.ClientSeen) error) error {
	seen, err := l.d.ObserveClient(l.t.Context(), l.r.ClientID, identity.ClientHint{Label: l.r.Label})
	if err != nil {
		return err
	}
	if seen == nil {
		return &identity.Error{Kind: identity.Waiting, Reason: "Again", Message: "again"}
	}
	return do(*seen)
}

func (l *life) update(seen identity.ClientSeen) error {
	changed := l.r
	if changed.Note = "another note"; seen.Note == changed.Note {
		return nil
	}
	return l.d.UpdateClient(l.t.Context(), seen, changed)
}

// rotate asks once for what it needs to know, as long as nothing goes wrong.
func (l *life) rotate(seen identity.ClientSeen) error {
	if err := l.d.AddCredential(l.t.Context(), seen, l.next); err != nil {
		return err
	}
	return l.d.RemoveCredential(l.t.Context(), seen, l.r.Credential.KeyID)
}

// leaks looks for material in every form it could be written in.
func leaks(text string, material []byte) bool {
	whole := string(material)
	for _, form := range []string{whole, url.QueryEscape(whole), base64.StdEncoding.EncodeToString(material), fmt.Sprintf("%x", material)} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// TestEveryCallFails strikes every single call of a life with every fault, and
// holds that the life ends as if nothing had been, that every error is one of the
// port's, and that nothing shows a secret.
func TestEveryCallFails(t *testing.T) {
	actions := map[string]oktasim.Fault{
		"429":            {Action: oktasim.RateLimited(30 * time.Second)},
		"429 in flight":  {Action: oktasim.ConcurrencyLimited()},
		"500":            {Action: oktasim.Status(500, "E0000009")},
		"500 afterwards": {Action: oktasim.Status(500, "E0000009"), Phase: oktasim.AfterCommit},
		"423":            {Action: oktasim.Status(423, "E0000239")},
		"502":            {Action: oktasim.HTML502()},
		"502 afterwards": {Action: oktasim.HTML502(), Phase: oktasim.AfterCommit},
		"dropped":        {Action: oktasim.Drop(), Phase: oktasim.AfterCommit},
		"truncated":      {Action: oktasim.TruncatedBody()},
		"echo":           {Action: oktasim.EchoSecrets(500)},
		"echo 400":       {Action: oktasim.EchoSecrets(400)},
		"echo 401":       {Action: oktasim.EchoSecrets(401)},
		"echo 403":       {Action: oktasim.EchoSecrets(403)},
	}
	r := registration(t, "one")
	r.Credential = newCredential(t, identity.ClientSecretBasic)
	next := newCredential(t, identity.ClientSecretBasic)
	reference := newWorld(t, oktasim.Options{})
	calls := strike(t, reference, r, next, oktasim.Fault{}, true)
	want := objects(reference.org.Snapshot())
	for name, fault := range actions {
		t.Run(name, func(t *testing.T) {
			for nth := range calls {
				w := newWorld(t, oktasim.Options{})
				fault.Nth = nth + 1
				made := strike(t, w, r, next, fault, nth+2 >= calls)
				if diff := cmp.Diff(want, objects(w.org.Snapshot())); diff != "" {
					t.Errorf("call %d struck (-without +with):\n%s", nth+1, diff)
				}
				if made > calls+6 {
					t.Errorf("call %d struck: %d calls in place of %d", nth+1, made, calls)
				}
			}
		})
	}
}

// strike lives a life under a fault and gives the number of calls it took.
func strike(t *testing.T, w *world, r identity.Registration, next identity.Credential, fault oktasim.Fault, probe bool) int {
	t.Helper()
	var log strings.Builder
	var mu sync.Mutex
	d := w.open(func(c *okta.Config) {
		c.Logger = funcr.New(func(prefix, args string) {
			mu.Lock()
			defer mu.Unlock()
			log.WriteString(prefix + args + "\n")
		}, funcr.Options{Verbosity: 10})
	})
	if fault.Nth > 0 {
		w.org.Inject(fault)
	}
	l := &life{t: t, d: d, r: r, next: next, probe: probe}
	for range 40 {
		err := l.live()
		mu.Lock()
		told := log.String()
		mu.Unlock()
		if shown := told + fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)); leaks(shown, r.Credential.Material.Reveal()) ||
			leaks(shown, next.Material.Reveal()) || leaks(shown, []byte(w.token)) {
			t.Fatalf("a secret is shown: %s", shown)
		}
		if err == nil {
			return len(w.org.Operations())
		}
		typed, ok := errors.AsType[*identity.Error](err)
		if !ok {
			t.Fatalf("call %d: the error is not the port's: %#v", fault.Nth, err)
		}
		w.clock.Step(max(typed.RetryAfter, time.Second))
	}
	t.Errorf("call %d struck: the life does not come to an end", fault.Nth)
	return 0
}

// meter reads off every answer in which window of which limit Okta counted the call.
type meter struct {
	next http.Handler
	mu   sync.Mutex
	// used counts by bucket and end of window.
	used    map[string]int
	tooMany int
}

func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := &statusRecorder{ResponseWriter: w}
	m.next.ServeHTTP(recorder, r)
	m.mu.Lock()
	defer m.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/api/v1/apps") && strings.Count(r.URL.Path, "/") == 3 {
		m.used[w.Header().Get("X-Rate-Limit-Limit")+" until "+w.Header().Get("X-Rate-Limit-Reset")]++
	}
	if recorder.status == http.StatusTooManyRequests {
		m.tooMany++
	}
}

// TestShareOfARealLimit registers clients for two namespaces, one with many and one
// with few, at Okta's published limits, while access is taken away in between.
func TestShareOfARealLimit(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsWorkforce, PrincipalShare: 100})
	m := &meter{next: w, used: map[string]int{}}
	registry := prometheus.NewRegistry()
	d := w.open(func(c *okta.Config) {
		c.Share, c.Metrics, c.Base = 50, registry, inProcess{m}
	})
	pending := map[string][]string{"many": names("many", 150), "few": names("few", 5)}
	finished := map[string]int{}
	minute := 0
	for ; len(finished) < 2 && minute < 10; minute++ {
		for _, namespace := range []string{"many", "few"} {
			if len(pending[namespace]) == 0 {
				continue
			}
			if pending[namespace] = registerSome(t, d, namespace, pending[namespace]); len(pending[namespace]) == 0 {
				finished[namespace] = minute
			}
		}
		if err := revokeOne(t, d, fmt.Sprintf("many-%d", minute)); err != nil {
			t.Errorf("minute %d: taking access away is kept waiting: %v", minute, err)
		}
		w.clock.Step(61 * time.Second)
	}
	if m.tooMany > 0 {
		t.Errorf("%d calls met a 429", m.tooMany)
	}
	for window, used := range m.used {
		if used > 50 {
			t.Errorf("limit %s: %d calls, want 50 at most", window, used)
		}
	}
	if finished["few"] > 1 || finished["many"] != 3 {
		t.Errorf("the namespaces were finished in minutes %v, want few in the second and many in the fourth", finished)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 3 {
		t.Errorf("metrics: %d families, %v, want 3", len(families), err)
	}
	if text := fmt.Sprint(families); strings.Contains(text, "many-") || strings.Contains(text, "aik-") {
		t.Error("metrics name objects")
	}
}

func revokeOne(t *testing.T, d identity.Directory, name string) error {
	t.Helper()
	ctx := identity.WithCaller(t.Context(), identity.Caller{Namespace: "many", Urgency: identity.Revocation})
	r := registration(t, name)
	seen, err := d.ObserveClient(ctx, r.ClientID, identity.ClientHint{Label: r.Label})
	if err != nil || seen == nil {
		return err
	}
	return d.DeactivateClient(ctx, *seen)
}

func names(namespace string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%d", namespace, i))
	}
	return all
}

// registerSome tries every pending client of the namespace once, and gives those that are left.
func registerSome(t *testing.T, d identity.Directory, namespace string, pending []string) (left []string) {
	t.Helper()
	for _, name := range pending {
		ctx := identity.WithCaller(t.Context(), identity.Caller{Kind: "AgentAPIKey", Namespace: namespace, Name: name})
		err := d.RegisterClient(ctx, registration(t, name))
		if err == nil {
			continue
		}
		if identity.KindOf(err) != identity.Throttled {
			t.Fatalf("registering: %v", err)
		}
		left = append(left, name)
	}
	return left
}

// inProcess calls a handler without a connection.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	return serve(p.handler, req)
}
