package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// clientOurs holds that the client is this key's. That of an earlier namesake is
// taken over when the namesake's Secrets prove that this key is what it was restored
// as; that of nobody only when spec.adopt asks for it.
func clientOurs(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	c := seen.Client
	switch {
	case c == nil && want.Adopt && seen.Published.State == Absent:
		return blocked(identity.Rejected, "AdoptionFailed", lookAgain,
			"no client %s is found in Okta; spec.adopt.clientID must be the id of an OIDC service app; "+
				"create the key anew with the right one", want.ClientID)
	case c == nil || c.Mark == want.Mark:
		return KeyNext{}
	case want.Mark.Succeeds(c.Mark) && proved(seen) && keyless(c):
		return KeyNext{} // Okta takes no change of it before it has a key again
	case want.Mark.Succeeds(c.Mark) && proved(seen):
		return step(Update, "the client is that of the key this one was restored from")
	case want.Adopt:
		return adopted(want, seen)
	}
	return blocked(identity.Conflict, identity.ReasonConflict, 0,
		"client %s exists in Okta and does not belong to this key (%s); "+
			"deactivate and delete its app in Okta, rename the key, or create it with spec.adopt.clientID", want.ClientID, owner(c.Mark))
}

// adopted takes over what nobody has any more, or never had. Whoever may write keys
// could name any client of the org, so an app of nobody, or of another namespace, must
// say itself that it may be taken: that only an administrator of Okta can write.
func adopted(want desired.Key, seen KeySeen) KeyNext {
	c := seen.Client
	switch {
	case !c.Mark.IsZero() && c.Mark.Cluster != want.Mark.Cluster:
		return blocked(identity.Conflict, identity.ReasonConflict, 0,
			"client %s cannot be adopted: %s; let that cluster's key go first, with deletionPolicy Retain", want.ClientID, owner(c.Mark))
	case seen.OwnerLives:
		return blocked(identity.Conflict, identity.ReasonConflict, 0,
			"client %s cannot be adopted: %s, which exists; delete that one first, with deletionPolicy Retain",
			want.ClientID, owner(c.Mark))
	case c.Mark.Namespace != want.Mark.Namespace && !want.Mark.ConsentedIn(c.Note):
		return blocked(identity.Rejected, "AdoptionFailed", lookAgain,
			"app %s is not this namespace's, and its administrators have not allowed it to be adopted; "+
				"to allow it, add to the app's notes for administrators in Okta the line %s", c.ID, want.Mark.Consent())
	case c.Method != want.Method:
		return blocked(identity.Rejected, "AdoptionFailed", lookAgain,
			"app %s authenticates with %s, which is not the key's delivery; create the key anew with the delivery that fits",
			c.ID, c.Method)
	}
	return step(Adopt, "spec.adopt asks for it")
}

// proved tells that the Secrets are those of the client's owner: they carry its mark,
// or hold a credential that the client takes. Who can write such Secrets into the
// namespace could as well adopt what is left behind there.
func proved(seen KeySeen) bool {
	c, staged, published := seen.Client, seen.Staged, seen.Published
	return staged.State.usable() && (staged.Owner == c.Mark || takes(c, staged.Newest)) ||
		published.State.usable() && (published.Owner == c.Mark || takes(c, published.KeyID))
}

// keyless tells a client that should sign and has nothing to sign with.
func keyless(c *identity.ClientSeen) bool {
	return c.Method == identity.PrivateKeyJWT && len(c.PublicKeyIDs) == 0
}

// takes tells whether the client takes the credential. Of a client with secrets
// nothing but the name of the newest is known.
func takes(c *identity.ClientSeen, keyID string) bool {
	if c == nil || keyID == "" {
		return false
	}
	if c.Method == identity.PrivateKeyJWT {
		return slices.Contains(c.PublicKeyIDs, keyID)
	}
	return c.Registered == keyID
}

func specValid(want desired.Key, _ KeySeen, _ time.Time) KeyNext {
	if want.Invalid == nil {
		return KeyNext{}
	}
	return blocked(identity.Rejected, "InvalidSpec", 0, "%v", want.Invalid)
}

// secretsOurs holds that both Secrets are the key's. Those of an earlier namesake are
// taken over: that their client is the key's, or gone, was asked before.
func secretsOurs(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	name := ""
	switch {
	case seen.Published.State == Foreign:
		name = want.SecretName
	case seen.Staged.State == Foreign, want.SecretName == want.StagingName:
		name = want.StagingName
	case seen.Published.State == Inherited || seen.Staged.State == Inherited:
		return step(Inherit, "the Secrets are those of the key this one was restored from")
	default:
		return KeyNext{}
	}
	return blocked(identity.Conflict, "SecretConflict", 30*time.Second,
		"Secret %q exists and is not this key's, or is needed otherwise; "+
			"move the Secret away, or create the key anew under another name", name)
}

// notDeleted respects that a person deleted the client: the credential was out
// already, so registering it again would let in whoever holds it. On request all is
// begun anew.
func notDeleted(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	out := seen.Published.State != Absent || seen.Staged.AppID != "" || seen.Staged.Newest != "" && seen.Staged.Newest == seen.Reported
	if seen.Client != nil || !out {
		return KeyNext{}
	}
	if want.Adopt {
		return blocked(identity.Rejected, "DeletedInDirectory", lookAgain,
			"client %s was deleted in Okta, which is respected; delete the key", want.ClientID)
	}
	if requested(want, seen) {
		return step(Withdraw, "its client was deleted in Okta, and a new one is asked for")
	}
	return blocked(identity.Rejected, "DeletedInDirectory", lookAgain,
		"client %s was deleted in Okta, which is respected; delete the key, "+
			"or have a new client and credential made by setting the annotation agentidentity.dev/rotate to a new value", want.ClientID)
}

