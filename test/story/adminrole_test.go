package story

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// letAdminister has the configuration allow permissions over all users and groups. It goes
// round the file, which refuses some.
func letAdminister(permissions ...string) func(*operator.Options) {
	return func(o *operator.Options) {
		o.Config.Okta.AdminPermissions = nil
		for _, name := range permissions {
			o.Config.Okta.AdminPermissions = append(o.Config.Okta.AdminPermissions, configv1alpha1.AdminPermission{
				Permission: name, Resources: []string{o.Config.Okta.OrgURL + "/api/v1/users", o.Config.Okta.OrgURL + "/api/v1/groups"},
			})
		}
	}
}

// administered says what the members of which group may do, and over how much; "" when
// nothing stands in Okta.
func (w *world) administered() string {
	state := w.org.Snapshot()
	var lines []string
	names := map[string]string{}
	for _, r := range state.AdminRoles {
		names[r.ID] = strings.Join(slices.Sorted(slices.Values(r.Permissions)), "+")
		lines = append(lines, r.Label+" "+names[r.ID])
	}
	for _, s := range state.ResourceSets {
		for _, b := range s.Bindings {
			for _, member := range b.Members {
				lines = append(lines, w.groupNamed(state, member)+" has "+names[b.RoleID])
			}
		}
		for _, resource := range s.Resources {
			lines = append(lines, "over "+resource[strings.LastIndex(resource, ":")+1:])
		}
	}
	return strings.Join(lines, ", ")
}

func (w *world) groupNamed(state oktasim.State, id string) string {
	for _, g := range state.Groups {
		if g.ID == id {
			return g.Name
		}
	}
	return "somebody"
}

func (w *world) mustAdminister(permissions ...string) {
	w.Helper()
	if diff := cmp.Diff(w.whole(permissions...), w.administered()); diff != "" {
		w.Errorf("what people administer (-want +got):\n%s", diff)
	}
}

// whole is what stands for the role "chat" with the permissions.
func (w *world) whole(permissions ...string) string {
	if len(permissions) == 0 {
		return ""
	}
	all := strings.Join(permissions, "+")
	return "k8s." + w.namespace + "." + w.namespace + ".chat " + all + ", k8s/" + w.namespace + "/" + w.namespace + "/chat has " + all +
		", over groups, over users"
}

// writes are the changes of Okta since the nth request, in their order.
func (w *world) writes(since int) []string {
	var all []string
	for _, op := range w.org.Operations()[since:] {
		if op.Method != "GET" && !strings.HasPrefix(op.Path, "/oauth2/") {
			all = append(all, op.Method+" "+op.Path)
		}
	}
	return all
}

// TestAdminRole: people of a role get what it gives them of Okta's administration, and its
// agents nothing of it; less when it gives less, before anything else; what somebody adds is
// taken away; and nothing is left of a role that is deleted.
func TestAdminRole(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.org.AddUser("ada@example.com")
	first := w.start(impatient, letAdminister("okta.users.read", "okta.groups.read"))
	role := w.role("chat", "talk", "okta.users.read", "okta.groups.read")
	role.Spec.Members = &v1alpha1.Members{Users: []v1alpha1.Login{"ada@example.com"}}
	w.create(role, w.key("bot", "chat", ""))
	readyKey(w, "bot")
	readyRole(w, "chat")
	w.mustAdminister("okta.groups.read", "okta.users.read")
	w.mustWork(w.agent("bot-okta"), []string{"talk"}, "okta.users.read")
	for _, scope := range w.ours().Scopes {
		if strings.HasPrefix(scope.Name, "okta.") {
			t.Errorf("agents could get %s", scope.Name)
		}
	}

	w.stop(first)
	since := len(w.org.Operations())
	w.start(impatient, letAdminister("okta.users.read", "okta.groups.read"))
	w.nudge(role)
	readyRole(w, "chat")
	w.quiet()
	if writes := w.writes(since); len(writes) > 0 {
		t.Errorf("a restart changes Okta: %v", writes)
	}

	label := "k8s." + w.namespace + "." + w.namespace + ".chat"
	w.asPerson("POST", "/api/v1/iam/roles/"+label+"/permissions/okta.users.manage", "{}")
	w.asPerson("DELETE", "/api/v1/iam/roles/"+label+"/permissions/okta.users.read", "")
	w.passRole(role, 2*time.Hour)
	w.mended(func() string { return cmp.Diff(w.whole("okta.groups.read", "okta.users.read"), w.administered()) })

	since = len(w.org.Operations())
	w.get("chat", role)
	role.Spec.Permissions = role.Spec.Permissions[:2]
	role.Spec.Description, role.Spec.Members.Users = "Other words", []v1alpha1.Login{"eve@example.com"}
	w.org.AddUser("eve@example.com")
	w.update(role)
	readyRole(w, "chat")
	w.mustAdminister("okta.users.read")
	if writes := w.writes(since); len(writes) < 4 || !strings.HasSuffix(writes[0], "/permissions/okta.groups.read") {
		t.Errorf("something came before what was taken away: %v", writes)
	}

	w.get("chat", role)
	role.Spec.Permissions = role.Spec.Permissions[:1]
	w.update(role)
	readyRole(w, "chat")
	w.mustAdminister()
	w.get("chat", role)
	role.Spec.Permissions = append(role.Spec.Permissions, v1alpha1.Permission{Name: "okta.groups.read"})
	w.update(role)
	readyRole(w, "chat")
	w.mustAdminister("okta.groups.read")
	since = len(w.org.Operations())
	w.deleteAndWait(role)
	w.mustAdminister()
	var gone []string
	for _, write := range w.writes(since) {
		if _, part, is := strings.Cut(write, "/api/v1/iam/"); is {
			gone = append(gone, part[:strings.Index(part, "/")]+map[bool]string{true: " binding"}[strings.Contains(part, "/bindings/")])
		}
	}
	if want := []string{"resource-sets binding", "roles", "resource-sets"}; !slices.Equal(gone, want) {
		t.Errorf("it went in the order %v, want %v", gone, want)
	}
	if groups := w.ours().Groups; len(groups) != 0 {
		t.Errorf("the group is left: %+v", groups)
	}
}

