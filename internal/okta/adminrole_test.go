package okta_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
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
	must(t, d.PutAdminRole(t.Context(), want), d.DeleteAdminRole(t.Context(), want.Mark, want.Label))
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
