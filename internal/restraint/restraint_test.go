package restraint

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// rules are those of a cluster with the objects; the operator's namespace is "home".
func rules(t *testing.T, objects ...client.Object) Rules {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	team := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team", Labels: map[string]string{"tier": "bounded"}}}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(append(objects, team)...).Build()
	return Rules{Reader: reader, Home: "home", Incident: "home"}
}

func ceiling(name string, selector *metav1.LabelSelector, limits v1alpha1.CeilingPolicy) *v1alpha1.AccessPolicy {
	limits.NamespaceSelector = selector
	return &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "home", Name: name},
		Spec:       v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyCeiling, Ceiling: &limits},
	}
}

func bounded() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "bounded"}}
}

// unreadable passes the schema of the API, and is no selector.
func unreadable() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "in", Values: []string{"bounded"}}}}
}

func TestMayGovern(t *testing.T) {
	console := []v1alpha1.AppReference{{Label: "Console"}}
	for name, tt := range map[string]struct {
		reason        string
		ceilings      []client.Object
		allowed, said bool
	}{
		"None":       {"the configuration decides", nil, true, false},
		"Names":      {"a ceiling that names the app allows it", []client.Object{ceiling("a", bounded(), v1alpha1.CeilingPolicy{Apps: console})}, true, true},
		"NamesOther": {"one that names another forbids it", []client.Object{ceiling("a", bounded(), v1alpha1.CeilingPolicy{Apps: []v1alpha1.AppReference{{ID: "0oa9"}}})}, false, true},
		"Both": {"all must allow it", []client.Object{
			ceiling("a", bounded(), v1alpha1.CeilingPolicy{Apps: console}),
			ceiling("b", &metav1.LabelSelector{}, v1alpha1.CeilingPolicy{Apps: []v1alpha1.AppReference{{ID: "0oa9"}}}),
		}, false, true},
		"Unreadable": {"of which it is not known over whom it is, allows nobody anything", []client.Object{ceiling("a", unreadable(), v1alpha1.CeilingPolicy{Apps: console})}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			ceilings, err := rules(t, tt.ceilings...).Ceilings(t.Context(), "team")
			allowed, said := ceilings.MayGovern(identity.App{ID: "0oa1", Label: "Console"})
			if err != nil || allowed != tt.allowed || said != tt.said {
				t.Errorf("%s: allowed %v, said %v, %v", tt.reason, allowed, said, err)
			}
		})
	}
}

func TestExceeds(t *testing.T) {
	narrow := v1alpha1.CeilingPolicy{Permissions: []v1alpha1.PermissionPattern{"chat:*", "logs"}}
	for name, tt := range map[string]struct {
		reason   string
		ceilings []client.Object
		deny     bool
		asks     []string
		says     string
	}{
		"None":          {"nothing is limited", nil, false, []string{"admin"}, ""},
		"Deny":          {"nothing is allowed", nil, true, []string{"chat:read"}, "no Ceiling selects namespace"},
		"Within":        {"beginnings and names are allowed", []client.Object{ceiling("a", bounded(), narrow)}, true, []string{"chat:read", "logs"}, ""},
		"Above":         {"what is not is named", []client.Object{ceiling("a", bounded(), narrow)}, false, []string{"chat:read", "log", "logs2"}, "log, logs2"},
		"Elsewhere":     {"a ceiling over others says nothing", []client.Object{ceiling("a", &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "free"}}, narrow)}, false, []string{"admin"}, ""},
		"AdminUnnamed":  {"one that says nothing of permissions gives none to administer Okta", []client.Object{ceiling("a", bounded(), v1alpha1.CeilingPolicy{Owners: v1alpha1.RequirementRequired})}, false, []string{"okta.users.read"}, "okta.users.read"},
		"AdminNamed":    {"nor does one that allows all by a star, but one that names it does", []client.Object{ceiling("a", bounded(), v1alpha1.CeilingPolicy{Permissions: []v1alpha1.PermissionPattern{"o*", "okta.users.read"}})}, false, []string{"okta.users.read"}, ""},
		"OthersUnnamed": {"all else it does not limit", []client.Object{ceiling("a", bounded(), v1alpha1.CeilingPolicy{Deliveries: []v1alpha1.Delivery{v1alpha1.DeliveryPrivateKeyJWT}})}, false, []string{"admin"}, ""},
		"Unreadable":    {"nobody passes below what cannot be read", []client.Object{ceiling("a", unreadable(), narrow)}, false, []string{"admin"}, "admin"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rules(t, tt.ceilings...)
			r.DefaultDeny = tt.deny
			ceilings, err := r.Look().Ceilings(t.Context(), "team")
			got := ceilings.Excess(Asked{Permissions: tt.asks, Delivery: v1alpha1.DeliveryPrivateKeyJWT})
			if err != nil || (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) {
				t.Errorf("%s: it says %q (%v), want %q in it", tt.reason, got, err, tt.says)
			}
			if permitted := ceilings.Permitted(tt.asks); (len(permitted) == len(tt.asks)) != (tt.says == "") {
				t.Errorf("%s: of %v are permitted %v", tt.reason, tt.asks, permitted)
			}
		})
	}
}

