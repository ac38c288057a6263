package story

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// bounded is a world whose operator's namespace is w.home, and whose stories play in the
// namespace of a team.
type bounded struct {
	*world
	home string
}

// newBounded makes the team's namespace, with a label by which ceilings select it.
func newBounded(t *testing.T, options ...func(*operator.Options)) bounded {
	t.Helper()
	w := newWorld(t, oktasim.Options{})
	b := bounded{world: w, home: w.namespace}
	team := w.namespace + "-team"
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team, Labels: map[string]string{"tier": team}}})
	w.start(append(options, impatient, func(o *operator.Options) {
		o.Config.Namespaces = append(o.Config.Namespaces, team)
		o.Config.Manager.LeaderElectionNamespace = b.home
	})...)
	w.namespace = team
	return b
}

func (b bounded) ceiling(name string, limits v1alpha1.CeilingPolicy) *v1alpha1.AccessPolicy {
	limits.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": b.home + "-team"}}
	return &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.home, Name: name},
		Spec:       v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyCeiling, Ceiling: &limits},
	}
}

// mustBind creates ceilings and waits until each says that it binds the team's namespace.
func (b bounded) mustBind(ceilings ...*v1alpha1.AccessPolicy) {
	b.Helper()
	team := b.namespace
	b.namespace = b.home
	for _, c := range ceilings {
		b.create(c)
		b.waitReason(c.Name, c, v1alpha1.ReasonReady)
	}
	b.namespace = team
}

// TestCeilingNarrows: a ceiling that comes later ends the access of keys that ask for
// more, before their role has what is too much; and gives it back when they ask for less.
func TestCeilingNarrows(t *testing.T) {
	b := newBounded(t)
	role := b.role("chat", "chat:read", "chat:write")
	b.create(role, b.key("bot", "chat", ""))
	readyKey(b.world, "bot")
	before := b.secretBytes()
	narrow := b.ceiling("narrow", v1alpha1.CeilingPolicy{
		Permissions: []v1alpha1.PermissionPattern{"chat:read"}, MaxTokenLifetime: &metav1.Duration{Duration: 5 * time.Minute},
	})
	b.mustBind(narrow)
	key := &v1alpha1.AgentAPIKey{}
	b.waitReason("bot", key, v1alpha1.ReasonCeilingExceeded)
	b.mustBeRefusedA("chat:read")
	b.get("chat", role)
	role.Spec.Permissions = role.Spec.Permissions[:1]
	b.update(role)
	readyKey(b.world, "bot")
	claims, refused, err := b.agent("bot-okta").token("chat:read")
	if err != nil || refused != "" || claims["exp"].(float64)-claims["iat"].(float64) != 300 {
		t.Errorf("a token has the claims %v, or is refused: %q %v", claims, refused, err)
	}
	if _, same := before["bot-okta"]; !same || string(b.secretBytes()["bot-okta"]["jwk"]) != string(before["bot-okta"]["jwk"]) {
		t.Error("the credential was replaced")
	}
	b.namespace = b.home
	b.waitFor("narrow", narrow, "without violations", func() bool {
		s := narrow.Status.Ceiling
		return s != nil && *s.Keys == 1 && *s.Violations == 0 && *s.Namespaces == 1
	})
}

func (b bounded) mustBeRefusedA(scope string) {
	b.Helper()
	if _, refused, err := b.agent("bot-okta").ask(scope); err != nil || refused == "" {
		b.Errorf("a token is issued (%v)", err)
	}
}

