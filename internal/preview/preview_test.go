package preview

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

func role(edits ...func(*v1alpha1.AIAgentRole)) *v1alpha1.AIAgentRole {
	r := &v1alpha1.AIAgentRole{ObjectMeta: metav1.ObjectMeta{Namespace: "chat", Name: "user"}}
	r.Spec.Permissions = []v1alpha1.Permission{{Name: "talk"}}
	for _, edit := range edits {
		edit(r)
	}
	return r
}

func key(edits ...func(*v1alpha1.AgentAPIKey)) *v1alpha1.AgentAPIKey {
	k := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{Namespace: "chat", Name: "bot"}}
	k.Spec = v1alpha1.AgentAPIKeySpec{
		RoleRef: v1alpha1.RoleReference{Name: "user"}, Agent: v1alpha1.Agent{Name: "Bot"}, Delivery: v1alpha1.DeliveryPrivateKeyJWT,
		Secret: v1alpha1.SecretTarget{Name: "bot-okta"}, DeletionPolicy: v1alpha1.DeletionDelete,
	}
	for _, edit := range edits {
		edit(k)
	}
	return k
}

func ceiling(edits ...func(*v1alpha1.CeilingPolicy)) *v1alpha1.AccessPolicy {
	p := &v1alpha1.AccessPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "home", Name: "base"}}
	p.Spec = v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyCeiling, Ceiling: &v1alpha1.CeilingPolicy{NamespaceSelector: &metav1.LabelSelector{}}}
	for _, edit := range edits {
		edit(p.Spec.Ceiling)
	}
	return p
}

func quarantine(edits ...func(*v1alpha1.AccessPolicy)) *v1alpha1.AccessPolicy {
	p := &v1alpha1.AccessPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "incidents", Name: "leak"}}
	p.Spec = v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{
		Targets: v1alpha1.QuarantineTargets{Selector: &v1alpha1.KeySelector{Namespaces: []v1alpha1.NamespaceName{"chat"}, MaxTargets: 1}},
	}}
	for _, edit := range edits {
		edit(p)
	}
	return p
}

func conditional(edits ...func(*v1alpha1.ConditionalPolicy)) *v1alpha1.AccessPolicy {
	p := &v1alpha1.AccessPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "chat", Name: "console"}}
	p.Spec = v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
		RoleRefs: []v1alpha1.RoleReference{{Name: "user"}},
		SignIn:   &v1alpha1.SignInPolicy{Apps: []v1alpha1.AppReference{{Label: "Console"}}, Rules: []v1alpha1.SignInRule{{Name: "managed"}}},
	}}
	for _, edit := range edits {
		edit(p.Spec.Conditional)
	}
	return p
}

func permissions(names ...string) func(*v1alpha1.AIAgentRole) {
	return func(r *v1alpha1.AIAgentRole) {
		r.Spec.Permissions = nil
		for _, name := range names {
			r.Spec.Permissions = append(r.Spec.Permissions, v1alpha1.Permission{Name: v1alpha1.PermissionName(name)})
		}
	}
}

func members(logins ...v1alpha1.Login) func(*v1alpha1.AIAgentRole) {
	return func(r *v1alpha1.AIAgentRole) { r.Spec.Members = &v1alpha1.Members{Users: logins} }
}

func minutes(n int) *metav1.Duration {
	return &metav1.Duration{Duration: time.Duration(n) * time.Minute}
}

