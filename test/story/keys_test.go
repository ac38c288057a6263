package story

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const foreignKeyID = "added-by-a-person"

// foreignKey is the public half of a key that is not the operator's.
func foreignKey(w *world) []byte {
	w.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	text, err := json.Marshal(jose.JSONWebKey{Key: private.Public(), KeyID: foreignKeyID, Algorithm: "ES256", Use: "sig"})
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// consent is what an administrator of Okta writes to let a key adopt an app.
func (w *world) consent(app, key string) {
	w.Helper()
	mark := identity.Mark{Cluster: w.namespace, Kind: "AgentAPIKey", Namespace: w.namespace, Name: key}
	if err := w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Note += "\n" + mark.Consent() }); err != nil {
		w.Fatal(err)
	}
}

// annotate sets an annotation of the key, as kubectl annotate --overwrite does.
func (w *world) annotate(name, annotation, value string) {
	w.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, annotation, value)
	key := w.key(name, "", "")
	if err := cluster.admin.Patch(context.Background(), key, client.RawPatch(types.MergePatchType, patch)); err != nil {
		w.Fatalf("annotating key %s: %v", name, err)
	}
}

func (w *world) requestRotation(name, request string) {
	w.Helper()
	w.annotate(name, v1alpha1.AnnotationRotate, request)
}

// editKey changes the spec of a key, whatever the operator does to its status meanwhile.
func (w *world) editKey(name string, change func(*v1alpha1.AgentAPIKeySpec)) {
	w.Helper()
	for range 20 {
		key := &v1alpha1.AgentAPIKey{}
		w.get(name, key)
		change(&key.Spec)
		err := cluster.admin.Update(context.Background(), key)
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			w.Fatalf("editing key %s: %v", name, err)
		}
	}
	w.Fatalf("editing key %s: conflicts do not end", name)
}

// pollKey asks for the key, nil once it is gone, until done says so; false when the
// context ends first.
func (w *world) pollKey(ctx context.Context, name string, done func(*v1alpha1.AgentAPIKey) bool) bool {
	w.Helper()
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		key := &v1alpha1.AgentAPIKey{}
		err := cluster.admin.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, key)
		switch {
		case apierrors.IsNotFound(err):
			return done(nil), nil
		case err != nil:
			return false, nil //nolint:nilerr // the context may have ended
		}
		return done(key), nil
	})
	return err == nil
}

// rotated waits until the request was carried out and no earlier credential is left.
func (w *world) rotated(name, request string) *v1alpha1.AgentAPIKey {
	w.Helper()
	key := &v1alpha1.AgentAPIKey{}
	w.waitFor(name, key, "ready and rotated for "+request, func() bool {
		return ready(key) && key.Status.RotateRequest == request && len(key.Status.RetiringKeyIDs) == 0
	})
	return key
}
