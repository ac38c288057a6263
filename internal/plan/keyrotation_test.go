package plan

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/schedule"
)

func TestKeyRotation(t *testing.T) {
	const hour, day = 3600, 24 * 3600
	requested := func(w *desired.Key) { w.Request = "now" }
	for name, tc := range map[string]keyCase{
		"Requested":        {reason: "a new request rotates", want: requested, verb: Mint},
		"RequestedAlready": {reason: "once", want: requested, seen: func(s *KeySeen) { s.Staged.Request = "now" }},
		"RequestedAndStagingLost": {
			reason: "also when the staging Secret was lost meanwhile", want: requested,
			seen: func(s *KeySeen) { s.Published.Request = "now" },
		},
		"RequestedWhileOverlapping": {
			reason: "there are never more than two credentials", from: overlapping, want: requested, again: time.Hour,
		},
		"Young": {
			reason: "before its age", want: func(w *desired.Key) { w.Rotation.Every = 100 * time.Hour }, now: 0, again: 93*time.Hour + 36*time.Minute + 18762114876,
			seen: func(s *KeySeen) { s.Staged.Created = at(0) },
		},
		"Old": {
			reason: "at its age", want: func(w *desired.Key) { w.Rotation.Every = 100 * time.Hour }, now: 100 * hour, verb: Mint,
		},
		"NobodyKnowsHowOld": {
			reason: "of unknown age is too old", want: func(w *desired.Key) { w.Rotation.Every = 100 * time.Hour },
			seen: func(s *KeySeen) { s.Staged.Created = time.Time{} }, verb: Mint,
		},
		"Minted": {
			reason: "the client takes both, before anybody gets the new one", from: rotating, verb: Add,
		},
		"Added": {
			reason: "and names the new one, which is how a lost one is told from a foreign one", from: rotating,
			seen: func(s *KeySeen) { s.Client.PublicKeyIDs = []string{"kid-1", "kid-2"} }, verb: Update,
		},
		"AddedOfASecret": {
			reason: "of a secret it is not seen that the client takes it, only known", from: rotating,
			want: func(w *desired.Key) { w.Method = identity.ClientSecretBasic },
			seen: func(s *KeySeen) {
				s.Client.Method, s.Client.PublicKeyIDs, s.Added = identity.ClientSecretBasic, nil, "kid-2"
			},
			verb: Update,
		},
		"Named": {
			reason: "it is proved before any agent sees it", from: rotating,
			seen: func(s *KeySeen) { s.Client.PublicKeyIDs, s.Client.Registered = []string{"kid-1", "kid-2"}, "kid-2" }, verb: Probe,
		},
		"Overlapping": {reason: "the one before stays valid for a while", from: overlapping, again: time.Hour},
		"OverlapOver": {reason: "then pods are counted", from: overlapping, now: hour, verb: CountPods},
		"PodsHold": {
			reason: "a pod that has it in its environment keeps it alive", from: overlapping, now: hour,
			seen: func(s *KeySeen) { s.PodsCounted, s.Holders = true, []string{"bot-0"} }, again: time.Minute,
		},
		"PodsHoldTooLong": {
			reason: "but not for ever", from: overlapping, now: day,
			seen: func(s *KeySeen) { s.PodsCounted, s.Holders = true, []string{"bot-0"} }, verb: Retire, keyID: "kid-1",
		},
		"NoPodHolds": {
			reason: "without one it ends", from: overlapping, now: hour,
			seen: func(s *KeySeen) { s.PodsCounted = true }, verb: Retire, keyID: "kid-1",
		},
		"Retired": {
			reason: "and is forgotten", from: overlapping, now: hour,
			seen: func(s *KeySeen) { s.PodsCounted, s.Retired = true, []string{"kid-1"} }, verb: Forget,
		},
		"NoOverlap": {
			reason: "with neither overlap it ends at once", from: overlapping,
			want: func(w *desired.Key) { w.Rotation.Overlap, w.Rotation.MaxOverlap = 0, 0 }, verb: Retire, keyID: "kid-1",
		},
		"ThirdCredential": {
			reason: "a third one, after a loss, waits until the one that nobody has is gone", from: overlapping,
			seen: func(s *KeySeen) {
				s.Staged.Newest, s.Staged.Previous, s.Staged.Retiring = "kid-3", "", []string{"kid-1", "kid-2"}
			},
			verb: Retire, keyID: "kid-1",
		},
		"Full": {
			reason: "a client that is full of its own is made room in", from: rotating,
			seen: func(s *KeySeen) {
				s.Full = &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonCredentialLimit, Message: "full"}
				s.Staged.Retiring = []string{"kid-0", "kid-1"}
			},
			verb: Retire, keyID: "kid-0",
		},
		"ThirdCredentialAndStagingLost": {
			reason: "also one of which only the client knows waits for nobody", from: overlapping,
			seen: func(s *KeySeen) {
				s.Client.Earlier = []string{"kid-1"}
				s.Staged.Newest, s.Staged.Previous, s.Staged.Retiring = "kid-3", "", []string{"kid-2"}
			},
			verb: Retire, keyID: "kid-1",
		},
		"CameBack": {
			reason: "one that came back by a write that Okta carried out late ends like the first time",
			seen: func(s *KeySeen) {
				s.Client.Earlier, s.Client.PublicKeyIDs, s.PodsCounted = []string{"kid-0"}, []string{"kid-0", "kid-1"}, true
			},
			now: hour, verb: Retire, keyID: "kid-0",
		},
		"CameBackWhilePodsHold": {
			reason: "and not before", now: hour, again: time.Minute,
			seen: func(s *KeySeen) {
				s.Client.Earlier, s.Client.PublicKeyIDs = []string{"kid-0"}, []string{"kid-0", "kid-1"}
				s.PodsCounted, s.Holders = true, []string{"bot-0"}
			},
		},
		"CameBackAndRequested": {
			reason: "nothing is rotated before", want: requested, again: time.Hour,
			seen: func(s *KeySeen) {
				s.Client.Earlier, s.Client.PublicKeyIDs = []string{"kid-0"}, []string{"kid-0", "kid-1"}
			},
		},
		"CameBackAndWent": {
			reason: "there is nothing in the Secret to forget", now: hour,
			seen: func(s *KeySeen) {
				s.Client.Earlier, s.Client.PublicKeyIDs = []string{"kid-0"}, []string{"kid-0", "kid-1"}
				s.PodsCounted, s.Retired = true, []string{"kid-0"}
			},
		},
		"EarlierAndGone": {reason: "a name alone is no credential", seen: func(s *KeySeen) { s.Client.Earlier = []string{"kid-0"} }},
		"FullOfOthers": {
			reason: "one that is full of others' is told of, and the old credential stays", from: rotating,
			seen: func(s *KeySeen) {
				s.Full = &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonCredentialLimit, Message: "full"}
			},
			kind: identity.Rejected, failed: identity.ReasonCredentialLimit,
		},
	} {
		t.Run(name, tc.run)
	}
}

