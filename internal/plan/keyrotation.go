package plan

import (
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/schedule"
)

// podsAgain is how soon pods that hold an earlier credential are counted again.
const podsAgain = time.Minute

// ReasonFirst is the reason of Mint for a key that is new.
const ReasonFirst = "there is no credential yet"

// minted holds that the staging Secret holds the key's credential, or one that is
// about to be it. A credential is looked for in both Secrets before another is made.
func minted(want desired.Key, seen KeySeen, _ time.Time) KeyNext {
	c, newest := seen.Client, seen.Staged.Newest
	switch {
	case c == nil && newest != "":
		return KeyNext{}
	case c == nil:
		return step(Mint, ReasonFirst)
	case takes(c, newest) && outdated(seen):
		return step(Mint, "Okta knows a later credential than the Secrets")
	case takes(c, newest), replaces(seen):
		return KeyNext{}
	case takes(c, seen.Published.KeyID):
		return step(Restage, "only the published Secret holds the credential Okta knows")
	case newest == "":
		return step(Mint, "the credential Okta knows is in no Secret any more")
	case c.Registered == "" && seen.Published.KeyID != newest:
		return KeyNext{} // of an adopted client, or one whose record somebody took off
	case c.Registered == newest, c.Registered == "":
		return revoked(want, seen)
	}
	return step(Mint, "Okta knows a later credential than the Secrets")
}

// revoked: somebody took the key off the client. That ends the old one; a new one is
// made unless people want to be asked.
func revoked(want desired.Key, seen KeySeen) KeyNext {
	if want.ReportDrift && !requested(want, seen) {
		return blocked(identity.Rejected, "RevokedInDirectory", lookAgain,
			"app %s no longer takes credential %s: somebody removed it in Okta; have a new one made by setting "+
				"the annotation agentidentity.dev/rotate to a new value", seen.Client.ID, seen.Staged.Newest)
	}
	return step(Mint, "somebody removed the credential in Okta")
}

// replaces tells that the newest credential was made to replace the one that the
// client names. Any other credential that the client does not take has had its time.
func replaces(seen KeySeen) bool {
	named := seen.Client.Registered
	return seen.Staged.Newest != "" && named != "" && named != seen.Staged.Newest && slices.Contains(seen.Staged.Retiring, named)
}

// outdated tells that the client names a credential that the staging Secret has never
// heard of, as after a backup from before the last rotation was restored.
func outdated(seen KeySeen) bool {
	named := seen.Client.Registered
	return named != "" && named != seen.Staged.Newest && !slices.Contains(seen.Staged.Retiring, named)
}