// TestAdminRoleClaimed: who takes the mark off the admin role in Okta keeps nobody from taking
// away what it gives: the role's group is taken out of it, and that is told.
func TestAdminRoleClaimed(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient, letAdminister("okta.users.read"))
	role := w.role("chat", "talk", "okta.users.read")
	w.create(role, w.key("bot", "chat", ""))
	readyRole(w, "chat")
	w.mustAdminister("okta.users.read")
	label := "k8s." + w.namespace + "." + w.namespace + ".chat"
	w.asPerson("PUT", "/api/v1/iam/roles/"+label, `{"label": "`+label+`", "description": "Mine"}`)
	w.get("chat", role)
	role.Spec.Permissions = role.Spec.Permissions[:1]
	w.update(role)
	w.waitReason("chat", role, identity.ReasonConflict)
	if left := w.administered(); strings.Contains(left, " has ") || !strings.Contains(left, label) {
		t.Errorf("after the permission was taken from the role there is %s", left)
	}
	w.deleteAndWait(role)
}

// TestAdminRoleRefused: without the configuration nobody administers anything, and what the
// configuration does not allow any more is taken away.
func TestAdminRoleRefused(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	first := w.start(impatient)
	role := w.role("chat", "talk", "okta.users.read")
	w.create(role, w.key("bot", "chat", ""))
	w.waitReason("chat", role, v1alpha1.ReasonReservedPermission)
	message := meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionReady).Message
	for _, says := range []string{`"okta.users.read"`, "okta.adminPermissions", "spec.permissions"} {
		if !strings.Contains(message, says) {
			t.Errorf("the message does not name %s: %s", says, message)
		}
	}
	w.mustAdminister()
	for _, op := range w.org.Operations() {
		if strings.HasPrefix(op.Path, "/api/v1/iam/") {
			t.Errorf("Okta is asked for %s %s although nothing is allowed", op.Method, op.Path)
		}
	}
	w.stop(first)
	second := w.start(impatient, letAdminister("okta.users.read"))
	readyRole(w, "chat")
	readyKey(w, "bot")
	w.mustAdminister("okta.users.read")
	w.stop(second)
	w.start(impatient)
	w.waitReason("chat", role, v1alpha1.ReasonReservedPermission)
	w.mustAdminister()
	w.deleteAndWait(role)
}

// TestAdminEscalationRefused: what lets its holder gain more no configuration lets through,
// be it in the object or in the file.
func TestAdminEscalationRefused(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	for _, permission := range []string{
		"okta.users.manage", "okta.users.credentials.manage", "okta.users.lifecycle.manage", "okta.groups.members.manage", "okta.apps.manage",
		"okta.apps.clientCredentials.read", "okta.authzServers.manage", "okta.users.apitokens.manage", "okta.iam.read",
	} {
		w.start(impatient, letAdminister(permission))
		err := cluster.admin.Create(context.Background(), w.role("chat", v1alpha1.PermissionName(permission)))
		if err == nil || !strings.Contains(err.Error(), "spec.permissions[0].name") {
			t.Errorf("creating a role with %s gives %v", permission, err)
		}
		w.stop(w.last)
		file := strings.Replace(smallConfiguration, "PERMISSION", permission, 1)
		if _, err := configv1alpha1.Parse([]byte(file)); err == nil || !strings.Contains(err.Error(), "okta.adminPermissions[0].permission") {
			t.Errorf("the configuration with %s gives %v", permission, err)
		}
	}
	w.mustAdminister()
}

const smallConfiguration = `
apiVersion: config.agentidentity.dev/v1alpha1
kind: Configuration
clusterID: prod
okta:
  orgURL: https://example.okta.com
  adminPermissions:
  - permission: PERMISSION
    resources: [https://example.okta.com/api/v1/users]
`