func TestKeyTokens(t *testing.T) {
	tokens := func(w *desired.Key) { w.DeliversToken = true }
	held := func(s *KeySeen) { s.Staged.TokenExpires, s.Staged.TokenScopes = at(900), permissions }
	for name, tc := range map[string]keyCase{
		"None":  {reason: "the agent gets a token and never the key", want: tokens, verb: Obtain},
		"Fresh": {reason: "it is renewed when a third of its life is left", want: tokens, seen: held, again: 10 * time.Minute},
		"Old":   {reason: "and no later", want: tokens, seen: held, now: 600, verb: Obtain},
		"OtherPermissions": {
			reason: "or when the role's permissions are others", want: tokens,
			seen: func(s *KeySeen) { held(s); s.Staged.TokenScopes = []string{"chat"} }, verb: Obtain,
		},
		"NotPublished": {
			reason: "what is staged is published", want: tokens,
			seen: func(s *KeySeen) { held(s); s.Published.State = Different }, verb: Publish,
		},
		"KeyReplaced": {
			reason: "a key that no pod has needs no overlap", from: overlapping, want: tokens, seen: held, verb: Retire, keyID: "kid-1",
			again: 10 * time.Minute,
		},
	} {
		t.Run(name, tc.run)
	}
}

func TestKeySuspension(t *testing.T) {
	suspend := func(w *desired.Key) { w.Suspended = true }
	expire := func(w *desired.Key) { w.ExpiresAt = at(100) }
	noted := func(s *KeySeen) { s.Staged.Suspended = true }
	off := func(s *KeySeen) { s.Staged.Suspended, s.Client.Active = true, false }
	for name, tc := range map[string]keyCase{
		"Suspended": {reason: "that it is us is written down first", want: suspend, verb: NoteSuspension},
		"Noted":     {reason: "then the client is deactivated", want: suspend, seen: noted, verb: Deactivate},
		"WithoutStaging": {
			reason: "a lost Secret does not, for the other one tells too", want: suspend,
			seen: func(s *KeySeen) { s.Staged = StagedSeen{State: Absent} }, verb: NoteSuspension,
		},
		"Restored": {
			reason: "Secrets of a backup are taken over first, for they are to remember it", want: suspend,
			seen: func(s *KeySeen) { s.Staged.State, s.Published.State = Inherited, Inherited }, verb: Inherit,
		},
		"WithoutSecrets": {
			reason: "and both lost hold it up less", want: suspend,
			seen: func(s *KeySeen) { s.Staged, s.Published = StagedSeen{State: Absent}, PublishedSeen{State: Absent} }, verb: Deactivate,
		},
		"WithoutRole": {
			reason: "nor a lost role", want: suspend, verb: NoteSuspension,
			seen: func(s *KeySeen) {
				s.RoleMissing = &identity.Error{Kind: identity.Waiting, Reason: "RoleNotFound", Message: "m"}
			},
		},
		"Tokens": {
			reason: "tokens are revoked while the client can ask for it", want: suspend, verb: Revoke,
			seen: func(s *KeySeen) { noted(s); s.Staged.TokenExpires = at(900) },
		},
		"TokensRevoked": {
			reason: "and then no more are given", want: suspend, verb: Deactivate,
			seen: func(s *KeySeen) { noted(s); s.Staged.TokenExpires, s.Revoked = at(900), true },
		},
		"TokensLeft": {
			reason: "and the Secrets hold none", want: suspend, verb: Blank,
			seen: func(s *KeySeen) { off(s); s.Staged.TokenExpires = at(900) },
		},
		"Off":       {reason: "so it stays", want: suspend, seen: off, kind: identity.Rejected, failed: "Suspended"},
		"BornSo":    {reason: "nothing is made for a key that is born suspended", from: fresh, want: suspend, kind: identity.Rejected, failed: "Suspended"},
		"NotYet":    {reason: "before it expires", want: expire, again: 100 * time.Second},
		"Expired":   {reason: "at that moment", want: expire, now: 100, verb: NoteSuspension},
		"ExpiredAt": {reason: "and after", want: expire, now: 101, seen: off, kind: identity.Rejected, failed: "Expired"},
		"Resumed":   {reason: "given back", seen: off, verb: Activate},
		"ResumedOn": {reason: "the note goes after, so that a crash between leaves nothing that looks like a person's deed", seen: noted, verb: NoteResumption},
	} {
		t.Run(name, tc.run)
	}
}

