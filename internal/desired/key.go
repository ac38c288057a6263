package desired

import (
	"fmt"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/schedule"
)

// Deletion says what becomes of a client whose key is deleted.
type Deletion string

// The deletions; see v1alpha1.DeletionPolicy.
const (
	Delete     Deletion = Deletion(v1alpha1.DeletionDelete)
	Retain     Deletion = Deletion(v1alpha1.DeletionRetain)
	Deactivate Deletion = Deletion(v1alpha1.DeletionDeactivate)
)

// Key is what should stand in the directory and in Secrets for an AgentAPIKey.
type Key struct {
	Mark     identity.Mark
	ClientID string
	Label    string
	Note     string
	Method   identity.AuthMethod
	// Adopt tells that the client was made by somebody else.
	Adopt bool
	// DeliversToken tells that the agent gets access tokens and never the key.
	DeliversToken bool
	// TokenLifetime is how long an access token lives.
	TokenLifetime time.Duration
	// Conditions say from where and how its client gets tokens.
	Conditions identity.TokenConditions
	// StagingName and SecretName are Secrets in the key's namespace.
	StagingName string
	SecretName  string
	// Preset or Template is the shape of the published Secret; both may be empty.
	Preset   string
	Template map[string]string
	Rotation Rotation
	// Request is the rotation request of the object's annotation; "" for none.
	Request string
	// Suspended and ExpiresAt say when the key has no access; ExpiresAt may be zero.
	Suspended bool
	ExpiresAt time.Time
	Owners    []string
	// ReportDrift leaves alone what somebody changed in the directory.
	ReportDrift bool
	Deletion    Deletion
	// Invalid says what of the object cannot be translated; nil when all of it can.
	Invalid error
}

// Rotation says when a credential is replaced.
type Rotation struct {
	// Every is the age; zero for never.
	Every time.Duration
	// Overlap and MaxOverlap bound how long the one before stays valid.
	Overlap    time.Duration
	MaxOverlap time.Duration
	Windows    schedule.Windows
}

// How long an earlier credential stays valid when the object does not say.
const (
	defaultOverlap    = time.Hour
	defaultMaxOverlap = 24 * time.Hour
)

// KeyMark is the mark of an AgentAPIKey.
func KeyMark(key *v1alpha1.AgentAPIKey, cluster string) identity.Mark {
	return identity.Mark{
		Cluster: cluster, Kind: "AgentAPIKey", Namespace: key.Namespace, Name: key.Name,
		UID: string(key.UID), Since: key.CreationTimestamp.Unix(),
	}
}

// KeyOf translates an AgentAPIKey.
func KeyOf(key *v1alpha1.AgentAPIKey, settings Settings) Key {
	spec := &key.Spec
	want := ClientOf(key, settings)
	want.Note = note(key)
	want.Method = method(spec.Delivery)
	want.DeliversToken = spec.Delivery == v1alpha1.DeliveryAccessToken
	want.TokenLifetime = settings.TokenLifetime
	want.StagingName = StagingName(key.Name)
	want.SecretName = string(spec.Secret.Name)
	want.Preset = string(spec.Secret.Preset)
	want.Request = key.Annotations[v1alpha1.AnnotationRotate]
	want.Suspended = spec.State == v1alpha1.StateSuspended
	want.Owners = spec.Agent.Owners
	want.ReportDrift = spec.DriftPolicy == v1alpha1.DriftReport
	want.Deletion = Deletion(spec.DeletionPolicy)
	if len(spec.Secret.Template) > 0 {
		want.Template = make(map[string]string, len(spec.Secret.Template))
		for name, text := range spec.Secret.Template {
			want.Template[name] = string(text)
		}
	}
	if spec.ExpiresAt != nil {
		want.ExpiresAt = spec.ExpiresAt.Time
	}
	want.Rotation, want.Invalid = rotation(spec.Rotation)
	if len(want.Request) > maxRequest {
		want.Invalid = fmt.Errorf("annotation %s: must be at most %d characters", v1alpha1.AnnotationRotate, maxRequest)
	}
	return want
}

// ClientOf is as much of it as tells which client is the key's: what a role asks of each of its
// keys, again and again.
func ClientOf(key *v1alpha1.AgentAPIKey, settings Settings) Key {
	mark := KeyMark(key, settings.Cluster)
	want := Key{Mark: mark, ClientID: ClientID(settings.Cluster, key.Namespace, key.Name), Label: Label(mark)}
	if key.Spec.Adopt != nil {
		want.Adopt, want.ClientID = true, key.Spec.Adopt.ClientID
	}
	return want
}

// maxRequest bounds the annotation that asks for a rotation: it is kept in the status.
const maxRequest = 256

func rotation(spec *v1alpha1.Rotation) (Rotation, error) {
	r := Rotation{Overlap: defaultOverlap}
	if spec == nil {
		spec = &v1alpha1.Rotation{}
	}
	if spec.Every != nil {
		r.Every = spec.Every.Duration
	}
	if spec.Overlap != nil {
		r.Overlap = spec.Overlap.Duration
	}
	r.MaxOverlap = max(defaultMaxOverlap, r.Overlap)
	if spec.MaxOverlap != nil {
		r.MaxOverlap = spec.MaxOverlap.Duration
		if spec.Overlap == nil {
			r.Overlap = min(r.Overlap, r.MaxOverlap)
		}
	}
	windows := make([]schedule.Window, 0, len(spec.Windows))
	for _, w := range spec.Windows {
		windows = append(windows, schedule.Window{Start: w.Start, Duration: w.Duration.Duration, TimeZone: w.TimeZone})
	}
	var err error
	r.Windows, err = schedule.Parse(windows)
	return r, err
}

// method is how a client with that delivery proves itself.
func method(delivery v1alpha1.Delivery) identity.AuthMethod {
	if delivery == v1alpha1.DeliveryClientSecret {
		return identity.ClientSecretBasic
	}
	return identity.PrivateKeyJWT
}

func note(key *v1alpha1.AgentAPIKey) string {
	lines := []string{fmt.Sprintf("Agent %s, managed by AgentAPIKey %s/%s.", key.Spec.Agent.Name, key.Namespace, key.Name)}
	if key.Spec.Agent.Purpose != "" {
		lines = append(lines, "Purpose: "+key.Spec.Agent.Purpose)
	}
	if len(key.Spec.Agent.Owners) > 0 {
		lines = append(lines, "Owners: "+strings.Join(key.Spec.Agent.Owners, ", "))
	}
	return strings.Join(lines, "\n")
}

// Hint is what the key's client may be found by. appID is where it was seen last, as
// far as anybody remembers. An adopted client has the client id Okta gave it, which is
// the app's.
func (k Key) Hint(appID string) identity.ClientHint {
	if appID == "" && k.Adopt {
		appID = k.ClientID
	}
	return identity.ClientHint{Label: k.Label, ID: appID}
}

// Registration is the wish for the key's client with a credential.
func (k Key) Registration(credential identity.Credential) identity.Registration {
	return identity.Registration{
		Mark: k.Mark, ClientID: k.ClientID, Label: k.Label, Note: k.Note, Credential: credential,
		Conditions: k.Conditions,
	}
}
