package plan

import (
	"slices"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// quarantined is a working key that a quarantine has just named.
func quarantined() KeySeen {
	seen := complete()
	seen.Quarantine, seen.Published.Filled = "why", true
	return seen
}

// releasedFrom is a key that was cut off, and of which the quarantine has let go.
func releasedFrom() KeySeen {
	seen := complete()
	seen.Client.Active = false
	seen.Staged.Suspended, seen.Staged.Quarantined = true, []string{"kid-1"}
	seen.Published.State, seen.Published.KeyID = Different, ""
	return seen
}

// replacing is one whose new credential was minted a moment ago.
func replacing() KeySeen {
	seen := releasedFrom()
	seen.Staged.Newest, seen.Staged.Previous, seen.Staged.Retiring = "kid-2", "kid-1", []string{"kid-1"}
	return seen
}

func TestKeyQuarantine(t *testing.T) {
	cut := func(s *KeySeen) {
		s.Client.Active, s.Staged.Suspended, s.Staged.Quarantined = false, true, []string{"kid-1"}
	}
	for name, tc := range map[string]keyCase{
		"Named": {
			reason: "which credential is in quarantine is written down before the client is deactivated", from: quarantined, verb: NoteQuarantine,
		},
		"Noted": {
			reason: "then access ends", from: quarantined, seen: func(s *KeySeen) { s.Staged.Suspended, s.Staged.Quarantined = true, []string{"kid-1"} }, verb: Deactivate,
		},
		"StagingLost": {
			reason: "the client names the credential that others may have, though the staging Secret was deleted", from: quarantined,
			seen: func(s *KeySeen) { s.Staged = StagedSeen{State: Absent} }, verb: NoteQuarantine,
		},
		"NothingToNote": {
			reason: "access ends though there is no place to say so", from: quarantined,
			seen: func(s *KeySeen) { s.Staged, s.Published = StagedSeen{State: Foreign}, PublishedSeen{State: Absent} }, verb: Deactivate,
		},
		"Namesake": {
			reason: "a client that the key has not proved to be its own is cut off as well", from: quarantined,
			seen: func(s *KeySeen) {
				s.Client.Mark.UID, s.Client.Mark.Since = "older", s.Client.Mark.Since-100
				s.Staged, s.Published = StagedSeen{State: Foreign}, PublishedSeen{State: Absent}
			},
			verb: Deactivate,
		},
		"Stranger": {
			reason: "a client of somebody else is not", from: quarantined,
			seen: func(s *KeySeen) { s.Client.Mark.Name = "other" }, kind: identity.Conflict, failed: identity.ReasonConflict,
		},
		"NoteSpoiled": {
			reason: "a note that names what nobody knows keeps no credential", from: releasedFrom,
			seen: func(s *KeySeen) { s.Staged.Quarantined = []string{"x"} }, verb: Mint,
		},
		"OneNoteSpoiled": {
			reason: "nor does one of two", from: releasedFrom,
			seen: func(s *KeySeen) { s.Staged.Quarantined = []string{"x", "kid-1"} }, verb: Mint,
		},
		"NoteSpoiledOnce": {
			reason: "and the credential is replaced once, though the note is still there", from: releasedFrom,
			seen: func(s *KeySeen) {
				s.Staged.Quarantined, s.Staged.Newest, s.Staged.Retiring, s.Minted = []string{"x"}, "kid-2", []string{"kid-1"}, true
			}, verb: Add,
		},
		"SuspendedBefore": {
			reason: "of a key that its team has suspended it is written down all the same", from: quarantined,
			seen: func(s *KeySeen) { s.Client.Active, s.Staged.Suspended = false, true }, verb: NoteQuarantine,
		},
		"CutOff": {
			reason: "the agent's Secret must not hold the credential any more", from: quarantined, seen: cut, verb: Blank,
		},
		"Blank": {
			reason: "nothing is left to do", from: quarantined,
			seen: func(s *KeySeen) { cut(s); s.Published.Filled = false }, kind: identity.Rejected, failed: "Quarantined",
		},
		"Released":  {reason: "the credential that others may have is replaced", from: releasedFrom, verb: Mint},
		"Minted":    {reason: "the client takes the new one", from: replacing, verb: Add},
		"Added":     {reason: "and names it", from: replacing, seen: func(s *KeySeen) { s.Client.PublicKeyIDs = []string{"kid-1", "kid-2"} }, verb: Update},
		"Named2":    {reason: "the old one ends before access comes back", from: replacing, seen: replaced, verb: Retire, keyID: "kid-1"},
		"Retired":   {reason: "then the quarantine is over", from: replacing, seen: ended, verb: NoteCleansing},
		"Cleansed":  {reason: "and access comes back", from: replacing, seen: func(s *KeySeen) { ended(s); s.Staged.Quarantined = nil; s.Staged.Retiring = nil }, verb: Activate},
		"LostToo":   {reason: "a credential that is in no Secret any more is replaced as well", from: releasedFrom, seen: func(s *KeySeen) { s.Staged.Newest = "" }, verb: Mint},
		"Untouched": {reason: "a key that never was in quarantine is none of this rule's", verb: ""},
	} {
		t.Run(name, func(t *testing.T) { tc.run(t) })
	}
}

func replaced(s *KeySeen) {
	s.Client.PublicKeyIDs, s.Client.Registered = []string{"kid-1", "kid-2"}, "kid-2"
}

func ended(s *KeySeen) {
	replaced(s)
	s.Client.PublicKeyIDs, s.Retired = slices.Clone([]string{"kid-2"}), []string{"kid-1"}
}
