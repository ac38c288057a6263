package keysecret

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// stagedType tells people and policies that no pod should mount the Secret.
const stagedType corev1.SecretType = "agentidentity.dev/staged-credential"

// prefixPrevious leads the data keys of what was before, in the staging Secret.
const prefixPrevious = "previous_"

// Mint makes a credential and stages it. What is staged already stays beside it, if
// it is the credential named previous. It is an error of kind Waiting when the published
// Secret is not what the cache has shown, for that may be why.
func (s *Store) Mint(ctx context.Context, stored *Stored, now time.Time, previous string, retiring []string) error {
	if err := s.confirmPublished(ctx, stored); err != nil {
		return err
	}
	credential, err := mint(stored.want.Method)
	if err != nil {
		return err
	}
	before := identity.Credential{}
	for _, c := range []identity.Credential{stored.newest, stored.previous} {
		if c.KeyID != "" && c.KeyID == previous {
			before = c
			break
		}
	}
	return s.stage(ctx, stored, func(secret *corev1.Secret, r *record) {
		r.keyID, r.created, r.retiring = credential.KeyID, now, retiring
		if request := stored.want.Request; request != "" {
			r.request = request
		}
		clearMaterial(secret.Data)
		putMaterial(secret.Data, "", credential)
		putMaterial(secret.Data, prefixPrevious, before)
	})
}

// Restage rebuilds the staging Secret from the published one. named is the credential
// the client names: when it is another one, its material is lost, and it is retired.
func (s *Store) Restage(ctx context.Context, stored *Stored, named string) error {
	credential, err := stored.publishedCredential()
	if err != nil {
		return fmt.Errorf("restaging from Secret %s: %w", stored.want.SecretName, err)
	}
	known := readRecord(stored.publishedSecret)
	return s.stage(ctx, stored, func(secret *corev1.Secret, r *record) {
		r.keyID, r.created, r.request, r.appID = credential.KeyID, known.created, known.request, known.appID
		r.suspended, r.quarantined = known.suspended, known.quarantined
		for _, name := range append(known.retiring, named) {
			if name != "" && name != credential.KeyID && !slices.Contains(r.retiring, name) {
				r.retiring = append(r.retiring, name)
			}
		}
		r.retiring = slices.DeleteFunc(r.retiring, func(name string) bool { return name == credential.KeyID })
		clearMaterial(secret.Data)
		putMaterial(secret.Data, "", credential)
	})
}

// Forget takes the earlier credentials out of the staging Secret.
func (s *Store) Forget(ctx context.Context, stored *Stored) error {
	return s.stage(ctx, stored, func(secret *corev1.Secret, r *record) {
		r.retiring = nil
		delete(secret.Data, prefixPrevious+KeyPrivateKey)
		delete(secret.Data, prefixPrevious+KeyClientSecret)
	})
}

// NoteClient writes the id of the client into the staging Secret.
func (s *Store) NoteClient(ctx context.Context, stored *Stored, appID string) error {
	return s.stage(ctx, stored, func(_ *corev1.Secret, r *record) { r.appID = appID })
}

// NoteSuspension writes down in both Secrets that it is us who deactivate the client, or
// takes that off: with one of them lost, the other still tells.
func (s *Store) NoteSuspension(ctx context.Context, stored *Stored, suspended bool) error {
	return s.note(ctx, stored, func(_ *corev1.Secret, r *record) { r.suspended = suspended })
}

// NoteQuarantine writes down in both Secrets which credential is in quarantine, and that
// it is us who deactivate the client. A staging Secret that was lost is there again then,
// without a credential.
func (s *Store) NoteQuarantine(ctx context.Context, stored *Stored, keyID string) error {
	note := func(_ *corev1.Secret, r *record) { r.suspended, r.quarantined = true, keyID }
	if stored.stagedSecret == nil {
		if err := s.stage(ctx, stored, note); err != nil {
			return err
		}
	}
	return s.note(ctx, stored, note)
}

// NoteCleansing takes the note of the quarantine off, and then the earlier credentials out.
func (s *Store) NoteCleansing(ctx context.Context, stored *Stored) error {
	if err := s.note(ctx, stored, func(_ *corev1.Secret, r *record) { r.quarantined = "" }); err != nil {
		return err
	}
	return s.Forget(ctx, stored)
}

// note writes into both Secrets, as far as they are there and in reach.
func (s *Store) note(ctx context.Context, stored *Stored, note func(*corev1.Secret, *record)) error {
	if stored.stagedSecret != nil {
		if err := s.stage(ctx, stored, note); err != nil && !s.leaving(ctx, stored, err) {
			return err
		}
	}
	if stored.publishedSecret != nil {
		secret := stored.publishedSecret.DeepCopy()
		r := readRecord(secret)
		note(secret, &r)
		r.write(secret)
		if err := s.write(ctx, secret); err != nil && !s.leaving(ctx, stored, err) {
			return err
		}
		stored.publishedSecret = secret
	}
	stored.read()
	return nil
}

// KeepToken stages an access token. The one before is kept beside it, so that it can
// be revoked while it may be in use.
func (s *Store) KeepToken(ctx context.Context, stored *Stored, token identity.AccessToken, scopes []string) error {
	return s.stage(ctx, stored, func(secret *corev1.Secret, r *record) {
		delete(secret.Data, prefixPrevious+KeyAccessToken)
		if !stored.token.IsZero() {
			secret.Data[prefixPrevious+KeyAccessToken] = stored.token.Reveal()
		}
		secret.Data[KeyAccessToken] = token.Token.Reveal()
		r.tokenExpires, r.tokenScopes = token.Expires, scopes
	})
}

