package plugin

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// cluster is what the snapshots show.
func cluster() []client.Object {
	elsewhere := key("other", "reports")
	elsewhere.Spec.RoleRef.Namespace = "chatbot"
	elsewhere.Spec.Delivery = v1alpha1.DeliveryClientSecret
	elsewhere.Spec.ExpiresAt = at(72 * time.Hour)
	elsewhere.Status.NextRotationAt = at(30 * time.Hour)
	elsewhere.Status.Conditions = ready(metav1.ConditionFalse, v1alpha1.ReasonSuspended, "spec.state is Suspended;\x1b[31m set it to Active\u202e")
	stale := key("chatbot", "stale")
	stale.Generation = 2
	return []client.Object{
		key("chatbot", "chatbot"), stale, elsewhere, people(role("chatbot", "chatbot")), role("other", "plain"), quarantined(), conditional(),
	}
}

// conditional is a policy about the role chatbot that does not work.
func conditional() *v1alpha1.AccessPolicy {
	policy := &v1alpha1.AccessPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "chatbot", Name: "console", Generation: 1}}
	policy.Spec.Type = v1alpha1.PolicyConditional
	policy.Spec.Conditional = &v1alpha1.ConditionalPolicy{RoleRefs: []v1alpha1.RoleReference{{Name: "chatbot"}}}
	policy.Status.Conditions = ready(metav1.ConditionFalse, "AppNotFound", "there is no app \"Console\" in Okta")
	policy.Status.Conditional = &v1alpha1.ConditionalStatus{PolicyID: "rst1"}
	return policy
}

func quarantined() *v1alpha1.AccessPolicy {
	policy := quarantineFor(client.ObjectKey{Namespace: "chatbot", Name: "leaked"}, incident{namespace: "agent-identity-system", reason: "Seen in public."})
	policy.Generation = 1
	policy.Status = v1alpha1.AccessPolicyStatus{
		Conditions: ready(metav1.ConditionTrue, v1alpha1.ReasonReady, "cut off"),
		Quarantine: &v1alpha1.QuarantineStatus{
			Targets: new(int32(1)), Blocked: new(int32(1)), Keys: policy.Spec.Quarantine.Targets.Keys,
			NewTokensBlockedAt: at(-time.Minute), ExposureEndsAt: at(14 * time.Minute),
		},
	}
	return policy
}

