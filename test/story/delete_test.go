package story

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// TestDeletionPolicies: what becomes of the app, of its access and of the Secrets. By
// every policy no token is issued any more.
func TestDeletionPolicies(t *testing.T) {
	tests := map[v1alpha1.DeletionPolicy]struct {
		reason  string
		app     string   // its state; "" when it is gone
		secrets []string // that are left
		told    string   // reason of the event; "" for none
	}{
		v1alpha1.DeletionDelete:     {reason: "nothing is left"},
		v1alpha1.DeletionDeactivate: {reason: "the app is left for whoever looks into it", app: "INACTIVE", told: "Kept"},
		v1alpha1.DeletionRetain: {
			reason: "app and Secret are left to people, without our mark", app: "ACTIVE", secrets: []string{"bot-okta"}, told: "Kept",
		},
	}
	for policy, tc := range tests {
		for _, delivery := range append(slices.Clone(deliveries), v1alpha1.DeliveryAccessToken) {
			t.Run(string(policy)+string(delivery), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, oktasim.Options{})
				w.start(impatient)
				key := w.key("bot", "chat", delivery)
				key.Spec.DeletionPolicy = policy
				w.create(w.role("chat", "a"), key, w.key("api", "chat", ""))
				key = readyKey(w, "bot")
				readyKey(w, "api")
				a := w.agent("bot-okta")
				w.deleteAndWait(key)
				w.quiet()
				state, uid := w.appState(key.Status.AppID)
				if state != tc.app || policy == v1alpha1.DeletionRetain && uid != "" {
					t.Errorf("%s: the app is %q with mark %q, want %q", tc.reason, state, uid, tc.app)
				}
				w.mustHaveNoSecrets(append(tc.secrets, "api-okta", "api.staged-credential")...)
				if tc.told != "" {
					w.waitEvent(tc.told)
				}
				if delivery == v1alpha1.DeliveryAccessToken {
					w.mustBeActive("api", policy == v1alpha1.DeletionRetain, a.files["access_token"])
				} else if _, refused, err := a.ask("a"); err != nil || refused == "" {
					t.Errorf("%s: a token is still issued (%v)", tc.reason, err)
				}
			})
		}
	}
}

// appState is the state of an app and its mark; both are "" when it is gone.
func (w *world) appState(id string) (state, mark string) {
	for _, app := range w.ours().Apps {
		if app.ID == id {
			state = app.Status
			for _, value := range app.Profile {
				mark += fmt.Sprint(value)
			}
		}
	}
	return state, mark
}

// TestDeletionWhileOktaIsDown: a key does not go while nobody can say whether its client
// is dead. A person lets it go by the command that its condition gives; what is left is
// cleaned up when Okta is back.
func TestDeletionWhileOktaIsDown(t *testing.T) {
	for name, tc := range map[string]struct {
		fault oktasim.Action
		want  string
	}{
		"NoAnswer":    {oktasim.Drop(), v1alpha1.ReasonDirectoryUnreachable},
		"ServerError": {oktasim.Status(503, "E0000009"), v1alpha1.ReasonDirectoryError},
		"Refused":     {oktasim.Status(401, "E0000011"), v1alpha1.ReasonAuthenticationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStandingWorld(t, time.Now(), oktasim.Options{})
			w.bindRole("ledger_role.yaml")
			w.start(impatient, w.atHome)
			w.create(w.role("chat", "a"), w.key("bot", "chat", ""))
			key := readyKey(w, "bot")
			w.org.Inject(oktasim.Fault{Path: "^/", Action: tc.fault})
			w.delete(key)
			w.waitReason("bot", key, tc.want)
			message := messageOfReady(key)
			for _, part := range []string{"client id " + key.Status.ClientID, "app id " + key.Status.AppID} {
				if !strings.Contains(message, part) {
					t.Errorf("the message does not name the %s: %s", part, message)
				}
			}
			if !slices.Contains(key.Finalizers, "agentidentity.dev/finalizer") || len(w.ours().Apps) != 1 {
				t.Errorf("the key has the finalizers %v, and %d apps are left", key.Finalizers, len(w.ours().Apps))
			}
			w.runCommandOf(message)
			w.waitGone(key)
			w.waitEvent("Abandoned")
			if stones := w.tombstones(); len(stones) != 1 || !strings.Contains(fmt.Sprint(stones), key.Status.ClientID) {
				t.Errorf("the tombstones are %v", stones)
			}
			w.mustHaveNoSecrets()
			w.org.ClearFaults()
			w.eventually("the tombstone is worked off", func() bool {
				w.standing.Step(2 * time.Minute)
				return len(w.ours().Apps) == 0 && len(w.tombstones()) == 0
			})
		})
	}
}

// atHome gives the operator a namespace of its own.
func (w *world) atHome(o *operator.Options) { o.Config.Manager.LeaderElectionNamespace = w.namespace }

func messageOfReady(obj settled) string {
	for _, c := range *obj.StatusConditions() {
		if c.Type == v1alpha1.ConditionReady {
			return c.Message
		}
	}
	return ""
}

// runCommandOf runs the kubectl command that a message gives, to the letter.
func (w *world) runCommandOf(message string) {
	w.Helper()
	command := regexp.MustCompile(`kubectl [^;\n]+`).FindString(message)
	if command == "" {
		w.Fatalf("the message gives no command: %s", message)
	}
	run := exec.Command("sh", "-c", command)
	run.Env = append(os.Environ(), "KUBECONFIG="+cluster.kubeconfig, "PATH="+os.Getenv("KUBEBUILDER_ASSETS")+":"+os.Getenv("PATH"))
	if output, err := run.CombinedOutput(); err != nil {
		w.Fatalf("%s: %v: %s", command, err, output)
	}
}

