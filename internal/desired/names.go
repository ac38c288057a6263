package desired

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	maxLabel      = 100 // Okta: an app's label
	maxGroupName  = 255 // Okta: profile.name of a group
	maxPolicyName = 100 // Okta: names of policies and rules on an authorization server
	maxAdminLabel = 100 // custom admin roles and resource sets: Okta names no limit
	maxSecretName = 253 // Kubernetes: names of Secrets
)

// ClientID derives the OAuth client id of a key from where it lives, so that every
// try, of whichever process, asks Okta for the same one. Okta takes 6 to 100
// characters and keeps client ids unique in the org.
func ClientID(cluster, namespace, name string) string {
	return "aik-" + digest(26, "client", cluster, namespace, name)
}

// GroupName is the name of a role's group; Okta keeps group names unique.
func GroupName(mark identity.Mark) string {
	return fit(path(mark), maxGroupName)
}

// Label is the label of a key's app in Okta's console.
func Label(mark identity.Mark) string {
	return fit(path(mark), maxLabel)
}

// GrantName is the name of a role's access policy and of its rule.
func GrantName(mark identity.Mark) string {
	return fit(path(mark), maxPolicyName)
}

// AdminLabel is the label of a role's custom admin role and of its resource set. Paths are
// made of labels, so it has no slashes; only the last part can hold a dot.
func AdminLabel(mark identity.Mark) string {
	return fit(strings.ReplaceAll(path(mark), "/", "."), maxAdminLabel)
}

// path has slashes, which no part can hold, so that the parts of two owners never
// run into each other.
func path(mark identity.Mark) string {
	return fmt.Sprintf("k8s/%s/%s/%s", mark.Cluster, mark.Namespace, mark.Name)
}

// StagingName is the name of the Secret in which the operator keeps a key's credential.
func StagingName(name string) string {
	const suffix = ".staged-credential"
	return fit(name, maxSecretName-len(suffix)) + suffix
}

// fit shortens text to limit bytes; what is cut is replaced by a digest of the
// whole, so that two long names stay two.
func fit(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	tail := "-" + digest(10, text)
	return strings.TrimRight(text[:limit-len(tail)], "-./") + tail
}

// digest is n characters of a-z and 2-7 that stand for parts.
func digest(n int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:n]
}