// TestAboveTheCeiling: what an owner of a namespace can try to get more than its ceilings
// allow. Each is refused with a message that says why, and no token has more.
func TestAboveTheCeiling(t *testing.T) {
	b := newBounded(t)
	b.mustBind(b.ceiling("one", v1alpha1.CeilingPolicy{
		Permissions: []v1alpha1.PermissionPattern{"chat:*", "logs"}, Deliveries: []v1alpha1.Delivery{v1alpha1.DeliveryPrivateKeyJWT},
		MaxKeyAge: &metav1.Duration{Duration: 720 * time.Hour}, Owners: v1alpha1.RequirementRequired,
	}), b.ceiling("two", v1alpha1.CeilingPolicy{
		Permissions: []v1alpha1.PermissionPattern{"chat:*", "train"}, Expiry: v1alpha1.RequirementRequired,
	}))
	// A platform's role that is shared with everybody has more than the team may have.
	shared := b.role("platform", "chat:read", "admin")
	shared.Namespace, shared.Spec.ShareWith = b.home, &v1alpha1.Sharing{From: v1alpha1.ShareAll}
	b.create(shared, b.role("chat", "chat:read"), b.role("wide", "chat:read", "admin"), b.role("logs", "logs"), b.role("train", "train"))
	tries := map[string]struct {
		change func(*v1alpha1.AgentAPIKey)
		says   string
	}{
		"role with more":           {func(k *v1alpha1.AgentAPIKey) { k.Spec.RoleRef.Name = "wide" }, "may not have: admin"},
		"shared role with more":    {func(k *v1alpha1.AgentAPIKey) { k.Spec.RoleRef = shareRef(b.home) }, "may not have: admin"},
		"what only one allows":     {func(k *v1alpha1.AgentAPIKey) { k.Spec.RoleRef.Name = "logs" }, "Ceiling " + b.home + "/two"},
		"what only another allows": {func(k *v1alpha1.AgentAPIKey) { k.Spec.RoleRef.Name = "train" }, "Ceiling " + b.home + "/one"},
		"client secret":            {func(k *v1alpha1.AgentAPIKey) { k.Spec.Delivery = v1alpha1.DeliveryClientSecret }, "spec.delivery ClientSecret is not allowed"},
		"access token":             {func(k *v1alpha1.AgentAPIKey) { k.Spec.Delivery = v1alpha1.DeliveryAccessToken }, "spec.delivery AccessToken is not allowed"},
		"never rotated":            {func(k *v1alpha1.AgentAPIKey) { k.Spec.Rotation = nil }, "set spec.rotation.every"},
		"rotated too rarely": {func(k *v1alpha1.AgentAPIKey) {
			k.Spec.Rotation.Every = &metav1.Duration{Duration: 721 * time.Hour}
		}, "must be replaced within 720h"},
		"nobody's": {func(k *v1alpha1.AgentAPIKey) { k.Spec.Agent.Owners = nil }, "spec.agent.owners"},
		"for ever": {func(k *v1alpha1.AgentAPIKey) { k.Spec.ExpiresAt = nil }, "set spec.expiresAt"},
		"own label": {func(k *v1alpha1.AgentAPIKey) {
			k.Labels = map[string]string{"tier": "free"}
			k.Spec.RoleRef.Name = "wide"
		}, "may not have: admin"},
		"own exception": {func(k *v1alpha1.AgentAPIKey) {
			k.Annotations = map[string]string{"agentidentity.dev/ceiling": "none"}
			k.Spec.RoleRef.Name = "wide"
		}, "may not have: admin"},
	}
	for name, try := range tries {
		key := b.modest(strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), "'", ""))
		try.change(key)
		b.create(key)
		b.waitReason(key.Name, key, v1alpha1.ReasonCeilingExceeded)
		if says := readyMessage(key); !strings.Contains(says, try.says) {
			t.Errorf("%s: the condition says %q, want %q in it", name, says, try.says)
		}
	}
	if apps := b.ours().Apps; len(apps) != 0 {
		t.Errorf("apps were made for keys that ask for too much: %v", apps)
	}

	// A key that asks for no more works, until what is behind it is changed.
	modest := b.modest("modest")
	b.create(modest)
	readyKey(b.world, "modest")
	held := b.agent("modest-okta")
	changes := map[string]func(){
		"the role gets more": func() { b.grow("chat", "admin") },
		"the key moves": func() {
			b.editKey("modest", func(s *v1alpha1.AgentAPIKeySpec) { s.RoleRef.Name = "wide" })
		},
		"the key forgets its owners": func() { b.editKey("modest", func(s *v1alpha1.AgentAPIKeySpec) { s.Agent.Owners = nil }) },
		"the key lives for ever":     func() { b.editKey("modest", func(s *v1alpha1.AgentAPIKeySpec) { s.ExpiresAt = nil }) },
	}
	for _, name := range slices.Sorted(mapsKeys(changes)) {
		changes[name]()
		b.waitReason("modest", modest, v1alpha1.ReasonCeilingExceeded)
		b.mustHoldOnly(held, name)
		b.shrink("chat")
		b.editKey("modest", func(s *v1alpha1.AgentAPIKeySpec) { *s = b.modest("modest").Spec })
		readyKey(b.world, "modest")
	}

	// Policies of the team's own count for nothing, and its policy governs no app.
	own := b.ceiling("own", v1alpha1.CeilingPolicy{Permissions: []v1alpha1.PermissionPattern{"admin"}})
	own.Namespace = b.namespace
	quarantine := b.quarantineOf("own-quarantine", b.named("modest"))
	app := b.peopleApp(console)
	governs := b.conditional("own-console", v1alpha1.SignInPolicy{
		Apps: []v1alpha1.AppReference{{ID: app}}, Rules: []v1alpha1.SignInRule{{Name: "all", With: &v1alpha1.SignInProof{FactorMode: v1alpha1.FactorModeOne}}},
	}, "chat")
	before := b.governs(app)
	b.create(own, quarantine, governs)
	b.waitReason("own", own, v1alpha1.ReasonNotHonouredHere)
	b.waitReason("own-quarantine", quarantine, v1alpha1.ReasonNotHonouredHere)
	b.waitReason("own-console", governs, v1alpha1.ReasonAppNotAllowed)
	if after := b.governs(app); after != before {
		t.Error("a team that may not has put an app under its own policy")
	}
	agents := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: "own-agents"},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
			RoleRefs: []v1alpha1.RoleReference{shareRef(b.home)}, Agents: &v1alpha1.AgentConditions{TokenLifetime: &metav1.Duration{Duration: 24 * time.Hour}},
		}},
	}
	b.create(agents)
	b.waitReason("own-agents", agents, v1alpha1.ReasonNotHonouredHere)
	readyKey(b.world, "modest")
}

