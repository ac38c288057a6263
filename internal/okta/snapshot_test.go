package okta_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// since gives the calls of the management API after the first n, in short.
func (w *world) since(n int) []string {
	var calls []string
	for _, op := range w.org.Operations()[n:] {
		if op.Management {
			calls = append(calls, op.Method+" "+strings.TrimPrefix(op.Template, "/api/v1/"))
		}
	}
	return calls
}

func roleMark() identity.Mark {
	return identity.Mark{Cluster: cluster, Kind: "AIAgentRole", Namespace: "a", Name: "r", UID: "uid-r"}
}

func registration(t *testing.T, name string) identity.Registration {
	t.Helper()
	return identity.Registration{
		Mark:     identity.Mark{Cluster: cluster, Kind: "AgentAPIKey", Namespace: "a", Name: name, UID: "uid-" + name},
		ClientID: "aik-" + name, Label: "k8s/test/a/" + name, Note: "note", Credential: newCredential(t, identity.PrivateKeyJWT),
	}
}

func grantOf(clients ...string) identity.Grant {
	return identity.Grant{
		Mark: roleMark(), Name: "k8s/test/a/r", Clients: clients, Permissions: []string{"p"}, TokenLifetime: 5 * time.Minute,
	}
}

// must ends the test on an error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

// install makes a role with one client.
func install(t *testing.T, d *okta.Directory) {
	t.Helper()
	_, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	must(t, err, d.CreateServer(t.Context(), false, nil))
	must(t, d.PutPermission(t.Context(), identity.Permission{Name: "p", Description: "P"}))
	must(t, d.PutGroup(t.Context(), identity.Group{Mark: roleMark(), Name: "k8s/test/a/r", Description: "R"}))
	must(t, d.RegisterClient(t.Context(), registration(t, "one")), d.PutGrant(t.Context(), grantOf("aik-one")))
}

// TestCalls counts: Okta's rate limits, not we, bound the operator.
func TestCalls(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	want := []string{
		"GET org/settings/clientPrivilegesSetting", "GET groups", "GET authorizationServers",
		"POST authorizationServers", "POST authorizationServers/{authServerId}/scopes", "POST groups",
		"GET apps", "POST apps",
		"POST authorizationServers/{authServerId}/policies", "POST authorizationServers/{authServerId}/policies/{policyId}/rules",
	}
	if diff := cmp.Diff(want, w.since(0)); diff != "" {
		t.Errorf("installing (-want +got):\n%s", diff)
	}
	n := len(w.org.Operations())
	var clients []string
	for i := range 100 {
		r := registration(t, fmt.Sprintf("n%02d", i))
		if seen, err := d.ObserveClient(t.Context(), r.ClientID, identity.ClientHint{Label: r.Label}); seen != nil || err != nil {
			t.Fatalf("observing: %v, %v", seen, err)
		}
		must(t, d.RegisterClient(t.Context(), r))
		clients = append(clients, r.ClientID)
	}
	must(t, d.PutGrant(t.Context(), grantOf(clients...)))
	if got := len(w.since(n)); got != 101 {
		t.Errorf("100 clients and one write of the grant took %d calls, want 101", got)
	}
	n = len(w.org.Operations())
	fresh := w.open()
	for range 3 {
		_, err := fresh.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
		must(t, err)
		for _, id := range clients {
			if seen, err := fresh.ObserveClient(t.Context(), id, identity.ClientHint{}); seen == nil || err != nil {
				t.Fatalf("observing %s: %v, %v", id, seen, err)
			}
		}
	}
	want = []string{
		"GET org/settings/clientPrivilegesSetting", "GET groups", "GET authorizationServers",
		"GET authorizationServers/{authServerId}/scopes", "GET authorizationServers/{authServerId}/policies",
		"GET authorizationServers/{authServerId}/policies/{policyId}/rules", "GET apps",
	}
	if diff := cmp.Diff(want, w.since(n)); diff != "" {
		t.Errorf("a fresh process (-want +got):\n%s", diff)
	}
}

// TestMissed: a client that a list does not show any more is looked at again a minute
// later, and not at the next list.
func TestMissed(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	must(t, w.org.AdminUpdateApp(w.org.Snapshot().Apps[0].ID, func(a *oktasim.App) { a.Label = "renamed" }))
	for i, want := range []struct {
		step, again time.Duration
		label       string
	}{
		{13 * time.Hour, time.Minute + 5*time.Second, "k8s/test/a/one"},
		{30 * time.Second, 35 * time.Second, "k8s/test/a/one"},
		{35 * time.Second, 0, "renamed"},
	} {
		w.clock.Step(want.step)
		seen, err := d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{Label: "k8s/test/a/one"})
		must(t, err)
		if seen.LookAgain != want.again || seen.Label != want.label {
			t.Errorf("look %d: again in %s, label %q; want %s and %q", i, seen.LookAgain, seen.Label, want.again, want.label)
		}
	}
}

