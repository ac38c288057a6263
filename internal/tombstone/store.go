// Package tombstone keeps the last trace of keys that were let go while their clients
// may still be in the directory. All tombstones stand in one ConfigMap in the operator's
// own namespace, where they outlive the keys and their namespaces; the sweeper of
// orphans works them off.
//
// It refuses to know the directory and to decide: what a tombstone allows is package
// plan's affair.
package tombstone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Name is the ConfigMap that holds the tombstones.
const Name = "agent-identity-operator-tombstones"

// What the ConfigMap can hold: etcd takes 1.5 MiB an object, the API server 1 MiB of
// data in a ConfigMap.
const (
	// Limit is how many tombstones there can be.
	Limit     = 2000
	sizeLimit = 1_000_000
)

// Store keeps tombstones. Several processes may use it at once.
type Store struct {
	// Live reads from the API server: a cache would hold every ConfigMap there is.
	Live client.Reader
	// Client writes.
	Client client.Writer
	// Namespace is the operator's own. Without it nothing is ever in the store, and
	// nothing can be put there.
	Namespace string
}

// Put keeps the tombstone. One that stands already, for the same key and client, stays
// as it was; only the id of the app is added when it was not known. An error of kind
// Rejected means that there is no place for it: then the key must not be let go.
func (s *Store) Put(ctx context.Context, t identity.Tombstone) error {
	if s.Namespace == "" {
		return notKept("the operator does not know its own namespace, where it would keep the trace of the client; " +
			"set manager.leaderElectionNamespace in its configuration")
	}
	return s.change(ctx, func(data map[string]string) (bool, error) {
		kept := t
		if old, err := read(data[nameOf(t)]); err == nil {
			if old.AppID != "" || t.AppID == "" {
				return false, nil
			}
			kept.Why, kept.Since = old.Why, old.Since
		}
		text, err := write(kept)
		if err != nil {
			return false, err
		}
		data[nameOf(t)] = text
		return true, full(data)
	})
}

// List gives the tombstones, the oldest first. Next to an error that names entries
// which cannot be read it gives all the others.
func (s *Store) List(ctx context.Context) ([]identity.Tombstone, error) {
	held, err := s.get(ctx)
	if err != nil || held == nil {
		return nil, err
	}
	var all []identity.Tombstone
	var unread error
	for _, name := range slices.Sorted(maps.Keys(held.Data)) {
		t, err := read(held.Data[name])
		if err != nil {
			unread = errors.Join(unread, fmt.Errorf("reading tombstone %s in ConfigMap %s/%s: %w", name, s.Namespace, Name, err))
			continue
		}
		all = append(all, t)
	}
	slices.SortStableFunc(all, func(a, b identity.Tombstone) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ClientID, b.ClientID))
	})
	return all, unread
}

// Remove forgets the tombstone; gone already is success.
func (s *Store) Remove(ctx context.Context, t identity.Tombstone) error {
	if s.Namespace == "" {
		return nil
	}
	return s.change(ctx, func(data map[string]string) (bool, error) {
		_, stands := data[nameOf(t)]
		delete(data, nameOf(t))
		return stands, nil
	})
}

// get reads the ConfigMap; nil when there is none.
func (s *Store) get(ctx context.Context) (*corev1.ConfigMap, error) {
	if s.Namespace == "" {
		return nil, nil //nolint:nilnil // no store, no tombstones
	}
	held := &corev1.ConfigMap{}
	err := s.Live.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: Name}, held)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // none is no error
	}
	if err != nil {
		return nil, fmt.Errorf("reading ConfigMap %s/%s: %w", s.Namespace, Name, err)
	}
	return held, nil
}

// change lets edit change the data, anew whenever somebody else was faster.
func (s *Store) change(ctx context.Context, edit func(data map[string]string) (bool, error)) error {
	faster := func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
	return retry.OnError(retry.DefaultBackoff, faster, func() error {
		held, err := s.get(ctx)
		if err != nil {
			return err
		}
		edited := held.DeepCopy()
		if held == nil {
			edited = empty(s.Namespace)
		}
		if edited.Data == nil {
			edited.Data = map[string]string{}
		}
		changed, err := edit(edited.Data)
		if err != nil || !changed {
			return err
		}
		return s.save(ctx, held == nil, edited)
	})
}

// save writes the ConfigMap; its resource version makes a change by somebody else in
// between a conflict.
func (s *Store) save(ctx context.Context, isNew bool, edited *corev1.ConfigMap) error {
	write := func() error { return s.Client.Update(ctx, edited) }
	if isNew {
		write = func() error { return s.Client.Create(ctx, edited) }
	}
	if err := write(); err != nil {
		return fmt.Errorf("writing ConfigMap %s/%s: %w", s.Namespace, Name, err)
	}
	return nil
}

func empty(namespace string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: Name,
		Labels: map[string]string{"app.kubernetes.io/managed-by": "agent-identity-operator"},
	}}
}

// full says that there is no room, before the API server says it less clearly.
func full(data map[string]string) error {
	size := 0
	for name, text := range data {
		size += len(name) + len(text)
	}
	if len(data) <= Limit && size <= sizeLimit {
		return nil
	}
	return notKept(fmt.Sprintf("ConfigMap %s has no room for another trace of a client that may be left in Okta; "+
		"let the operator reach Okta and work them off, or delete those clients there and remove their entries", Name))
}

func notKept(message string) error {
	return &identity.Error{Kind: identity.Rejected, Reason: v1alpha1.ReasonTombstoneNotKept, Message: message}
}
