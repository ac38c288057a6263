package plugin

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/orphanlist"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// untyped is an object of a kind that the plugin reads without its type.
func untyped(kind schema.GroupVersionKind, name string, content map[string]any) client.Object {
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(kind)
	u.SetNamespace(operatorNamespace)
	u.SetName(name)
	return u
}

func orphanList(t *testing.T, l orphanlist.List) client.Object {
	t.Helper()
	text, err := l.Text()
	if err != nil {
		t.Fatal(err)
	}
	return untyped(kindConfigMap(), orphanlist.Name, map[string]any{"data": map[string]any{orphanlist.Key: text}})
}

func lease(holder string, ago time.Duration) client.Object {
	return untyped(kindLease(), leaseName, map[string]any{"spec": map[string]any{
		"holderIdentity": holder, "leaseDurationSeconds": int64(15), "renewTime": now.Add(-ago).Format("2006-01-02T15:04:05.000000Z07:00"),
	}})
}

// TestOrphans: the operator's list, for people and programs.
func TestOrphans(t *testing.T) {
	found := orphanlist.List{
		Policy: plan.OrphanDeactivate, Held: "12 of 14 would be deactivated at once", NotListed: 3,
		Orphans: []orphanlist.Entry{{
			Owner: "AgentAPIKey chatbot/gone", ClientID: "aik-gone", State: plan.OrphanActive, FirstSeen: at(-3 * time.Hour),
			Plan: "nothing is done;\x1b[31m deactivate it in Okta", Mark: "m",
		}},
		Tombstones: []orphanlist.Entry{{Owner: "AgentAPIKey chatbot/left", AppID: "0oaleft", Since: at(-time.Minute), Plan: "Okta cannot be asked", Mark: "m"}},
	}
	for name, test := range map[string]struct {
		reason  string
		objects []client.Object
		args    string
	}{
		"orphans":       {"what belongs to nobody, and what is done about it", []client.Object{orphanList(t, found)}, "orphans"},
		"orphans-json":  {"the same for programs", []client.Object{orphanList(t, found)}, "orphans -o json"},
		"orphans-empty": {"nothing belongs to nobody", []client.Object{orphanList(t, orphanlist.List{Policy: plan.OrphanReport})}, "orphans"},
		"orphans-none":  {"the operator has not looked yet, or is elsewhere", nil, "orphans --operator-namespace elsewhere"},
		"orphans-broken": {
			"a list that cannot be read",
			[]client.Object{untyped(kindConfigMap(), orphanlist.Name, map[string]any{"data": map[string]any{orphanlist.Key: "orphans: [["}})},
			"orphans",
		},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, newWorld(t, test.objects...).screen(strings.Fields(test.args)...))
		})
	}
}

// TestDoctor: what is wrong is said with the way out, and fails the command.
func TestDoctor(t *testing.T) {
	org := okta.Examination{
		Checks: []okta.Check{
			{Name: "sign-in", State: okta.CheckOK},
			{Name: "may list groups", State: okta.CheckFailed, Detail: "Okta refuses it: give the service app an admin role that covers groups"},
			{Name: "okta.logs.read", State: okta.CheckOptional, Detail: "needed for AuditSinks: it is not granted"},
		},
		Budgets: []okta.Budget{{Class: "apps", Limit: 20, Ours: 10, Left: 9}},
	}
	for name, test := range map[string]struct {
		reason  string
		objects []client.Object
		args    string
	}{
		"doctor": {
			"the cluster: reasons are counted, each with an example", append(cluster(), lease("pod-1_x", 4*time.Second)), "doctor",
		},
		"doctor-healthy": {"all is as it must be", []client.Object{key("chatbot", "chatbot"), lease("pod-1_x", time.Second)}, "doctor"},
		"doctor-dead":    {"nobody has renewed the lease", []client.Object{lease("pod-1_x", time.Hour)}, "doctor"},
		"doctor-stopped": {"it was given back", []client.Object{lease("", time.Hour)}, "doctor"},
		"doctor-absent":  {"there is no operator", nil, "doctor"},
		"doctor-org": {
			"the org, before anything is installed", nil, "doctor --no-cluster --org-url https://example.okta.com --credentials testdata",
		},
		"doctor-org-json": {
			"the same for programs", nil, "doctor --no-cluster --org-url https://example.okta.com --credentials testdata -o json",
		},
		"doctor-no-org":  {"credentials are sent nowhere that is not named", nil, "doctor --no-cluster --credentials testdata"},
		"doctor-nothing": {"nothing is left to look at", nil, "doctor --no-cluster"},
		"doctor-ca":      {"a file that is not there", nil, "doctor --no-cluster --org-url https://example.okta.com --credentials testdata --ca-file none.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.objects...)
			w.examined = org
			golden(t, name, w.screen(strings.Fields(test.args)...))
		})
	}
}

