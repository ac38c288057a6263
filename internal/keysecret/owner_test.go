package keysecret

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// TestForeignSecretsStay holds that a Secret is ours by the owner's UID and our
// label together, and that nothing else is changed or deleted.
func TestForeignSecretsStay(t *testing.T) {
	yes := true
	owner := func(uid types.UID) []metav1.OwnerReference {
		return []metav1.OwnerReference{{APIVersion: "agentidentity.dev/v1alpha1", Kind: "AgentAPIKey", Name: "bot", UID: uid, Controller: &yes}}
	}
	labels := map[string]string{labelManagedBy: managedBy, LabelPart: partPublished}
	other := identity.Mark{Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: "other", UID: "u0", Since: 1}
	tests := map[string]struct {
		reason string
		meta   metav1.ObjectMeta
	}{
		"Unowned":      {"somebody's own Secret", metav1.ObjectMeta{}},
		"Labelled":     {"a label is no proof", metav1.ObjectMeta{Labels: labels}},
		"OfANamesake":  {"a key that lived before, without the mark of one", metav1.ObjectMeta{OwnerReferences: owner("u0"), Labels: labels}},
		"OtherManager": {"cert-manager's", metav1.ObjectMeta{Labels: map[string]string{labelManagedBy: "cert-manager"}}},
		"OfAnotherKey": {"another key's, from a backup", metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{annotationOwner: other.String()}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			secret := &corev1.Secret{ObjectMeta: tc.meta, Data: map[string][]byte{"x": []byte("theirs")}}
			secret.Namespace, secret.Name = "ns", "bot-okta"
			d := setUp(t, identity.ClientSecretBasic, secret)
			stored := d.observe()
			if stored.Published.State != plan.Foreign {
				t.Fatalf("%s: the Secret is seen as %s, want Foreign", tc.reason, stored.Published.State)
			}
			d.must(d.Mint(context.Background(), stored, now, "", nil))
			var e *identity.Error
			if err := d.Publish(context.Background(), stored, document, now); !errors.As(err, &e) || e.Kind != identity.Waiting {
				t.Errorf("%s: publishing over it gives %v, want an error of kind Waiting", tc.reason, err)
			}
			d.must(d.Delete(context.Background(), d.observe()))
			d.must(d.HandOver(context.Background(), d.observe()))
			if got := d.secret("bot-okta"); string(got.Data["x"]) != "theirs" || len(got.Data) != 1 {
				t.Errorf("%s: the Secret was changed", tc.reason)
			}
		})
	}
}

// TestInherit: what a restored backup holds, with or without the owner it had, is
// taken over byte for byte.
func TestInherit(t *testing.T) {
	for name, strip := range map[string]bool{"OwnerKept": false, "OwnerStripped": true} {
		t.Run(name, func(t *testing.T) {
			d := setUp(t, identity.PrivateKeyJWT)
			d.issue()
			before := d.secret("bot-okta").Data
			if strip {
				for _, secret := range []string{"bot.staged", "bot-okta"} {
					d.edit(secret, func(s *corev1.Secret) { s.OwnerReferences = nil })
				}
			}
			d.key.UID, d.want.Mark.UID, d.want.Mark.Since = "u2", "u2", 200
			stored := d.observe()
			if stored.Staged.State != plan.Inherited || stored.Published.State != plan.Inherited || stored.Staged.Newest == "" {
				t.Fatalf("staged %+v, published %+v; want both Inherited, with the credential", stored.Staged, stored.Published)
			}
			d.must(d.Inherit(context.Background(), stored, document))
			stored = d.observe()
			if stored.Staged.State != plan.Intact || stored.Published.State != plan.Intact {
				t.Errorf("staged %+v, published %+v; want both Intact", stored.Staged, stored.Published)
			}
			if diff := cmp.Diff(before, d.secret("bot-okta").Data); diff != "" {
				t.Error("the bytes of the Secret changed")
			}
		})
	}
}

// TestHandOver: what is left to people has no trace of ours by which it could be taken back.
func TestHandOver(t *testing.T) {
	d := setUp(t, identity.PrivateKeyJWT)
	d.issue()
	before := d.secret("bot-okta").Data
	d.must(d.HandOver(context.Background(), d.observe()))
	secret := d.secret("bot-okta")
	if diff := cmp.Diff(before, secret.Data); diff != "" {
		t.Error("the bytes of the Secret changed")
	}
	if len(secret.OwnerReferences)+len(secret.Labels)+len(secret.Annotations) != 0 {
		t.Errorf("left on it: %+v", secret.ObjectMeta)
	}
	stored := d.observe()
	if stored.Staged.State != plan.Absent || stored.Published.State != plan.Foreign {
		t.Errorf("staged %s, published %s; want Absent and Foreign", stored.Staged.State, stored.Published.State)
	}
}