// TestScreens: what people see, errors too, and how the program ends.
func TestScreens(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		args   string
	}{
		"keys":            {"the keys of the namespace; a state that is not of the latest generation is not told as one", "keys get"},
		"keys-all":        {"all namespaces; what a status says does nothing to the terminal", "keys get -A"},
		"keys-named":      {"what is wrong with a key that is asked for is said in full", "keys get other/reports"},
		"keys-json":       {"programs get times and the whole text", "keys get other/reports -o json"},
		"keys-yaml":       {"the same in YAML, marked", "keys get other/reports -o yaml"},
		"keys-name":       {"fit to be given to another verb", "keys get -A -o name"},
		"keys-none":       {"an empty namespace is said to be one", "keys get -n empty"},
		"keys-none-json":  {"and to programs it is an empty list", "keys get -n empty -o json"},
		"keys-unknown":    {"a name that is not there", "keys get chatbott"},
		"keys-both":       {"names and -A contradict each other", "keys get chatbot -A"},
		"keys-slashes":    {"no name of a key", "keys get a/b/c"},
		"format":          {"a format that is none", "keys get -o xml"},
		"flag":            {"a flag that is none", "keys get --al"},
		"verb":            {"a misspelt verb", "kesy"},
		"verb-below":      {"a misspelt verb below another", "keys rotat chatbot"},
		"verb-far":        {"no verb is near", "mfa reset"},
		"rotate-nothing":  {"nobody rotates everything by leaving names out", "keys rotate"},
		"rotate-unknown":  {"a name that is not there", "keys rotate nobody"},
		"mfa":             {"everybody's factors, and what is in the way", "mfa status -A"},
		"mfa-json":        {"the same for programs", "mfa status chatbot -o json"},
		"mfa-none":        {"no roles", "mfa status -n empty"},
		"mfa-unknown":     {"a role that is not there", "mfa status nobody"},
		"status":          {"the namespace's roles, with what hangs on each and on none", "status"},
		"status-all":      {"all namespaces; what a status says does nothing to the terminal", "status -A"},
		"status-named":    {"a role with whoever uses it, and nothing else", "status chatbot"},
		"status-json":     {"the same for programs", "status plain -n other -o json"},
		"status-none":     {"no roles", "status -n empty"},
		"status-unknown":  {"a role that is not there", "status nobody"},
		"status-both":     {"a role and -A contradict each other", "status chatbot -A"},
		"plan":            {"what would be done in Okta, and what a ceiling among the manifests forbids, here and in the cluster", "plan -f testdata/plan/agent.yaml -f testdata/plan/ceiling.yaml"},
		"plan-json":       {"the same for programs", "plan -f testdata/plan/agent.yaml -o json"},
		"plan-offline":    {"without a cluster all is new", "plan --offline -f testdata/plan/agent.yaml -f testdata/plan/ceiling.yaml"},
		"plan-wrong":      {"what an API server would refuse, each with its file", "plan -f testdata/plan/wrong.yaml"},
		"plan-moved":      {"what may not be changed of what is there", "plan -f testdata/plan/moved.yaml"},
		"plan-lines":      {"who proposes a change does not write the lines of the plan", "plan --offline -f testdata/plan/lines.yaml"},
		"plan-nothing":    {"nothing is named", "plan"},
		"plan-no-file":    {"a file that is not there", "plan -f testdata/plan/none.yaml"},
		"plan-twice":      {"the same object in two files", "plan -f testdata/plan/moved.yaml -f testdata/plan/agent.yaml"},
		"plan-without":    {"a word that is none", "plan -f testdata/plan/agent.yaml --without-ceiling Perhaps"},
		"quarantine-list": {"what is cut off, and until when tokens may live", "quarantine list"},
		"quarantine-json": {"the same for programs", "quarantine list -o json"},
		"quarantine-none": {"nothing is cut off", "quarantine list --incident-namespace empty"},
		"quarantine-typo": {"a slip of the finger would leave the key that was meant at work", "quarantine chatbott"},
		"quarantine-dry":  {"the manifest, and nothing is made", "quarantine chatbot --dry-run --reason Leaked."},
		"release-none":    {"what is not cut off cannot be let in", "quarantine --release chatbot"},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, newWorld(t, cluster()...).screen(strings.Fields(test.args)...))
		})
	}
}

// TestHelp: every verb says what it does, with an example, and what it takes.
func TestHelp(t *testing.T) {
	var verbs []*cobra.Command
	all := (&plugin{}).root().Commands()
	for len(all) > 0 {
		verbs, all = append(verbs, all[0]), append(all[1:], all[0].Commands()...)
	}
	for _, verb := range verbs {
		grouping := verb.HasSubCommands() && verb.Long == ""
		if verb.Short == "" || !grouping && (verb.Long == "" || !strings.Contains(verb.Example, verb.CommandPath()) || verb.Args == nil && verb.ValidArgsFunction == nil) {
			t.Errorf("%s has no words, no example, or does not say what it takes", verb.CommandPath())
		}
	}
	golden(t, "help", newWorld(t).screen("quarantine", "--help"))
}

// TestCompletion: shells complete names of keys and roles, and complete by the name that kubectl looks for.
func TestCompletion(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		args   []string
		want   []string
	}{
		"keys":       {"of the namespace", []string{"keys", "rotate", ""}, []string{"chatbot\tCustomer chatbot", "stale\tCustomer stale"}},
		"not twice":  {"what stands there already", []string{"keys", "rotate", "chatbot", ""}, []string{"stale\tCustomer stale"}},
		"elsewhere":  {"after a slash, of that namespace", []string{"quarantine", "other/"}, []string{"other/reports\tCustomer reports"}},
		"other -n":   {"of the namespace that is given", []string{"keys", "get", "-n", "other", ""}, []string{"reports\tCustomer reports"}},
		"roles":      {"roles where roles are meant", []string{"mfa", "status", ""}, []string{"chatbot"}},
		"namespaces": {"namespaces that have keys", []string{"keys", "get", "-n", ""}, []string{"chatbot", "other"}},
		"formats":    {"formats of output", []string{"mfa", "status", "-o", ""}, []string{"table", "json", "yaml"}},
		"verbs":      {"verbs", []string{"ke"}, []string{"keys\tThe keys of agents: how they are, and rotating them"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cluster()...)
			code := w.runAs("/usr/local/bin/"+completer, test.args...)
			lines := strings.Split(strings.TrimSpace(w.out.String()), "\n")
			if diff := cmp.Diff(test.want, lines[:len(lines)-1]); diff != "" || code != exitDone {
				t.Errorf("%s: exit %d, (-want +got):\n%s%s", test.reason, code, diff, w.errs.String())
			}
		})
	}
}

