package desired

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/schedule"
)

var settings = Settings{Cluster: "c1", TokenLifetime: 15 * time.Minute, AdminResources: map[string][]string{"okta.users.read": {"orn"}}}

func TestRoleOf(t *testing.T) {
	role := &v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot", UID: "u1", CreationTimestamp: metav1.Unix(50, 0)},
		Spec: v1alpha1.AIAgentRoleSpec{
			DisplayName: "Bot", Description: "Talks.",
			Permissions: []v1alpha1.Permission{
				{Name: "okta.users.read"}, {Name: "z"}, {Name: "a", Description: "A."}, {Name: "okta.groups.read"},
			},
		},
	}
	mark := identity.Mark{Cluster: "c1", Kind: "AIAgentRole", Namespace: "ns", Name: "bot", UID: "u1", Since: 50}
	want := Role{
		Mark:          mark,
		Group:         identity.Group{Mark: mark, Name: "k8s/c1/ns/bot", Description: "Bot: Talks."},
		Permissions:   []identity.Permission{{Name: "a", Description: "A."}, {Name: "z"}},
		Admin:         []AdminPermission{{Name: "okta.groups.read"}, {Name: "okta.users.read", Resources: []string{"orn"}}},
		TokenLifetime: 15 * time.Minute,
	}
	got := RoleOf(role, settings)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("RoleOf (-want +got):\n%s", diff)
	}
	grant := identity.Grant{
		Mark: mark, Name: "k8s/c1/ns/bot", Clients: []string{"a", "b"}, Permissions: []string{"a", "z"}, TokenLifetime: 15 * time.Minute,
	}
	if diff := cmp.Diff(grant, got.Grant([]string{"b", "a"})); diff != "" {
		t.Errorf("Grant (-want +got):\n%s", diff)
	}
}

func TestKeyOf(t *testing.T) {
	key := &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "bot", UID: "u2", CreationTimestamp: metav1.Unix(100, 0)},
		Spec: v1alpha1.AgentAPIKeySpec{
			Agent:    v1alpha1.Agent{Name: "Bot", Purpose: "Talks.", Owners: []string{"a@example.com", "team-b"}},
			Delivery: v1alpha1.DeliveryClientSecret,
			Secret:   v1alpha1.SecretTarget{Name: "bot-okta"},
		},
	}
	want := Key{
		Mark:     identity.Mark{Cluster: "c1", Kind: "AgentAPIKey", Namespace: "ns", Name: "bot", UID: "u2", Since: 100},
		ClientID: ClientID("c1", "ns", "bot"), Label: "k8s/c1/ns/bot",
		Note:        "Agent Bot, managed by AgentAPIKey ns/bot.\nPurpose: Talks.\nOwners: a@example.com, team-b",
		Method:      identity.ClientSecretBasic,
		StagingName: "bot.staged-credential", SecretName: "bot-okta", TokenLifetime: settings.TokenLifetime,
		Owners:   []string{"a@example.com", "team-b"},
		Rotation: Rotation{Overlap: time.Hour, MaxOverlap: 24 * time.Hour},
	}
	windows := cmp.Comparer(func(a, b schedule.Windows) bool { return reflect.DeepEqual(a, b) })
	if diff := cmp.Diff(want, KeyOf(key, settings), windows); diff != "" {
		t.Errorf("KeyOf (-want +got):\n%s", diff)
	}
	key.Spec.Delivery = ""
	if got := KeyOf(key, settings).Method; got != identity.PrivateKeyJWT {
		t.Errorf("method without a delivery = %q, want %q: the default hands out no shared secret", got, identity.PrivateKeyJWT)
	}
}

// TestNamesFit holds the limits of Okta and Kubernetes, and that what is cut stays distinct.
func TestNamesFit(t *testing.T) {
	clientID := regexp.MustCompile(`^[A-Za-z0-9$\-_.+!*'(),]{6,100}$`)
	long := strings.Repeat("n", 252)
	seen := map[string]string{}
	for _, name := range []string{"a", long + "a", long + "b"} {
		mark := identity.Mark{Cluster: "prod", Kind: "AgentAPIKey", Namespace: strings.Repeat("s", 63), Name: name, UID: "u"}
		for kind, made := range map[string]struct {
			name  string
			limit int
		}{
			"client": {ClientID(mark.Cluster, mark.Namespace, name), 100}, "label": {Label(mark), 100},
			"group": {GroupName(mark), 255}, "grant": {GrantName(mark), 100}, "staging": {StagingName(name), 253},
			"admin": {AdminLabel(mark), 100},
		} {
			if len(made.name) > made.limit {
				t.Errorf("%s of %.5s… has %d bytes, limit %d", kind, name, len(made.name), made.limit)
			}
			if other, taken := seen[kind+made.name]; taken {
				t.Errorf("%s %q serves both %.5s… and %.5s…", kind, made.name, other, name)
			}
			seen[kind+made.name] = name
			if kind == "admin" && strings.Contains(made.name, "/") {
				t.Errorf("label %q cannot stand in a path", made.name)
			}
			if kind == "client" && !clientID.MatchString(made.name) {
				t.Errorf("client id %q has characters Okta refuses", made.name)
			}
		}
	}
	for kind, made := range map[string]func(namespace, name string) string{
		"client": func(ns, n string) string { return ClientID("c", ns, n) },
		"group":  func(ns, n string) string { return GroupName(identity.Mark{Cluster: "c", Namespace: ns, Name: n}) },
		"label":  func(ns, n string) string { return Label(identity.Mark{Cluster: "c", Namespace: ns, Name: n}) },
		"admin":  func(ns, n string) string { return AdminLabel(identity.Mark{Cluster: "c", Namespace: ns, Name: n}) },
		"grant":  func(ns, n string) string { return GrantName(identity.Mark{Cluster: "c", Namespace: ns, Name: n}) },
	} {
		if made("a", "b-c") == made("a-b", "c") {
			t.Errorf("two owners share a %s: the parts run into each other", kind)
		}
	}
}