// TestDoctorOfSome: what was not looked at is not said to be as it must be.
func TestDoctorOfSome(t *testing.T) {
	w := newWorld(t, key("chatbot", "chatbot"), key("other", "reports"), lease("pod-1_x", time.Second))
	w.confine("chatbot")
	golden(t, "doctor-some", w.screen("doctor"))
}

// TestDrainScreens: nothing goes without --yes, and who loses is told.
func TestDrainScreens(t *testing.T) {
	for name, args := range map[string]string{
		"drain": "drain", "drain-all": "drain -A", "drain-none": "drain -n empty", "drain-home": "drain -n " + operatorNamespace,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cluster()...)
			golden(t, name, w.screen(strings.Fields(args)...))
			var keys v1alpha1.AgentAPIKeyList
			if err := w.client.List(t.Context(), &keys); err != nil || len(keys.Items) != 3 {
				t.Errorf("%d keys are left: %v", len(keys.Items), err)
			}
		})
	}
}

// TestDrain: all is deleted in its order, each key confirmed; what the operator does not let go
// is told, and what somebody makes again ends it.
func TestDrain(t *testing.T) {
	held := func(o client.Object) client.Object { o.SetFinalizers([]string{"agentidentity.dev/test"}); return o }
	for name, test := range map[string]struct {
		reason   string
		operator func(w *world, key *v1alpha1.AgentAPIKey)
		exit     int
		says     string
	}{
		"done": {"the operator lets the key go", func(w *world, k *v1alpha1.AgentAPIKey) {
			if k.Annotations[v1alpha1.AnnotationConfirmDeletion] != k.Name {
				w.Errorf("the deletion was not confirmed: %v", k.Annotations)
			}
			var roles v1alpha1.AIAgentRoleList
			if err := w.client.List(context.Background(), &roles); err != nil || len(roles.Items) != 1 {
				w.Errorf("the role did not wait for its keys: %v", err)
			}
			k.Finalizers = nil
			if err := w.client.Update(context.Background(), k); err != nil {
				w.Error(err)
			}
		}, exitDone, "AgentAPIKey chatbot/chatbot is gone"},
		"made again": {"what came in the place of what was shown stays", func(w *world, k *v1alpha1.AgentAPIKey) {
			again := role("chatbot", "chatbot")
			if err := w.client.Delete(context.Background(), again); err != nil {
				w.Error(err)
			}
			again.UID, again.ResourceVersion = "another", ""
			if err := w.client.Create(context.Background(), again); err != nil {
				w.Error(err)
			}
			k.Finalizers = nil
			if err := w.client.Update(context.Background(), k); err != nil {
				w.Error(err)
			}
		}, exitFailed, "AIAgentRole chatbot/chatbot was made again meanwhile"},
		"held": {"the operator says what it waits for", func(w *world, _ *v1alpha1.AgentAPIKey) {
			w.clock.Step(11 * time.Minute)
		}, exitTimeout, "DirectoryUnreachable: no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			k := key("chatbot", "chatbot")
			k.Status.Conditions = ready(metav1.ConditionFalse, v1alpha1.ReasonDirectoryUnreachable, "no answer")
			w := newWorld(t, held(k), role("chatbot", "chatbot"))
			acted := false
			w.watched = func(c client.WithWatch) {
				k := &v1alpha1.AgentAPIKey{}
				if err := c.Get(context.Background(), client.ObjectKey{Namespace: "chatbot", Name: "chatbot"}, k); err == nil && !acted {
					acted = true
					test.operator(w, k)
				}
			}
			if code := w.run("drain", "--yes"); code != test.exit || !strings.Contains(w.out.String()+w.errs.String(), test.says) {
				t.Errorf("%s: exit %d:\n%s%s", test.reason, code, w.out.String(), w.errs.String())
			}
			var roles v1alpha1.AIAgentRoleList
			if err := w.client.List(t.Context(), &roles); err != nil || (len(roles.Items) == 0) != (test.exit == exitDone) {
				t.Errorf("%d roles are left: %v", len(roles.Items), err)
			}
		})
	}
}