func (w *world) edit(c client.WithWatch, o client.Object, name client.ObjectKey, change func()) {
	w.Helper()
	if err := c.Get(context.Background(), name, o); err != nil {
		w.Fatal(err)
	}
	change()
	if err := c.Status().Update(context.Background(), o); err != nil {
		w.Fatal(err)
	}
}

// TestRotate: the annotation is new each time; it is waited until the operator has carried
// that request out and the key is ready, and when it does not, its reason is told.
func TestRotate(t *testing.T) {
	at := client.ObjectKey{Namespace: "chatbot", Name: "chatbot"}
	for name, test := range map[string]struct {
		reason   string
		operator func(w *world, k *v1alpha1.AgentAPIKey, asked string)
		exit     int
		says     string
	}{
		"done": {"the request is carried out", func(_ *world, k *v1alpha1.AgentAPIKey, asked string) {
			k.Status.RotateRequest, k.Status.KeyID = asked, "kid-2"
		}, exitDone, "the new credential kid-2 works"},
		"stalls": {"the operator says what is in its way", func(w *world, k *v1alpha1.AgentAPIKey, _ string) {
			k.Status.Conditions = ready(metav1.ConditionFalse, v1alpha1.ReasonRoleNotFound, "no role chatbot")
			w.clock.Step(2 * time.Minute)
		}, exitTimeout, "RoleNotFound: no role chatbot"},
		"not ready": {"a request that is carried out is not yet a credential that works", func(w *world, k *v1alpha1.AgentAPIKey, asked string) {
			k.Status.RotateRequest = asked
			k.Status.Conditions = ready(metav1.ConditionFalse, v1alpha1.ReasonProgressing, "minted")
			w.clock.Step(2 * time.Minute)
		}, exitTimeout, "Progressing: minted"},
		"nobody": {
			"there may be no operator", func(w *world, _ *v1alpha1.AgentAPIKey, _ string) { w.clock.Step(2 * time.Minute) },
			exitTimeout, "does it run?",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, key("chatbot", "chatbot"))
			var asked []string
			w.watched = func(c client.WithWatch) {
				k := &v1alpha1.AgentAPIKey{}
				w.edit(c, k, at, func() {
					asked = append(asked, k.Annotations[v1alpha1.AnnotationRotate])
					test.operator(w, k, asked[len(asked)-1])
				})
			}
			for range 2 {
				if code := w.run("keys", "rotate", "chatbot", "--wait"); code != test.exit {
					t.Errorf("%s: exit %d, want %d", test.reason, code, test.exit)
				}
			}
			if screen := w.out.String() + w.errs.String(); !strings.Contains(screen, test.says) {
				t.Errorf("%s: it does not say %q:\n%s", test.reason, test.says, screen)
			}
			if len(asked) != 2 || asked[0] == asked[1] || !strings.HasPrefix(asked[0], "20261128T090000Z-") {
				t.Errorf("the requests are %q, want two that differ", asked)
			}
		})
	}
}

// TestStopped: who stops a quarantine that is waited for is not left to think that it holds.
func TestStopped(t *testing.T) {
	w := newWorld(t, key("chatbot", "chatbot"))
	ctx, stop := context.WithCancel(t.Context())
	w.ctx, w.watched = ctx, func(client.WithWatch) { stop() }
	if code := w.run("quarantine", "chatbot"); code != exitFailed || !strings.Contains(w.errs.String(), "stopped before it was seen") {
		t.Errorf("exit %d: %s", code, w.errs.String())
	}
}

