package story

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// atIncidents makes the story's namespace the one whose Quarantines count.
func (w *world) atIncidents(o *operator.Options) { o.Config.IncidentNamespace = w.namespace }

func (w *world) quarantineOf(name string, targets v1alpha1.QuarantineTargets) *v1alpha1.AccessPolicy {
	return &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.AccessPolicySpec{
			Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{Targets: targets, Reason: "incident 42"},
		},
	}
}

func (w *world) named(keys ...string) v1alpha1.QuarantineTargets {
	var targets v1alpha1.QuarantineTargets
	for _, name := range keys {
		targets.Keys = append(targets.Keys, v1alpha1.KeyReference{Namespace: v1alpha1.NamespaceName(w.namespace), Name: v1alpha1.ObjectName(name)})
	}
	return targets
}

// TestQuarantine: a key of each delivery is cut off, whatever its team and a restart do;
// its copy never works again, and its agent gets a new credential when it is over.
func TestQuarantine(t *testing.T) {
	for _, delivery := range deliveries {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			first := w.start(w.atIncidents)
			w.create(w.role("chat", "a"), w.key("bot", "chat", delivery), w.key("bystander", "chat", delivery))
			key := readyKey(w, "bot")
			readyKey(w, "bystander")
			stolen, keyID := w.agent("bot-okta"), key.Status.KeyID

			incident := w.quarantineOf("incident", w.named("bot"))
			w.create(incident)
			w.waitReason("incident", incident, v1alpha1.ReasonReady)
			w.waitReason("bot", key, v1alpha1.ReasonQuarantined)
			w.mustBeCutOff(stolen)
			status := incident.Status.Quarantine
			if *status.Targets != 1 || *status.Blocked != 1 || status.NewTokensBlockedAt == nil ||
				status.ExposureEndsAt.Sub(status.NewTokensBlockedAt.Time) != 15*time.Minute {
				t.Errorf("the policy reports %+v", status)
			}
			w.mustWork(w.agent("bystander-okta"), []string{"a"})

			w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.State = v1alpha1.StateActive; s.Agent.Purpose = "other" })
			w.must(nil, w.org.AdminActivateApp(key.Status.AppID))
			w.stop(first)
			w.wipeStatus(incident)
			w.wipeStatus(key)
			w.start(w.atIncidents)
			w.eventually("the app is inactive again", func() bool { return w.appOf("bot").Status == "INACTIVE" })
			w.waitReason("bot", key, v1alpha1.ReasonQuarantined)
			w.mustBeCutOff(stolen)

			w.deleteAndWait(incident)
			key = readyKey(w, "bot")
			if key.Status.KeyID == keyID {
				t.Error("the credential that was in quarantine is the key's again")
			}
			w.mustWork(w.agent("bot-okta"), []string{"a"})
			w.mustBeRefused(stolen)
		})
	}
}

// TestQuarantineIsNotLeft: what a team can do to its keys does not end a quarantine.
func TestQuarantineIsNotLeft(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(w.atIncidents)
	marked := w.key("marked", "chat", "")
	marked.Labels = map[string]string{"team": "a"}
	w.create(w.role("chat", "a"), w.role("other", "a"), marked, w.key("kept", "chat", ""))
	readyKey(w, "marked")
	kept := readyKey(w, "kept")
	copies := []agent{w.agent("marked-okta"), w.agent("kept-okta")}
	incident := w.quarantineOf("incident", v1alpha1.QuarantineTargets{Selector: &v1alpha1.KeySelector{
		LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}, MaxTargets: 1,
	}})
	w.create(incident, w.quarantineOf("another", w.named("kept")))
	w.waitReason("incident", incident, v1alpha1.ReasonReady)
	w.waitReason("marked", marked, v1alpha1.ReasonQuarantined)
	w.waitReason("kept", kept, v1alpha1.ReasonQuarantined)

	// The label that selected it goes, the role is another, and its Secrets are emptied.
	w.get("marked", marked)
	marked.Labels = nil
	marked.Spec.RoleRef.Name = "other"
	w.update(marked)
	for _, name := range []string{"marked-okta", "marked.staged-credential"} {
		w.harm(name, func(s *corev1.Secret) { s.Data, s.Annotations = nil, nil })
	}
	// A key is deleted so that its app should stay, and made again.
	w.editKey("kept", func(s *v1alpha1.AgentAPIKeySpec) { s.DeletionPolicy = v1alpha1.DeletionRetain })
	w.get("kept", kept)
	w.deleteAndWait(kept)
	w.create(w.key("kept", "chat", ""))
	w.waitReason("kept", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonDirectoryConflict)
	w.quiet()
	w.waitReason("marked", marked, v1alpha1.ReasonQuarantined)
	for _, stolen := range copies {
		w.mustBeRefused(stolen)
	}
	for _, app := range w.org.Snapshot().Apps {
		if app.Status == "ACTIVE" {
			t.Errorf("app %s is active", app.ClientID)
		}
	}
}