// TestDrainOrder: what limits others goes when they are gone, lest they be given more before they go.
func TestDrainOrder(t *testing.T) {
	policy := func(namespace, name string, spec v1alpha1.AccessPolicySpec) client.Object {
		return &v1alpha1.AccessPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: spec}
	}
	w := newWorld(t, key("chatbot", "chatbot"), role("chatbot", "chatbot"),
		policy(operatorNamespace, "base", v1alpha1.AccessPolicySpec{Ceiling: &v1alpha1.CeilingPolicy{}}),
		policy("chatbot", "console", v1alpha1.AccessPolicySpec{Conditional: &v1alpha1.ConditionalPolicy{}}))
	if code := w.run("drain", "-A", "--yes"); code != exitDone {
		t.Fatalf("exit %d: %s", code, w.errs.String())
	}
	var gone []string
	for line := range strings.Lines(w.out.String()) {
		if what, is := strings.CutSuffix(line, " is gone\n"); is {
			gone = append(gone, what)
		}
	}
	want := []string{
		"AgentAPIKey chatbot/chatbot", "AccessPolicy chatbot/console", "AIAgentRole chatbot/chatbot", "AccessPolicy " + operatorNamespace + "/base",
	}
	if diff := cmp.Diff(want, gone); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
}

// TestLeastPrivilege: tokens that agents got count, and nobody else's; what cannot be told gets
// no patch.
func TestLeastPrivilege(t *testing.T) {
	granted := func(app string, ago time.Duration, scopes, userAgent string) string {
		debug := ""
		if scopes != "" {
			debug = fmt.Sprintf(`,"debugContext":{"debugData":{"grantedScopes":%q}}`, scopes)
		}
		return anEvent(tokenGranted, ago, fmt.Sprintf(`,"outcome":{"result":"SUCCESS"},"actor":{"id":%q},"client":{"userAgent":{"rawUserAgent":%q}}%s`, app, userAgent, debug))
	}
	wide := func(namespace, name string) *v1alpha1.AIAgentRole {
		r := role(namespace, name)
		r.CreationTimestamp = *at(-365 * 24 * time.Hour)
		for _, permission := range []v1alpha1.PermissionName{"export", "okta.users.read", "read", "talk"} {
			r.Spec.Permissions = append(r.Spec.Permissions, v1alpha1.Permission{Name: permission})
		}
		return r
	}
	for name, test := range map[string]struct {
		reason string
		events []string
		change func(*v1alpha1.AIAgentRole, *v1alpha1.AgentAPIKey)
		args   string
	}{
		"least": {"what nobody used, with the patch", []string{
			granted("0oachatbot", 70*time.Hour, "talk", "python"), granted("0oachatbot", time.Hour, "talk", "python"),
			granted("0oachatbot", 2*time.Hour, "read, talk", "curl"), granted("0oachatbot", time.Minute, "export read talk", "agent-identity-operator"),
			anEvent("app.oauth2.as.token.grant", time.Minute, `,"outcome":{"result":"FAILURE"},"actor":{"id":"0oachatbot"}`),
		}, nil, "least-privilege"},
		"least-json": {"the same for programs", []string{granted("0oachatbot", time.Hour, "talk", "python")}, nil, "least-privilege chatbot -o json"},
		"least-all":  {"all is used", []string{granted("0oachatbot", time.Hour, "talk read export", "python")}, nil, "least-privilege"},
		"least-idle": {"no agent got a token", []string{granted("0oachatbot", time.Minute, "talk", "agent-identity-operator")}, nil, "least-privilege"},
		"least-silent": {
			"the log does not say what tokens hold", []string{granted("0oachatbot", time.Hour, "", "python")}, nil, "least-privilege",
		},
		"least-young": {
			"a role that is younger than what is read",
			[]string{granted("0oachatbot", time.Hour, "talk", "python")},
			func(r *v1alpha1.AIAgentRole, _ *v1alpha1.AgentAPIKey) { r.CreationTimestamp = *at(-time.Hour) }, "least-privilege",
		},
		"least-token": {
			"the operator obtains the tokens",
			[]string{granted("0oachatbot", time.Hour, "talk read export", "agent-identity-operator")},
			func(_ *v1alpha1.AIAgentRole, k *v1alpha1.AgentAPIKey) { k.Spec.Delivery = v1alpha1.DeliveryAccessToken }, "least-privilege",
		},
		"least-others": {
			"permissions that the role had before",
			[]string{granted("0oachatbot", time.Hour, "write", "python")},
			func(r *v1alpha1.AIAgentRole, _ *v1alpha1.AgentAPIKey) { r.Spec.Permissions = r.Spec.Permissions[:1] }, "least-privilege",
		},
		"least-nobody": {"a role that is not there", nil, nil, "least-privilege nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			r, k := wide("chatbot", "chatbot"), key("chatbot", "chatbot")
			// A key of another role, in another org that by chance gave it the same id.
			other := key("zoo", "chatbot")
			other.UID = "another"
			if test.change != nil {
				test.change(r, k)
			}
			w := newWorld(t, r, k, other)
			w.env[envToken], w.log = "00canary-token", &scripted{answers: []answer{{events: test.events}}}
			golden(t, name, w.screen(strings.Fields(test.args)...))
		})
	}
}

