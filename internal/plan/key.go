package plan

import (
	"fmt"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// KeyVerb names what a step does.
type KeyVerb string

// The steps of a key.
const (
	// Inherit takes the Secrets of an earlier namesake over, as after a restored backup.
	Inherit KeyVerb = "Inherit"
	// Mint makes a credential and keeps it in the staging Secret, before anybody else
	// hears of it. The one before stays beside it.
	Mint KeyVerb = "Mint"
	// Restage rebuilds a lost or edited staging Secret from the published one.
	Restage KeyVerb = "Restage"
	// Register creates the client in the directory.
	Register KeyVerb = "Register"
	// Adopt takes over a client that somebody else made.
	Adopt KeyVerb = "Adopt"
	// NoteClient writes down which client it is.
	NoteClient KeyVerb = "NoteClient"
	// Withdraw deletes both Secrets, whose client is gone.
	Withdraw KeyVerb = "Withdraw"
	// Add lets the client take the newest credential too.
	Add KeyVerb = "Add"
	// Update writes all that the client says of itself, the name of the newest
	// credential among it.
	Update KeyVerb = "Update"
	// Probe obtains a token to see that the newest credential works.
	Probe KeyVerb = "Probe"
	// Obtain obtains the access token that is delivered and keeps it in the staging Secret.
	Obtain KeyVerb = "Obtain"
	// Publish writes the Secret the agent mounts, once and whole.
	Publish KeyVerb = "Publish"
	// PublishOld puts a lost or edited Secret right while a new credential is under way.
	PublishOld KeyVerb = "PublishOld"
	// CountPods looks for running pods that still have an earlier credential.
	CountPods KeyVerb = "CountPods"
	// Retire ends an earlier credential in the directory.
	Retire KeyVerb = "Retire"
	// Forget takes the earlier credentials out of the staging Secret.
	Forget KeyVerb = "Forget"
	// NoteSuspension writes down that it is us who deactivate the client.
	NoteSuspension KeyVerb = "NoteSuspension"
	// Revoke ends the access tokens the operator obtained.
	Revoke KeyVerb = "Revoke"
	// Deactivate ends the issue of tokens.
	Deactivate KeyVerb = "Deactivate"
	// Blank takes the access token out of both Secrets.
	Blank KeyVerb = "Blank"
	// Activate lets tokens be issued again.
	Activate KeyVerb = "Activate"
	// ConfirmAbsence makes sure that no client is left which nobody sees.
	ConfirmAbsence KeyVerb = "ConfirmAbsence"
	// Delete deletes the client.
	Delete KeyVerb = "Delete"
	// Disown leaves the client to people.
	Disown KeyVerb = "Disown"
	// HandOver leaves the published Secret to people and deletes the staging one.
	HandOver KeyVerb = "HandOver"
	// DropSecrets deletes both Secrets.
	DropSecrets KeyVerb = "DropSecrets"
	// NoteResumption takes the note of the suspension off.
	NoteResumption KeyVerb = "NoteResumption"
	// NoteQuarantine writes down which credential is in quarantine.
	NoteQuarantine KeyVerb = "NoteQuarantine"
	// NoteCleansing takes the note of the quarantine off.
	NoteCleansing KeyVerb = "NoteCleansing"
)

// KeyStep is one small repeatable step, with the reason for it.
type KeyStep struct {
	Verb   KeyVerb
	Reason string
	// KeyID names the credential to Retire.
	KeyID string
}

// SecretState says what stands under the name of a Secret.
type SecretState string

// The states of a Secret.
const (
	// Absent: there is none.
	Absent SecretState = "Absent"
	// Foreign: there is one that is not this key's.
	Foreign SecretState = "Foreign"
	// Inherited: it was an earlier namesake's, of which nothing else is left.
	Inherited SecretState = "Inherited"
	// Intact: it is this key's and holds what it should, as far as that can be told.
	Intact SecretState = "Intact"
	// Different: it is this key's and holds something else.
	Different SecretState = "Different"
)

// usable tells that something may be read from the Secret.
func (s SecretState) usable() bool { return s == Intact || s == Different || s == Inherited }

// ours tells that the Secret is the key's to change.
func (s SecretState) ours() bool { return s == Intact || s == Different }

// StagedSeen is the staging Secret as far as a decision needs it: never its material.
type StagedSeen struct {
	State SecretState
	// Owner is the mark that stands on it.
	Owner identity.Mark
	// Newest names the credential that is, or is about to be, the key's; empty when
	// the Secret holds none that fits its name.
	Newest string
	// Previous names the one before it, while its material is kept; may be empty.
	Previous string
	// Retiring names all earlier ones the directory may still take, Previous among them.
	Retiring []string
	// Created is when the newest was made; zero when nobody knows.
	Created time.Time
	// Request is the rotation request the newest was made for, or that was carried
	// out before it was made.
	Request string
	// AppID is the directory's id of the client, as either Secret says; "" while neither does.
	AppID string
	// Suspended tells that it was us who deactivated the client, as either Secret says.
	Suspended bool
	// Quarantined names the credentials that were the newest when a quarantine began, as
	// the Secrets say; they must never work again.
	Quarantined []string
	// TokenExpires is when the access token kept in it expires; zero when there is none.
	TokenExpires time.Time
	// TokenScopes are the permissions it was obtained for, sorted.
	TokenScopes []string
}

// PublishedSeen is the published Secret, likewise.
type PublishedSeen struct {
	State SecretState
	// Owner is the mark that stands on it.
	Owner identity.Mark
	// KeyID names the credential in it; empty when there is none that can be told.
	KeyID string
	// Filled tells that it holds anything.
	Filled bool
	// Since is when that credential was first published; zero when nobody knows.
	Since time.Time
	// Request is as in StagedSeen.
	Request string
}

// KeySeen is what a key's plan is made from.
type KeySeen struct {
	Staged    StagedSeen
	Published PublishedSeen
	// Reported names the credential that was published, as the key's status says.
	Reported string
	// Client is what the directory holds under the client id.
	Client *identity.ClientSeen
	// OwnerLives tells that the object the client's mark names exists.
	OwnerLives bool
	// Quarantine says why the key is in quarantine; "" while it is not.
	Quarantine string
	// Exceeds says what the key asks for that its namespace may not; "" for nothing.
	Exceeds string
	// Unfit says why the key cannot be held to the conditions on its tokens; "" when it can.
	Unfit string
	// Unconditioned says why it is not known from where and how the client may get
	// tokens; nil when that is known.
	Unconditioned error
	// Role is what the directory holds for the role.
	Role identity.RoleSeen
	// RoleMissing says why the key has no role; nil when it has one.
	RoleMissing error
	// RoleReady tells that the role's own status is Ready for its current spec.
	RoleReady bool
	// RoleRef is the role in words.
	RoleRef string
	// Permissions are the role's, sorted.
	Permissions []string
	// Minted tells that the newest credential was made a moment ago.
	Minted bool
	// Added names the credential that the client was given a moment ago.
	Added string
	// Probed names the credential with which a token was obtained a moment ago.
	Probed string
	// PodsCounted tells that Holders is known.
	PodsCounted bool
	// Holders are the running pods that still have an earlier credential, sorted.
	Holders []string
	// Full says that the client has room for no further credential; nil when it has,
	// as far as anybody knows.
	Full error
	// Retired names the credentials that were ended a moment ago.
	Retired []string
	// Revoked tells that the kept access tokens were revoked a moment ago.
	Revoked bool
	// Gone tells that it is certain that there is no client.
	Gone bool
}

// KeyNext is what to do about a key: a step, or an error that says what is in the
// way, or neither, when the key is complete.
type KeyNext struct {
	Step *KeyStep
	Err  error
	// Again is when to look again although nothing happens; zero for never.
	Again time.Duration
}

// keyRule looks at one thing: it gives a step, an error, or nothing, and then the
// next rule is asked.
type keyRule struct {
	name string
	fn   func(desired.Key, KeySeen, time.Time) KeyNext
}

// lookAgain is how soon something that a person did in the directory is looked at
// again, in case the person undoes it.
const lookAgain = 5 * time.Minute

// keyRules are asked in this order, which is the specification. Taking access away comes
// first, which nothing else may hold up; then what is somebody else's, which must win over
// everything we could do; then what is needed to give access.
func keyRules() []keyRule {
	return []keyRule{
		{"Suspended", suspended},
		{"ClientOurs", clientOurs},
		{"Conditioned", conditioned},
		{"SpecValid", specValid},
		{"SecretsOurs", secretsOurs},
		{"Cleansed", cleansed},
		{"ClientActive", clientActive},
		{"NotDeleted", notDeleted},
		{"MethodKept", methodKept},
		{"RoleKnown", roleKnown},
		{"RoleReady", roleReady},
		{"Unconditioned", unconditioned},
		{"OldPublished", oldPublished},
		{"Minted", minted},
		{"Registered", registered},
		{"Noted", noted},
		{"Added", added},
		{"Updated", updated},
		{"Granted", granted},
		{"Published", published},
		{"Retired", retired},
		{"Rotated", rotated},
		{"NotDrifted", notDrifted},
	}
}

// Key says what comes next for a key. Whoever takes the step brings seen up to date
// and asks again: the plan of a complete key is empty.
func Key(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	again := untilExpiry(want, now)
	if seen.Client != nil {
		again = Sooner(again, seen.Client.LookAgain)
	}
	for _, rule := range keyRules() {
		next := rule.fn(want, seen, now)
		again = Sooner(again, next.Again)
		if next.Step != nil || next.Err != nil {
			return KeyNext{Step: next.Step, Err: next.Err, Again: again}
		}
	}
	return KeyNext{Again: again}
}

// Sooner is the shorter of two waits, of which zero is none.
func Sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func step(verb KeyVerb, reason string) KeyNext {
	return KeyNext{Step: &KeyStep{Verb: verb, Reason: reason}}
}

func blocked(kind identity.Kind, reason string, again time.Duration, format string, args ...any) KeyNext {
	return KeyNext{Err: &identity.Error{Kind: kind, Reason: reason, RetryAfter: again, Message: fmt.Sprintf(format, args...)}}
}
