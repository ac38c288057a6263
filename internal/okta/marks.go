package okta

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// maxPolicyDescription is Okta's limit for the description of an access policy.
	maxPolicyDescription = 255
	// uidLength and maxSince bound what Kubernetes gives its objects, for as long as
	// it will last.
	uidLength = 36
	maxSince  = 999_999_999_999
)

// operatorMark is the mark of what belongs to no one object: the authorization
// server, and the scopes that roles share.
func operatorMark(cluster string) identity.Mark {
	return identity.Mark{Cluster: cluster, Kind: "Operator", Namespace: "-", Name: "-", UID: "-"}
}

// withMark writes a mark on a line of its own behind a text.
func withMark(text string, mark identity.Mark) string {
	if text == "" {
		return mark.String()
	}
	return text + "\n" + mark.String()
}

// splitMark undoes withMark. The last mark counts: the text before it comes from
// people, who could write the mark of somebody else into it.
func splitMark(description string) (string, identity.Mark) {
	lines := strings.Split(description, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		mark, ok := identity.ParseMark(lines[i])
		if !ok {
			continue
		}
		return strings.Join(append(lines[:i:i], lines[i+1:]...), "\n"), mark
	}
	return description, identity.Mark{}
}

// policyMark is the mark as it fits into the description of an access policy: of
// an owner with a very long name the end is replaced by a digest. How much is left of
// the name depends on it alone, so that namesakes stay namesakes.
func policyMark(mark identity.Mark) identity.Mark { return shortMark(mark, maxPolicyDescription) }

// shortMark is the mark as it fits into limit characters.
func shortMark(mark identity.Mark, limit int) identity.Mark {
	longest := mark
	longest.UID, longest.Since = mark.UID+strings.Repeat("-", max(0, uidLength-len(mark.UID))), max(mark.Since, maxSince)
	over := len(longest.String()) - limit
	if over <= 0 {
		return mark
	}
	sum := sha256.Sum256([]byte(mark.Name))
	// A tilde cannot stand in a Kubernetes name, so no other owner has this one.
	tail := "~" + hex.EncodeToString(sum[:8])
	keep := max(0, len(mark.Name)-over-len(tail))
	mark.Name = mark.Name[:keep] + tail
	return mark
}
