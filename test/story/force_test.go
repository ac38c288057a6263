package story

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// nextSecond waits until what is created now is younger than the object, as the API
// server counts.
func (w *world) nextSecond(created metav1.Time) {
	w.Helper()
	w.eventually("the next second begins", func() bool { return time.Now().Unix() > created.Unix() })
}

// TestForceDoesNotLeaveQuarantine: a team that takes the finalizers off its role and key
// and makes both again, without the Secrets, leaves a client that the new key cannot prove
// to be its own. A quarantine of the key reaches it all the same.
func TestForceDoesNotLeaveQuarantine(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	first := w.start(impatient, w.atIncidents)
	role, key := w.role("chat", "a"), w.key("bot", "chat", "")
	w.create(role, key)
	readyKey(w, "bot")
	stolen := w.agent("bot-okta")
	w.stop(first)
	w.get("bot", key)
	w.nextSecond(key.CreationTimestamp)
	for _, name := range []string{"bot-okta", "bot.staged-credential"} {
		w.vanish(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}})
	}
	w.get("chat", role)
	w.vanish(key)
	w.vanish(role)
	w.create(w.role("chat", "a"), w.key("bot", "chat", ""))
	w.start(impatient, w.atIncidents)
	w.waitReason("bot", &v1alpha1.AgentAPIKey{}, v1alpha1.ReasonDirectoryConflict)
	incident := w.quarantineOf("incident", w.named("bot"))
	w.create(incident)
	w.waitReason("incident", incident, v1alpha1.ReasonReady)
	w.mustBeRefused(stolen)
	for _, app := range w.ours().Apps {
		if app.Status == "ACTIVE" {
			t.Errorf("the policy is Ready, and app %s is active", app.Label)
		}
	}
}

// TestForceDoesNotPassACeiling: a client whose key was taken away by force gets nothing of
// what a new role of the old one's name has more, and nothing in quarantine.
func TestForceDoesNotPassACeiling(t *testing.T) {
	b := newBounded(t)
	b.mustBind(b.ceiling("narrow", v1alpha1.CeilingPolicy{Permissions: []v1alpha1.PermissionPattern{"a"}}))
	role, key := b.role("chat", "a"), b.key("bot", "chat", "")
	b.create(role, key)
	readyKey(b.world, "bot")
	stolen := b.agent("bot-okta")
	b.get("bot", key)
	b.nextSecond(key.CreationTimestamp)
	b.snatch(role)
	b.snatch(key)
	b.create(b.role("chat", "a", "admin"))
	readyRole(b.world, "chat")
	b.quiet()
	b.mustGetNoAdmin(stolen)
}

// snatch takes an object away by force while the operator runs, which may write it too.
func (b bounded) snatch(obj client.Object) {
	b.Helper()
	b.eventually("it is gone", func() bool {
		without := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
		_ = cluster.admin.Patch(context.Background(), obj, without)
		_ = cluster.admin.Delete(context.Background(), obj)
		_ = cluster.admin.Patch(context.Background(), obj, without)
		return apierrors.IsNotFound(cluster.admin.Get(context.Background(), client.ObjectKeyFromObject(obj), obj))
	})
}

// mustGetNoAdmin holds that the copy gives no token with more than the ceiling allows.
func (b bounded) mustGetNoAdmin(stolen agent) {
	b.Helper()
	for _, scope := range []string{"admin", "a admin"} {
		if _, refused, err := stolen.ask(scope); err != nil || refused == "" {
			b.Errorf("a token with %q is issued (%v)", scope, err)
		}
	}
}
