package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// KeyVerb names what a step does.
type KeyVerb string

// The steps of a key, in the order in which they are taken.
const (
	// Mint makes a credential and keeps it in the staging Secret, before anybody else hears of it.
	Mint KeyVerb = "Mint"
	// Restage rebuilds a lost or edited staging Secret from the published one.
	Restage KeyVerb = "Restage"
	// Register tells the directory.
	Register KeyVerb = "Register"
	// Probe obtains a token to see that the credential works.
	Probe KeyVerb = "Probe"
	// Publish writes the Secret the agent mounts, once and whole.
	Publish KeyVerb = "Publish"
)

// KeyStep is one small repeatable step, with the reason for it.
type KeyStep struct {
	Verb   KeyVerb
	Reason string
}

// SecretState says what stands under the name of a Secret.
type SecretState string

// The states of a Secret.
const (
	// Absent: there is none.
	Absent SecretState = "Absent"
	// Foreign: there is one that is not this key's.
	Foreign SecretState = "Foreign"
	// Intact: it is this key's and holds what it should, as far as that can be told.
	Intact SecretState = "Intact"
	// Different: it is this key's and holds something else.
	Different SecretState = "Different"
)

// SecretSeen is one Secret as far as a decision needs it: never its material.
type SecretSeen struct {
	State SecretState
	// KeyID names the credential in it by what it is; empty when there is none that
	// could be one.
	KeyID string
}

// KeySeen is what a key's plan is made from.
type KeySeen struct {
	Staged    SecretSeen
	Published SecretSeen
	// Client is what the directory holds under the client id.
	Client *identity.ClientSeen
	// Role is what the directory holds for the role.
	Role identity.RoleSeen
	// RoleReady tells that the role's own status is Ready for its current spec.
	RoleReady bool
	// RoleRef is the role in words.
	RoleRef string
	// Permissions are the role's, sorted.
	Permissions []string
}

// KeyPlan is what to do about a key.
type KeyPlan struct {
	Steps []KeyStep
	// Then is what is left after the steps; nil when the key is then complete.
	Then error
}

// keyCheck looks at one thing that can be in the way.
type keyCheck struct {
	name string
	fn   func(desired.Key, KeySeen) error
}

// lookAgain is how soon something that a person did in the directory is looked at
// again, in case the person undoes it.
const lookAgain = 5 * time.Minute

// keyChecks are what must hold before any step, in this order.
func keyChecks() []keyCheck {
	return []keyCheck{
		{"ClientOurs", clientOurs},
		{"ClientActive", clientActive},
		{"SecretsOurs", secretsOurs},
		{"NotDeleted", notDeleted},
		{"CredentialTaken", credentialTaken},
		{"CredentialKnown", credentialKnown},
		{"RoleReady", roleReady},
	}
}

// Key plans a key.
func Key(want desired.Key, seen KeySeen) KeyPlan {
	for _, check := range keyChecks() {
		if err := check.fn(want, seen); err != nil {
			return KeyPlan{Then: err}
		}
	}
	var result KeyPlan
	switch {
	case restorable(seen):
		result.Steps = append(result.Steps, KeyStep{Restage, "only the published Secret holds the credential Okta knows"})
	case seen.Staged.State == Absent:
		result.Steps = append(result.Steps, KeyStep{Mint, "there is no credential yet"})
	}
	if seen.Client == nil {
		result.Steps = append(result.Steps, KeyStep{Register, "no client is registered for the key yet"})
	}
	if err := granted(want, seen); err != nil {
		result.Then = err
		return result
	}
	result.Steps = append(result.Steps, publish(seen)...)
	return result
}

func clientOurs(want desired.Key, seen KeySeen) error {
	if seen.Client == nil || seen.Client.Mark == want.Mark {
		return nil
	}
	return &identity.Error{
		Kind: identity.Conflict, Reason: identity.ReasonConflict,
		Message: fmt.Sprintf("client %s exists in Okta and does not belong to this key (%s); "+
			"deactivate and delete its app in Okta, or rename the key", want.ClientID, owner(seen.Client.Mark)),
	}
}

func clientActive(_ desired.Key, seen KeySeen) error {
	if seen.Client == nil || seen.Client.Active {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: "DeactivatedInDirectory", RetryAfter: lookAgain,
		Message: fmt.Sprintf("app %s was deactivated in Okta, which is respected; "+
			"activate it there to let the agent in again, or delete the key", seen.Client.ID),
	}
}