// Retiring are the earlier credentials that are to end: those of which the staging
// Secret knows, and those of which only the client does, for a staging Secret was lost
// while they were replaced, or they came back by a write that Okta was late to carry out.
func Retiring(seen KeySeen) []string {
	names := slices.Clone(seen.Staged.Retiring)
	if seen.Client == nil {
		return names
	}
	for _, name := range seen.Client.Earlier {
		if takes(seen.Client, name) && name != seen.Staged.Newest && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// added lets the client take the newest credential. It has room for two: the newest
// and the one that agents have.
func added(_ desired.Key, seen KeySeen, _ time.Time) KeyNext {
	if takes(seen.Client, seen.Staged.Newest) || seen.Added == seen.Staged.Newest {
		return KeyNext{}
	}
	live, old := 0, Retiring(seen)
	for _, keyID := range old {
		if takes(seen.Client, keyID) {
			live++
		}
	}
	if seen.Full == nil && live < 2 {
		return step(Add, "the client does not take the newest credential yet")
	}
	for _, keyID := range old {
		if keyID != seen.Published.KeyID && !slices.Contains(seen.Retired, keyID) {
			return KeyNext{Step: &KeyStep{Verb: Retire, KeyID: keyID, Reason: "credential " + keyID + " makes room for the newest"}}
		}
	}
	if seen.Full != nil {
		return KeyNext{Err: seen.Full}
	}
	return step(Add, "the client does not take the newest credential yet")
}

// Named is the credential the client should name: the newest, once it takes that. It
// goes on naming one that the Secrets have never heard of, until that is replaced.
func Named(seen KeySeen) string {
	newest := seen.Staged.Newest
	if newest != "" && !outdated(seen) && (takes(seen.Client, newest) || seen.Added == newest) {
		return newest
	}
	return seen.Client.Registered
}

// AfterMint says what the staging Secret holds beside a newly minted credential: the
// name of the one whose material is kept, and all that are to be retired.
func AfterMint(seen KeySeen) (previous string, retiring []string) {
	names := slices.Clone(seen.Staged.Retiring)
	if seen.Client != nil {
		names = append(names, seen.Client.Earlier...)
	}
	names = append(names, seen.Staged.Newest)
	if seen.Client != nil {
		names = append(names, seen.Client.Registered)
	}
	for _, name := range names {
		if name != "" && !slices.Contains(retiring, name) {
			retiring = append(retiring, name)
		}
	}
	switch {
	case takes(seen.Client, seen.Staged.Newest):
		return seen.Staged.Newest, retiring
	case takes(seen.Client, seen.Staged.Previous):
		return seen.Staged.Previous, retiring
	}
	return "", retiring
}

// oldPublished keeps the agent's Secret whole while a newer credential is under way.
func oldPublished(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	old, have := seen.Staged.Previous, seen.Published
	// Of a client with secrets it is not known which earlier ones it takes; one that
	// was not retired it should.
	works := takes(seen.Client, old) || want.Method != identity.PrivateKeyJWT && seen.Client != nil
	// What is published may be newer than a staging Secret that was spoiled.
	newer := seen.Staged.Newest == "" || have.KeyID == seen.Staged.Newest || takes(seen.Client, have.KeyID)
	switch {
	case old == "" || !works || newer && have.KeyID != old:
		return KeyNext{}
	case have.State == Intact && have.KeyID == old, granted(want, seen, now).Err != nil:
		return KeyNext{}
	}
	return step(PublishOld, "the Secret holds something else than it should")
}

// published proves a credential that no agent has seen yet, then writes the Secret.
func published(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	newest, have := seen.Staged.Newest, seen.Published
	if want.DeliversToken {
		if next := tokenFresh(want, seen, now); next.Step != nil {
			return next
		}
	} else if have.KeyID != newest && seen.Probed != newest {
		return step(Probe, "the credential is about to be published")
	}
	again := tokenRenewal(want, seen, now)
	switch {
	case have.State == Absent:
		return step(Publish, "the Secret did not exist yet")
	case have.KeyID != newest:
		return step(Publish, "the Secret holds another credential")
	case have.State == Different:
		return step(Publish, "the Secret holds something else than it should")
	}
	return KeyNext{Again: again}
}

// tokenFresh obtains an access token before a third of its life is left.
func tokenFresh(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	switch {
	case seen.Staged.TokenExpires.IsZero():
		return step(Obtain, "there is no access token yet")
	case tokenRenewal(want, seen, now) <= 0:
		return step(Obtain, "the access token is about to expire")
	case !slices.Equal(seen.Staged.TokenScopes, seen.Permissions):
		return step(Obtain, "the permissions have changed")
	}
	return KeyNext{}
}

// tokenRenewal is in how much time the next access token is due.
func tokenRenewal(want desired.Key, seen KeySeen, now time.Time) time.Duration {
	if !want.DeliversToken || seen.Staged.TokenExpires.IsZero() {
		return 0
	}
	return seen.Staged.TokenExpires.Add(-want.TokenLifetime / 3).Sub(now)
}

// retired ends earlier credentials when the overlap is over and no running pod has
// them any more, or it has lasted as long as it may.
func retired(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	old := Retiring(seen)
	if len(old) == 0 {
		return KeyNext{}
	}
	overlap, most := want.Rotation.Overlap, want.Rotation.MaxOverlap
	if want.DeliversToken {
		overlap, most = 0, 0 // no pod has ever had the key
	}
	if left := seen.Published.Since.Add(overlap).Sub(now); left > 0 {
		return KeyNext{Again: left}
	}
	if left := seen.Published.Since.Add(most).Sub(now); left > 0 {
		if !seen.PodsCounted {
			return step(CountPods, "the overlap is over")
		}
		if len(seen.Holders) > 0 {
			return KeyNext{Again: min(left, podsAgain)}
		}
	}
	for _, keyID := range old {
		if !slices.Contains(seen.Retired, keyID) {
			return KeyNext{Step: &KeyStep{Verb: Retire, KeyID: keyID, Reason: "credential " + keyID + " has been replaced"}}
		}
	}
	if len(seen.Staged.Retiring) == 0 {
		return KeyNext{} // Okta is late to show it
	}
	return step(Forget, "the earlier credentials are gone")
}

// rotated begins to replace a credential that is complete. While an earlier one is
// not retired yet, that waits: there are never more than two.
func rotated(want desired.Key, seen KeySeen, now time.Time) KeyNext {
	if len(Retiring(seen)) > 0 {
		return KeyNext{}
	}
	if requested(want, seen) {
		return step(Mint, "a rotation was requested")
	}
	due, ok := NextRotation(want, seen.Staged, now)
	switch {
	case !ok:
		return KeyNext{}
	case !now.Before(due):
		return step(Mint, "the credential is due for rotation")
	}
	return KeyNext{Again: due.Sub(now)}
}

// requested tells that a rotation was asked for that was not carried out yet.
func requested(want desired.Key, seen KeySeen) bool {
	return want.Request != "" && want.Request != seen.Staged.Request && want.Request != seen.Published.Request
}

// NextRotation is when the newest credential is replaced by age, now at the earliest;
// false for never. One of which nobody knows when it was made is due at once.
func NextRotation(want desired.Key, staged StagedSeen, now time.Time) (time.Time, bool) {
	if want.Rotation.Every == 0 {
		return time.Time{}, false
	}
	due := schedule.Due(staged.Created, want.Rotation.Every, want.Mark.UID+"/"+staged.Newest)
	if due.Before(now) {
		due = now
	}
	return want.Rotation.Windows.Next(due), true
}

// AnnouncedRotation is when people may expect the newest credential to be replaced by
// age. It stays the same from one look to the next: of a credential that is due, the
// time from which on it has been, or the next window when it missed one.
func AnnouncedRotation(want desired.Key, staged StagedSeen, now time.Time) (time.Time, bool) {
	first, ok := NextRotation(want, staged, staged.Created)
	if next, _ := NextRotation(want, staged, now); ok && next.After(now) {
		return next, true
	}
	return first, ok
}
