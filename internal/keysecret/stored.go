package keysecret

import (
	"reflect"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// Stored is what the Secrets of one key hold. The Store's writing methods bring it up
// to date.
type Stored struct {
	Staged    plan.StagedSeen
	Published plan.PublishedSeen

	key  *v1alpha1.AgentAPIKey
	want desired.Key
	// newest and previous are the staged credentials; without a KeyID when there is none.
	newest, previous identity.Credential
	// token is the access token that is delivered, and old the one before it.
	token, oldToken identity.Secret
	stagedSecret    *corev1.Secret
	publishedSecret *corev1.Secret
	keys            parsed
}

// Credential is the newest one; without a KeyID when nothing is staged.
func (s *Stored) Credential() identity.Credential { return s.newest }

// Tokens are the access tokens that were obtained and may not have expired.
func (s *Stored) Tokens() []identity.Secret {
	return slices.DeleteFunc([]identity.Secret{s.token, s.oldToken}, identity.Secret.IsZero)
}

// AppID is the directory's id of the client, as far as either Secret remembers.
func (s *Stored) AppID() string {
	for _, secret := range []*corev1.Secret{s.stagedSecret, s.publishedSecret} {
		if secret != nil {
			if id := readRecord(secret).appID; id != "" {
				return id
			}
		}
	}
	return ""
}

// Edition says which edition of its data a published Secret is.
type Edition struct {
	// Revision counts the changes; 0 while nothing is published.
	Revision int
	// Changed is when the data became what it is.
	Changed time.Time
	// Rotating tells that another credential is about to be published.
	Rotating bool
}

// Edition is that of the key's published Secret.
func (s *Stored) Edition() Edition {
	if s.publishedSecret == nil {
		return Edition{}
	}
	r := readRecord(s.publishedSecret)
	return Edition{Revision: r.revision, Changed: r.changed, Rotating: s.Staged.Newest != "" && s.Staged.Newest != r.keyID}
}

// read tells what the Secrets hold, whoever they are from.
func (s *Stored) read() {
	s.readStaged()
	s.readPublished()
	s.readSuspension()
}

// readSuspension believes either Secret.
func (s *Stored) readSuspension() {
	s.Staged.Suspended, s.Staged.Quarantined = false, nil
	for _, secret := range []*corev1.Secret{s.stagedSecret, s.publishedSecret} {
		if secret == nil {
			continue
		}
		r := readRecord(secret)
		s.Staged.Suspended = s.Staged.Suspended || r.suspended
		if r.quarantined != "" && !slices.Contains(s.Staged.Quarantined, r.quarantined) {
			s.Staged.Quarantined = append(s.Staged.Quarantined, r.quarantined)
		}
	}
}

// readStaged leaves Newest empty of a staging Secret that holds no credential of the
// name it should have, because somebody edited it.
func (s *Stored) readStaged() {
	secret := s.stagedSecret
	if secret == nil {
		return
	}
	r := readRecord(secret)
	s.Staged.Owner = r.owner
	s.Staged.Created, s.Staged.Request, s.Staged.Retiring = r.created, r.request, r.retiring
	s.Staged.AppID = s.AppID()
	s.Staged.Newest, s.Staged.Previous = "", ""
	s.newest, s.previous = identity.Credential{}, identity.Credential{}
	if c, err := s.credentialIn(secret.Data, ""); err == nil && c.KeyID == r.keyID {
		s.newest, s.Staged.Newest = c, c.KeyID
	} else if s.Staged.State == plan.Intact {
		s.Staged.State = plan.Different
	}
	if c, err := s.credentialIn(secret.Data, prefixPrevious); err == nil && slices.Contains(r.retiring, c.KeyID) {
		s.previous, s.Staged.Previous = c, c.KeyID
	}
	s.token, s.oldToken = identity.NewSecret(secret.Data[KeyAccessToken]), identity.NewSecret(secret.Data[prefixPrevious+KeyAccessToken])
	s.Staged.TokenExpires, s.Staged.TokenScopes = time.Time{}, nil
	if !s.token.IsZero() {
		s.Staged.TokenExpires, s.Staged.TokenScopes = r.tokenExpires, r.tokenScopes
	}
}

// readPublished names the published credential by what it is, where its shape lets
// it be found; else it is told by Compare.
func (s *Stored) readPublished() {
	secret := s.publishedSecret
	if secret == nil {
		return
	}
	r := readRecord(secret)
	s.Published.Owner, s.Published.Filled = r.owner, len(secret.Data) > 0
	s.Published.Since, s.Published.Request, s.Published.KeyID = r.published, r.request, ""
	s.Staged.AppID = s.AppID()
	if c, err := s.publishedCredential(); err == nil {
		s.Published.KeyID = c.KeyID
	}
}

// Compare holds the published Secret against what it should be for the credential it
// claims to hold.
func (s *Stored) Compare(doc Document) {
	secret := s.publishedSecret
	if secret == nil || s.Published.State == plan.Inherited {
		return
	}
	s.Published.State = plan.Different
	r := readRecord(secret)
	for _, c := range []identity.Credential{s.newest, s.previous} {
		if c.KeyID == "" || c.KeyID != r.keyID {
			continue
		}
		data, err := s.render(doc, c)
		if err == nil && reflect.DeepEqual(data, secret.Data) && !r.published.IsZero() && r.owner == s.want.Mark {
			s.Published.State, s.Published.KeyID = plan.Intact, c.KeyID
		}
	}
}
