package model

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
)

// ownSecret is one of the operator's Secrets, with what the model knows of its key
// and whether it is the staged one.
func (w *world) ownSecret(n int) (*corev1.Secret, *keyMemory, bool) {
	var all []*corev1.Secret
	for _, r := range w.kube.sorted() {
		secret, is := w.kube.objects[r].(*corev1.Secret)
		if owner := ownerOfSecret(secret, is); owner != nil && w.memory.keys[owner.UID] != nil {
			all = append(all, secret)
		}
	}
	if len(all) == 0 {
		return nil, nil, false
	}
	secret := all[n%len(all)].DeepCopy()
	return secret, w.memory.keys[metav1.GetControllerOf(secret).UID], secret.Type == "agentidentity.dev/staged-credential"
}

func ownerOfSecret(secret *corev1.Secret, is bool) *metav1.OwnerReference {
	if !is {
		return nil
	}
	return metav1.GetControllerOf(secret)
}

func (k *keyMemory) hurt(staged bool) {
	if staged {
		k.stagedHurt = true
	} else {
		k.publishedHurt = true
	}
	k.mayRotate = k.mayRotate || k.stagedHurt && k.publishedHurt
}

func deleteSecret(w *world, a args) string {
	secret, key, staged := w.ownSecret(a[0])
	if secret == nil {
		return ""
	}
	key.hurt(staged)
	return said(w.kube.delete(secret, nil), "a person deletes Secret %s/%s", secret.Namespace, secret.Name)
}

// editSecret spoils a Secret in one of the ways in which people do.
func editSecret(w *world, a args) string {
	secret, key, staged := w.ownSecret(a[0])
	if secret == nil {
		return ""
	}
	what := ""
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	switch a.of(1, 5) {
	case 0:
		what = "empties"
		secret.Data = nil
	case 1:
		what = "spoils the credential in"
		for _, name := range []string{"client_secret", "private_key.pem"} {
			if secret.Data[name] != nil {
				secret.Data[name] = []byte("not a credential")
			}
		}
	case 2:
		what = "adds a file to"
		secret.Data["extra"] = []byte("extra")
	case 3:
		what = "takes the labels off"
		secret.Labels = nil
	case 4:
		what = "puts another credential of the same kind into"
		w.exchange(secret)
	}
	if a.of(1, 5) != 2 && a.of(1, 5) != 3 {
		key.hurt(staged)
	}
	return said(w.kube.update(secret, false), "a person %s Secret %s/%s", what, secret.Namespace, secret.Name)
}

// exchange puts the credential of another key into a Secret.
func (w *world) exchange(secret *corev1.Secret) {
	for _, r := range w.kube.sorted() {
		other, is := w.kube.objects[r].(*corev1.Secret)
		if !is || other.Labels[keysecret.LabelPart] == "" || other.OwnerReferences[0].UID == secret.OwnerReferences[0].UID {
			continue
		}
		for _, name := range []string{"client_secret", "private_key.pem"} {
			if other.Data[name] != nil && secret.Data[name] != nil {
				secret.Data[name] = other.Data[name]
				return
			}
		}
	}
	secret.Data = map[string][]byte{"client_secret": []byte("another-secret-of-a-person-0123456789")}
}

// takeSecretName makes a Secret of a person's where a key will want its own.
func takeSecretName(w *world, a args) string {
	name := keyNames[a.of(0, len(keyNames))]
	if w.kube.objects[name] != nil {
		return ""
	}
	err := w.plantSecret(name.namespace, string(secretName(name)))
	return said(err, "a person makes a Secret %s/%s of their own", name.namespace, secretName(name))
}

func freeSecretName(w *world, _ args) string {
	for _, key := range keyNames {
		name := ref{"Secret", key.namespace, string(secretName(key))}
		if w.foreign.secrets[name] == nil {
			continue
		}
		delete(w.foreign.secrets, name)
		return said(w.kube.delete(w.kube.objects[name], nil), "a person moves their Secret %s away", fmt.Sprint(name))
	}
	return ""
}