func secretsOurs(want desired.Key, seen KeySeen) error {
	name := ""
	switch {
	case seen.Published.State == Foreign:
		name = want.SecretName
	case seen.Staged.State == Foreign, want.SecretName == want.StagingName:
		name = want.StagingName
	default:
		return nil
	}
	return &identity.Error{
		Kind: identity.Conflict, Reason: "SecretConflict", RetryAfter: 30 * time.Second,
		Message: fmt.Sprintf("Secret %q exists and is not this key's, or is needed otherwise; "+
			"move the Secret away, or create the key anew under another name", name),
	}
}

// notDeleted respects that a person deleted the client: the credential was out
// already, so registering it again would let in whoever holds it.
func notDeleted(want desired.Key, seen KeySeen) error {
	if seen.Client != nil || seen.Published.State == Absent {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: "DeletedInDirectory", RetryAfter: lookAgain,
		Message: fmt.Sprintf("client %s was deleted in Okta, which is respected; "+
			"delete the key, and create it again for a new credential", want.ClientID),
	}
}

// credentialTaken holds that Okta still takes what it was registered with.
func credentialTaken(want desired.Key, seen KeySeen) error {
	if seen.Client == nil {
		return nil
	}
	if seen.Client.Method == want.Method && seen.Client.KeyID != "" &&
		(want.Method != identity.PrivateKeyJWT || slices.Contains(seen.Client.PublicKeyIDs, seen.Client.KeyID)) {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: "RevokedInDirectory", RetryAfter: lookAgain,
		Message: fmt.Sprintf("app %s no longer takes credential %s: somebody removed the key or changed how the client "+
			"authenticates; delete the key, and create it again for a new credential", seen.Client.ID, seen.Client.KeyID),
	}
}

// credentialKnown holds that the credential the directory knows is in a Secret of
// ours. Minting another in its place is a rotation, which is not done unasked.
func credentialKnown(want desired.Key, seen KeySeen) error {
	switch {
	case seen.Client == nil && (seen.Staged.State == Absent || seen.Staged.KeyID != ""):
		return nil
	case seen.Client == nil:
		return &identity.Error{
			Kind: identity.Rejected, Reason: "SecretLost",
			Message: fmt.Sprintf("Secret %q was edited and holds no credential; delete it, and a new one is made", want.StagingName),
		}
	case seen.Staged.KeyID == seen.Client.KeyID, restorable(seen):
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: "SecretLost",
		Message: fmt.Sprintf("credential %s, the one Okta knows, is in no Secret any more; "+
			"restore Secret %q from a backup, or delete the key and create it again", seen.Client.KeyID, want.StagingName),
	}
}

// restorable tells that the published Secret alone holds the credential the directory knows.
func restorable(seen KeySeen) bool {
	if seen.Client == nil || seen.Published.KeyID == "" {
		return false
	}
	return seen.Staged.KeyID != seen.Client.KeyID && seen.Published.KeyID == seen.Client.KeyID
}

// roleReady lets a key begin only when its role is complete. A key that is
// registered already does not stop working because its role is being changed.
func roleReady(_ desired.Key, seen KeySeen) error {
	if seen.RoleReady || seen.Client != nil {
		return nil
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: "RoleNotReady", RetryAfter: time.Minute,
		Message: fmt.Sprintf("AIAgentRole %s is not Ready, and nothing is created in Okta until it is; "+
			"see the conditions of the role", seen.RoleRef),
	}
}

// granted holds that the role's grant lists the client with exactly the role's permissions.
func granted(want desired.Key, seen KeySeen) error {
	grant := seen.Role.Grant
	if seen.Client != nil && seen.Role.Server != nil && grant != nil &&
		slices.Contains(grant.Clients, want.ClientID) && slices.Equal(grant.Permissions, seen.Permissions) {
		return nil
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: "WaitingForRole", RetryAfter: 10 * time.Second,
		Message: fmt.Sprintf("the access policy of AIAgentRole %s does not list the key with the role's permissions yet; "+
			"the role's controller does that next", seen.RoleRef),
	}
}

// publish probes a credential that no agent has seen yet, then writes the Secret.
func publish(seen KeySeen) []KeyStep {
	switch {
	case seen.Published.State == Absent:
		return []KeyStep{
			{Probe, "the credential is about to be published"},
			{Publish, "the Secret did not exist yet"},
		}
	case seen.Published.KeyID != seen.Client.KeyID:
		return []KeyStep{
			{Probe, "the credential is about to be published"},
			{Publish, "the Secret holds another credential"},
		}
	case seen.Published.State == Different:
		return []KeyStep{{Publish, "the Secret holds something else than it should"}}
	}
	return nil
}
