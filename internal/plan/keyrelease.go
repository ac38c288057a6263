package plan

import (
	"github.com/agentidentity/agent-identity-operator/internal/desired"
)

// Release says what comes next for a key that is being deleted: the client by the
// key's deletion policy, then the Secrets. It ends with DropSecrets. The key is not let
// go before it is certain that no live client of it is left unseen.
func Release(want desired.Key, seen KeySeen) KeyStep {
	c := seen.Client
	switch {
	case c == nil && !seen.Gone:
		return KeyStep{Verb: ConfirmAbsence, Reason: "no client is seen"}
	case c == nil || c.Mark != want.Mark:
		return KeyStep{Verb: DropSecrets, Reason: "there is no client of the key"}
	case want.Deletion != desired.Retain, seen.Quarantine != "" && c.Active:
		return endAccess(want, seen)
	case keyless(c):
		// Okta takes no change of it, not even the mark off; without a key it lets nobody in.
		return KeyStep{Verb: DropSecrets, Reason: "the client has no key and stays as it is"}
	case seen.Staged.State.usable() || seen.Published.State.usable():
		// Before the client: without its mark the Secrets would be taken for left over.
		return KeyStep{Verb: HandOver, Reason: "deletionPolicy is Retain"}
	}
	return KeyStep{Verb: Disown, Reason: "deletionPolicy is Retain"}
}

func endAccess(want desired.Key, seen KeySeen) KeyStep {
	c := seen.Client
	switch {
	case c.Active && !seen.Staged.TokenExpires.IsZero() && !seen.Revoked:
		return KeyStep{Verb: Revoke, Reason: "the key is deleted"}
	case c.Active:
		return KeyStep{Verb: Deactivate, Reason: "the key is deleted"}
	case want.Deletion == desired.Deactivate:
		return KeyStep{Verb: DropSecrets, Reason: "the client is inactive, and deletionPolicy is Deactivate"}
	}
	return KeyStep{Verb: Delete, Reason: "the key is deleted"}
}