func TestExpiring(t *testing.T) {
	wish := wishedKey()
	wish.ExpiresAt, wish.Owners = at(0).Add(20*24*time.Hour), []string{"jane@example.com"}
	if got := Expiring(wish, at(0)); got != "" {
		t.Errorf("20 days ahead: warned with %q", got)
	}
	if got := Key(wish, complete(), at(0)).Again; got != 6*24*time.Hour {
		t.Errorf("20 days ahead: again in %v, want 6 days, when the warning is due", got)
	}
	const want = "the key is suspended at 2027-02-04T08:00:00Z, unless spec.expiresAt is set to a later time; its owners: jane@example.com"
	if got := Expiring(wish, at(0).Add(6*24*time.Hour)); got != want {
		t.Errorf("14 days ahead: %q, want %q", got, want)
	}
}

func TestAfterMint(t *testing.T) {
	lost := overlapping()
	lost.Staged, lost.Client.Earlier = StagedSeen{State: Absent}, []string{"kid-1"}
	type result struct {
		Previous string
		Retiring []string
	}
	for name, tc := range map[string]struct {
		reason string
		seen   KeySeen
		want   result
	}{
		"First":    {"there is nothing before the first", fresh(), result{}},
		"Rotation": {"the one that works is kept until the next is published", complete(), result{"kid-1", []string{"kid-1"}}},
		"Again":    {"no name is lost, and none stands twice", overlapping(), result{"kid-2", []string{"kid-1", "kid-2"}}},
		"Lost":     {"what the Secrets have lost the client tells, the oldest first", lost, result{"", []string{"kid-1", "kid-2"}}},
	} {
		previous, retiring := AfterMint(tc.seen)
		if diff := cmp.Diff(tc.want, result{previous, retiring}); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
		}
	}
}