// modest is a key that asks for what all ceilings of these stories allow.
func (b bounded) modest(name string) *v1alpha1.AgentAPIKey {
	key := b.key(name, "chat", v1alpha1.DeliveryPrivateKeyJWT)
	key.Spec.Agent.Owners = []string{"ada@example.com"}
	key.Spec.Rotation = &v1alpha1.Rotation{Every: &metav1.Duration{Duration: 240 * time.Hour}}
	key.Spec.ExpiresAt = &metav1.Time{Time: time.Now().AddDate(1, 0, 0).Truncate(time.Second)}
	return key
}

func shareRef(home string) v1alpha1.RoleReference {
	return v1alpha1.RoleReference{Namespace: v1alpha1.NamespaceName(home), Name: "platform"}
}

func (b bounded) grow(role string, permission v1alpha1.PermissionName) {
	b.Helper()
	obj := &v1alpha1.AIAgentRole{}
	b.get(role, obj)
	obj.Spec.Permissions = append(obj.Spec.Permissions, v1alpha1.Permission{Name: permission})
	b.update(obj)
}

func (b bounded) shrink(role string) {
	b.Helper()
	obj := &v1alpha1.AIAgentRole{}
	b.get(role, obj)
	if len(obj.Spec.Permissions) > 1 {
		obj.Spec.Permissions = obj.Spec.Permissions[:1]
		b.update(obj)
	}
}

// mustHoldOnly holds that what the agent has gives no token at all.
func (b bounded) mustHoldOnly(held agent, what string) {
	b.Helper()
	for _, scope := range []string{"chat:read", "admin"} {
		if _, refused, err := held.ask(scope); err != nil || refused == "" {
			b.Errorf("%s: a token with %s is issued (%v)", what, scope, err)
		}
	}
}

func readyMessage(obj settled) string {
	for _, c := range *obj.StatusConditions() {
		if c.Type == v1alpha1.ConditionReady {
			return c.Message
		}
	}
	return ""
}

func mapsKeys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestCeilingOverPeople: whom a namespace may not name is no member, is told, and keeps
// nobody else out.
func TestCeilingOverPeople(t *testing.T) {
	b := newBounded(t)
	b.org.AddUser("ada@example.com")
	b.org.AddUser("eve@other.example")
	role := b.role("chat", "a")
	role.Spec.Members = &v1alpha1.Members{Users: []v1alpha1.Login{"Ada@example.com", "eve@other.example"}}
	b.create(role, b.key("bot", "chat", ""))
	readyRole(b.world, "chat")
	b.mustBind(b.ceiling("people", v1alpha1.CeilingPolicy{Members: []v1alpha1.LoginPattern{"*@Example.com"}}))
	b.waitReason("chat", role, v1alpha1.ReasonCeilingExceeded)
	b.mustBeIn("chat", "ada@example.com")
	want := []v1alpha1.MemberStatus{
		{Login: "ada@example.com", State: v1alpha1.MemberStateMember}, {Login: "eve@other.example", State: v1alpha1.MemberStateRefused},
	}
	if !slices.EqualFunc(role.Status.Members, want, func(a, b v1alpha1.MemberStatus) bool { return a.Login == b.Login && a.State == b.State }) {
		t.Errorf("status.members is %v, want %v", role.Status.Members, want)
	}
	readyKey(b.world, "bot")
}

