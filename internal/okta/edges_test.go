package okta_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestRenamedAndRestarted holds that a client whose label a person changed is not
// asked for without end by a process that has never seen it.
func TestRenamedAndRestarted(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	install(t, w.open())
	app := w.org.Snapshot().Apps[0].ID
	must(t, w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Label = "renamed" }))
	fresh, r := w.open(), registration(t, "one")
	var kinds []identity.Kind
	for range 4 {
		seen, err := fresh.ObserveClient(t.Context(), r.ClientID, identity.ClientHint{Label: r.Label})
		if err != nil || seen != nil {
			t.Fatalf("observing: %v, %v", seen, err)
		}
		kinds = append(kinds, identity.KindOf(fresh.RegisterClient(t.Context(), r)))
		w.clock.Step(31 * time.Second)
	}
	if kinds[0] != identity.Waiting || kinds[3] != identity.Conflict {
		t.Errorf("got %v, want to wait at first and then a conflict", kinds)
	}
	must(t, w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Label = r.Label }))
	if seen, err := fresh.ObserveClient(t.Context(), r.ClientID, identity.ClientHint{Label: r.Label}); err != nil || seen == nil {
		t.Errorf("given its label again: got %v, %v", seen, err)
	}
}

// TestDeletedBehindOurBack takes away what has been deleted by hand already.
func TestDeletedBehindOurBack(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	w.clock.Step(2 * time.Minute)
	seen, err := d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{})
	must(t, err)
	state := w.org.Snapshot()
	must(t, w.org.AdminDeleteApp(state.Apps[0].ID))
	for _, g := range state.Groups {
		if g.Type == "OKTA_GROUP" {
			must(t, w.org.AdminDeleteGroup(g.ID))
		}
	}
	must(t, d.DeactivateClient(t.Context(), *seen), d.DeleteClient(t.Context(), *seen))
	must(t, d.DeleteGroup(t.Context(), roleMark(), "k8s/test/a/r"))
}

// TestDeletedWhileBusy holds that a deletion Okta is not ready for is waited for.
func TestDeletedWhileBusy(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	seen, err := d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{})
	must(t, err, d.DeactivateClient(t.Context(), *seen))
	w.org.Inject(oktasim.Fault{Method: http.MethodDelete, Nth: 1, Action: oktasim.Status(500, "E0000009")})
	if err := d.DeleteClient(t.Context(), *seen); identity.KindOf(err) != identity.Waiting {
		t.Errorf("got %v, want to wait", err)
	}
	must(t, d.DeleteClient(t.Context(), *seen))
}

// TestTLS holds that a server is trusted by the bundle only.
func TestTLS(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	server := httptest.NewTLSServer(w.org)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "api_token"), []byte(w.token), 0o600))
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	registry := prometheus.NewRegistry()
	connect := func(bundle []byte) error {
		d, err := okta.New(okta.Config{
			OrgURL: server.URL, CABundle: bundle, Cluster: cluster, Audience: audience, Clock: w.clock,
			Credentials: okta.FileCredentials(dir), Metrics: registry,
		})
		must(t, err)
		return observe(t, d)
	}
	if err := connect(bundle); err != nil {
		t.Errorf("with the bundle: %v", err)
	}
	typed, ok := errors.AsType[*identity.Error](connect(nil))
	if !ok || typed.Reason != identity.ReasonUnreachable || !strings.Contains(typed.Message, "certificate is not trusted") {
		t.Errorf("without the bundle: got %v, want the certificate refused", typed)
	}
	_, err := okta.New(okta.Config{
		OrgURL: server.URL, CABundle: []byte("none"), Cluster: cluster, Audience: audience, Clock: w.clock, Credentials: okta.FileCredentials(dir),
	})
	if err == nil || !strings.Contains(err.Error(), "okta.caBundle") {
		t.Errorf("a bundle without certificates: got %v, want the setting named", err)
	}
	must(t, os.Remove(filepath.Join(dir, "api_token")))
	if typed, ok = errors.AsType[*identity.Error](connect(bundle)); !ok || typed.Reason != identity.ReasonAuthenticationFailed || !strings.Contains(typed.Message, dir) {
		t.Errorf("without credentials: got %v, want the directory named", typed)
	}
}