func TestAnnouncedRotation(t *testing.T) {
	const hour = 3600
	windows, err := schedule.Parse([]schedule.Window{{Start: "0 * * * *", Duration: 10 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	hourly := wishedKey()
	hourly.Rotation.Every = 10 * time.Hour
	windowed := hourly
	windowed.Rotation.Windows = windows
	due := schedule.Due(at(0), hourly.Rotation.Every, hourly.Mark.UID+"/kid-1")
	opens := due.Truncate(time.Hour).Add(time.Hour)
	for name, tc := range map[string]struct {
		reason string
		want   desired.Key
		now    time.Time
		at     time.Time
	}{
		"Never":     {"without an age there is none", wishedKey(), at(0), time.Time{}},
		"Young":     {"when it is old enough", hourly, at(hour), due},
		"Overdue":   {"a rotation that is held up was due then, at every look", hourly, at(20 * hour), due},
		"Windowed":  {"in the first window after that", windowed, at(hour), opens},
		"InWindow":  {"also while that is open", windowed, opens.Add(time.Minute), opens},
		"Missed":    {"or the next, when that went by", windowed, opens.Add(10 * time.Minute), opens.Add(time.Hour)},
		"MissedTwo": {"and so on", windowed, opens.Add(70 * time.Minute), opens.Add(2 * time.Hour)},
	} {
		staged := StagedSeen{Newest: "kid-1", Created: at(0)}
		if got, _ := AnnouncedRotation(tc.want, staged, tc.now); !got.Equal(tc.at) {
			t.Errorf("%s: %s: announced for %s, want %s", name, tc.reason, got, tc.at)
		}
	}
}

func TestNamed(t *testing.T) {
	later := complete()
	later.Client.Registered, later.Client.PublicKeyIDs = "kid-9", []string{"kid-1", "kid-9"}
	for name, tc := range map[string]struct {
		reason string
		seen   KeySeen
		want   string
	}{
		"Minted":   {"what the client does not take is not named", rotating(), "kid-1"},
		"Taken":    {"what it takes is", overlapping(), "kid-2"},
		"Outdated": {"the trace of a later credential must not be lost before that is retired", later, "kid-9"},
	} {
		if got := Named(tc.seen); got != tc.want {
			t.Errorf("%s: %s: named %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}

func TestForeignCredentials(t *testing.T) {
	seen := overlapping()
	seen.Client.PublicKeyIDs = []string{"kid-0", "kid-1", "kid-2", "planted"}
	seen.Client.Earlier = []string{"kid-0"}
	if diff := cmp.Diff([]string{"planted"}, ForeignCredentials(wishedKey(), seen)); diff != "" {
		t.Errorf("foreign credentials (-want +got):\n%s", diff)
	}
	seen.Client.Mark.UID = "another"
	if names := ForeignCredentials(wishedKey(), seen); len(names) > 0 {
		t.Errorf("those of somebody else's client are told of, and people would delete them: %v", names)
	}
}

func TestRelease(t *testing.T) {
	inactive := func(s *KeySeen) { s.Client.Active = false }
	for name, tc := range map[string]struct {
		reason string
		policy desired.Deletion
		seen   func(*KeySeen)
		want   KeyVerb
	}{
		"Active":           {"no token is issued any more", desired.Delete, nil, Deactivate},
		"Inactive":         {"then the client goes", desired.Delete, inactive, Delete},
		"Unseen":           {"not seen is not gone", desired.Delete, func(s *KeySeen) { s.Client = nil }, ConfirmAbsence},
		"Gone":             {"the Secrets go last", desired.Delete, func(s *KeySeen) { s.Client, s.Gone = nil, true }, DropSecrets},
		"Foreign":          {"what is not ours stays", desired.Delete, func(s *KeySeen) { s.Client.Mark.UID = "u0" }, DropSecrets},
		"Tokens":           {"tokens are revoked while the client can ask for it", desired.Delete, func(s *KeySeen) { s.Staged.TokenExpires = at(9) }, Revoke},
		"Deactivate":       {"access ends", desired.Deactivate, nil, Deactivate},
		"Deactivated":      {"and the client stays", desired.Deactivate, inactive, DropSecrets},
		"Retain":           {"the Secret is left to people", desired.Retain, nil, HandOver},
		"Retained":         {"with the client", desired.Retain, func(s *KeySeen) { s.Staged.State, s.Published.State = Absent, Foreign }, Disown},
		"RetainKeyless":    {"Okta takes no change of a client without a key", desired.Retain, func(s *KeySeen) { s.Client.PublicKeyIDs = nil }, DropSecrets},
		"RetainWithoutOne": {"if there is one", desired.Retain, func(s *KeySeen) { s.Client, s.Gone = nil, true }, DropSecrets},
	} {
		t.Run(name, func(t *testing.T) {
			wish, seen := wishedKey(), complete()
			wish.Deletion = tc.policy
			if tc.seen != nil {
				tc.seen(&seen)
			}
			if got := Release(wish, seen); got.Verb != tc.want || got.Reason == "" {
				t.Errorf("%s: step %q (%s), want %q", tc.reason, got.Verb, got.Reason, tc.want)
			}
		})
	}
}

// wantError compares an error by its properties; reason "" wants none.
func wantError(t *testing.T, why string, err error, kind identity.Kind, reason string) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Errorf("%s: unexpected error: %v", why, err)
		}
		return
	}
	var e *identity.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: error is %v, want an *identity.Error", why, err)
	}
	if e.Kind != kind || e.Reason != reason || e.Message == "" {
		t.Errorf("%s: error is %v %s %q, want %v %s with a message", why, e.Kind, e.Reason, e.Message, kind, reason)
	}
}

// TestKeyRulesInOrder pins the order of the rules: it is the specification.
func TestKeyRulesInOrder(t *testing.T) {
	var got []string
	for _, rule := range keyRules() {
		got = append(got, rule.name)
	}
	want := []string{
		"Suspended", "ClientOurs", "Conditioned", "SpecValid", "SecretsOurs", "Cleansed", "ClientActive", "NotDeleted", "MethodKept",
		"RoleKnown", "RoleReady", "Unconditioned", "OldPublished", "Minted", "Registered", "Noted", "Added", "Updated", "Granted", "Published",
		"Retired", "Rotated", "NotDrifted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of rules (-want +got):\n%s", diff)
	}
}

func at(seconds int) time.Time { return time.Unix(1_800_000_000+int64(seconds), 0) }

// unnotedAfter is a key whose client is gone and whose staging Secret does not name it; the status
// names the credential that was published.
func unnotedAfter(reported string) func(*KeySeen) {
	return func(s *KeySeen) {
		s.Client, s.Published, s.Staged.AppID, s.Reported = nil, PublishedSeen{State: Absent}, "", reported
	}
}
