package story

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// update is Go's own way to let a test write what it compares with.
var update = flag.Bool("update", false, "write docs/behaviour.md")

// column is a kind of key.
type column struct {
	deletion v1alpha1.DeletionPolicy
	drift    v1alpha1.DriftPolicy
	adopt    bool
}

func columns() []column {
	var all []column
	for _, deletion := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionDelete, v1alpha1.DeletionDeactivate, v1alpha1.DeletionRetain} {
		for _, drift := range []v1alpha1.DriftPolicy{v1alpha1.DriftEnforce, v1alpha1.DriftReport} {
			all = append(all, column{deletion: deletion, drift: drift})
		}
	}
	return all
}

// outcome is all that can be seen of a key afterwards.
type outcome struct {
	// Key is the reason of Ready and the conditions beside it; "gone" when it is.
	Key string
	// App is the state of the app, and whose it is; "gone" when it is.
	App string
	// Live counts the credentials of ours that Okta takes.
	Live int
	// Secret is what it holds, compared with before.
	Secret string
	// Old and New are the permissions that agents get with what they had before, and
	// with what the Secret holds now.
	Old, New string
}

// cell is what becomes of the keys of some columns; "" and nil stand for all.
type cell struct {
	deletion v1alpha1.DeletionPolicy
	drift    v1alpha1.DriftPolicy
	says     string
	want     outcome
}

// row is something that happens to a key.
type row struct {
	what string
	// adopt tells a row of keys that have taken over an app.
	adopt bool
	do    func(w *world, key *v1alpha1.AgentAPIKey)
	cells []cell
}

func (r row) cell(c column) cell {
	for _, found := range r.cells {
		if (found.deletion == "" || found.deletion == c.deletion) && (found.drift == "" || found.drift == c.drift) {
			return found
		}
	}
	panic(fmt.Sprintf("row %q has no cell for %+v", r.what, c))
}

// TestBehaviourMatrix lets everything happen to keys of every policy, and holds
// docs/behaviour.md, which says what comes of it.
func TestBehaviourMatrix(t *testing.T) {
	path := filepath.Join(root, "docs", "behaviour.md")
	rendered := renderMatrix()
	if *update {
		if err := os.WriteFile(path, []byte(rendered), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, "docs", "behaviour.md"), rendered); diff != "" {
		t.Errorf("docs/behaviour.md is not what this test executes; run `go test ./test/story -run TestBehaviourMatrix -update` (-file +test):\n%s", diff)
	}
	for _, r := range rows() {
		for _, c := range columns() {
			c.adopt = r.adopt
			t.Run(fmt.Sprintf("%s/%s%s", strings.NewReplacer("`", "", " ", "_").Replace(r.what), c.deletion, c.drift), func(t *testing.T) {
				t.Parallel()
				r.happens(t, c)
			})
		}
	}
}

func (r row) happens(t *testing.T, c column) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	key := w.key("bot", "chat", "")
	if c.adopt {
		app := w.legacyApp("")
		w.consent(app.ID, "bot")
		key = w.adopting("bot", app.ClientID, "")
	}
	key.Spec.DeletionPolicy, key.Spec.DriftPolicy = c.deletion, c.drift
	w.create(w.role("chat", "a"), w.role("other", "b"), key)
	readyKey(w, "bot")
	readyRole(w, "chat")
	readyRole(w, "other")
	before := w.keyAsItIs()
	r.do(w, key)
	w.mended(func() string { return cmp.Diff(r.cell(c).want, w.outcomeSince(before)) })
	if t.Failed() {
		t.Errorf("%s: %s", r.what, conditionsOf(key))
	}
}

// asItWas is what a key is compared with later.
type asItWas struct {
	app    oktasim.App
	agent  agent
	secret corev1.Secret
	uid    string
}

func (w *world) keyAsItIs() asItWas {
	w.Helper()
	key := w.currentKey("bot")
	it := asItWas{agent: w.agent("bot-okta"), uid: string(key.UID)}
	w.get("bot-okta", &it.secret)
	for _, app := range w.ours().Apps {
		if app.ID == key.Status.AppID {
			it.app = app
		}
	}
	return it
}

