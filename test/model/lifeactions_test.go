package model

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// lifeActions are what people do with the life of a credential.
func lifeActions() []action {
	return []action{
		{"RequestRotation", 12, onKey(requestRotation)},
		{"SetRotation", 10, onKey(setRotation)},
		{"SetState", 8, onKey(setState)},
		{"SetExpiry", 5, onKey(setExpiry)},
		{"SetDeletion", 5, onKey(setDeletion)},
		{"SetDrift", 5, onKey(setDrift)},
		{"AddKey", 3, onApp(addKey)},
		{"AlterApp", 3, onApp(alterApp)},
		{"Backup", 3, backup},
		{"Restore", 4, restore},
	}
}

// onKey edits one of the keys.
func onKey(edit func(w *world, key *v1alpha1.AgentAPIKey, a args) string) func(*world, args) string {
	return func(w *world, a args) string {
		key, ok := pick[*v1alpha1.AgentAPIKey](w, "AgentAPIKey", a[0])
		if !ok {
			return ""
		}
		what := edit(w, key, a)
		return said(w.kube.update(key, false), "a person sets %s of %s/%s", what, key.Namespace, key.Name)
	}
}

func requestRotation(w *world, key *v1alpha1.AgentAPIKey, a args) string {
	token := fmt.Sprint("request-", a.of(1, 4))
	metav1.SetMetaDataAnnotation(&key.ObjectMeta, v1alpha1.AnnotationRotate, token)
	w.memory.keys[key.UID].mayRotate = true
	return "the rotation request " + token
}

func setRotation(w *world, key *v1alpha1.AgentAPIKey, a args) string {
	every := []time.Duration{0, 6 * time.Hour, 36 * time.Hour, 30 * 24 * time.Hour}[a.of(1, 4)]
	overlap := []time.Duration{0, 10 * time.Minute, time.Hour, 5 * time.Hour}[a.of(2, 4)]
	key.Spec.Rotation = &v1alpha1.Rotation{Overlap: &metav1.Duration{Duration: overlap}, MaxOverlap: &metav1.Duration{Duration: overlap}}
	if every > 0 {
		key.Spec.Rotation.Every = &metav1.Duration{Duration: every}
	}
	if a[3]%4 == 3 {
		key.Spec.Rotation.Windows = []v1alpha1.RotationWindow{{
			Start: "0 3 * * *", Duration: metav1.Duration{Duration: 2 * time.Hour}, TimeZone: "Europe/Berlin",
		}}
	}
	w.memory.keys[key.UID].mayRotate = true
	return fmt.Sprintf("rotation every %v, overlap %v, %d windows", every, overlap, len(key.Spec.Rotation.Windows))
}

func setState(_ *world, key *v1alpha1.AgentAPIKey, a args) string {
	key.Spec.State = []v1alpha1.KeyState{v1alpha1.StateSuspended, v1alpha1.StateActive, ""}[a.of(1, 3)]
	return fmt.Sprintf("state %q", key.Spec.State)
}

func setExpiry(w *world, key *v1alpha1.AgentAPIKey, a args) string {
	in := []time.Duration{0, -time.Hour, 30 * time.Minute, 20 * 24 * time.Hour}[a.of(1, 4)]
	key.Spec.ExpiresAt = nil
	if in != 0 {
		at := metav1.NewTime(w.clock.Now().Add(in)).Rfc3339Copy()
		key.Spec.ExpiresAt = &at
	}
	return fmt.Sprintf("expiry in %v", in)
}

func setDeletion(_ *world, key *v1alpha1.AgentAPIKey, a args) string {
	key.Spec.DeletionPolicy = []v1alpha1.DeletionPolicy{
		v1alpha1.DeletionDelete, v1alpha1.DeletionDeactivate, v1alpha1.DeletionRetain,
	}[a.of(1, 3)]
	return fmt.Sprintf("deletionPolicy %s", key.Spec.DeletionPolicy)
}