// TestAdminRoleNeedsScopes: what the operator's app lacks is named, and keeps nothing from
// the agents; nor is it asked for where no role gives an okta.* permission.
func TestAdminRoleNeedsScopes(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.signInWithKey(okta.RequiredScopes()...)
	w.start(impatient, letAdminister("okta.users.read", "okta.groups.read"))
	role := w.role("chat", "talk", "okta.users.read", "okta.groups.read")
	w.create(w.role("plain", "talk"), role, w.key("bot", "chat", ""))
	readyRole(w, "plain")
	w.waitReason("chat", role, v1alpha1.ReasonPermissionDenied)
	message := meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionReady).Message
	for _, scope := range okta.AdminRoleScopes() {
		if !strings.Contains(message, scope) {
			t.Errorf("the message does not name %s: %s", scope, message)
		}
	}
	readyKey(w, "bot")
	w.mustWork(w.agent("bot-okta"), []string{"talk"})
	// What was never given needs no scope to be taken away.
	other := w.role("other", "talk", "okta.users.read")
	w.create(other)
	w.waitReason("other", other, v1alpha1.ReasonPermissionDenied)
	w.deleteAndWait(other)
	w.get("chat", role)
	role.Spec.Permissions = role.Spec.Permissions[:1]
	w.update(role)
	readyRole(w, "chat")
	w.get("chat", role)
	role.Spec.Permissions = w.role("chat", "talk", "okta.users.read", "okta.groups.read").Spec.Permissions
	w.update(role)
	w.waitReason("chat", role, v1alpha1.ReasonPermissionDenied)
	w.org.SetScopes("0oaoperator", append(okta.RequiredScopes(), okta.AdminRoleScopes()...)...)
	w.mended(func() string {
		w.nudge(role) // it would look again by itself within a minute
		return cmp.Diff(w.whole("okta.groups.read", "okta.users.read"), w.administered())
	})
}

// TestAdminRoleCeiling: a ceiling takes from the people of a namespace's roles what it does
// not name in full, and nothing from their agents.
func TestAdminRoleCeiling(t *testing.T) {
	b := newBounded(t, letAdminister("okta.users.read", "okta.groups.read"))
	// Ceilings of other stories select the label that the namespace has.
	team := &corev1.Namespace{}
	b.must(nil, cluster.admin.Get(context.Background(), client.ObjectKey{Name: b.namespace}, team))
	team.Labels = map[string]string{"tier": "administering"}
	b.update(team)
	role := b.role("chat", "talk", "okta.users.read", "okta.groups.read")
	b.create(role, b.key("bot", "chat", ""))
	readyRole(b.world, "chat")
	readyKey(b.world, "bot")
	narrow := b.ceiling("narrow", v1alpha1.CeilingPolicy{Permissions: []v1alpha1.PermissionPattern{"talk", "o*", "okta.groups.read"}})
	narrow.Spec.Ceiling.NamespaceSelector.MatchLabels = team.Labels
	b.mustBind(narrow)
	b.waitReason("chat", role, v1alpha1.ReasonCeilingExceeded)
	message := meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionReady).Message
	if !strings.Contains(message, "okta.users.read") || strings.Contains(message, "okta.groups.read") {
		t.Errorf("the message does not name what is too much: %s", message)
	}
	if got := b.administered(); strings.Contains(got, "okta.users.read") || !strings.Contains(got, "chat has okta.groups.read") {
		t.Errorf("under the ceiling it is %s", got)
	}
	if !meta.IsStatusConditionTrue(role.Status.Conditions, v1alpha1.ConditionPermissionsReady) {
		t.Errorf("the agents' part of the role is not ready: %v", role.Status.Conditions)
	}
	readyKey(b.world, "bot")
	b.mustWork(b.agent("bot-okta"), []string{"talk"})
}

// TestAdminRoleWaitsForLeavers: who is to leave the group, and cannot be taken out, keeps the
// group from administering anything.
func TestAdminRoleWaitsForLeavers(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.org.AddUser("ada@example.com")
	w.org.AddUser("eve@example.com")
	w.start(impatient, letAdminister("okta.users.read"))
	role := w.role("chat", "talk")
	role.Spec.Members = &v1alpha1.Members{Users: []v1alpha1.Login{"ada@example.com", "eve@example.com"}}
	w.create(role)
	readyRole(w, "chat")
	w.org.Inject(oktasim.Fault{Method: "DELETE", Path: "^/api/v1/groups/[^/]+/users/", Action: oktasim.Status(403, "E0000006")})
	w.get("chat", role)
	role.Spec.Permissions = append(role.Spec.Permissions, v1alpha1.Permission{Name: "okta.users.read"})
	role.Spec.Members.Users = role.Spec.Members.Users[:1]
	w.update(role)
	w.waitReason("chat", role, v1alpha1.ReasonPermissionDenied)
	w.mustAdminister()
	w.mustBeIn("chat", "ada@example.com", "eve@example.com")
	w.org.ClearFaults()
	w.nudge(role)
	readyRole(w, "chat")
	w.mustBeIn("chat", "ada@example.com")
	w.mustAdminister("okta.users.read")
}