// Blank takes the access tokens out of both Secrets, the published one first.
func (s *Store) Blank(ctx context.Context, stored *Stored) error {
	if stored.publishedSecret != nil {
		secret := stored.publishedSecret.DeepCopy()
		r := readRecord(secret)
		secret.Data = nil
		r.keyID, r.tokenExpires, r.revision = "", time.Time{}, r.revision+1
		r.write(secret)
		if err := s.write(ctx, secret); err != nil {
			return err
		}
		stored.publishedSecret = secret
	}
	err := s.stage(ctx, stored, func(secret *corev1.Secret, r *record) {
		delete(secret.Data, KeyAccessToken)
		delete(secret.Data, prefixPrevious+KeyAccessToken)
		r.tokenExpires, r.tokenScopes = time.Time{}, nil
	})
	stored.readPublished()
	return err
}

// stage writes the staging Secret with a change.
func (s *Store) stage(ctx context.Context, stored *Stored, change func(*corev1.Secret, *record)) error {
	secret := stored.fresh(stored.stagedSecret, stored.want.StagingName, partStaged, stagedType)
	r := readRecord(secret)
	r.owner, r.appID = stored.want.Mark, stored.AppID()
	change(secret, &r)
	r.write(secret)
	if err := s.own(stored, secret); err != nil {
		return err
	}
	if err := s.write(ctx, secret); err != nil {
		return err
	}
	stored.stagedSecret = secret
	stored.Staged.State = plan.Intact
	stored.readStaged()
	return nil
}

// Publish writes the published Secret with the newest credential, once and whole.
func (s *Store) Publish(ctx context.Context, stored *Stored, doc Document, now time.Time) error {
	return s.publish(ctx, stored, doc, stored.newest, now)
}

// PublishOld does so with the credential before it.
func (s *Store) PublishOld(ctx context.Context, stored *Stored, doc Document, now time.Time) error {
	return s.publish(ctx, stored, doc, stored.previous, now)
}

func (s *Store) publish(ctx context.Context, stored *Stored, doc Document, c identity.Credential, now time.Time) error {
	data, err := stored.render(doc, c)
	if err != nil {
		return err
	}
	secret := stored.fresh(stored.publishedSecret, stored.want.SecretName, partPublished, stored.publishedType())
	before := readRecord(secret)
	staged := readRecord(stored.stagedSecret)
	r := record{
		owner: stored.want.Mark, keyID: c.KeyID, created: staged.created, request: staged.request, retiring: staged.retiring,
		appID: cmp.Or(doc.AppID, staged.appID), published: before.published, changed: before.changed, revision: before.revision,
		tokenExpires: staged.tokenExpires,
	}
	if c.KeyID != staged.keyID {
		r.created, r.request = before.created, before.request
	}
	if before.keyID != c.KeyID || before.published.IsZero() {
		r.published = now
	}
	if !reflect.DeepEqual(data, secret.Data) {
		r.revision, r.changed = r.revision+1, now
	}
	secret.Data = data
	r.write(secret)
	if err := s.own(stored, secret); err != nil {
		return err
	}
	if err := s.write(ctx, secret); err != nil {
		return err
	}
	stored.publishedSecret = secret
	stored.Published.State = plan.Intact
	stored.readPublished()
	stored.Compare(doc)
	return nil
}

// Inherit makes this key the owner of the Secrets of an earlier namesake.
func (s *Store) Inherit(ctx context.Context, stored *Stored, doc Document) error {
	for _, each := range []struct {
		secret **corev1.Secret
		part   string
	}{{&stored.stagedSecret, partStaged}, {&stored.publishedSecret, partPublished}} {
		if *each.secret == nil {
			continue
		}
		secret := stored.fresh(*each.secret, (*each.secret).Name, each.part, (*each.secret).Type)
		r := readRecord(secret)
		r.owner = stored.want.Mark
		r.write(secret)
		secret.OwnerReferences = nil
		if err := s.own(stored, secret); err != nil {
			return err
		}
		if err := s.write(ctx, secret); err != nil {
			return err
		}
		*each.secret = secret
	}
	for _, state := range []*plan.SecretState{&stored.Staged.State, &stored.Published.State} {
		if *state == plan.Inherited {
			*state = plan.Intact
		}
	}
	stored.read()
	stored.Compare(doc)
	return nil
}

func (s *Store) own(stored *Stored, secret *corev1.Secret) error {
	if err := controllerutil.SetControllerReference(stored.key, secret, s.Client.Scheme()); err != nil {
		return fmt.Errorf("owning Secret %s/%s: %w", secret.Namespace, secret.Name, err)
	}
	return nil
}

// fresh is a copy of the Secret to change, or a new one.
func (s *Stored) fresh(seen *corev1.Secret, name, part string, kind corev1.SecretType) *corev1.Secret {
	if seen != nil {
		secret := seen.DeepCopy()
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		return secret
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.key.Namespace, Name: name,
			Labels: map[string]string{labelManagedBy: managedBy, LabelPart: part},
		},
		Type: kind, Data: map[string][]byte{},
	}
}

func clearMaterial(data map[string][]byte) {
	for _, prefix := range []string{"", prefixPrevious} {
		delete(data, prefix+KeyPrivateKey)
		delete(data, prefix+KeyClientSecret)
	}
}

func putMaterial(data map[string][]byte, prefix string, c identity.Credential) {
	switch {
	case c.KeyID == "":
	case c.Method == identity.PrivateKeyJWT:
		data[prefix+KeyPrivateKey] = c.Material.Reveal()
	default:
		data[prefix+KeyClientSecret] = c.Material.Reveal()
	}
}