func (w *world) outcomeSince(before asItWas) outcome {
	w.Helper()
	key := &v1alpha1.AgentAPIKey{}
	name := client.ObjectKey{Namespace: w.namespace, Name: "bot"}
	err := cluster.admin.Get(w.Context(), name, key)
	if client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	seen := outcome{Key: "gone", App: w.appSince(before, string(key.UID)), Live: liveIn(w.ours().Apps), Old: w.permissionsOf(before.agent)}
	if err == nil {
		seen.Key = stateOfKey(key)
	}
	seen.Secret, seen.New = w.secretSince(before)
	return seen
}

// stateOfKey is "" while the status speaks of an earlier generation.
func stateOfKey(key *v1alpha1.AgentAPIKey) string {
	var words []string
	for _, c := range key.Status.Conditions {
		switch c.Type {
		case v1alpha1.ConditionReady:
			if c.ObservedGeneration != key.Generation {
				return ""
			}
			words = append([]string{c.Reason}, words...)
		case v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
		default:
			words = append(words, c.Type)
		}
	}
	return strings.Join(words, ", ")
}

func (w *world) appSince(before asItWas, uid string) string {
	apps := w.ours().Apps
	at := slices.IndexFunc(apps, func(a oktasim.App) bool { return a.ID == before.app.ID })
	which := "same"
	if at < 0 {
		if len(apps) == 0 {
			return "gone"
		}
		at, which = 0, "another"
	}
	app := apps[at]
	_, mark := w.appState(app.ID)
	whose := "an earlier key's"
	switch {
	case mark == "":
		whose = "nobody's"
	case uid != "" && strings.Contains(mark, uid):
		whose = "ours"
	}
	said := fmt.Sprintf("%s, %s, %s", which, app.Status, whose)
	if which == "same" && (app.Label != before.app.Label || app.Note != before.app.Note) {
		said += ", says something else"
	}
	return said
}

func (w *world) secretSince(before asItWas) (said, permissions string) {
	secret := &corev1.Secret{}
	err := cluster.admin.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: "bot-okta"}, secret)
	if apierrors.IsNotFound(err) {
		return "gone", ""
	}
	if err != nil {
		w.Fatal(err)
	}
	a := agent{files: asFiles(filesOf(secret)), now: w.now}
	switch {
	case cmp.Equal(secret.Data, before.secret.Data):
		said = "same"
	case a.files["jwk"] == before.agent.files["jwk"]:
		said = "same credential"
	default:
		said = "another credential"
	}
	if len(secret.Labels) == 0 && len(secret.OwnerReferences) == 0 {
		said += ", nobody's"
	}
	return said, w.permissionsOf(a)
}

// permissionsOf are those an agent gets.
func (w *world) permissionsOf(a agent) string {
	w.Helper()
	var granted []string
	for _, permission := range []string{"a", "b"} {
		if _, refused, err := a.ask(permission); err == nil && refused == "" {
			granted = append(granted, permission)
		}
	}
	return strings.Join(granted, " ")
}

// renderMatrix writes the table as people read it.
func renderMatrix() string {
	var text strings.Builder
	text.WriteString("# What happens to a key\n" +
		"By its `deletionPolicy` and `driftPolicy`. Every cell is executed by `TestBehaviourMatrix`, from whose table this is\n" +
		"written. `=` is the same as to the left.\n\n| what happens |")
	for _, c := range columns() {
		fmt.Fprintf(&text, " %s, %s |", c.deletion, c.drift)
	}
	text.WriteString("\n|---|" + strings.Repeat("---|", len(columns())) + "\n")
	for _, r := range rows() {
		fmt.Fprintf(&text, "| %s |", r.what)
		left := ""
		for _, c := range columns() {
			says := r.cell(c).says
			if says == left {
				says = "="
			} else {
				left = says
			}
			fmt.Fprintf(&text, " %s |", says)
		}
		text.WriteString("\n")
	}
	text.WriteString("\nSee [AgentAPIKey](spec/agentapikey.md) for the words, and [orphans](orphans.md) for what is left when objects are lost.\n")
	return text.String()
}
