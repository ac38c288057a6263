package workload

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// FirstRevision is the revision of a Secret that has been published once.
const FirstRevision = "1"

const (
	// settle is how long nothing must have changed before a restart, so that Secrets
	// which change together cost one.
	settle = 10 * time.Second
	// maxSettle is how long a change waits at most for others to join it.
	maxSettle = 2 * time.Minute
)

// Secret is a published Secret whose key names the workload.
type Secret struct {
	Name string
	// Revision is FirstRevision when the Secret was published for the first time, and
	// another one after each change of its data. It is written where whoever may see
	// the workload can read it, so it must tell nothing of the data.
	Revision string
	// Changed is when the data became what it is.
	Changed time.Time
	// Rotating tells that the key is about to publish another credential.
	Rotating bool
}

// Seen is what a decision needs of a workload.
type Seen struct {
	// Revisions is the annotation of its pod template; empty when there is none.
	Revisions string
	// Created is when the workload was made.
	Created time.Time
}

// Decision is what to do about a workload: restart it, look again after Wait, or, when
// neither is set, nothing.
type Decision struct {
	Restart bool
	Wait    time.Duration
	// Reason is for people, and stable.
	Reason string
	// Revisions is what the annotation says after a restart.
	Revisions string
}

// Decide tells whether a workload is to be restarted for its Secrets, all those whose
// keys name it.
//
//	Secret                                    the workload
//	as the annotation says                    has been restarted for it
//	published once, not in the annotation     found it when it started, or waited for it
//	5 s older than the workload               has no older pods
//	otherwise                                 has pods that may have read the one before
//
// For the last it is restarted once 10 s have passed since the latest of the changes
// and none of the keys has a rotation under way, or 2 min since the earliest. A Secret
// that no key names any more is no reason; and one whose key is made anew counts as
// changed, since its revision goes back.
func Decide(seen Seen, secrets []Secret, now time.Time) Decision {
	unread := unread(seen, secrets)
	if len(unread) == 0 {
		return Decision{Reason: "its pods were started after every change of its Secrets"}
	}
	if wait, reason := hold(unread, secrets, now); wait > 0 {
		return Decision{Wait: wait, Reason: reason}
	}
	return Decision{
		Restart: true, Revisions: revisions(secrets),
		Reason: fmt.Sprintf("its pods were started before Secret %s changed", names(unread)),
	}
}

// unread are the Secrets that pods of the workload may have read before they changed.
func unread(seen Seen, secrets []Secret) []Secret {
	// An annotation that somebody edited says nothing, like one that is not there.
	var have map[string]string
	if json.Unmarshal([]byte(seen.Revisions), &have) != nil {
		have = nil
	}
	var found []Secret
	for _, secret := range secrets {
		revision, recorded := have[secret.Name]
		switch {
		case recorded && revision == secret.Revision:
		case !recorded && secret.Revision == FirstRevision:
		case !secret.Changed.IsZero() && seen.Created.After(secret.Changed.Add(startLag)):
		default:
			found = append(found, secret)
		}
	}
	return found
}

// hold is how long a restart for the unread Secrets waits for what may follow.
func hold(unread, secrets []Secret, now time.Time) (time.Duration, string) {
	earliest, latest := unread[0].Changed, unread[0].Changed
	for _, secret := range unread[1:] {
		if secret.Changed.Before(earliest) {
			earliest = secret.Changed
		}
		if secret.Changed.After(latest) {
			latest = secret.Changed
		}
	}
	wait, reason := settle-now.Sub(latest), fmt.Sprintf("Secret %s changed a moment ago, and others may follow", names(unread))
	for _, secret := range secrets {
		if secret.Rotating {
			wait = max(wait, settle)
			reason = fmt.Sprintf("Secret %s is about to change", secret.Name)
			break
		}
	}
	return min(wait, maxSettle-now.Sub(earliest)), reason
}

// revisions is the annotation for the Secrets as they are.
func revisions(secrets []Secret) string {
	byName := make(map[string]string, len(secrets))
	for _, secret := range secrets {
		byName[secret.Name] = secret.Revision
	}
	text, _ := json.Marshal(byName) // sorted by name; strings cannot fail
	return string(text)
}

func names(secrets []Secret) string {
	all := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		all = append(all, secret.Name)
	}
	return strings.Join(all, ", ")
}
