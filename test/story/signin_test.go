package story

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// signInWithKey replaces the operator's API token by a service app with a key pair
// and the scopes.
func (w *world) signInWithKey(scopes ...string) {
	w.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: private.Public(), KeyID: "operator", Algorithm: "ES256", Use: "sig"})
	if err != nil {
		w.Fatal(err)
	}
	if err := w.org.AddServiceClient("0oaoperator", public, scopes...); err != nil {
		w.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		w.Fatal(err)
	}
	w.secrets = w.TempDir()
	w.credential("client_id", "0oaoperator")
	w.credential("key_id", "operator")
	w.credential("private_key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// TestOperatorSignsInWithKey holds that the scopes we ask people to grant are
// enough for the main path and for deletion, and that a missing one is named.
func TestOperatorSignsInWithKey(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	required := okta.RequiredScopes()
	w.signInWithKey(required...)
	w.start(impatient)
	key := w.key("bot", "chat", "")
	w.create(w.role("chat", "a"), key)
	readyKey(w, "bot")
	w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
	w.deleteAndWait(key)
	for _, missing := range []string{"okta.apps.manage", "okta.orgs.read"} {
		t.Run("Without "+missing, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			var rest []string
			for _, scope := range required {
				if scope != missing {
					rest = append(rest, scope)
				}
			}
			w.signInWithKey(rest...)
			w.start(impatient)
			role, key := w.role("chat", "a"), w.key("bot", "chat", "")
			w.create(role, key)
			w.waitReason("chat", role, v1alpha1.ReasonPermissionDenied)
			if message := meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionReady).Message; !strings.Contains(message, missing) {
				t.Errorf("the message does not name the scope: %s", message)
			}
			if state := w.ours(); len(state.Apps) != 0 {
				t.Errorf("an app was made without %s", missing)
			}
		})
	}
}

// TestCredentialsMended holds that the operator takes new credentials without a
// restart, and that without good ones a deletion waits: it cannot know what is left.
func TestCredentialsMended(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.credential("api_token", "00unknown-token")
	w.start()
	role := w.role("chat", "a")
	w.create(role)
	w.waitReason("chat", role, v1alpha1.ReasonAuthenticationFailed)
	w.credential("api_token", w.token)
	w.nudge(role) // it would look again by itself within a minute
	readyRole(w, "chat")
	w.credential("api_token", "00unknown-token")
	if err := cluster.admin.Delete(context.Background(), role); err != nil {
		t.Fatal(err)
	}
	w.waitReason("chat", role, v1alpha1.ReasonAuthenticationFailed)
	if len(w.ours().Groups) != 1 {
		t.Error("the group is gone although the operator could not sign in")
	}
	w.credential("api_token", w.token)
	w.nudge(role)
	w.waitGone(role)
	if groups := w.ours().Groups; len(groups) != 0 {
		t.Errorf("left in Okta: %+v", groups)
	}
}

// nudge makes the operator look at the object now.
func (w *world) nudge(obj client.Object) {
	w.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"story":"nudged %d"}}}`, w.nudges.Add(1))
	if err := cluster.admin.Patch(context.Background(), obj, client.RawPatch(types.MergePatchType, patch)); err != nil {
		w.Fatal(err)
	}
}

// nudgeByNamespace makes it look at all keys, without a change of them that a write of
// the operator could meet.
func (w *world) nudgeByNamespace() {
	w.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{"story":"nudged-%d"}}}`, w.nudges.Add(1))
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	if err := cluster.admin.Patch(context.Background(), namespace, client.RawPatch(types.MergePatchType, patch)); err != nil {
		w.Fatal(err)
	}
}

// TestSharing: a key of another namespace gets in only while the role shares
// itself, and is out at once when the role stops.
func TestSharing(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	team := w.namespace + "-team"
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team, Labels: map[string]string{"ai": "yes"}}})
	w.start(func(o *operator.Options) { o.Config.Namespaces = append(o.Config.Namespaces, team) })
	role := w.role("chat", "a")
	key := w.key("bot", "chat", "")
	key.Namespace, key.Spec.RoleRef.Namespace = team, v1alpha1.NamespaceName(w.namespace)
	w.create(role, key)
	home := w.namespace
	w.namespace = team
	w.waitReason("bot", key, v1alpha1.ReasonRoleNotShared)
	if apps := w.ours().Apps; len(apps) != 0 {
		t.Errorf("an app was made for a key that may not use the role: %+v", apps)
	}
	w.namespace = home
	readyRole(w, "chat")
	share := func(sharing *v1alpha1.Sharing) {
		w.namespace = home
		w.get("chat", role)
		role.Spec.ShareWith = sharing
		w.update(role)
		w.namespace = team
	}
	share(&v1alpha1.Sharing{
		From: v1alpha1.ShareSelected, NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"ai": "yes"}},
	})
	readyKey(w, "bot")
	a := w.agent("bot-okta")
	w.mustWork(a, []string{"a"}, "b")
	share(nil)
	w.waitReason("bot", key, v1alpha1.ReasonRoleNotShared)
	w.quiet()
	if _, oauthError, err := a.token("a"); err != nil || oauthError == "" {
		t.Errorf("a role that is shared no more still gives tokens (%v)", err)
	}
}
