package brake

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func at(minutes int) time.Time {
	return time.Date(2026, 1, 1, 12, minutes, 0, 0, time.UTC)
}

func key(n int) Key {
	return Key{Namespace: "ns", Name: fmt.Sprintf("k%d", n), UID: fmt.Sprintf("u%d", n)}
}

// uids are those of the keys from one number to another, both included.
func uids(from, to int) []string {
	var all []string
	for n := from; n <= to; n++ {
		all = append(all, key(n).UID)
	}
	return all
}

// ask is one question put to a brake.
type ask struct {
	minute      int
	key         int
	confirmed   bool
	terminating []string
	held        bool
}

// oneByOne deletes keys so that each is gone before the next.
func oneByOne(from, to, minute int) []ask {
	var asks []ask
	for n := from; n <= to; n++ {
		asks = append(asks, ask{minute: minute, key: n, terminating: uids(n, n)})
	}
	return asks
}

func TestAllow(t *testing.T) {
	tests := map[string]struct {
		reason string
		limit  int
		asks   []ask
	}{
		"One": {
			reason: "an ordinary deletion never meets the brake", limit: 3,
			asks: []ask{{key: 1, terminating: uids(1, 1)}},
		},
		"AtTheLimit": {
			reason: "as many as the limit pass, though each is counted both as deleted and as let through", limit: 3,
			asks: []ask{
				{key: 1, terminating: uids(1, 3)}, {key: 2, terminating: uids(1, 3)}, {key: 3, terminating: uids(1, 3)},
			},
		},
		"AllAtOnce": {
			reason: "of a mass deletion not even the first pass: half a mistake is a mistake", limit: 3,
			asks: []ask{{key: 1, terminating: uids(1, 4), held: true}, {key: 4, terminating: uids(1, 4), held: true}},
		},
		"OneAfterTheOther": {
			reason: "keys that are gone before the next is deleted count for an hour", limit: 3,
			asks: append(oneByOne(1, 3, 0), ask{minute: 60, key: 4, terminating: uids(4, 4), held: true}),
		},
		"AnHourLater": {
			reason: "and no longer", limit: 3,
			asks: append(oneByOne(1, 3, 0), ask{minute: 61, key: 4, terminating: uids(4, 4)}),
		},
		"OnceAllowed": {
			reason: "a release that was begun is not stopped half-way, however many follow and however long it takes", limit: 3,
			asks: []ask{
				{key: 1, terminating: uids(1, 1)},
				{minute: 1, key: 1, terminating: uids(1, 9)},
				{minute: 200, key: 1, terminating: uids(1, 9)},
			},
		},
		"Confirmed": {
			reason: "a person's word lets a key pass", limit: 3,
			asks: []ask{{key: 1, terminating: uids(1, 9), held: true}, {key: 1, confirmed: true, terminating: uids(1, 9)}},
		},
		"ConfirmedDoNotCount": {
			reason: "what was meant does not hold up what comes after it", limit: 3,
			asks: []ask{
				{key: 1, confirmed: true, terminating: uids(1, 4)},
				{key: 2, confirmed: true, terminating: uids(1, 4)},
				{minute: 1, key: 3, terminating: uids(3, 4)},
				{minute: 1, key: 4, terminating: uids(3, 4)},
			},
		},
		"ConfirmedButNotGone": {
			reason: "also while they are not gone yet", limit: 3,
			asks: []ask{
				{key: 1, confirmed: true, terminating: uids(1, 4)}, {minute: 1, key: 2, terminating: uids(1, 4)},
			},
		},
		"CacheBehind": {
			reason: "a key counts though the list of those being deleted does not show it yet", limit: 1,
			asks: []ask{{key: 1}, {key: 2, held: true}},
		},
		"NoBrake": {
			reason: "0 is no brake", limit: 0,
			asks: []ask{{key: 1, terminating: uids(1, 100)}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := New(tc.limit)
			for i, a := range tc.asks {
				err := b.Allow(at(a.minute), key(a.key), a.confirmed, a.terminating)
				if (err != nil) != a.held {
					t.Errorf("%s: question %d: error is %v, want held: %t", tc.reason, i, err, a.held)
				}
			}
		})
	}
}

// TestMessage: the error fits into a condition, and says what to do.
func TestMessage(t *testing.T) {
	b := New(25)
	first := b.Allow(at(0), key(1), false, uids(1, 30))
	e, ok := errors.AsType[*identity.Error](first)
	if !ok || e.Kind != identity.Rejected || e.Reason != v1alpha1.ReasonDeletionHeld {
		t.Fatalf("a held key gives %#v, want an identity.Error of kind Rejected with reason %s", first, v1alpha1.ReasonDeletionHeld)
	}
	command := "kubectl annotate agentapikey -n ns k1 " + v1alpha1.AnnotationConfirmDeletion + "=k1"
	for _, part := range []string{command, "more than 25 keys"} {
		if !strings.Contains(e.Message, part) {
			t.Errorf("the message does not say %q: %s", part, e.Message)
		}
	}
	if again := b.Allow(at(1), key(1), false, uids(1, 70)); again == nil || again.Error() != first.Error() {
		t.Errorf("the message changes while the key waits: %v, then %v", first, again)
	}
}

// TestForgets: a brake that has run for years remembers an hour.
func TestForgets(t *testing.T) {
	b := New(1000)
	for n := range 500 {
		if err := b.Allow(at(n), key(n), false, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.passed) > 61 {
		t.Errorf("the brake remembers %d keys, want those of one hour", len(b.passed))
	}
}
