package keysecret

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// LabelPart is on every Secret of ours and no other; the operator watches by it.
	LabelPart = "agentidentity.dev/part"

	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "agent-identity-operator"
	partStaged     = "staged"
	partPublished  = "published"
)

// What stands in the annotations of both Secrets. Nothing in them is secret; all of
// it comes back with a backup of the Secrets, so that a status is never needed.
const (
	annotationOwner   = "agentidentity.dev/owner"
	annotationKeyID   = "agentidentity.dev/key-id"
	annotationCreated = "agentidentity.dev/created-at"
	annotationRequest = "agentidentity.dev/rotate-request"
	// annotationRetiring names earlier credentials Okta may still take.
	annotationRetiring = "agentidentity.dev/retiring-key-ids"
	annotationAppID    = "agentidentity.dev/app-id"
	// annotationSuspended is there while it is us who deactivated the client.
	annotationSuspended = "agentidentity.dev/suspended"
	// annotationQuarantined names the credential that was the newest when a quarantine began.
	annotationQuarantined = "agentidentity.dev/quarantined-key-id"
	// annotationPublished is when the credential was first published.
	annotationPublished = "agentidentity.dev/published-at"
	// annotationChanged is when the published data last changed.
	annotationChanged = "agentidentity.dev/changed-at"
	// annotationRevision counts the changes of the published data.
	annotationRevision     = "agentidentity.dev/revision"
	annotationTokenExpires = "agentidentity.dev/token-expires-at"
	annotationTokenScopes  = "agentidentity.dev/token-scopes"
)

// record is what the annotations of a Secret of ours say.
type record struct {
	owner     identity.Mark
	keyID     string
	created   time.Time
	request   string
	retiring  []string
	appID     string
	suspended bool
	// quarantined names a credential.
	quarantined string
	// published, changed and revision stand on the published Secret only.
	published time.Time
	changed   time.Time
	revision  int
	// tokenExpires and tokenScopes speak of the access token that is delivered.
	tokenExpires time.Time
	tokenScopes  []string
}

func readRecord(secret *corev1.Secret) record {
	at := secret.Annotations
	owner, _ := identity.ParseMark(at[annotationOwner])
	revision, _ := strconv.Atoi(at[annotationRevision])
	return record{
		owner: owner, keyID: at[annotationKeyID], created: readTime(at[annotationCreated]),
		request: at[annotationRequest], retiring: readNames(at[annotationRetiring]), appID: at[annotationAppID],
		suspended: at[annotationSuspended] != "", quarantined: at[annotationQuarantined], published: readTime(at[annotationPublished]),
		changed: readTime(at[annotationChanged]), revision: revision,
		tokenExpires: readTime(at[annotationTokenExpires]), tokenScopes: readNames(at[annotationTokenScopes]),
	}
}

// write puts the record into the annotations and leaves those of other people alone.
func (r record) write(secret *corev1.Secret) {
	values := map[string]string{
		annotationOwner: r.owner.String(), annotationKeyID: r.keyID, annotationCreated: writeTime(r.created),
		annotationRequest: r.request, annotationRetiring: strings.Join(r.retiring, " "), annotationAppID: r.appID,
		annotationSuspended: "", annotationQuarantined: r.quarantined,
		annotationPublished: writeTime(r.published), annotationChanged: writeTime(r.changed), annotationRevision: "",
		annotationTokenExpires: writeTime(r.tokenExpires), annotationTokenScopes: strings.Join(r.tokenScopes, " "),
	}
	if r.suspended {
		values[annotationSuspended] = "true"
	}
	if r.revision > 0 {
		values[annotationRevision] = strconv.Itoa(r.revision)
	}
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	for name, value := range values {
		if value == "" {
			delete(secret.Annotations, name)
			continue
		}
		secret.Annotations[name] = value
	}
}

// readTime gives the zero time for what is none: then nobody knows.
func readTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

func writeTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// readNames gives nil for no names, so that records can be compared.
func readNames(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Fields(text)
}