// TestQuarantineAndRelease: the policy names the key, a second time changes nothing, and
// what is said is what the status says.
func TestQuarantineAndRelease(t *testing.T) {
	w := newWorld(t, key("chatbot", "chatbot"))
	at := client.ObjectKeyFromObject(quarantineFor(client.ObjectKey{Namespace: "chatbot", Name: "chatbot"}, incident{namespace: "agent-identity-system"}))
	policy := &v1alpha1.AccessPolicy{}
	w.watched = func(c client.WithWatch) {
		w.edit(c, policy, at, func() {
			policy.Status = quarantined().Status
			policy.Status.Conditions[0].ObservedGeneration = policy.Generation
			policy.Status.Quarantine.Keys = policy.Spec.Quarantine.Targets.Keys
		})
	}
	if code := w.run("quarantine", "chatbot", "--reason", "Seen in public."); code != exitDone {
		t.Fatalf("exit %d: %s", code, w.errs.String())
	}
	if code := w.run("quarantine", "chatbot"); code != exitDone {
		t.Fatalf("the second time: exit %d: %s", code, w.errs.String())
	}
	want := v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{
		Reason:  "Seen in public.",
		Targets: v1alpha1.QuarantineTargets{Keys: []v1alpha1.KeyReference{{Namespace: "chatbot", Name: "chatbot"}}},
	}}
	if diff := cmp.Diff(want, policy.Spec); diff != "" {
		t.Errorf("the policy (-want +got):\n%s", diff)
	}
	if code := w.run("quarantine", "--release", "chatbot"); code != exitDone {
		t.Fatalf("the release: exit %d: %s", code, w.errs.String())
	}
	if err := w.client.Get(t.Context(), at, policy); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the policy is still there (%v)", err)
	}
	golden(t, "quarantine-and-release", w.out.String()+"--- stderr\n"+w.errs.String())
}

// TestQuarantineNotSeen: what is not known to be cut off is never said to be.
func TestQuarantineNotSeen(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		status []metav1.Condition
		exit   int
		says   string
	}{
		"elsewhere": {
			"a policy in another namespace does nothing", ready(metav1.ConditionFalse, v1alpha1.ReasonNotHonouredHere, "only in namespace incidents"),
			exitFailed, "NOT cut off: only in namespace incidents",
		},
		"late": {"Okta cannot be reached", ready(metav1.ConditionFalse, v1alpha1.ReasonDirectoryUnreachable, "no answer"), exitTimeout, "NOT known to be cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, key("chatbot", "chatbot"))
			w.watched = func(c client.WithWatch) {
				var policies v1alpha1.AccessPolicyList
				if err := c.List(t.Context(), &policies); err != nil || len(policies.Items) != 1 {
					t.Fatalf("%d policies: %v", len(policies.Items), err)
				}
				policy := &policies.Items[0]
				w.edit(c, policy, client.ObjectKeyFromObject(policy), func() {
					policy.Status.Conditions = test.status
					policy.Status.Conditions[0].ObservedGeneration = policy.Generation
				})
				if test.exit == exitTimeout {
					w.clock.Step(2 * time.Minute)
				}
			}
			if code := w.run("quarantine", "chatbot"); code != test.exit || !strings.Contains(w.errs.String(), test.says) || w.out.Len() > 0 {
				t.Errorf("%s: exit %d:\n%s%s", test.reason, code, w.out.String(), w.errs.String())
			}
		})
	}
}

// TestReleaseNotOthers: a key is not let in by a policy that would let in others.
func TestReleaseNotOthers(t *testing.T) {
	policy := quarantined()
	policy.Spec.Quarantine.Targets.Keys = append(policy.Spec.Quarantine.Targets.Keys, v1alpha1.KeyReference{Namespace: "chatbot", Name: "chatbot"})
	w := newWorld(t, policy, key("chatbot", "chatbot"))
	if code := w.run("quarantine", "--release", "chatbot"); code != exitFailed || !strings.Contains(w.errs.String(), "nothing was released") {
		t.Errorf("exit %d: %s", code, w.errs.String())
	}
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(policy), policy); err != nil {
		t.Error(err)
	}
}

// TestNoFieldForSecrets: what is shown of a key has none of the names that a Secret's values have.
func TestNoFieldForSecrets(t *testing.T) {
	w := newWorld(t, cluster()...)
	w.run("keys", "get", "-A", "-o", "json")
	var shown struct{ Items []map[string]any }
	if err := json.Unmarshal(w.out.Bytes(), &shown); err != nil || len(shown.Items) != 3 {
		t.Fatalf("%d keys: %v", len(shown.Items), err)
	}
	for _, item := range shown.Items {
		for _, name := range []string{"client_secret", "clientSecret", "private_key.pem", "jwk", "access_token", "accessToken", "data"} {
			if _, there := item[name]; there {
				t.Errorf("a key is shown with %s", name)
			}
		}
	}
}
