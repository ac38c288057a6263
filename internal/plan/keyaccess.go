package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Warning is how long before a key expires people are warned.
const Warning = 14 * 24 * time.Hour

// suspended takes access away and keeps it away, while the spec says so or the key
// has expired. Tokens are revoked while the client can still ask for that.
func suspended(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	reason, message := suspension(want, seen, now)
	c := seen.Client
	if reason == "" || c != nil && c.Mark != want.Mark && !want.Mark.Namesake(c.Mark) {
		return KeyNext{} // what is somebody else's is told of next
	}
	switch {
	case c != nil && c.Active:
		return shutOut(seen, message)
	case unnoted(seen):
		return step(NoteQuarantine, message)
	case !seen.Staged.TokenExpires.IsZero(), seen.Quarantine != "" && seen.Published.State.ours() && seen.Published.Filled:
		return step(Blank, message)
	}
	return blocked(identity.Rejected, reason, lookAgain, "%s", message)
}

// Shut says what comes next for a key that is to have no access, whatever else is true of
// it; nothing when access has ended.
func Shut(want desired.Key, seen KeySeen, now time.Time) *KeyStep {
	return suspended(want, seen, now).Step
}

// unnoted tells that no Secret says yet which credential is in quarantine.
func unnoted(seen KeySeen) bool {
	return seen.Quarantine != "" && len(seen.Staged.Quarantined) == 0 && Endangered(seen) != "" &&
		(seen.Staged.State.ours() || seen.Staged.State == Absent)
}

// Endangered names the credential that a quarantine is about: the newest that anybody may
// have, as far as it is known.
func Endangered(seen KeySeen) string {
	if seen.Staged.Newest != "" || seen.Client == nil {
		return seen.Staged.Newest
	}
	return seen.Client.Registered
}

// shutOut writes down that it is us, wherever that can be, and deactivates the client.
func shutOut(seen KeySeen, why string) KeyNext {
	staged, published := seen.Staged.State, seen.Published.State
	switch {
	case staged == Inherited || published == Inherited:
		return step(Inherit, "the Secrets are those of the key this one was restored from")
	case unnoted(seen):
		return step(NoteQuarantine, why)
	case !seen.Staged.Suspended && (staged.ours() || published.ours()):
		return step(NoteSuspension, why)
	case !seen.Staged.TokenExpires.IsZero() && !seen.Revoked:
		return step(Revoke, why)
	}
	return step(Deactivate, why)
}

// Suspended tells that the key is to have no access now.
func Suspended(want desired.Key, seen KeySeen, now time.Time) bool {
	reason, _ := suspension(want, seen, now)
	return reason != ""
}

// suspension says why the key has no access, in the words of a condition; an empty
// reason when it has.
func suspension(want desired.Key, seen KeySeen, now time.Time) (reason, message string) {
	switch {
	case seen.Quarantine != "":
		return "Quarantined", seen.Quarantine
	case seen.Exceeds != "":
		return "CeilingExceeded", seen.Exceeds + ". Okta issues no token until then"
	case seen.Unfit != "":
		return "InvalidSpec", seen.Unfit
	case want.Suspended:
		return "Suspended", "spec.state is Suspended: Okta issues no token until it is Active again"
	case !want.ExpiresAt.IsZero() && !now.Before(want.ExpiresAt):
		return "Expired", fmt.Sprintf("spec.expiresAt (%s) has passed: Okta issues no token; set a later one to let the agent in again, "+
			"or delete the key", stamp(want.ExpiresAt))
	}
	return "", ""
}

// cleansed replaces a credential that was in quarantine before access is given back:
// whoever has a copy of it must not come back with the agent.
func cleansed(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	if len(seen.Staged.Quarantined) == 0 || seen.Client == nil {
		return KeyNext{}
	}
	// A note that names no credential anybody knows was written by who wants to keep one:
	// that one is replaced, once.
	known := append(Retiring(seen), seen.Retired...)
	stranger := func(name string) bool { return !seen.Minted && !slices.Contains(known, name) }
	if seen.Staged.Newest == "" || slices.Contains(seen.Staged.Quarantined, seen.Staged.Newest) ||
		slices.ContainsFunc(seen.Staged.Quarantined, stranger) {
		return step(Mint, "the credential was in quarantine, and is replaced")
	}
	for _, rule := range []func(desired.Key, KeySeen, time.Time) KeyNext{added, updated} {
		if next := rule(want, seen, now); next.Step != nil || next.Err != nil {
			return next
		}
	}
	for _, keyID := range Retiring(seen) {
		if !slices.Contains(seen.Retired, keyID) {
			return KeyNext{Step: &KeyStep{Verb: Retire, KeyID: keyID, Reason: "credential " + keyID + " was in quarantine"}}
		}
	}
	return step(NoteCleansing, "the credential that was in quarantine has been replaced")
}

// clientActive gives access back that we took away. What a person took away is
// theirs to give back.
func clientActive(_ desired.Key, seen KeySeen, _ time.Time) KeyNext {
	switch {
	case seen.Client == nil:
		return KeyNext{}
	case seen.Client.Active && seen.Staged.Suspended:
		return step(NoteResumption, "the key is not suspended any more")
	case seen.Client.Active:
		return KeyNext{}
	case seen.Staged.Suspended:
		return step(Activate, "the key is not suspended any more")
	}
	return blocked(identity.Rejected, "DeactivatedInDirectory", lookAgain,
		"app %s was deactivated in Okta, which is respected; "+
			"activate it there to let the agent in again, or delete the key", seen.Client.ID)
}

// untilExpiry is when the key's expiry, or the warning of it, is next of interest.
func untilExpiry(want desired.Key, now time.Time) time.Duration {
	if want.ExpiresAt.IsZero() || want.Suspended || !now.Before(want.ExpiresAt) {
		return 0
	}
	left := want.ExpiresAt.Sub(now)
	if left > Warning {
		return left - Warning
	}
	return left
}

// Expiring warns of a key that expires soon; "" while it does not.
func Expiring(want desired.Key, now time.Time) string {
	if want.ExpiresAt.IsZero() || want.Suspended || !now.Before(want.ExpiresAt) || want.ExpiresAt.Sub(now) > Warning {
		return ""
	}
	message := fmt.Sprintf("the key is suspended at %s, unless spec.expiresAt is set to a later time", stamp(want.ExpiresAt))
	if len(want.Owners) > 0 {
		message += "; its owners: " + strings.Join(want.Owners, ", ")
	}
	return message
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
