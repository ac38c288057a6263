// Package brake holds mass deletion. A mistake such as deleting a namespace, or a
// GitOps tool that prunes everything, deletes keys by the hundred within seconds, and
// every agent behind them stops. The brake lets a few pass and keeps the rest as they
// are until a person says that it is meant.
//
// It refuses to know the API server and the directory: it is asked, and counts.
package brake

import (
	"fmt"
	"sync"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Window is the time over which deletions are counted.
const Window = time.Hour

// Brake counts the keys that one process releases. It keeps nothing: after a restart
// the keys that are being deleted at that time still count, those gone before do not.
type Brake struct {
	limit int

	mu sync.Mutex
	// passed is when a key was let through, by uid.
	passed map[string]pass
}

type pass struct {
	at time.Time
	// confirmed keys were meant, and do not count.
	confirmed bool
}

// Key is a key that is being deleted.
type Key struct{ Namespace, Name, UID string }

// New returns a brake that lets limit keys pass within a Window; 0 is no brake.
func New(limit int) *Brake {
	return &Brake{limit: limit, passed: map[string]pass{}}
}

// Allow tells whether what the key made may be removed now. terminating are the uids of
// all keys that are being deleted now, with or without this one; confirmed tells that a
// person has confirmed this one. A key that was let through once stays so while it is
// being deleted: a release must not stop half-way.
//
// A key is held when it, those that are being deleted, and those let through during the
// last Window are together more than the limit. Each counts once, and confirmed ones do
// not. The error is an *identity.Error of kind Rejected.
func (b *Brake) Allow(now time.Time, key Key, confirmed bool, terminating []string) error {
	if b.limit <= 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now, terminating)
	if _, already := b.passed[key.UID]; already {
		return nil
	}
	if !confirmed && b.count(key, terminating) > b.limit {
		return held(key, b.limit)
	}
	b.passed[key.UID] = pass{at: now, confirmed: confirmed}
	return nil
}

// forget drops the keys that are gone and older than the window.
func (b *Brake) forget(now time.Time, terminating []string) {
	present := make(map[string]bool, len(terminating))
	for _, uid := range terminating {
		present[uid] = true
	}
	for uid, p := range b.passed {
		if !present[uid] && now.Sub(p.at) > Window {
			delete(b.passed, uid)
		}
	}
}

// count is how many keys are deleted without a word of a person.
func (b *Brake) count(key Key, terminating []string) int {
	counted := map[string]bool{key.UID: true}
	for _, uid := range terminating {
		counted[uid] = true
	}
	for uid, p := range b.passed {
		counted[uid] = !p.confirmed
	}
	n := 0
	for _, counts := range counted {
		if counts {
			n++
		}
	}
	return n
}

// held has no count in its message: it stands in a condition, and would change with
// every other key.
func held(key Key, limit int) error {
	return &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonDeletionHeld,
		Message: fmt.Sprintf("more than %d keys are being deleted within an hour, which is the limit "+
			"(deletionBrake.keysPerHour of the operator's configuration), so this key still works; "+
			"if it is to go: kubectl annotate agentapikey -n %s %s %s=%s",
			limit, key.Namespace, key.Name, v1alpha1.AnnotationConfirmDeletion, key.Name),
	}
}
