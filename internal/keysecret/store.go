package keysecret

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// Store reads and writes the Secrets of keys.
type Store struct {
	// Client reads from a cache that holds only Secrets labelled as ours.
	Client client.Client
	// Live reads from the API server; asked for a Secret's metadata only, and only
	// when the cache has no Secret of the name.
	Live client.Reader
}

// Observe looks at both Secrets of the key.
func (s *Store) Observe(ctx context.Context, key *v1alpha1.AgentAPIKey, want desired.Key) (*Stored, error) {
	stored := &Stored{key: key, want: want}
	var err error
	if stored.stagedSecret, stored.Staged.State, err = s.find(ctx, stored, want.StagingName, partStaged); err != nil {
		return nil, err
	}
	if stored.publishedSecret, stored.Published.State, err = s.find(ctx, stored, want.SecretName, partPublished); err != nil {
		return nil, err
	}
	stored.read()
	return stored, nil
}

// find gets a Secret and says whether it is the key's.
func (s *Store) find(ctx context.Context, stored *Stored, name, part string) (*corev1.Secret, plan.SecretState, error) {
	key := types.NamespacedName{Namespace: stored.key.Namespace, Name: name}
	secret := &corev1.Secret{}
	err := s.Client.Get(ctx, key, secret)
	if err == nil {
		return stored.judge(secret, part)
	}
	if !apierrors.IsNotFound(err) {
		return nil, "", fmt.Errorf("reading Secret %s: %w", key, err)
	}
	metadata := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	err = s.Live.Get(ctx, key, metadata)
	switch {
	case apierrors.IsNotFound(err), s.leaving(ctx, stored, err):
		return nil, plan.Absent, nil
	case err != nil:
		return nil, "", fmt.Errorf("looking for Secret %s: %w", key, err)
	case metav1.IsControlledBy(metadata, stored.key):
		return nil, "", s.reveal(ctx, key, part)
	}
	return nil, plan.Foreign, nil
}

// leaving tells that a key's Secrets are out of reach because its namespace is being deleted, and
// the operator's rights in it with it: they go without us. Of a key that is not being deleted
// that is never said, for what is made then must be kept.
func (s *Store) leaving(ctx context.Context, stored *Stored, err error) bool {
	if !apierrors.IsForbidden(err) || stored.key.DeletionTimestamp.IsZero() {
		return false
	}
	namespace := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
	return s.Live.Get(ctx, types.NamespacedName{Name: stored.key.Namespace}, namespace) == nil && !namespace.DeletionTimestamp.IsZero()
}

// judge says whose a Secret is that carries our label. One without a living owner,
// with the mark of a namesake, is what a restored backup holds.
func (s *Stored) judge(secret *corev1.Secret, part string) (*corev1.Secret, plan.SecretState, error) {
	controller := metav1.GetControllerOf(secret)
	mark := readRecord(secret).owner
	switch {
	case secret.Labels[LabelPart] != part:
		return nil, plan.Foreign, nil
	case metav1.IsControlledBy(secret, s.key):
		return secret, plan.Intact, nil
	case !s.want.Mark.Namesake(mark):
		return nil, plan.Foreign, nil
	case controller == nil || string(controller.UID) == mark.UID:
		return secret, plan.Inherited, nil
	}
	return nil, plan.Foreign, nil
}

// reveal sees to it that the cache will show a Secret of ours which it does not
// show: because it was written a moment ago, or because its labels were taken off.
func (s *Store) reveal(ctx context.Context, key types.NamespacedName, part string) error {
	secret := &corev1.Secret{}
	ctx = Unlogged(ctx)
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

// confirmPublished holds that the published Secret is still what was seen. That of the
// staging Secret is seen to by the write of it.
func (s *Store) confirmPublished(ctx context.Context, stored *Stored) error {
	if stored.publishedSecret == nil {
		return nil
	}
	key := client.ObjectKeyFromObject(stored.publishedSecret)
	metadata := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	if err := s.Live.Get(ctx, key, metadata); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("looking for Secret %s: %w", key, err)
	}
	if metadata.ResourceVersion == stored.publishedSecret.ResourceVersion {
		return nil
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing, RetryAfter: time.Second,
		Message: fmt.Sprintf("Secret %q has changed, which is about to be seen", key.Name),
	}
}

// Unlogged is for calls with a Secret in them: at the highest verbosity the client logs what
// it sends and reads.
func Unlogged(ctx context.Context) context.Context { return logr.NewContext(ctx, logr.Discard()) }

// HasStaged tells whether a credential was ever staged for the key.
func (s *Stored) HasStaged() bool { return s.stagedSecret != nil }

// write creates the Secret, or updates the one that was seen: its resource version
// makes a change by somebody else in between a conflict.
func (s *Store) write(ctx context.Context, secret *corev1.Secret) error {
	name := client.ObjectKeyFromObject(secret)
	ctx = Unlogged(ctx)
	if secret.ResourceVersion != "" {
		if err := s.Client.Update(ctx, secret); err != nil {
			return fmt.Errorf("writing Secret %s: %w", name, err)
		}
		return nil
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
		return fmt.Errorf("creating Secret %s: %w", name, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, stored *Stored, secret *corev1.Secret) error {
	if secret == nil {
		return nil
	}
	precondition := client.Preconditions{UID: &secret.UID}
	err := s.Client.Delete(Unlogged(ctx), secret, precondition)
	if client.IgnoreNotFound(err) != nil && !s.leaving(ctx, stored, err) {
		return fmt.Errorf("deleting Secret %s: %w", client.ObjectKeyFromObject(secret), err)
	}
	return nil
}

// Delete removes the key's Secrets, the staging one first: what is left then is
// never taken for a credential that is about to be registered.
func (s *Store) Delete(ctx context.Context, stored *Stored) error {
	if err := s.remove(ctx, stored, stored.stagedSecret); err != nil {
		return err
	}
	if err := s.remove(ctx, stored, stored.publishedSecret); err != nil {
		return err
	}
	stored.stagedSecret, stored.publishedSecret = nil, nil
	stored.Staged, stored.Published = plan.StagedSeen{State: plan.Absent}, plan.PublishedSeen{State: plan.Absent}
	stored.newest, stored.previous = identity.Credential{}, identity.Credential{}
	return nil
}

// HandOver leaves the published Secret to people, without a trace of ours, and
// deletes the staging one.
func (s *Store) HandOver(ctx context.Context, stored *Stored) error {
	if published := stored.publishedSecret; published != nil {
		secret := published.DeepCopy()
		secret.OwnerReferences = nil
		delete(secret.Labels, LabelPart)
		delete(secret.Labels, labelManagedBy)
		record{}.write(secret)
		delete(secret.Annotations, annotationOwner)
		if err := s.write(ctx, secret); client.IgnoreNotFound(err) != nil && !s.leaving(ctx, stored, err) {
			return err
		}
	}
	if err := s.remove(ctx, stored, stored.stagedSecret); err != nil {
		return err
	}
	if stored.publishedSecret != nil {
		stored.Published = plan.PublishedSeen{State: plan.Foreign}
	}
	stored.stagedSecret, stored.publishedSecret = nil, nil
	stored.Staged = plan.StagedSeen{State: plan.Absent}
	return nil
}
