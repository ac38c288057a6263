package plan

import (
	"errors"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

var (
	keyMark     = identity.Mark{Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: "k", UID: "u1", Since: 100}
	permissions = []string{"chat", "logs"}
)

func wishedKey() desired.Key {
	return desired.Key{
		Mark: keyMark, ClientID: "aik-1", Label: "k8s/c/ns/k", Note: "note", Method: identity.PrivateKeyJWT,
		StagingName: "k.staged", SecretName: "k-okta", TokenLifetime: 15 * time.Minute, Deletion: desired.Delete,
		Rotation: desired.Rotation{Overlap: time.Hour, MaxOverlap: 24 * time.Hour},
	}
}

// complete is a key of which everything stands, published at 0.
func complete() KeySeen {
	return KeySeen{
		Staged:    StagedSeen{State: Intact, Newest: "kid-1", AppID: "0oa1", Created: at(0)},
		Published: PublishedSeen{State: Intact, KeyID: "kid-1", Since: at(0)},
		Client: &identity.ClientSeen{
			ID: "0oa1", ClientID: "aik-1", Mark: keyMark, Label: "k8s/c/ns/k", Note: "note", Method: identity.PrivateKeyJWT,
			Registered: "kid-1", PublicKeyIDs: []string{"kid-1"}, Active: true,
		},
		Role: identity.RoleSeen{
			Server: &identity.Server{ID: "aus1"},
			Grant:  &identity.Grant{Clients: []string{"aik-1"}, Permissions: permissions},
		},
		RoleReady: true, RoleRef: "ns/r", Permissions: permissions,
	}
}

// fresh is a key of which nothing stands yet.
func fresh() KeySeen {
	seen := complete()
	seen.Client, seen.Staged, seen.Published = nil, StagedSeen{State: Absent}, PublishedSeen{State: Absent}
	return seen
}

// rotating is a key whose second credential was minted a moment ago.
func rotating() KeySeen {
	seen := complete()
	seen.Staged.Newest, seen.Staged.Previous, seen.Staged.Retiring = "kid-2", "kid-1", []string{"kid-1"}
	return seen
}

// overlapping is a key whose second credential was published at 0.
func overlapping() KeySeen {
	seen := rotating()
	seen.Client.Registered, seen.Client.PublicKeyIDs = "kid-2", []string{"kid-1", "kid-2"}
	seen.Published.KeyID = "kid-2"
	return seen
}

type keyCase struct {
	reason string
	from   func() KeySeen // complete when nil
	want   func(*desired.Key)
	seen   func(*KeySeen)
	now    int // seconds

	verb   KeyVerb
	keyID  string
	kind   identity.Kind
	failed string // reason of the error
	again  time.Duration
}

func (tc keyCase) run(t *testing.T) {
	t.Helper()
	wish, seen := wishedKey(), complete()
	if tc.from != nil {
		seen = tc.from()
	}
	if tc.want != nil {
		tc.want(&wish)
	}
	if tc.seen != nil {
		tc.seen(&seen)
	}
	got := Key(wish, seen, at(tc.now))
	var verb KeyVerb
	keyID := ""
	if got.Step != nil {
		verb, keyID = got.Step.Verb, got.Step.KeyID
		if got.Step.Reason == "" {
			t.Errorf("%s: step %s has no reason", tc.reason, verb)
		}
	}
	if verb != tc.verb || keyID != tc.keyID {
		t.Errorf("%s: step %q %q, want %q %q", tc.reason, verb, keyID, tc.verb, tc.keyID)
	}
	if got.Again != tc.again {
		t.Errorf("%s: again in %v, want %v", tc.reason, got.Again, tc.again)
	}
	wantError(t, tc.reason, got.Err, tc.kind, tc.failed)
}

func TestKeyIssue(t *testing.T) {
	for name, tc := range map[string]keyCase{
		"Complete": {reason: "the plan of its own result is empty"},
		"Fresh":    {reason: "the credential is staged before the directory hears of it", from: fresh, verb: Mint},
		"RoleNotReady": {
			reason: "nothing is created for a role that is not complete", from: fresh,
			seen: func(s *KeySeen) { s.RoleReady = false }, kind: identity.Waiting, failed: "RoleNotReady",
		},
		"RoleMissing": {
			reason: "nor for none", from: fresh,
			seen: func(s *KeySeen) {
				s.RoleMissing = &identity.Error{Kind: identity.Waiting, Reason: "RoleNotFound", Message: "m"}
			},
			kind: identity.Waiting, failed: "RoleNotFound",
		},
		"RoleNotReadyLater": {
			reason: "a working key goes on while its role is being changed", seen: func(s *KeySeen) { s.RoleReady = false },
		},
		"Staged": {
			reason: "after a crash between staging and registering the staged credential is used, not a second one", from: fresh,
			seen: func(s *KeySeen) { s.Staged = StagedSeen{State: Intact, Newest: "kid-1"} }, verb: Register,
		},
		"StagedEditedBeforeRegistering": {
			reason: "an empty credential must not be registered; nobody has heard of it, so another one is made", from: fresh,
			seen: func(s *KeySeen) { s.Staged = StagedSeen{State: Different} }, verb: Mint,
		},
		"Registered": {
			reason: "the Secret that is about to be published will remember the client, so nothing is written for that",
			seen:   func(s *KeySeen) { s.Staged.AppID, s.Published = "", PublishedSeen{State: Absent} }, verb: Probe,
		},
		"RegisteredAnew": {
			reason: "the Secrets name the client, by which its deletion is told from its never having been",
			seen:   func(s *KeySeen) { s.Staged.AppID = "app-of-another-org" }, verb: NoteClient,
		},
		"NotListed": {
			reason: "a registered key waits until the role's policy lists it",
			seen: func(s *KeySeen) {
				s.Published = PublishedSeen{State: Absent}
				s.Role.Grant = &identity.Grant{Clients: []string{"aik-other"}, Permissions: permissions}
			},
			kind: identity.Waiting, failed: "WaitingForRole",
		},
		"NothingForAgents": {
			reason: "a role that gives its people something and agents nothing has no policy",
			seen:   func(s *KeySeen) { s.Permissions, s.Role.Grant = nil, nil },
			kind:   identity.Waiting, failed: "WaitingForRole",
		},
		"GrantWithOtherPermissions": {
			reason: "scopes in the Secret that the policy does not grant would be a lie",
			seen:   func(s *KeySeen) { s.Role.Grant.Permissions = []string{"chat"} },
			kind:   identity.Waiting, failed: "WaitingForRole",
		},
		"Granted": {
			reason: "a credential is proved before any agent sees it",
			seen:   func(s *KeySeen) { s.Published = PublishedSeen{State: Absent} }, verb: Probe,
		},
		"Probed": {
			reason: "and published then",
			seen:   func(s *KeySeen) { s.Published, s.Probed = PublishedSeen{State: Absent}, "kid-1" }, verb: Publish,
		},
		"InvalidSpec": {
			reason: "what admission could not check is told, and nothing is made of it", from: fresh,
			want: func(w *desired.Key) { w.Invalid = errors.New("spec.rotation.windows[0].start: no") },
			kind: identity.Rejected, failed: "InvalidSpec",
		},
	} {
		t.Run(name, tc.run)
	}
}

func TestKeySecrets(t *testing.T) {
	for name, tc := range map[string]keyCase{
		"PublishedRetouched": {
			reason: "a Secret that says something else beside the credential is put right",
			seen:   func(s *KeySeen) { s.Published.State = Different }, verb: Publish,
		},
		"PublishedEdited": {
			reason: "a Secret whose credential was edited is restored from the staged one, never by minting",
			seen:   func(s *KeySeen) { s.Published = PublishedSeen{State: Different} }, verb: Probe,
		},
		"StagingLost": {
			reason: "the staging Secret is rebuilt from the published one",
			seen:   func(s *KeySeen) { s.Staged = StagedSeen{State: Absent} }, verb: Restage,
		},
		"StagingEdited": {
			reason: "also when it holds something else: what Okta knows decides which copy is good",
			seen:   func(s *KeySeen) { s.Staged = StagedSeen{State: Different, AppID: "0oa1"} }, verb: Restage,
		},
		"BothLost": {
			reason: "when no copy is left, another credential is made, and the lost one is retired after the overlap",
			seen:   func(s *KeySeen) { s.Staged, s.Published = StagedSeen{State: Absent}, PublishedSeen{State: Absent} }, verb: Mint,
		},
		"BothOfAnotherTime": {
			reason: "a backup older than the last rotation: what has had its time is not let in again",
			seen: func(s *KeySeen) {
				s.Client.Registered, s.Client.PublicKeyIDs = "kid-9", []string{"kid-9"}
			},
			verb: Mint,
		},
		"BackupOfDuringAnOverlap": {
			reason: "also while the earlier one is still taken: the later one is nobody's otherwise",
			seen:   func(s *KeySeen) { s.Client.Registered, s.Client.PublicKeyIDs = "kid-2", []string{"kid-1", "kid-2"} }, verb: Mint,
		},
		"OldEditedWhileRotating": {
			reason: "the agent's Secret stays whole while a newer credential is under way", from: rotating,
			seen: func(s *KeySeen) { s.Published = PublishedSeen{State: Different} }, verb: PublishOld,
		},
		"NewestSpoiledWhileOverlapping": {
			reason: "but what is published already is not exchanged for the old one", from: overlapping,
			seen: func(s *KeySeen) { s.Staged.State, s.Staged.Newest = Different, "" }, verb: Restage,
		},
		"OldDeletedWhileRotating": {
			reason: "or comes back", from: rotating,
			seen: func(s *KeySeen) { s.Published = PublishedSeen{State: Absent} }, verb: PublishOld,
		},
		"ForeignSecret": {
			reason: "nothing is created in Okta while the Secret's name is taken", from: fresh,
			seen: func(s *KeySeen) { s.Published = PublishedSeen{State: Foreign} }, kind: identity.Conflict, failed: "SecretConflict",
		},
		"ForeignStaging": {
			reason: "a Secret that is not ours is never written, whatever its name", from: fresh,
			seen: func(s *KeySeen) { s.Staged = StagedSeen{State: Foreign} }, kind: identity.Conflict, failed: "SecretConflict",
		},
		"Inherited": {
			reason: "Secrets of a restored backup are taken over when they hold what Okta knows",
			seen:   func(s *KeySeen) { s.Staged.State, s.Published.State = Inherited, Inherited }, verb: Inherit,
		},
		"InheritedOfTheDeleted": {
			reason: "also when the client is gone: then that is what is told",
			seen:   func(s *KeySeen) { s.Client, s.Staged.State, s.Published.State = nil, Inherited, Inherited }, verb: Inherit,
		},
	} {
		t.Run(name, tc.run)
	}
}

func TestKeyPeople(t *testing.T) {
	earlier := keyMark
	earlier.UID, earlier.Since = "u0", 50
	foreign := keyMark
	foreign.UID = "u0"
	adopt := func(w *desired.Key) { w.Adopt = true }
	for name, tc := range map[string]keyCase{
		"NotListed": {
			reason: "a client that a list missed is looked at soon, not at the next list",
			seen:   func(s *KeySeen) { s.Client.LookAgain = time.Minute }, again: time.Minute,
		},
		"ForeignClient": {
			reason: "a client of another owner is not touched",
			seen:   func(s *KeySeen) { s.Client.Mark = foreign }, kind: identity.Conflict, failed: identity.ReasonConflict,
		},
		"RestoredClient": {
			reason: "that of an earlier namesake is, when its Secrets prove it",
			seen:   func(s *KeySeen) { s.Client.Mark = earlier }, verb: Update,
		},
		"RestoredClientStripped": {
			reason: "it needs a key before Okta takes another mark",
			seen: func(s *KeySeen) {
				s.Client.Mark, s.Client.PublicKeyIDs = earlier, nil
				s.Staged.Owner = earlier
			},
			verb: Mint,
		},
		"RestoredClientRotatedSince": {
			reason: "or carry its mark, although they are older than its last rotation",
			seen: func(s *KeySeen) {
				s.Client.Mark, s.Client.Registered, s.Client.PublicKeyIDs = earlier, "kid-2", []string{"kid-2"}
				s.Staged.State, s.Staged.Owner = Inherited, earlier
			},
			verb: Update,
		},
		"NamesakesClient": {
			reason: "and not without: a name alone proves nothing",
			seen: func(s *KeySeen) {
				s.Client.Mark, s.Staged, s.Published = earlier, StagedSeen{State: Absent}, PublishedSeen{State: Absent}
			},
			kind: identity.Conflict, failed: identity.ReasonConflict,
		},
		"Adopt": {
			reason: "an unmarked client is taken over on request", from: fresh, want: adopt,
			seen: func(s *KeySeen) {
				s.Client = complete().Client
				s.Client.Mark, s.Client.Note = identity.Mark{}, "Made by hand.\n"+keyMark.Consent()
			},
			verb: Adopt,
		},
		"AdoptUnasked": {
			reason: "but only when the app itself says that it may be: a key can name every client of the org", from: fresh, want: adopt,
			seen: func(s *KeySeen) { s.Client = complete().Client; s.Client.Mark = identity.Mark{} },
			kind: identity.Rejected, failed: "AdoptionFailed",
		},
		"AdoptOrphan": {
			reason: "what a key of the same namespace left behind needs no permission", from: fresh, want: adopt,
			seen: func(s *KeySeen) { s.Client = complete().Client; s.Client.Mark = foreign }, verb: Adopt,
		},
		"AdoptOrphanOfAnother": {
			reason: "what one of another namespace left behind does", from: fresh, want: adopt,
			seen: func(s *KeySeen) {
				s.Client = complete().Client
				s.Client.Mark = foreign
				s.Client.Mark.Namespace = "other"
			},
			kind: identity.Rejected, failed: "AdoptionFailed",
		},
		"AdoptOfTheLiving": {
			reason: "of two claimants the first keeps it", from: fresh, want: adopt,
			seen: func(s *KeySeen) { s.Client = complete().Client; s.Client.Mark, s.OwnerLives = foreign, true },
			kind: identity.Conflict, failed: identity.ReasonConflict,
		},
		"AdoptOfAnotherCluster": {
			reason: "and one of another cluster is that cluster's", from: fresh, want: adopt,
			seen: func(s *KeySeen) { s.Client = complete().Client; s.Client.Mark = identity.Mark{Cluster: "d", UID: "x"} },
			kind: identity.Conflict, failed: identity.ReasonConflict,
		},
		"AdoptOfAnotherMethod": {
			reason: "its users would be locked out", from: fresh, want: adopt,
			seen: func(s *KeySeen) {
				s.Client = complete().Client
				s.Client.Mark, s.Client.Method, s.Client.Note = identity.Mark{}, identity.ClientSecretBasic, keyMark.Consent()
			},
			kind: identity.Rejected, failed: "AdoptionFailed",
		},
		"AdoptNothing": {
			reason: "what is not there cannot be adopted", from: fresh, want: adopt, kind: identity.Rejected, failed: "AdoptionFailed",
		},
		"Adopted": {
			reason: "an adopted client is given a credential of the key's", want: adopt,
			seen: func(s *KeySeen) {
				s.Client.Registered, s.Client.PublicKeyIDs = "", []string{"theirs"}
				s.Published = PublishedSeen{State: Absent}
			},
			verb: Add,
		},
		"Deactivated": {
			reason: "a person's deactivation is respected",
			seen:   func(s *KeySeen) { s.Client.Active = false }, kind: identity.Rejected, failed: "DeactivatedInDirectory",
		},
		"Deleted": {
			reason: "a person's deletion is respected: the credential was out already",
			seen:   func(s *KeySeen) { s.Client = nil }, kind: identity.Rejected, failed: "DeletedInDirectory",
		},
		"DeletedAndTheSecretToo": {
			reason: "also when the published Secret went with it",
			seen:   func(s *KeySeen) { s.Client, s.Published = nil, PublishedSeen{State: Absent} },
			kind:   identity.Rejected, failed: "DeletedInDirectory",
		},
		"DeletedUnnoted": {
			reason: "and when only the status still says that this credential was out",
			seen:   unnotedAfter("kid-1"), kind: identity.Rejected, failed: "DeletedInDirectory",
		},
		"DeletedBeforeItWasOut": {
			reason: "a credential that nobody was given is registered again; the status speaks of an earlier one",
			seen:   unnotedAfter("kid-0"), verb: Register,
		},
		"DeletedAndWantedAnew": {
			reason: "a request begins anew, with another credential",
			want:   func(w *desired.Key) { w.Request = "2" }, seen: func(s *KeySeen) { s.Client = nil }, verb: Withdraw,
		},
		"KeyRemoved": {
			reason: "a credential that somebody removed is replaced",
			seen:   func(s *KeySeen) { s.Client.PublicKeyIDs = nil }, verb: Mint,
		},
		"KeyRemovedReported": {
			reason: "or reported", want: func(w *desired.Key) { w.ReportDrift = true },
			seen: func(s *KeySeen) { s.Client.PublicKeyIDs = []string{"planted"} }, kind: identity.Rejected, failed: "RevokedInDirectory",
		},
		"MethodChanged": {
			reason: "Ready must not say what Okta would refuse",
			seen:   func(s *KeySeen) { s.Client.Method = identity.ClientSecretBasic }, kind: identity.Rejected, failed: "RevokedInDirectory",
		},
		"Relabelled": {
			reason: "what a person changed is changed back",
			seen:   func(s *KeySeen) { s.Client.Label, s.Client.Touched = "Bot", true }, verb: Update,
		},
		"RelabelledReported": {
			reason: "or reported", want: func(w *desired.Key) { w.ReportDrift = true },
			seen: func(s *KeySeen) { s.Client.Label, s.Client.Touched = "Bot", true }, kind: identity.Rejected, failed: "Drifted",
		},
		"OwnersEditedReported": {
			reason: "a change of the spec is no drift", want: func(w *desired.Key) { w.ReportDrift, w.Note = true, "other owners" }, verb: Update,
		},
		"SettingsChanged": {
			reason: "so is every setting",
			seen:   func(s *KeySeen) { s.Client.Altered, s.Client.Touched = []string{"grant_types"}, true }, verb: Update,
		},
	} {
		t.Run(name, tc.run)
	}
}