func setDrift(_ *world, key *v1alpha1.AgentAPIKey, a args) string {
	key.Spec.DriftPolicy = []v1alpha1.DriftPolicy{v1alpha1.DriftReport, v1alpha1.DriftEnforce}[a.of(1, 2)]
	return fmt.Sprintf("driftPolicy %s", key.Spec.DriftPolicy)
}

// addKey plants a credential of somebody else's on an app.
func addKey(w *world, app oktasim.App, m *appMemory) (string, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	m.planted++
	kid := fmt.Sprintf("planted-%d", m.planted)
	text, err := json.Marshal(jose.JSONWebKey{Key: private.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"})
	w.must(err)
	if app.AuthMethod != "private_key_jwt" || m.planted > 5 {
		return "adds no credential to the app of", nil
	}
	_, err = w.org.AdminAddKey(app.ID, text)
	return "adds a credential to the app of", err
}

func alterApp(w *world, app oktasim.App, m *appMemory) (string, error) {
	m.altered = true
	return "lets people sign in to the app of", w.org.AdminUpdateApp(app.ID, func(a *oktasim.App) {
		a.GrantTypes = []string{"client_credentials", "authorization_code"}
	})
}

// copyOfCluster is a backup: objects and Secrets, as they were.
type copyOfCluster []client.Object

func backup(w *world, _ args) string {
	w.saved = nil
	for _, r := range w.kube.sorted() {
		obj := w.kube.objects[r]
		if obj.GetDeletionTimestamp() != nil {
			continue
		}
		switch obj.(type) {
		case *v1alpha1.AIAgentRole, *v1alpha1.AgentAPIKey:
			w.saved = append(w.saved, clone(obj))
		case *corev1.Secret:
			if obj.GetLabels()[keysecret.LabelPart] != "" {
				w.saved = append(w.saved, clone(obj))
			}
		}
	}
	return fmt.Sprintf("a backup is made of %d objects", len(w.saved))
}

// restore loses the cluster and puts the backup into an empty one, Secrets first or
// last. Nothing is restored as what it was: every object has another uid.
func restore(w *world, a args) string {
	if len(w.saved) == 0 {
		return ""
	}
	w.loseCluster()
	w.clock.Step(2 * time.Second)
	secretsFirst := a[0]%2 == 0
	for _, secrets := range []bool{secretsFirst, !secretsFirst} {
		for _, obj := range w.saved {
			if _, is := obj.(*corev1.Secret); is != secrets {
				continue
			}
			w.must(w.restoreOne(clone(obj)))
		}
	}
	w.restart(time.Second)
	return fmt.Sprintf("the cluster is lost, and the backup is restored into an empty one (Secrets first: %v)", secretsFirst)
}

// restoreOne restores an object, unless a person has one of that name.
func (w *world) restoreOne(obj client.Object) error {
	if r, _, err := w.kube.refOf(obj); err != nil || w.foreign.secrets[r] != nil {
		return err
	}
	obj.SetResourceVersion("")
	obj.SetOwnerReferences(nil)
	obj.SetFinalizers(nil)
	old := obj.GetUID()
	if err := w.kube.create(obj); err != nil {
		return err
	}
	r, _, err := w.kube.refOf(obj)
	if err != nil {
		return err
	}
	before, now := w.memory.keys[old], w.memory.keys[w.kube.objects[r].GetUID()]
	if before == nil || now == nil {
		return nil
	}
	now.credential, now.mayRotate = before.credential, true
	now.restoredFrom = append(append(now.restoredFrom, before.restoredFrom...), old)
	return nil
}

// loseCluster removes every object of the operator's kinds and every Secret but those
// that persons made, and nobody is asked.
func (w *world) loseCluster() {
	for _, r := range w.kube.sorted() {
		obj := w.kube.objects[r]
		role, isRole := obj.(*v1alpha1.AIAgentRole)
		if isRole {
			w.memory.roles[role.UID].lost = true
		}
		key, isKey := obj.(*v1alpha1.AgentAPIKey)
		if isKey {
			w.memory.keys[key.UID].lost = true
		}
		_, isSecret := obj.(*corev1.Secret)
		if isRole || isKey || isSecret && w.foreign.secrets[r] == nil {
			w.kube.write(r, obj, nil)
		}
	}
}