// tombstones are the entries of the ConfigMap that keeps them.
func (w *world) tombstones() map[string]string {
	w.Helper()
	kept := &corev1.ConfigMap{}
	name := client.ObjectKey{Namespace: w.namespace, Name: "agent-identity-operator-tombstones"}
	if err := cluster.admin.Get(context.Background(), name, kept); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	return kept.Data
}

// TestPolicyChangedWhileDeleted: until the end it is the last word that counts.
func TestPolicyChangedWhileDeleted(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(impatient)
	w.create(w.role("chat", "a"), w.key("bot", "chat", ""))
	key := readyKey(w, "bot")
	w.org.Inject(oktasim.Fault{Path: "^/api/", Action: oktasim.Status(401, "E0000011")})
	w.delete(key)
	w.waitReason("bot", key, v1alpha1.ReasonAuthenticationFailed)
	w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.DeletionPolicy = v1alpha1.DeletionRetain })
	w.waitReason("bot", key, v1alpha1.ReasonAuthenticationFailed) // of what was edited
	w.org.ClearFaults()
	w.nudge(key)
	w.waitGone(key)
	if state, mark := w.appState(key.Status.AppID); state != "ACTIVE" || mark != "" {
		t.Errorf("the app is %q with mark %q", state, mark)
	}
	w.mustHaveNoSecrets("bot-okta")
}

// TestDeletionBrake: of many keys that are deleted at once, and their role with them, none
// goes, and each works on, until a person says of it by the command that its condition gives that it is meant.
func TestDeletionBrake(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	brake := func(o *operator.Options) { o.Config.DeletionBrake.KeysPerHour = new(3) }
	first := w.start(impatient, brake)
	role := w.role("chat", "a")
	w.create(role)
	var keys []*v1alpha1.AgentAPIKey
	for i := range 5 {
		key := w.key(fmt.Sprint("bot-", i), "chat", deliveries[i%2])
		w.create(key)
		keys = append(keys, key)
	}
	for _, key := range keys {
		readyKey(w, key.Name)
	}
	w.stop(first) // so that all are being deleted when the first is looked at
	w.delete(role)
	for _, key := range keys {
		w.delete(key)
	}
	w.start(impatient, brake)
	for _, key := range keys {
		w.waitReason(key.Name, key, v1alpha1.ReasonDeletionHeld)
	}
	w.quiet()
	if apps := w.ours().Apps; len(apps) != 5 || liveIn(apps) != 5 {
		t.Errorf("%d apps and %d credentials are left, want 5 and 5", len(apps), liveIn(apps))
	}
	for _, key := range keys[:2] {
		w.mustWork(w.agent(key.Name+"-okta"), []string{"a"}, "b")
		w.runCommandOf(messageOfReady(key))
		w.waitGone(key)
	}
	w.quiet()
	w.nudgeByNamespace() // three are not too many
	for _, key := range keys[2:] {
		w.waitGone(key)
	}
	w.waitGone(role)
	if state := w.ours(); len(state.Apps)+len(state.Policies) != 0 {
		t.Errorf("left in Okta: %+v", state)
	}
	w.mustHaveNoSecrets()
}

// TestNamespaceDeleted: in a namespace that is being deleted nothing can be created, and
// everything goes in any order.
func TestNamespaceDeleted(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(impatient)
	role, keys := w.role("chat", "a"), []*v1alpha1.AgentAPIKey{}
	w.create(role)
	for i, delivery := range append(slices.Clone(deliveries), v1alpha1.DeliveryAccessToken) {
		keys = append(keys, w.key(fmt.Sprint("bot-", i), "chat", delivery))
		w.create(keys[i])
	}
	for _, key := range keys {
		readyKey(w, key.Name)
	}
	w.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})
	for _, secret := range w.allSecrets() {
		w.delete(secret)
	}
	w.delete(role)
	for _, key := range keys {
		w.delete(key)
	}
	for _, key := range keys {
		w.waitGone(key)
	}
	w.waitGone(role)
	w.quiet()
	if state := w.ours(); len(state.Apps)+len(state.Policies)+len(state.Groups) != 0 {
		t.Errorf("left in Okta: %+v", state)
	}
	w.mustHaveNoSecrets()
}

// TestOrphanReported: a key whose finalizer was taken off leaves a client that works. By
// default it is listed, with what to do, and nothing is done.
func TestOrphanReported(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.bindRole("ledger_role.yaml")
	first := w.start(impatient, w.atHome)
	w.create(w.role("chat", "a"), w.key("bot", "chat", ""), w.key("kept", "chat", ""))
	key := readyKey(w, "bot")
	readyKey(w, "kept")
	w.stop(first) // a running operator may put the finalizer back before the key is deleted
	key.Finalizers = nil
	w.update(key)
	w.delete(key)
	w.start(impatient, w.atHome)
	w.eventually("the orphan is listed", func() bool {
		w.standing.Step(2 * time.Minute)
		list := strings.Join(strings.Fields(w.orphans()), " ") // which breaks long lines
		return strings.Contains(list, key.Status.ClientID) && strings.Contains(list, "delete it in Okta if nobody needs it")
	})
	before := count(w.org.Operations())
	for range 5 {
		w.pass(2 * time.Hour)
		w.quiet()
	}
	after := count(w.org.Operations())
	if list := w.orphans(); strings.Contains(list, "kept") || !strings.Contains(list, key.Status.ClientID) {
		t.Errorf("the list is:\n%s", list)
	}
	if state, _ := w.appState(key.Status.AppID); state != "ACTIVE" {
		t.Errorf("the app is %q, want ACTIVE", state)
	}
	t.Logf("%d lists of apps, %d writes in ten hours", after.lines["GET /api/v1/apps 200"]-before.lines["GET /api/v1/apps 200"], after.writes-before.writes)
}