// TestSteps: what is done in Okta and here about one object that is applied.
func TestSteps(t *testing.T) {
	objects := func(o ...client.Object) []client.Object { return o }
	for name, test := range map[string]struct {
		reason string
		before []client.Object
		apply  client.Object
		want   Step
	}{
		"new role": {
			"everything a role is; a scope that another role has is there", objects(role(func(r *v1alpha1.AIAgentRole) { r.Name = "other" })),
			role(permissions("talk", "log", "okta.users.read"), members("Ada@example.com"), func(r *v1alpha1.AIAgentRole) {
				r.Spec.MFA = &v1alpha1.MFA{Factors: []v1alpha1.Factor{v1alpha1.FactorPush, v1alpha1.FactorSMS}, Enroll: v1alpha1.EnrollStart}
			}),
			Step{Verb: Create, Okta: []string{
				"creates a group for its people",
				"creates the scope, where it is not there yet: log",
				"creates an access policy: its agents' tokens can hold log, talk",
				"puts 1 person into its group: ada@example.com",
				"starts the enrolment, where it is missing, of Push, SMS",
				"gives its people, by a custom admin role, okta.users.read",
			}},
		},
		"role as it is": {"nothing is done about what does not change", objects(role()), role(), Step{Verb: Keep}},
		"other permissions": {
			"agents get and lose what their role does", objects(role(permissions("talk", "log")), key()), role(permissions("talk", "read")),
			Step{Verb: Change, Fields: []string{"spec.permissions"}, Okta: []string{
				"creates the scope, where it is not there yet: read",
				"changes its access policy: tokens of its 1 key can hold read too",
				"changes its access policy: new tokens of its 1 key hold no log any more; the scope stays",
			}},
		},
		"other people": {
			"people come and go", objects(role(members("a@x", "b@x"))), role(members("b@x", "c@x")),
			Step{Verb: Change, Fields: []string{"spec.members.users"}, Okta: []string{
				"puts 1 person into its group: c@x", "takes 1 person out of its group: a@x",
			}},
		},
		"people let go": {
			"the role says nothing of people any more", objects(role(members("a@x", "b@x"))), role(),
			Step{Verb: Change, Fields: []string{"spec.members"}, Okta: []string{"takes 2 people out of its group, which is people's to fill from then on"}},
		},
		"people taken over": {
			"who is in the group and not named must go", objects(role()), role(members("a@x")),
			Step{Verb: Change, Fields: []string{"spec.members"}, Okta: []string{
				"takes out of its group who is in it and not named", "puts 1 person into its group: a@x",
			}},
		},
		"factors let go": {
			"nobody loses a factor", objects(role(func(r *v1alpha1.AIAgentRole) {
				r.Spec.MFA = &v1alpha1.MFA{Factors: []v1alpha1.Factor{v1alpha1.FactorPush}}
			})), role(),
			Step{Verb: Change, Fields: []string{"spec.mfa"}, Okta: []string{"looks no longer after the second factors of its people, which stay"}},
		},
		"words": {
			"descriptions", objects(role()), role(func(r *v1alpha1.AIAgentRole) {
				r.Spec.DisplayName, r.Spec.Permissions[0].Description = "User", "may talk"
			}),
			Step{Verb: Change, Fields: []string{"spec.displayName", "spec.permissions"}, Okta: []string{
				"changes the description of its group", "changes the description of the scope talk",
			}},
		},
		"new key": {
			"a client, its access, and the Secret", objects(role()), key(func(k *v1alpha1.AgentAPIKey) {
				k.Spec.ExpiresAt = &metav1.Time{Time: time.Date(2027, 1, 2, 3, 4, 0, 0, time.UTC)}
				k.Spec.RestartTargets = []v1alpha1.RestartTarget{{Kind: "Deployment", Name: "bot"}}
			}),
			Step{
				Verb: Create, Okta: []string{
					"registers a client, an API Services app, with a key pair",
					"adds it to the access policy of chat/user: tokens can hold talk",
					"deactivates it at 2027-01-02 03:04 UTC",
				},
				Cluster: []string{"writes Secret bot-okta with the credential", "restarts Deployment bot after each change of the Secret"},
			},
		},
		"adopted key": {
			"what somebody made is taken over", nil, key(func(k *v1alpha1.AgentAPIKey) {
				k.Spec.Adopt, k.Spec.Delivery = &v1alpha1.Adoption{ClientID: "0oa1"}, v1alpha1.DeliveryClientSecret
				k.Spec.State = v1alpha1.StateSuspended
			}),
			Step{Verb: Create, Okta: []string{
				"takes over client 0oa1, and adds a client secret to it",
				"adds it to the access policy of chat/user: tokens can hold nothing, for it is not there",
				"deactivates it: it gets no tokens",
			}, Cluster: []string{"writes Secret bot-okta with the credential"}},
		},
		"token key": {
			"the agent never gets the key", objects(role()), key(func(k *v1alpha1.AgentAPIKey) { k.Spec.Delivery = v1alpha1.DeliveryAccessToken }),
			Step{Verb: Create, Okta: []string{
				"registers a client, an API Services app, with a key pair", "adds it to the access policy of chat/user: tokens can hold talk",
			}, Cluster: []string{"writes Secret bot-okta with an access token, which is renewed"}},
		},
		"everything of a key": {
			"whatever may change of a key", objects(role(), role(permissions("rule"), func(r *v1alpha1.AIAgentRole) { r.Name = "boss" }), key()),
			key(func(k *v1alpha1.AgentAPIKey) {
				k.Spec.RoleRef.Name, k.Spec.Agent.Name, k.Spec.State = "boss", "Robot", v1alpha1.StateSuspended
				k.Spec.Rotation = &v1alpha1.Rotation{Every: minutes(720 * 60), Overlap: minutes(30)}
				k.Spec.DriftPolicy, k.Spec.DeletionPolicy, k.Spec.Secret.Preset = v1alpha1.DriftReport, v1alpha1.DeletionRetain, v1alpha1.SecretPreset("Environment")
				k.Annotations = map[string]string{v1alpha1.AnnotationRotate: "now"}
			}),
			Step{
				Verb: Change,
				Fields: []string{
					"metadata.annotations[agentidentity.dev/rotate]", "spec.agent.name", "spec.deletionPolicy", "spec.driftPolicy",
					"spec.roleRef.name", "spec.rotation", "spec.secret.preset", "spec.state",
				},
				Okta: []string{
					"moves its client from the access policy of chat/user to that of chat/boss: tokens can hold rule",
					"changes the note of its app",
					"deactivates its client: it gets no new tokens",
					"gives it a new credential; the earlier one works for 30m more at least",
					"replaces its credential every 720h, and ends the earlier one 30m later at the earliest",
					"leaves what people change in its app, and tells of it",
					"when the key is deleted: Retain instead of Delete",
				},
				Cluster: []string{"writes Secret bot-okta anew, in its new shape"},
			},
		},
		"key let in": {
			"the way back", objects(role(), key(func(k *v1alpha1.AgentAPIKey) {
				k.Spec.State, k.Spec.Rotation = v1alpha1.StateSuspended, &v1alpha1.Rotation{Every: minutes(60)}
				k.Spec.ExpiresAt = &metav1.Time{Time: time.Unix(0, 0)}
			})), key(),
			Step{Verb: Change, Fields: []string{"spec.expiresAt", "spec.rotation", "spec.state"}, Okta: []string{
				"activates its client", "does not deactivate its client by time any more", "replaces its credential on request only",
			}},
		},
		"new policy": {
			"people and agents", nil, conditional(func(c *v1alpha1.ConditionalPolicy) {
				c.Agents = &v1alpha1.AgentConditions{TokenLifetime: minutes(5), NetworkZones: &v1alpha1.NetworkZones{}, DPoP: v1alpha1.RequirementRequired}
			}),
			Step{Verb: Create, Okta: []string{
				"governs by 1 rule how people sign in to app Console, instead of the policy it has",
				"gives agents of chat/user tokens that live 5m at most",
				"gives agents of chat/user tokens by network zone only",
				"gives agents of chat/user tokens only that are bound to a key (DPoP)",
			}},
		},
		"other apps and rules": {
			"an app that is let go gets its policy back", objects(conditional(func(c *v1alpha1.ConditionalPolicy) {
				c.SignIn.Apps = append(c.SignIn.Apps, v1alpha1.AppReference{ID: "0oa2"})
				c.Agents = &v1alpha1.AgentConditions{TokenLifetime: minutes(5)}
			})),
			conditional(func(c *v1alpha1.ConditionalPolicy) { c.SignIn.Rules[0].Name = "anywhere" }),
			Step{
				Verb: Change, Fields: []string{"spec.conditional.agents", "spec.conditional.signIn.apps", "spec.conditional.signIn.rules"},
				Okta: []string{
					"gives app 0oa2 the sign-on policy back that it had", "writes the rules anew by which people sign in: anywhere",
					"lets agents of chat/user have tokens without conditions of this policy",
				},
			},
		},
		"quarantine": {
			"it names whom it cuts off", objects(key(), key(func(k *v1alpha1.AgentAPIKey) { k.Namespace = "elsewhere" })), quarantine(),
			Step{Verb: Create, Okta: []string{"deactivates 1 client, and ends the credentials that they have, for ever: chat/bot"}},
		},
		"quarantine of nobody": {"a slip in a selector", nil, quarantine(), Step{Verb: Create, Okta: []string{"cuts off nobody"}}},
		"quarantine elsewhere": {
			"it does nothing", objects(key()), quarantine(func(p *v1alpha1.AccessPolicy) { p.Namespace = "chat" }), Step{Verb: Create},
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := Of(t.Context(), NewWorld(nil, test.before...), objects(test.apply), restraint.Rules{Home: "home", Incident: "incidents"})
			if err != nil {
				t.Fatal(err)
			}
			test.want.Ref = Ref{kindOf(test.apply), test.apply.GetNamespace(), test.apply.GetName()}
			if diff := cmp.Diff([]Step{test.want}, plan.Steps); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

// TestFindings: what is wrong once it is applied, also with what is not applied itself.
func TestFindings(t *testing.T) {
	only := func(patterns ...v1alpha1.PermissionPattern) func(*v1alpha1.CeilingPolicy) {
		return func(c *v1alpha1.CeilingPolicy) { c.Permissions = patterns }
	}
	bot := Ref{"AgentAPIKey", "chat", "bot"}
	const over = "gets nothing: Ceiling home/base: the role has permissions that the namespace may not have: talk; use a role without them"
	for name, test := range map[string]struct {
		reason string
		before []client.Object
		apply  []client.Object
		labels map[string]map[string]string
		deny   bool
		want   []Finding
		breaks bool
	}{
		"within": {"all is allowed", []client.Object{ceiling(only("talk"))}, []client.Object{role(), key()}, nil, false, nil, false},
		"above": {
			"the ceiling is in the cluster",
			[]client.Object{ceiling(only("log"))},
			[]client.Object{role(), key()},
			nil, false,
			[]Finding{{bot, true, over}},
			true,
		},
		"above together": {
			"the ceiling is among the manifests", nil,
			[]client.Object{role(), key(), ceiling(only("log"))},
			nil, false,
			[]Finding{{bot, true, over}},
			true,
		},
		"ceiling lowered": {
			"what stands in the cluster would lose everything",
			[]client.Object{role(), key(), ceiling(only("talk"))},
			[]client.Object{ceiling(only("log"))},
			nil, false,
			[]Finding{{bot, true, over}},
			true,
		},
		"role that grows": {
			"its keys would lose everything",
			[]client.Object{role(), key(), ceiling(only("talk"))},
			[]client.Object{role(permissions("talk", "log"))},
			nil, false,
			[]Finding{{bot, true, "gets nothing: Ceiling home/base: the role has permissions that the namespace may not have: log; use a role without them"}},
			true,
		},
		"as bad as before": {
			"what the change has nothing to do with is not told",
			[]client.Object{role(), key(), ceiling(only("log"))},
			[]client.Object{role(func(r *v1alpha1.AIAgentRole) { r.Name = "other" })},
			nil, false, nil, false,
		},
		"other namespaces": {
			"by labels",
			[]client.Object{ceiling(only("log"), func(c *v1alpha1.CeilingPolicy) { c.NamespaceSelector.MatchLabels = map[string]string{"tier": "low"} })},
			[]client.Object{role(), key()},
			map[string]map[string]string{"chat": {"tier": "high"}},
			false, nil, false,
		},
		"this namespace": {
			"by labels",
			[]client.Object{ceiling(only("log"), func(c *v1alpha1.CeilingPolicy) { c.NamespaceSelector.MatchLabels = map[string]string{"tier": "low"} })},
			[]client.Object{role(), key()},
			map[string]map[string]string{"chat": {"tier": "low"}},
			false,
			[]Finding{{bot, true, over}},
			true,
		},
		"no ceiling": {
			"the operator may allow nothing without one", nil,
			[]client.Object{role(), key()},
			nil, true,
			[]Finding{{bot, true, `gets nothing: no Ceiling selects namespace "chat", and the operator's configuration allows nothing without one: have an administrator create one in namespace "home"`}},
			true,
		},
		"no role": {
			"to wait is no breach", nil,
			[]client.Object{key()},
			nil, false,
			[]Finding{{bot, false, "gets nothing yet: AIAgentRole chat/user does not exist; create it, or mend spec.roleRef"}},
			false,
		},
		"people": {
			"whom a namespace may not name",
			[]client.Object{ceiling(func(c *v1alpha1.CeilingPolicy) { c.Members = []v1alpha1.LoginPattern{"*@x"} })},
			[]client.Object{role(members("a@x", "b@y"))},
			nil, false,
			[]Finding{{Ref{"AIAgentRole", "chat", "user"}, true, `a Ceiling does not let namespace "chat" name b@y`}},
			true,
		},
		"administration": {
			"only what a ceiling names in full",
			[]client.Object{ceiling(only("talk", "okta.users.read"))},
			[]client.Object{role(permissions("talk", "okta.users.read", "okta.users.manage"))},
			nil, false,
			[]Finding{{Ref{"AIAgentRole", "chat", "user"}, true, "its people get no permissions to administer Okta, for no Ceiling names in full: okta.users.manage"}},
			true,
		},
		"apps": {
			"which a namespace may govern",
			[]client.Object{ceiling(func(c *v1alpha1.CeilingPolicy) { c.Apps = []v1alpha1.AppReference{{Label: "Shop"}} })},
			[]client.Object{conditional()},
			nil, false,
			[]Finding{{Ref{"AccessPolicy", "chat", "console"}, true, `a Ceiling does not let namespace "chat" govern app "Console"; one that names it by its id must be met by its id`}},
			true,
		},
		"ceiling elsewhere": {
			"it binds nobody", nil,
			[]client.Object{func() client.Object { c := ceiling(only("talk")); c.Namespace = "chat"; return c }()},
			nil, false,
			[]Finding{{Ref{"AccessPolicy", "chat", "base"}, false, `does nothing: a Ceiling counts in namespace "home" only`}},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := Of(t.Context(), NewWorld(test.labels, test.before...), test.apply,
				restraint.Rules{Home: "home", Incident: "incidents", DefaultDeny: test.deny})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, plan.Findings); diff != "" || plan.Breached() != test.breaks {
				t.Errorf("%s: breached is %v, want %v (-want +got):\n%s", test.reason, plan.Breached(), test.breaks, diff)
			}
		})
	}
}