// TestDrift changes things in Okta by hand, and holds what is seen once the
// snapshot is out of date.
func TestDrift(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	state := w.org.Snapshot()
	at := slices.IndexFunc(state.Policies, func(p oktasim.Policy) bool { return p.Name == "k8s/test/a/r" })
	app, policy, rule := state.Apps[0].ID, state.Policies[at].ID, state.Rules[at].ID
	later := func() (*identity.ClientSeen, identity.RoleSeen) {
		t.Helper()
		w.clock.Step(13 * time.Hour)
		_, _ = d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{Label: "k8s/test/a/one"})
		_, _ = d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
		w.clock.Step(2 * time.Minute)
		client, err := d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{Label: "k8s/test/a/one"})
		must(t, err)
		role, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
		must(t, err)
		return client, role
	}
	must(t, w.org.AdminDeactivateApp(app))
	if client, _ := later(); client == nil || client.Active {
		t.Errorf("deactivated by hand: got %+v", client)
	}
	must(t, w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Label = "renamed" }))
	if client, _ := later(); client == nil || client.Label != "renamed" {
		t.Errorf("renamed by hand: got %+v", client)
	}
	must(t, w.org.AdminDeleteApp(app))
	if client, _ := later(); client != nil {
		t.Errorf("deleted by hand: got %+v", client)
	}
	must(t, w.org.AdminUpdateRule(rule, func(r *oktasim.Rule) { r.Status = "INACTIVE" }))
	if _, role := later(); role.Grant == nil || len(role.Grant.Permissions) > 0 {
		t.Errorf("a rule switched off by hand: got %+v, want no permissions", role.Grant)
	}
	must(t, w.org.AdminUpdatePolicy(policy, func(p *oktasim.Policy) { p.Status = "INACTIVE" }))
	later()
	must(t, d.RegisterClient(t.Context(), registration(t, "two")), d.PutGrant(t.Context(), grantOf("aik-two")))
	if _, role := later(); cmp.Diff(grantOf("aik-two"), *role.Grant) != "" {
		t.Errorf("mending: got %+v, want all of it", role.Grant)
	}
	must(t, w.org.AdminDeletePolicy(policy))
	if _, role := later(); role.Grant != nil {
		t.Errorf("a policy deleted by hand: got %+v", role.Grant)
	}
	must(t, d.PutGrant(t.Context(), grantOf("aik-two")))
	if _, role := later(); role.Grant == nil || len(role.Grant.Permissions) != 1 {
		t.Errorf("after it was made again: got %+v", role.Grant)
	}
}

// TestOneMissIsNoDeletion is F7: an app that one list does not show is still there
// until a minute later a look at it shows that it is not.
func TestOneMissIsNoDeletion(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	w.clock.Step(2 * time.Minute)
	must(t, w.org.AdminDeleteApp(w.org.Snapshot().Apps[0].ID))
	d.Forget()
	seen, err := d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{Label: "k8s/test/a/one"})
	if err != nil || seen == nil {
		t.Errorf("after one miss: got %v, %v, want it still", seen, err)
	}
	w.clock.Step(61 * time.Second)
	seen, err = d.ObserveClient(t.Context(), "aik-one", identity.ClientHint{Label: "k8s/test/a/one"})
	if err != nil || seen != nil {
		t.Errorf("after two misses: got %v, %v, want nothing", seen, err)
	}
}

// TestManyPages lists more than a page of everything.
func TestManyPages(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	for i := range 450 {
		r := registration(t, fmt.Sprintf("many-%03d", i))
		must(t, d.RegisterClient(t.Context(), r))
	}
	n := len(w.org.Operations())
	seen, err := w.open().ObserveClient(t.Context(), "aik-many-449", identity.ClientHint{})
	if err != nil || seen == nil {
		t.Fatalf("observing the last: %v, %v", seen, err)
	}
	if got := len(w.since(n)); got != 3 {
		t.Errorf("listing 451 apps took %d calls, want 3", got)
	}
}

// TestThrottledWalk holds that a list longer than the budget of a window is read
// in several.
func TestThrottledWalk(t *testing.T) {
	w := newWorld(t, oktasim.Options{PrincipalShare: 100})
	for i := range 450 {
		w.plantClient(fmt.Sprintf("c-%04d", i))
	}
	w.post("/_sim/settings", map[string]any{"limits": oktasim.LimitsIntegratorFree})
	w.clock.Step(time.Hour)
	d := w.open(func(c *okta.Config) { c.Share = 20 })
	waits := 0
	for {
		seen, err := d.ObserveClient(t.Context(), "c-0449", identity.ClientHint{})
		if err == nil {
			if seen == nil {
				t.Error("the last app is not seen")
			}
			break
		}
		typed, ok := errors.AsType[*identity.Error](err)
		if !ok || typed.Kind != identity.Throttled || typed.RetryAfter <= 0 || waits > 5 {
			t.Fatalf("got %v after %d waits, want to be throttled a few times", err, waits)
		}
		waits++
		w.clock.Step(typed.RetryAfter)
	}
	if waits == 0 {
		t.Error("3 pages were read at once with 2 calls a window")
	}
}

func TestServerDeletedByHand(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	w.clock.Step(2 * time.Minute)
	for _, s := range w.org.Snapshot().Servers {
		if !s.Default {
			w.send("POST", "/api/v1/authorizationServers/"+s.ID+"/lifecycle/deactivate")
			w.send("DELETE", "/api/v1/authorizationServers/"+s.ID)
		}
	}
	mend := func() error {
		seen, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
		if err != nil {
			return err
		}
		if seen.Server == nil {
			if err := d.CreateServer(t.Context(), false, nil); err != nil {
				return err
			}
		}
		if err := d.PutPermission(t.Context(), identity.Permission{Name: "q"}); err != nil {
			return err
		}
		return d.PutPermission(t.Context(), identity.Permission{Name: "p", Description: "P"})
	}
	var err error
	for range 6 {
		if err = mend(); err == nil {
			break
		}
		w.clock.Step(10 * time.Second)
	}
	must(t, err, d.PutGrant(t.Context(), grantOf("aik-one")))
}