// TestLookReadsOnce: a role with thousands of keys does not list the ceilings for each.
func TestLookReadsOnce(t *testing.T) {
	r := rules(t, ceiling("a", bounded(), v1alpha1.CeilingPolicy{MaxTokenLifetime: &metav1.Duration{Duration: time.Hour}}))
	lists := 0
	r.Reader = interceptor.NewClient(r.Reader.(client.WithWatch), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			lists++
			return c.List(ctx, list, opts...)
		},
	})
	look := r.Look()
	for _, namespace := range []string{"team", "team", "absent", "team", "absent"} {
		over, err := look.Ceilings(t.Context(), namespace)
		if want := namespace == "team"; (err == nil) != want || (over.MaxTokenLifetime() == time.Hour) != want {
			t.Errorf("namespace %s: tokens live for %s at most (%v)", namespace, over.MaxTokenLifetime(), err)
		}
	}
	if lists != 3 {
		t.Errorf("ceilings were listed %d times, want once for the namespace, and each time for one of which it is not known", lists)
	}
}

// TestAgents: what the operator's namespace says of network zones comes before what a
// team said earlier, and the shortest life counts wherever it is asked for.
func TestAgents(t *testing.T) {
	conditions := func(namespace string, age time.Duration, zone v1alpha1.NetworkZoneName, life time.Duration) *v1alpha1.AccessPolicy {
		return &v1alpha1.AccessPolicy{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p", CreationTimestamp: metav1.NewTime(time.Unix(1_000_000, 0).Add(-age))},
			Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{
				RoleRefs: []v1alpha1.RoleReference{{Namespace: "team", Name: "chat"}},
				Agents: &v1alpha1.AgentConditions{
					NetworkZones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{zone}}, TokenLifetime: &metav1.Duration{Duration: life},
				},
			}},
		}
	}
	r := rules(t, conditions("team", time.Hour, "anywhere", 10*time.Minute), conditions("home", 0, "cluster", time.Hour), conditions("other", 0, "x", time.Minute))
	got, err := r.Agents(t.Context(), client.ObjectKey{Namespace: "team", Name: "chat"})
	want := Agents{TokenLifetime: 10 * time.Minute, Zones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{"cluster"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v; conditions (-want +got):\n%s", err, diff)
	}
}

func TestQuarantineBySelector(t *testing.T) {
	made := metav1.NewTime(time.Unix(1_000_000, 0))
	policy := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "home", Name: "incident", CreationTimestamp: made},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{
			Targets: v1alpha1.QuarantineTargets{Selector: &v1alpha1.KeySelector{Namespaces: []v1alpha1.NamespaceName{"team"}, MaxTargets: 1}},
		}},
	}
	listed := policy.DeepCopy()
	listed.Status.Quarantine = &v1alpha1.QuarantineStatus{Keys: []v1alpha1.KeyReference{{Namespace: "team", Name: "listed"}}}
	for name, tt := range map[string]struct {
		reason string
		policy *v1alpha1.AccessPolicy
		key    string
		age    time.Duration
		cut    bool
		holds  bool
	}{
		"NotCounted":   {"a policy that has not counted cuts nobody off", policy, "bot", time.Hour, false, false},
		"Later":        {"but gives those that come later nothing", policy, "bot", 0, false, true},
		"Listed":       {"whom it has listed it holds", listed, "listed", time.Hour, false, true},
		"NotListed":    {"and no other", listed, "bot", time.Hour, true, false},
		"LostStatus":   {"a key that is cut off stays so until it has counted again", policy, "bot", time.Hour, true, true},
		"OtherThrough": {"a key of another namespace is none of its business", policy, "elsewhere/bot", 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			key := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{
				Namespace: "team", Name: tt.key, CreationTimestamp: metav1.NewTime(made.Add(-tt.age)),
			}}
			if namespace, name, found := strings.Cut(tt.key, "/"); found {
				key.Namespace, key.Name = namespace, name
			}
			got, err := rules(t, tt.policy).Quarantine(t.Context(), key, tt.cut)
			if err != nil || (got != nil) != tt.holds {
				t.Errorf("%s: it is held by %v (%v), want %v", tt.reason, got, err, tt.holds)
			}
		})
	}
}

// TestOktasPermissionsAreNamedInFull: a ceiling that was written for agents' scopes lets
// nobody administer the org.
func TestOktasPermissionsAreNamedInFull(t *testing.T) {
	patterns := func(patterns ...v1alpha1.PermissionPattern) []client.Object {
		return []client.Object{ceiling("a", bounded(), v1alpha1.CeilingPolicy{Permissions: patterns})}
	}
	for name, tt := range map[string]struct {
		reason   string
		ceilings []client.Object
		want     []string
	}{
		"None":      {"the configuration decides alone", nil, []string{"okta.groups.read", "okta.users.read"}},
		"Others":    {"what it does not name it forbids", patterns("chat:*"), nil},
		"Beginning": {"a beginning is none of a name of Okta's", patterns("o*", "okta*", "okta.users.*"), nil},
		"Named":     {"what it names it allows", patterns("okta.users.read", "chat:*"), []string{"okta.users.read"}},
		"Both": {
			"all must allow it", append(patterns("okta.users.read"), ceiling("b", bounded(), v1alpha1.CeilingPolicy{
				Permissions: []v1alpha1.PermissionPattern{"okta.groups.read"},
			})), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ceilings, err := rules(t, tt.ceilings...).Ceilings(t.Context(), "team")
			got := ceilings.Permitted([]string{"okta.groups.read", "okta.users.read"})
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", tt.reason, err, diff)
			}
		})
	}
}