// TestLeastPrivilegeOfSome: who may not see all agents of a shared role is given no patch that
// would take from those what they use.
func TestLeastPrivilegeOfSome(t *testing.T) {
	r := role("chatbot", "chatbot")
	r.CreationTimestamp, r.Spec.ShareWith = *at(-365 * 24 * time.Hour), &v1alpha1.Sharing{From: v1alpha1.ShareAll}
	r.Spec.Permissions = []v1alpha1.Permission{{Name: "export"}, {Name: "talk"}}
	other := key("other", "reports")
	other.Spec.RoleRef.Namespace = "chatbot"
	w := newWorld(t, r, key("chatbot", "chatbot"), other)
	w.confine("chatbot")
	grant := `,"outcome":{"result":"SUCCESS"},"actor":{"id":"0oa%s"},"debugContext":{"debugData":{"grantedScopes":"%s"}}`
	w.env[envToken], w.log = "00canary-token", &scripted{answers: []answer{{events: []string{
		anEvent(tokenGranted, time.Hour, fmt.Sprintf(grant, "chatbot", "talk")), anEvent(tokenGranted, time.Hour, fmt.Sprintf(grant, "reports", "export")),
	}}}}
	golden(t, "least-some", w.screen("least-privilege"))
}

// TestPlanOfSome: who may not list in all namespaces is told what comes of what they may see: the
// role of another namespace that a key names, too.
func TestPlanOfSome(t *testing.T) {
	r := role("shared", "user")
	r.Spec = v1alpha1.AIAgentRoleSpec{
		Permissions: []v1alpha1.Permission{{Name: "talk"}}, ShareWith: &v1alpha1.Sharing{From: v1alpha1.ShareAll},
	}
	w := newWorld(t, r)
	w.confine("chatbot", "shared")
	golden(t, "plan-some", w.screen("plan", "-f", "testdata/plan/shared.yaml"))
}
