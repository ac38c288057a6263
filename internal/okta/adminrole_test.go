package okta_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func adminRole(w *world) identity.AdminRole {
	group := w.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": "k8s/test/a/r"}})["id"].(string)
	return identity.AdminRole{
		Mark: roleMark(), Label: "k8s.test.a.r", Group: group, Permissions: []string{"okta.users.read"}, Resources: w.resources(),
	}
}

// TestAdminScopesByNeed: nobody who gives no okta.* permission need grant the scopes for
// them, and who does is told which.
func TestAdminScopesByNeed(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	want := adminRole(w)
	credentials := w.elliptic(okta.RequiredScopes()...)
	d := w.open(func(c *okta.Config) { c.Credentials = fixed(credentials) })
	if err := observe(t, d); err != nil {
		t.Fatalf("without the scopes for admin roles: %v", err)
	}
	err := d.PutAdminRole(t.Context(), want)
	mustBeDenied(t, err, okta.AdminRoleScopes()...)
	w.org.SetScopes(operatorID, append(okta.RequiredScopes(), okta.AdminRoleScopes()...)...)
	w.clock.Step(time.Minute)
	must(t, d.PutAdminRole(t.Context(), want), d.DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group))
	if tokens := w.tokens(); tokens != 3 {
		t.Errorf("%d tokens were asked for, want one for each kind of call, and one that was refused", tokens)
	}
}

// TestAdminRoleForbidden: Okta wants a super administrator, whatever the scopes.
func TestAdminRoleForbidden(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	want := adminRole(w)
	d := w.open()
	w.org.Inject(oktasim.Fault{Method: "POST", Path: "^/api/v1/iam/roles$", Nth: 1, Action: oktasim.Status(403, "E0000006")})
	mustBeDenied(t, d.PutAdminRole(t.Context(), want), "okta.roles.manage", "super administrator")
	must(t, d.PutAdminRole(t.Context(), want))
}

func mustBeDenied(t *testing.T, err error, says ...string) {
	t.Helper()
	for _, text := range says {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %v, want one that says %q", err, text)
		}
	}
	if identity.KindOf(err) != identity.Rejected {
		t.Errorf("the error is of kind %s, want %s: %v", identity.KindOf(err), identity.Rejected, err)
	}
}

// TestAdminRolePages: what stands on a later page is compared, too.
func TestAdminRolePages(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	want := adminRole(w)
	want.Resources = nil
	for i := range 120 {
		group := w.post("/api/v1/groups", map[string]any{"profile": map[string]any{"name": fmt.Sprintf("group-%d", i)}})["id"].(string)
		want.Resources = append(want.Resources, w.url+"/api/v1/groups/"+group)
	}
	must(t, w.open().PutAdminRole(t.Context(), want))
	writes := w.writes
	must(t, w.open().PutAdminRole(t.Context(), want))
	if w.writes != writes {
		t.Errorf("120 resources that stand are written %d times", w.writes-writes)
	}
}

// iamCalls are the calls about admin roles since the nth request.
func (w *world) iamCalls(since int) (reads, writes int) {
	for _, op := range w.org.Operations()[since:] {
		switch {
		case !strings.HasPrefix(op.Path, "/api/v1/iam/"):
		case op.Method == http.MethodGet:
			reads++
		default:
			writes++
		}
	}
	return reads, writes
}

// TestAdminRoleRefusedIsRemembered: what cannot be given costs nothing to ask for again, until
// it may have been mended; and when it is wanted otherwise, that is looked at at once.
func TestAdminRoleRefusedIsRemembered(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	want := adminRole(w)
	right := want.Resources
	want.Resources = []string{w.url + "/api/v1/groups/00gmissing"}
	d := w.open()
	ask := func() error {
		return errors.Join(d.NarrowAdminRole(t.Context(), want), d.PutAdminRole(t.Context(), want))
	}
	if err := ask(); identity.KindOf(err) != identity.Rejected {
		t.Fatalf("a resource that is not there gives %v", err)
	}
	since := len(w.org.Operations())
	for range 50 {
		if err := ask(); identity.KindOf(err) != identity.Rejected {
			t.Fatalf("asked for again it gives %v", err)
		}
	}
	if reads, writes := w.iamCalls(since); reads+writes > 0 {
		t.Errorf("asking 50 times more takes %d looks and %d writes", reads, writes)
	}
	w.clock.Step(5 * time.Minute)
	if err := ask(); identity.KindOf(err) != identity.Rejected {
		t.Fatalf("five minutes later it gives %v", err)
	}
	if reads, _ := w.iamCalls(since); reads == 0 {
		t.Error("five minutes later nobody looks whether it was mended")
	}
	want.Resources = right
	must(t, ask())
}

