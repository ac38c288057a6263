package keysecret

import (
	"context"
	"fmt"
	"reflect"
	"time"

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
	// LabelPart is on every Secret of ours and no other; the operator watches by it.
	LabelPart = "agentidentity.dev/part"

	labelManagedBy  = "app.kubernetes.io/managed-by"
	managedBy       = "agent-identity-operator"
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
	case err == nil && metav1.IsControlledBy(secret, owner) && secret.Labels[LabelPart] == part:
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
		return nil, "", s.reveal(ctx, key, part)
	}
	return nil, plan.Foreign, nil
}

// reveal sees to it that the cache will show a Secret of ours which it does not
// show: because it was written a moment ago, or because its labels were taken off.
func (s *Store) reveal(ctx context.Context, key types.NamespacedName, part string) error {
	secret := &corev1.Secret{}
	if err := s.Live.Get(ctx, key, secret); err != nil {
		return fmt.Errorf("reading Secret %s: %w", key, err)
	}
	if secret.Labels[LabelPart] != part {
		metav1.SetMetaDataLabel(&secret.ObjectMeta, LabelPart, part)
		if err := s.Client.Update(ctx, secret); err != nil {
			return fmt.Errorf("labelling Secret %s: %w", key, err)
		}
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing, RetryAfter: time.Second,
		Message: fmt.Sprintf("Secret %q was written and is about to be seen", key.Name),
	}
}

// readStaged leaves the KeyID of a staging Secret empty that holds no credential,
// because somebody edited it.
func (s *Stored) readStaged(want desired.Key) {
	if s.stagedSecret == nil {
		return
	}
	credential, err := credentialIn(s.stagedSecret.Data, want.Method)
	if err != nil {
		s.Staged.State = plan.Different
		return
	}
	s.credential = credential
	s.Staged.KeyID = credential.KeyID
}

// readPublished names the published credential by what it is, and compares the
// whole Secret with what it should be; without a staged credential there is only
// the former.
func (s *Stored) readPublished(want desired.Key, doc Document) {
	if s.publishedSecret == nil {
		return
	}
	published, err := credentialIn(s.publishedSecret.Data, want.Method)
	if err != nil {
		s.Published.State = plan.Different
		return
	}
	s.Published.KeyID = published.KeyID
	if s.credential.KeyID == "" {
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
	if stored.stagedSecret != nil {
		return fmt.Errorf("minting: Secret %s exists already", want.StagingName)
	}
	credential, err := mint(want.Method)
	if err != nil {
		return err
	}
	return s.stage(ctx, owner, want, stored, credential)
}

// Restage rebuilds the staging Secret from the published one.
func (s *Store) Restage(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key, stored *Stored) error {
	credential, err := credentialIn(stored.publishedSecret.Data, want.Method)
	if err != nil {
		return fmt.Errorf("restaging from Secret %s: %w", want.SecretName, err)
	}
	return s.stage(ctx, owner, want, stored, credential)
}

func (s *Store) stage(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key, stored *Stored, c identity.Credential) error {
	secret := newSecret(owner, want.StagingName, partStaged, stagedType, c.KeyID)
	secret.Data = stagedData(c)
	write := func() error { return s.create(ctx, owner, secret) }
	if stored.stagedSecret != nil {
		secret = stored.stagedSecret.DeepCopy()
		secret.Data = stagedData(c)
		metav1.SetMetaDataAnnotation(&secret.ObjectMeta, annotationKeyID, c.KeyID)
		write = func() error { return s.update(ctx, secret) }
	}
	if err := write(); err != nil {
		return err
	}
	stored.credential, stored.stagedSecret = c, secret
	stored.Staged = plan.SecretSeen{State: plan.Intact, KeyID: c.KeyID}
	return nil
}

func stagedData(c identity.Credential) map[string][]byte {
	if c.Method == identity.PrivateKeyJWT {
		return map[string][]byte{KeyPrivateKey: c.Material.Reveal()}
	}
	return map[string][]byte{KeyClientSecret: c.Material.Reveal()}
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
	metav1.SetMetaDataAnnotation(&secret.ObjectMeta, annotationKeyID, stored.credential.KeyID)
	return s.update(ctx, secret)
}

// update writes a Secret of ours; its resource version makes a change by somebody
// else in between a conflict.
func (s *Store) update(ctx context.Context, secret *corev1.Secret) error {
	if err := s.Client.Update(ctx, secret); err != nil {
		return fmt.Errorf("writing Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	return nil
}

// HasStaged tells whether a credential was ever staged for the key.
func (s *Store) HasStaged(ctx context.Context, owner *v1alpha1.AgentAPIKey, want desired.Key) (bool, error) {
	secret, _, err := s.find(ctx, owner, want.StagingName, partStaged)
	return secret != nil, err
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
			Labels:      map[string]string{labelManagedBy: managedBy, LabelPart: part},
			Annotations: map[string]string{annotationKeyID: keyID},
		},
		Type: kind,
		Data: map[string][]byte{},
	}
}
