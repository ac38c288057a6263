package okta_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestMendedByHand holds that what a person takes out of the way is seen within 5
// minutes, for one call, and that nothing is asked before.
func TestMendedByHand(t *testing.T) {
	const server = "authorizationServers/{authServerId}/"
	group := func(d *okta.Directory) error {
		return d.PutGroup(t.Context(), identity.Group{Mark: roleMark(), Name: "k8s/test/a/r"})
	}
	active := func(d *okta.Directory) error {
		seen, err := d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{})
		if err == nil && !seen.Active {
			return &identity.Error{Kind: identity.Conflict, Message: "inactive"}
		}
		return err
	}
	for name, test := range map[string]struct {
		harm, mend func(*world)
		try        func(*okta.Directory) error
		// look is the one call, then is what follows from what it shows.
		look string
		then []string
	}{
		"foreign group deleted": {
			harm: func(w *world) { w.plant(directorytest.Plant{What: directorytest.PlantGroup, Name: "k8s/test/a/r"}) },
			mend: func(w *world) {
				for _, g := range w.org.Snapshot().Groups {
					if g.Name == "k8s/test/a/r" {
						must(t, w.org.AdminDeleteGroup(g.ID))
					}
				}
			},
			try: group, look: "GET groups", then: []string{"POST groups"},
		},
		"inactive app activated": {
			harm: func(w *world) {
				install(t, w.open())
				must(t, w.org.AdminDeactivateApp("aik-one"))
			},
			mend: func(w *world) { must(t, w.org.AdminActivateApp("aik-one")) },
			try:  active, look: "GET apps/{appId}",
		},
		"foreign app deleted": {
			harm: func(w *world) { w.plantClient("aik-one") },
			mend: func(w *world) { must(t, w.org.AdminDeleteApp("aik-one")) },
			try:  func(d *okta.Directory) error { return d.RegisterClient(t.Context(), registration(t, "one")) },
			look: "GET apps/{appId}", then: []string{"POST apps"},
		},
		"foreign policy deleted": {
			harm: func(w *world) {
				install(t, w.open())
				policy := policyNamed(t, w, "k8s/test/a/r")
				must(t, w.org.AdminUpdatePolicy(policy, func(p *oktasim.Policy) { p.Description = "no mark" }))
			},
			mend: func(w *world) { must(t, w.org.AdminDeletePolicy(policyNamed(t, w, "k8s/test/a/r"))) },
			try:  func(d *okta.Directory) error { return d.PutGrant(t.Context(), grantOf("aik-one")) },
			look: "GET " + server + "policies",
			then: []string{"POST " + server + "policies", "POST " + server + "policies/{policyId}/rules"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			test.harm(w)
			d := w.open()
			if err := test.try(d); identity.KindOf(err) != identity.Conflict {
				t.Fatalf("at first: got %v, want a conflict", err)
			}
			fruitless := func() {
				t.Helper()
				if err := test.try(d); identity.KindOf(err) != identity.Conflict {
					t.Errorf("got %v, want a conflict still", err)
				}
			}
			w.clock.Step(3 * time.Minute)
			mustCall(t, w, "before its time", fruitless)
			w.clock.Step(time.Minute)
			mustCall(t, w, "not mended yet", fruitless, test.look)
			w.clock.Step(time.Minute)
			test.mend(w)
			mustCall(t, w, "mended, before its time", fruitless)
			w.clock.Step(5 * time.Minute)
			mustCall(t, w, "mended", func() { must(t, test.try(d)) }, append([]string{test.look}, test.then...)...)
			mustCall(t, w, "afterwards", func() {
				w.clock.Step(5 * time.Minute)
				if err := test.try(d); identity.KindOf(err) == identity.Conflict {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// TestForeignScopeDeleted is the same for what is only observed: one call, whether
// or not it is mended.
func TestForeignScopeDeleted(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	must(t, w.open().CreateServer(t.Context(), false, nil))
	w.plant(directorytest.Plant{What: directorytest.PlantScope, Name: "x"})
	d := w.open()
	foreign := func(want bool) func() {
		return func() {
			t.Helper()
			seen, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
			must(t, err)
			if seen.Foreign["x"] != want {
				t.Errorf("got %v, want %v", seen.Foreign, want)
			}
		}
	}
	foreign(true)()
	state := w.org.Snapshot()
	for _, s := range state.Scopes {
		if s.Name == "x" {
			w.send(http.MethodDelete, "/api/v1/authorizationServers/"+s.ServerID+"/scopes/"+s.ID)
		}
	}
	mustCall(t, w, "before its time", foreign(true))
	w.clock.Step(5 * time.Minute)
	mustCall(t, w, "deleted", foreign(false), "GET authorizationServers/{authServerId}/scopes")
	w.clock.Step(5 * time.Minute)
	mustCall(t, w, "afterwards", foreign(false))
}

func policyNamed(t *testing.T, w *world, name string) string {
	t.Helper()
	for _, p := range w.org.Snapshot().Policies {
		if p.Name == name {
			return p.ID
		}
	}
	t.Fatalf("there is no policy %s", name)
	return ""
}

// TestReactivatedByHand holds that an app that is thought inactive, and is not, is
// deactivated and deleted by the next tries.
func TestReactivatedByHand(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	seen := sees(t, d, identity.ClientHint{})
	must(t, d.DeactivateClient(t.Context(), *seen), w.org.AdminActivateApp("aik-one"))
	tries := 0
	for ; tries < 3; tries++ {
		now := sees(t, d, identity.ClientHint{})
		if now == nil {
			break
		}
		must(t, d.DeactivateClient(t.Context(), *now))
		if err := d.DeleteClient(t.Context(), *now); err != nil && identity.KindOf(err) != identity.Waiting {
			t.Errorf("deleting: got %v, want to wait", err)
		}
	}
	if tries != 2 || len(w.org.Snapshot().Apps) > 0 {
		t.Errorf("after %d tries there is %v, want nothing after 2", tries, w.org.Snapshot().Apps)
	}
}

// TestDeactivatedByHand is the other way round.
func TestDeactivatedByHand(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	seen := sees(t, d, identity.ClientHint{})
	must(t, w.org.AdminDeactivateApp("aik-one"))
	if err := d.DeactivateClient(t.Context(), *seen); identity.KindOf(err) != identity.Waiting {
		t.Errorf("deactivating what is inactive: got %v, want to wait", err)
	}
	must(t, d.DeactivateClient(t.Context(), *seen), d.DeleteClient(t.Context(), *seen))
}

// TestTwinPolicies holds that no policy of a role outlives it.
func TestTwinPolicies(t *testing.T) {
	for name, fail := range map[string]int{"without a fault": 0, "the first fails": 1, "the second fails": 2} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			install(t, w.open())
			twin := "/api/v1/authorizationServers/" + serverID(t, w) + "/policies"
			for _, name := range []string{"twin", "triplet"} {
				w.post(twin, map[string]any{
					"type": "OAUTH_AUTHORIZATION_POLICY", "name": name, "description": roleMark().String(), "status": "ACTIVE",
					"conditions": map[string]any{"clients": map[string]any{"include": []string{"aik-one"}}},
				})
			}
			d := w.open()
			if fail > 0 {
				w.org.Inject(oktasim.Fault{Method: http.MethodDelete, Nth: fail, Action: oktasim.Status(500, "E0000009")})
				if err := d.DeleteGrant(t.Context(), roleMark()); err == nil {
					t.Error("a fault went unnoticed")
				}
			}
			must(t, d.DeleteGrant(t.Context(), roleMark()))
			for _, p := range w.org.Snapshot().Policies {
				if p.Description == roleMark().String() {
					t.Errorf("policy %s is left", p.Name)
				}
			}
		})
	}
}

func serverID(t *testing.T, w *world) string {
	t.Helper()
	for _, s := range w.org.Snapshot().Servers {
		if !s.Default {
			return s.ID
		}
	}
	t.Fatal("there is no server")
	return ""
}

// TestLookupDoesNotOverwrite holds that the answer to a lookup that was overtaken by
// a write of ours is thrown away.
func TestLookupDoesNotOverwrite(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	install(t, w.open())
	asked, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	slow := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/api/v1/apps/") {
			w.ServeHTTP(rw, r)
			return
		}
		recorder := httptest.NewRecorder()
		w.ServeHTTP(recorder, r)
		once.Do(func() {
			close(asked)
			<-goOn
		})
		for key, values := range recorder.Header() {
			rw.Header()[key] = values
		}
		rw.WriteHeader(recorder.Code)
		_, _ = io.Copy(rw, recorder.Body)
	})
	d := w.open(func(c *okta.Config) { c.Base = inProcess{slow} })
	seen := sees(t, d, identity.ClientHint{})
	must(t, d.DeactivateClient(t.Context(), *seen))
	w.clock.Step(5 * time.Minute)
	var looking sync.WaitGroup
	// An inactive client is looked at again; that look sees it alive.
	looking.Go(func() { _, _ = d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{}) })
	<-asked
	okta.Drop(d, "aik-one")
	close(goOn)
	looking.Wait()
	if seen := sees(t, d, identity.ClientHint{}); seen != nil {
		t.Errorf("an answer from before the deletion counts: %+v", seen)
	}
}

// TestScopeDeletedByHand holds that a scope that lists do not show any more is looked
// up, though observations show all scopes at once, and made again.
func TestScopeDeletedByHand(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	must(t, d.DeleteGrant(t.Context(), roleMark()))
	for _, s := range w.org.Snapshot().Scopes {
		if s.Name == "p" {
			w.send(http.MethodDelete, "/api/v1/authorizationServers/"+s.ServerID+"/scopes/"+s.ID)
		}
	}
	for _, test := range []struct {
		step time.Duration
		want bool
	}{{13 * time.Hour, true}, {30 * time.Second, true}, {31 * time.Second, false}, {13 * time.Hour, false}} {
		w.clock.Step(test.step)
		seen, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
		must(t, err)
		if _, found := seen.Permissions["p"]; found != test.want {
			t.Errorf("after %s more: seen %v, want %v", test.step, found, test.want)
		}
	}
	must(t, d.PutPermission(t.Context(), identity.Permission{Name: "p", Description: "P"}))
}