// TestAdminRoleConflictIsRemembered: the same for what is somebody else's.
func TestAdminRoleConflictIsRemembered(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	want := adminRole(w)
	w.plant(directorytest.Plant{What: directorytest.PlantAdminRole, Name: want.Label})
	d := w.open()
	for _, ask := range []func() error{
		func() error { return d.NarrowAdminRole(t.Context(), want) },
		func() error { return d.DeleteAdminRole(t.Context(), want.Mark, want.Label, want.Group) },
	} {
		must(t, isConflict(ask()))
		since := len(w.org.Operations())
		must(t, isConflict(ask()))
		if reads, writes := w.iamCalls(since); reads+writes > 0 {
			t.Errorf("asking once more takes %d looks and %d writes", reads, writes)
		}
	}
}

func isConflict(err error) error {
	if identity.KindOf(err) != identity.Conflict {
		return fmt.Errorf("want a conflict, got %w", err)
	}
	return nil
}

// TestAdminRoleLooksOnce: what stands is looked at once an hour, by five calls.
func TestAdminRoleLooksOnce(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	want := adminRole(w)
	d := w.open()
	ask := func() { must(t, d.NarrowAdminRole(t.Context(), want), d.PutAdminRole(t.Context(), want)) }
	ask()
	for range 3 {
		w.clock.Step(61 * time.Minute)
		since := len(w.org.Operations())
		ask()
		ask()
		if reads, writes := w.iamCalls(since); reads != 5 || writes != 0 {
			t.Errorf("the hourly check takes %d looks and %d writes, want 5 and none", reads, writes)
		}
	}
}

// TestAdminRoleLooksAreOrdinary: what is kept of the rate limit for taking access away is not
// used up by looking whether there is any.
func TestAdminRoleLooksAreOrdinary(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsIntegratorFree, PrincipalShare: 100})
	want := adminRole(w)
	d := w.open()
	urgent := identity.WithCaller(t.Context(), identity.Caller{Namespace: "a", Urgency: identity.Revocation})
	var err error
	looks := 0
	for n := 0; err == nil; n++ {
		want.Label = fmt.Sprintf("k8s.test.a.r%d", n)
		since := len(w.org.Operations())
		err = d.NarrowAdminRole(urgent, want)
		reads, _ := w.iamCalls(since)
		looks += reads
	}
	if identity.KindOf(err) != identity.Throttled {
		t.Fatalf("looking without end gives %v", err)
	}
	want.Label = "k8s.test.a.r"
	since := len(w.org.Operations())
	if err := d.DeleteAdminRole(urgent, want.Mark, want.Label, want.Group); identity.KindOf(err) != identity.Throttled {
		t.Errorf("one look more gives %v", err)
	}
	if reads, _ := w.iamCalls(since); reads > 0 || looks < 50 || looks > 90 {
		t.Errorf("after %d looks there are %d more; of 100 a tenth is kept for taking access away", looks, reads)
	}
}

// otherwise shows the people of a group, as a resource, as the group itself.
type otherwise struct{ next http.RoundTripper }

func (o otherwise) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := o.next.RoundTrip(req)
	if err != nil || !strings.HasSuffix(req.URL.Path, "/resources") {
		return resp, err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	shown := strings.NewReplacer(":contained_resources", "", `/users"`, `"`).Replace(string(text))
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(shown)), int64(len(shown))
	return resp, err
}

// TestAdminRoleResourceShownOtherwise: what Okta shows as another resource is given to nobody,
// told with both names, and not written again and again; what Okta names is.
func TestAdminRoleResourceShownOtherwise(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	want := adminRole(w)
	want.Resources = []string{w.url + "/api/v1/groups/" + want.Group + "/users"}
	d := w.open(func(c *okta.Config) { c.Base = otherwise{c.Base} })
	for hour := range 3 {
		since := len(w.org.Operations())
		must(t, d.NarrowAdminRole(t.Context(), want))
		err := d.PutAdminRole(t.Context(), want)
		if identity.KindOf(err) != identity.Rejected || !strings.Contains(err.Error(), want.Resources[0]) || !strings.Contains(err.Error(), ":groups:"+want.Group) {
			t.Errorf("it gives %v", err)
		}
		if _, writes := w.iamCalls(since); hour == 2 && writes > 0 {
			t.Errorf("hours later it takes %d writes", writes)
		}
		for _, line := range administration(w.org.Snapshot()) {
			if strings.Contains(line, "["+want.Group+"]") {
				t.Errorf("it is given to the group: %s", line)
			}
		}
		w.clock.Step(61 * time.Minute)
	}
	want.Resources = []string{w.url + "/api/v1/groups/" + want.Group}
	must(t, d.NarrowAdminRole(t.Context(), want), d.PutAdminRole(t.Context(), want))
}
