package keysecret

import (
	"context"
	"fmt"
	"maps"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

const (
	// LabelManagedBy and ManagedBy select the Secrets the operator may watch.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "agent-identity-operator"

	labelPart       = "agentidentity.dev/part"
	partStaged      = "staged"
	partPublished   = "published"
	annotationKeyID = "agentidentity.dev/key-id"

	// stagedType tells people and policies that no pod should mount the Secret.
	stagedType corev1.SecretType = "agentidentity.dev/staged-credential"
)

// Store reads and writes the Secrets of keys.
type Store struct {
	// Client reads from a cache that holds only Secrets labelled as ours.
	Client client.Client
	// Live reads from the API server; asked for a Secret's metadata only, and only
	// when the cache has no Secret of the name.
	Live client.Reader
}

// Stored is what the Secrets of a key hold.
type Stored struct {
	Staged    plan.SecretSeen
	Published plan.SecretSeen

	credential      identity.Credential
	stagedSecret    *corev1.Secret
	publishedSecret *corev1.Secret
}

// Credential is the staged one; without a KeyID when nothing is staged.
func (s *Stored) Credential() identity.Credential { return s.credential }

// Observe looks at both Secrets of the key and compares the published one with doc.
func (s *Store) Observe(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key, doc Document) (*Stored, error) {
	stored := &Stored{}
	var err error
	stored.stagedSecret, stored.Staged.State, err = s.find(ctx, owner, want.StagingName, partStaged)
	if err != nil {
		return nil, err
	}
	stored.publishedSecret, stored.Published.State, err = s.find(ctx, owner, want.SecretName, partPublished)
	if err != nil {
		return nil, err
	}
	stored.readStaged(want)
	stored.readPublished(want, doc)
	return stored, nil
}

// find gets a Secret and says whether it is the owner's.
func (s *Store) find(ctx context.Context, owner *v1alpha1.AgentAPIKey, name, part string) (*corev1.Secret, plan.SecretState, error) {
	key := types.NamespacedName{Namespace: owner.Namespace, Name: name}
	secret := &corev1.Secret{}
	err := s.Client.Get(ctx, key, secret)
	switch {
	case err == nil && metav1.IsControlledBy(secret, owner) && secret.Labels[labelPart] == part:
		return secret, plan.Intact, nil
	case err == nil:
		return nil, plan.Foreign, nil
	case !apierrors.IsNotFound(err):
		return nil, "", fmt.Errorf("reading Secret %s: %w", key, err)
	}
	metadata := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	err = s.Live.Get(ctx, key, metadata)
	switch {
	case apierrors.IsNotFound(err):
		return nil, plan.Absent, nil
	case err != nil:
		return nil, "", fmt.Errorf("looking for Secret %s: %w", key, err)
	case metav1.IsControlledBy(metadata, owner):
		// Ours, written a moment ago: the cache will show it.
		return nil, "", &identity.Error{
			Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing,
			Message: fmt.Sprintf("Secret %q was written and is about to be seen", name),
		}
	}
	return nil, plan.Foreign, nil
}

// readStaged takes a staging Secret that does not hold its own credential, because
// somebody edited it, for absent in content: its KeyID stays empty.
func (s *Stored) readStaged(want desired.Key) {
	if s.stagedSecret == nil {
		return
	}
	credential, err := credentialIn(s.stagedSecret.Data, want.Method, s.stagedSecret.Annotations[annotationKeyID])
	if err != nil {
		s.Staged.State = plan.Different
		return
	}
	s.credential = credential
	s.Staged.KeyID = credential.KeyID
}

func (s *Stored) readPublished(want desired.Key, doc Document) {
	if s.publishedSecret == nil {
		return
	}
	s.Published.KeyID = s.publishedSecret.Annotations[annotationKeyID]
	if s.stagedSecret == nil {
		if _, err := credentialIn(s.publishedSecret.Data, want.Method, s.Published.KeyID); err != nil {
			s.Published.State = plan.Different
		}
		return
	}
	data, err := render(doc, s.credential)
	if err != nil || !reflect.DeepEqual(data, s.publishedSecret.Data) {
		s.Published.State = plan.Different
	}
}

// Mint makes a credential and stages it. A staging Secret that exists already is
// never overwritten: it may hold the credential the directory knows.
func (s *Store) Mint(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key, stored *Stored) error {
	credential, err := mint(want.Method)
	if err != nil {
		return err
	}
	return s.stage(ctx, owner, want, stored, credential)
}

// Restage rebuilds the staging Secret from the published one.
func (s *Store) Restage(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key, stored *Stored) error {
	credential, err := credentialIn(stored.publishedSecret.Data, want.Method, stored.Published.KeyID)
	if err != nil {
		return fmt.Errorf("restaging from Secret %s: %w", want.SecretName, err)
	}
	return s.stage(ctx, owner, want, stored, credential)
}

func (s *Store) stage(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key, stored *Stored, c identity.Credential) error {
	secret := newSecret(owner, want.StagingName, partStaged, stagedType, c.KeyID)
	if c.Method == identity.PrivateKeyJWT {
		secret.Data = map[string][]byte{KeyPrivateKey: c.Material.Reveal()}
	} else {
		secret.Data = map[string][]byte{KeyClientSecret: c.Material.Reveal()}
	}
	if err := s.create(ctx, owner, secret); err != nil {
		return err
	}
	stored.credential, stored.stagedSecret = c, secret
	stored.Staged = plan.SecretSeen{State: plan.Intact, KeyID: c.KeyID}
	return nil
}

// Publish writes the published Secret, once and whole.
func (s *Store) Publish(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key, doc Document, stored *Stored) error {
	data, err := render(doc, stored.credential)
	if err != nil {
		return err
	}
	if stored.publishedSecret == nil {
		secret := newSecret(owner, want.SecretName, partPublished, corev1.SecretTypeOpaque, stored.credential.KeyID)
		secret.Data = data
		return s.create(ctx, owner, secret)
	}
	secret := stored.publishedSecret.DeepCopy()
	secret.Data = data
	secret.Annotations = maps.Clone(secret.Annotations)
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	secret.Annotations[annotationKeyID] = stored.credential.KeyID
	// The resource version makes a change by somebody else in between a conflict.
	if err := s.Client.Update(ctx, secret); err != nil {
		return fmt.Errorf("writing Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	return nil
}

// Delete removes the key's Secrets; a Secret that is not the key's stays.
func (s *Store) Delete(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key) error {
	for name, part := range map[string]string{want.SecretName: partPublished, want.StagingName: partStaged} {
		secret, _, err := s.find(ctx, owner, name, part)
		if err != nil {
			return err
		}
		if secret == nil {
			continue
		}
		precondition := client.Preconditions{UID: &secret.UID}
		if err := s.Client.Delete(ctx, secret, precondition); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting Secret %s: %w", client.ObjectKeyFromObject(secret), err)
		}
	}
	return nil
}

func (s *Store) create(ctx context.Context, owner *v1alpha1.AgentAPIKey, secret *corev1.Secret) error {
	if err := controllerutil.SetControllerReference(owner, secret, s.Client.Scheme()); err != nil {
		return fmt.Errorf("owning Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	err := s.Client.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		// Ours from an earlier try, or somebody else's: the next look tells.
		return &identity.Error{
			Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing,
			Message: fmt.Sprintf("Secret %q appeared while it was being created; it is looked at again", secret.Name),
		}
	}
	if err != nil {
		return fmt.Errorf("creating Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	return nil
}

func newSecret(owner *v1alpha1.AgentAPIKey, name, part string, kind corev1.SecretType, keyID string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   owner.Namespace,
			Name:        name,
			Labels:      map[string]string{LabelManagedBy: ManagedBy, labelPart: part},
			Annotations: map[string]string{annotationKeyID: keyID},
		},
		Type: kind,
		Data: map[string][]byte{},
	}
}
