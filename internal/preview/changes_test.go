package preview

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// TestStepsThatAreNone: what the operator would not do is not promised.
func TestStepsThatAreNone(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		before []client.Object
		apply  client.Object
		want   Step
	}{
		"quarantine of too many": {
			"the operator would cut off none of them",
			[]client.Object{key(), key(func(k *v1alpha1.AgentAPIKey) { k.Name = "other" })},
			quarantine(),
			Step{Verb: Create, Okta: []string{"cuts off no further client: it would be 2 clients, and maxTargets is 1"}},
		},
		"another's role": {
			"who may use a role does not govern others' use", nil, conditional(func(c *v1alpha1.ConditionalPolicy) {
				c.RoleRefs[0].Namespace, c.Agents = "shared", &v1alpha1.AgentConditions{TokenLifetime: minutes(5)}
			}),
			Step{Verb: Create},
		},
		"asked for by hand": {
			"a credential that somebody asked for meanwhile is no change of the manifest",
			[]client.Object{
				role(), key(func(k *v1alpha1.AgentAPIKey) { k.Annotations = map[string]string{v1alpha1.AnnotationRotate: "then"} }),
			},
			key(),
			Step{Verb: Keep},
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := Of(t.Context(), NewWorld(nil, test.before...), []client.Object{test.apply}, restraint.Rules{Home: "home", Incident: "incidents"})
			if err != nil {
				t.Fatal(err)
			}
			test.want.Ref = plan.Steps[0].Ref
			if diff := cmp.Diff([]Step{test.want}, plan.Steps); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

// TestFindingsOfChanges: what is found depends on what the change leaves as it is.
func TestFindingsOfChanges(t *testing.T) {
	low := ceiling(func(c *v1alpha1.CeilingPolicy) {
		c.NamespaceSelector.MatchLabels, c.Owners = map[string]string{"tier": "low"}, v1alpha1.RequirementRequired
	})
	breach := Finding{
		Ref{"AgentAPIKey", "chat", "bot"}, true, "gets nothing: Ceiling home/base: the agent must have owners; name them in spec.agent.owners",
	}
	past := metav1.Unix(1, 0)
	old := func(o client.Object) client.Object { o.SetCreationTimestamp(past); return o }
	for name, test := range map[string]struct {
		reason         string
		before, apply  []client.Object
		labels, coming map[string]map[string]string
		want           []Finding
	}{
		"labels come": {
			"a namespace that comes under a ceiling takes its keys with it",
			[]client.Object{low, role(), key()},
			nil,
			nil,
			map[string]map[string]string{"chat": {"tier": "low"}},
			[]Finding{breach},
		},
		"labels stay": {
			"a manifest that does not say what others gave the namespace takes nothing away",
			[]client.Object{low},
			[]client.Object{role(), key()},
			map[string]map[string]string{"chat": {"tier": "low"}},
			map[string]map[string]string{"chat": {"team": "chat"}},
			[]Finding{breach},
		},
		"no other name": {
			"a server writes that label itself",
			[]client.Object{ceiling(func(c *v1alpha1.CeilingPolicy) {
				c.NamespaceSelector.MatchLabels, c.Owners = map[string]string{"kubernetes.io/metadata.name": "chat"}, v1alpha1.RequirementRequired
			})},
			[]client.Object{role(), key()},
			nil,
			map[string]map[string]string{"chat": {"kubernetes.io/metadata.name": "free"}},
			[]Finding{breach},
		},
		"new key in quarantine": {
			"who makes keys among those that are cut off gets none",
			[]client.Object{old(quarantine()), role()},
			[]client.Object{key()},
			nil, nil,
			[]Finding{{Ref{"AgentAPIKey", "chat", "bot"}, false, "gets nothing: Quarantine incidents/leak cuts it off"}},
		},
		"old key, new quarantine": {
			"the step of the policy says it", []client.Object{role(), old(key())}, []client.Object{quarantine()}, nil, nil, nil,
		},
		"role that goes": {
			"to apply a manifest does not end a deletion",
			[]client.Object{role(func(r *v1alpha1.AIAgentRole) { r.DeletionTimestamp = &past }), key()},
			[]client.Object{role()},
			nil, nil, nil,
		},
		"another's role": {
			"the operator refuses it", nil,
			[]client.Object{conditional(func(c *v1alpha1.ConditionalPolicy) {
				c.RoleRefs[0].Namespace, c.Agents = "shared", &v1alpha1.AgentConditions{TokenLifetime: minutes(5)}
			})},
			nil, nil,
			[]Finding{{
				Ref{"AccessPolicy", "chat", "console"},
				false,
				"does nothing: what it says of agents does not count for AIAgentRole shared/user, of another namespace",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := Of(t.Context(), NewWorld(test.labels, test.before...).Labelling(test.coming), test.apply,
				restraint.Rules{Home: "home", Incident: "incidents"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, plan.Findings); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