// TestCeilingOfAgeComesLater: a ceiling for the age of keys that comes later ends the access of
// a key that is never replaced, until its owner says how often it is.
func TestCeilingOfAgeComesLater(t *testing.T) {
	b := newBounded(t)
	b.create(b.role("chat", "chat:read"), b.key("bot", "chat", ""))
	readyKey(b.world, "bot")
	b.mustBind(b.ceiling("age", v1alpha1.CeilingPolicy{MaxKeyAge: &metav1.Duration{Duration: 720 * time.Hour}}))
	key := &v1alpha1.AgentAPIKey{}
	b.waitReason("bot", key, v1alpha1.ReasonCeilingExceeded)
	if says := readyMessage(key); !strings.Contains(says, "must be replaced within 720h0m0s; set spec.rotation.every") {
		t.Errorf("the condition says %q", says)
	}
	b.mustBeRefusedA("chat:read")
	b.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) {
		s.Rotation = &v1alpha1.Rotation{Every: &metav1.Duration{Duration: 720 * time.Hour}}
	})
	readyKey(b.world, "bot")
	if _, refused, err := b.agent("bot-okta").token("chat:read"); err != nil || refused != "" {
		t.Errorf("with a rotation no token is issued: %q %v", refused, err)
	}
}

// TestWithoutCeiling: where the configuration says so, a namespace without a ceiling has
// nothing.
func TestWithoutCeiling(t *testing.T) {
	b := newBounded(t, func(o *operator.Options) { o.Config.WithoutCeiling = "Deny" })
	b.create(b.role("chat", "a"), b.key("bot", "chat", ""))
	b.waitReason("bot", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonCeilingExceeded)
	b.mustBind(b.ceiling("wide", v1alpha1.CeilingPolicy{Permissions: []v1alpha1.PermissionPattern{"a"}}))
	readyKey(b.world, "bot")
}

// TestCeilingAtAdmission: people are told when they apply, what is there can be changed in
// other ways and deleted, and nobody else is concerned.
func TestCeilingAtAdmission(t *testing.T) {
	b := newBounded(t)
	early := b.key("early", "chat", v1alpha1.DeliveryClientSecret)
	b.create(b.role("chat", "chat:read"), early)
	b.mustBind(b.ceiling("one", v1alpha1.CeilingPolicy{
		Permissions: []v1alpha1.PermissionPattern{"chat:*"}, Deliveries: []v1alpha1.Delivery{v1alpha1.DeliveryPrivateKeyJWT},
		MaxKeyAge: &metav1.Duration{Duration: 720 * time.Hour}, Owners: v1alpha1.RequirementRequired, Expiry: v1alpha1.RequirementRequired,
	}))
	b.applyCeilingPolicies()
	refused := func(what string, obj client.Object, says string) {
		t.Helper()
		b.eventually(what+" is refused", func() bool {
			err := cluster.admin.Create(context.Background(), obj.DeepCopyObject().(client.Object), client.DryRunAll)
			return err != nil && strings.Contains(err.Error(), says)
		})
	}
	secret, careless, lasting, old := b.modest("secret"), b.modest("careless"), b.modest("lasting"), b.modest("old")
	secret.Spec.Delivery, careless.Spec.Agent.Owners, lasting.Spec.ExpiresAt, old.Spec.Rotation = v1alpha1.DeliveryClientSecret, nil, nil, nil
	refused("a client secret", secret, "choose one of PrivateKeyJWT")
	refused("a key of nobody", careless, "name the owners of the agent in spec.agent.owners")
	refused("a key for ever", lasting, "set spec.expiresAt")
	refused("a key that stays the same", old, "set spec.rotation.every to 720h")
	refused("a role with more", b.role("wide", "chat:read", "admin", "logs"), "may not have the permissions admin, logs")
	b.must(nil, cluster.admin.Create(context.Background(), b.modest("modest"), client.DryRunAll))
	b.mustBind(b.ceiling("silent", v1alpha1.CeilingPolicy{Owners: v1alpha1.RequirementRequired}))
	refused("a role that is to administer", b.role("admins", "chat:read", "okta.users.read"), "Ceiling silent: the namespace may not have the permissions okta.users.read")

	elsewhere := b.key("free", "chat", v1alpha1.DeliveryClientSecret)
	elsewhere.Namespace = b.home
	b.must(nil, cluster.admin.Create(context.Background(), elsewhere, client.DryRunAll))
	b.annotate("early", "note", "changed in another way")
	b.get("early", early)
	b.deleteAndWait(early)
}

// applyCeilingPolicies applies config/ceiling, with the story's namespace for the operator's.
func (b bounded) applyCeilingPolicies() {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(root, "config", "ceiling", "policies.yaml"))
	b.must(nil, err)
	adapted := strings.ReplaceAll(string(text), "agent-identity-system", b.home)
	adapted = strings.ReplaceAll(adapted, ".ceiling.agentidentity.dev", "."+b.home+".ceiling.agentidentity.dev")
	for part := range strings.SplitSeq(adapted, "\n---\n") {
		obj := &unstructured.Unstructured{}
		b.must(nil, yaml.Unmarshal([]byte(part), &obj.Object))
		b.create(obj)
		b.Cleanup(func() { _ = cluster.admin.Delete(context.Background(), obj) })
	}
}