// TestQuarantineAsItStands: what a Quarantine says that does not do what its author wanted.
func TestQuarantineAsItStands(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(w.atIncidents)
	w.create(w.role("chat", "a"), w.key("one", "chat", ""), w.key("two", "chat", ""))
	readyKey(w, "one")
	made := readyKey(w, "two").CreationTimestamp
	// Keys of the policy's own second count as made after it.
	w.eventually("a second has passed", func() bool { return time.Now().Unix() > made.Unix() })
	wide := w.quarantineOf("wide", v1alpha1.QuarantineTargets{Selector: &v1alpha1.KeySelector{
		Namespaces: []v1alpha1.NamespaceName{v1alpha1.NamespaceName(w.namespace)}, MaxTargets: 1,
	}})
	typo := w.quarantineOf("typo", w.named("onee"))
	w.create(wide, typo)
	w.waitReason("wide", wide, v1alpha1.ReasonTooManyTargets)
	w.waitReason("typo", typo, v1alpha1.ReasonKeyNotFound)
	w.quiet()
	readyKey(w, "one")
	readyKey(w, "two")
	w.create(w.key("onee", "chat", ""))
	w.waitReason("onee", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonQuarantined)
	if slices.ContainsFunc(w.ours().Apps, func(a oktasim.App) bool { return a.Label == "k8s/"+w.namespace+"/"+w.namespace+"/onee" }) {
		t.Error("an app was made for a key in quarantine")
	}

	elsewhere := newWorld(t, oktasim.Options{})
	elsewhere.start()
	elsewhere.create(elsewhere.role("chat", "a"), elsewhere.key("bot", "chat", ""))
	readyKey(elsewhere, "bot")
	policy := elsewhere.quarantineOf("incident", elsewhere.named("bot"))
	elsewhere.create(policy)
	elsewhere.waitReason("incident", policy, v1alpha1.ReasonNotHonouredHere)
	elsewhere.mustWork(elsewhere.agent("bot-okta"), []string{"a"})
}

// mustBeCutOff holds that a copy of the Secret gives no token, and that the Secret itself
// holds nothing any more.
func (w *world) mustBeCutOff(stolen agent) {
	w.Helper()
	w.mustBeRefused(stolen)
	secret := &corev1.Secret{}
	w.eventually("the Secret is empty", func() bool {
		w.must(nil, cluster.admin.Get(w.Context(), types.NamespacedName{Namespace: w.namespace, Name: "bot-okta"}, secret))
		return len(secret.Data) == 0
	})
}

func (w *world) mustBeRefused(stolen agent) {
	w.Helper()
	if _, refused, err := stolen.ask("a"); err != nil || refused == "" {
		w.Errorf("a token is issued for a copy of the Secret (%v)", err)
	}
}

func (w *world) appOf(key string) oktasim.App {
	w.Helper()
	for _, app := range w.ours().Apps {
		if app.Label == "k8s/"+w.namespace+"/"+w.namespace+"/"+key {
			return app
		}
	}
	w.Fatalf("key %s has no app", key)
	return oktasim.App{}
}