// methodKept holds that the client still authenticates as it was registered.
// Changing that back could not be told from letting in who holds an old credential.
func methodKept(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	if seen.Client == nil || seen.Client.Method == want.Method {
		return KeyNext{}
	}
	return blocked(identity.Rejected, "RevokedInDirectory", lookAgain,
		"app %s no longer takes credential %s: somebody changed how the client authenticates; "+
			"change it back to %s in Okta, or delete the key and create it again", seen.Client.ID, seen.Client.Registered, want.Method)
}

func roleKnown(_ desired.Key, seen KeySeen, _ time.Time) KeyNext {
	return KeyNext{Err: seen.RoleMissing}
}

// roleReady lets a key begin only when its role is complete. A key that is
// registered already does not stop working because its role is being changed.
func roleReady(_ desired.Key, seen KeySeen, _ time.Time) KeyNext {
	if seen.RoleReady || seen.Client != nil {
		return KeyNext{}
	}
	return blocked(identity.Waiting, "RoleNotReady", time.Minute,
		"AIAgentRole %s is not Ready, and nothing is created in Okta until it is; "+
			"see the conditions of the role", seen.RoleRef)
}

// conditioned holds a client to the conditions on its tokens, whatever is wrong about the
// rest of the key. Okta takes no change of one that has no key.
func conditioned(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	c := seen.Client
	if c == nil || c.Mark != want.Mark || seen.Unconditioned != nil || c.Conditions.Equal(want.Conditions) || keyless(c) {
		return KeyNext{}
	}
	return step(Update, "an AccessPolicy says otherwise from where and how agents get tokens")
}

// unconditioned lets no client begin of which it is not known from where it may get tokens.
func unconditioned(_ desired.Key, seen KeySeen, _ time.Time) KeyNext {
	if seen.Client != nil {
		return KeyNext{}
	}
	return KeyNext{Err: seen.Unconditioned}
}

func registered(_ desired.Key, seen KeySeen, _ time.Time) KeyNext {
	if seen.Client != nil {
		return KeyNext{}
	}
	return step(Register, "no client is registered for the key yet")
}

// noted holds that the Secrets name the client: by it a client that somebody
// renamed is found, and one that somebody deleted is told from one that never was. The first
// Secret to be published says it, which is no write of its own; until then the status does.
func noted(_ desired.Key, seen KeySeen, _ time.Time) KeyNext {
	if seen.Staged.AppID == seen.Client.ID || seen.Staged.AppID == "" && seen.Published.State == Absent {
		return KeyNext{}
	}
	return step(NoteClient, "the Secrets do not name the client")
}

// updated holds that the client says of itself what it should: above all the name of
// the newest credential, for it is what tells ours from others' after a loss.
func updated(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	if seen.Client.Registered != seen.Staged.Newest {
		return step(Update, "the client does not name the newest credential yet")
	}
	if different := differences(want, seen.Client); len(different) > 0 && (!want.ReportDrift || !seen.Client.Touched) {
		return step(Update, "in Okta is different: "+strings.Join(different, ", "))
	}
	return KeyNext{}
}

// differences names what of the client is not as it should be.
func differences(want desired.Key, c *identity.ClientSeen) []string {
	var different []string
	if c.Label != want.Label {
		different = append(different, "label")
	}
	if c.Note != want.Note {
		different = append(different, "note")
	}
	return append(different, c.Altered...)
}

// notDrifted comes last: what a person changed is told of, and holds nothing up.
func notDrifted(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	different := differences(want, seen.Client)
	if len(different) == 0 {
		return KeyNext{}
	}
	return blocked(identity.Rejected, "Drifted", lookAgain,
		"somebody changed app %s in Okta (%s), and driftPolicy is Report; change it back there, or set driftPolicy to Enforce",
		seen.Client.ID, strings.Join(different, ", "))
}

// granted holds that the role's grant lists the client with exactly the role's permissions.
func granted(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	grant := seen.Role.Grant
	if seen.Client != nil && seen.Role.Server != nil && grant != nil &&
		slices.Contains(grant.Clients, want.ClientID) && slices.Equal(grant.Permissions, seen.Permissions) {
		return KeyNext{}
	}
	if len(seen.Permissions) == 0 {
		return blocked(identity.Waiting, "WaitingForRole", lookAgain,
			"AIAgentRole %s gives its people okta.* permissions, and agents none; add one for agents, or bind the key to another role", seen.RoleRef)
	}
	return blocked(identity.Waiting, "WaitingForRole", 10*time.Second,
		"the access policy of AIAgentRole %s does not list the key with the role's permissions yet; "+
			"the role's controller does that next", seen.RoleRef)
}

// ForeignCredentials names the credentials that the client takes and that are not the
// key's. Of a client that is not the key's itself it names none: they are its owner's.
func ForeignCredentials(want desired.Key, seen KeySeen) []string {
	if seen.Client == nil || seen.Client.Mark != want.Mark {
		return nil
	}
	ours := append([]string{seen.Staged.Newest, seen.Client.Registered}, Retiring(seen)...)
	return slices.DeleteFunc(slices.Clone(seen.Client.PublicKeyIDs), func(keyID string) bool { return slices.Contains(ours, keyID) })
}

// owner says in words to whom a mark belongs.
func owner(mark identity.Mark) string {
	if mark.IsZero() {
		return "it carries no mark of this operator"
	}
	return fmt.Sprintf("it is marked for %s of cluster %s, uid %s", mark.Ref(), mark.Cluster, mark.UID)
}
