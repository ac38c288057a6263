package tombstone

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const home = "operator-system"

func stone(n int) identity.Tombstone {
	return identity.Tombstone{
		Mark: identity.Mark{
			Cluster: "c", Kind: "AgentAPIKey", Namespace: "ns", Name: fmt.Sprintf("k%d", n), UID: fmt.Sprintf("uid-%d", n), Since: 7,
		},
		ClientID: fmt.Sprintf("aik-%d", n), AppID: "0oa1", Why: "abandoned while Okta could not be asked",
		Since: time.Date(2026, 1, 1, 12, n, 0, 0, time.UTC),
	}
}

// world is an API server that another process writes to as well.
type world struct {
	*testing.T
	store  *Store
	client client.Client
	writes int
	// before runs before each write.
	before func()
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	w := &world{T: t, before: func() {}}
	write := func() {
		w.writes++
		before := w.before
		w.before = func() {}
		before()
	}
	inner := fake.NewClientBuilder().WithObjects(objects...).Build()
	w.client = inner
	outer := interceptor.NewClient(inner, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			write()
			return c.Create(ctx, obj, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			write()
			return c.Update(ctx, obj, opts...)
		},
	})
	w.store = &Store{Live: inner, Client: outer, Namespace: home}
	return w
}

func (w *world) put(t identity.Tombstone) {
	w.Helper()
	if err := w.store.Put(w.Context(), t); err != nil {
		w.Fatalf("putting a tombstone: %v", err)
	}
}

func (w *world) mustHold(want ...identity.Tombstone) {
	w.Helper()
	got, err := w.store.List(w.Context())
	if err != nil {
		w.Fatalf("listing: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("tombstones (-want +got):\n%s", diff)
	}
}

// TestLife: what is put is listed, the oldest first, until it is removed.
func TestLife(t *testing.T) {
	w := newWorld(t)
	w.mustHold()
	w.put(stone(2))
	w.put(stone(1))
	w.mustHold(stone(1), stone(2))
	for range 2 {
		if err := w.store.Remove(t.Context(), stone(1)); err != nil {
			t.Fatalf("removing: %v", err)
		}
		w.mustHold(stone(2))
	}
	if w.writes != 3 {
		t.Errorf("there were %d writes, want 3: what is gone needs none", w.writes)
	}
}

// TestTwice: a release that is repeated finds its own tombstone, and writes nothing.
func TestTwice(t *testing.T) {
	w := newWorld(t)
	first := stone(1)
	first.AppID = ""
	w.put(first)
	later := stone(1)
	later.Since, later.Why = later.Since.Add(time.Hour), "other words"
	w.put(later)
	first.AppID = later.AppID
	w.mustHold(first)
	w.put(later)
	if w.writes != 2 {
		t.Errorf("there were %d writes, want 2: the tombstone, and the app's id when it was known", w.writes)
	}
}

// TestNamesakes: two keys of one name have one client id, and a tombstone each.
func TestNamesakes(t *testing.T) {
	w := newWorld(t)
	older, newer := stone(1), stone(1)
	older.Keep = true
	newer.Mark.UID, newer.Since = "uid-9", newer.Since.Add(time.Minute)
	w.put(older)
	w.put(newer)
	w.mustHold(older, newer)
}

// TestConflicts: a tombstone that another process writes at the same moment is not lost.
func TestConflicts(t *testing.T) {
	tests := map[string]struct {
		reason string
		change func(w *world) error
		want   []identity.Tombstone
	}{
		"FirstTwo": {
			reason: "both find no ConfigMap, and one of them creates it",
			change: func(w *world) error { return w.store.Put(w.Context(), stone(2)) },
			want:   []identity.Tombstone{stone(1), stone(2)},
		},
		"Update": {
			reason: "both have read the same version",
			change: func(w *world) error {
				w.put(stone(3))
				w.race(4)
				return w.store.Put(w.Context(), stone(2))
			},
			want: []identity.Tombstone{stone(1), stone(2), stone(3), stone(4)},
		},
		"Remove": {
			reason: "removing one must not remove what came meanwhile",
			change: func(w *world) error {
				w.put(stone(2))
				w.race(4)
				return w.store.Remove(w.Context(), stone(2))
			},
			want: []identity.Tombstone{stone(1), stone(4)},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.race(1)
			if err := tc.change(w); err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			w.mustHold(tc.want...)
		})
	}
}

// race lets another process put a tombstone just before the next write.
func (w *world) race(n int) {
	other := &Store{Live: w.client, Client: w.client, Namespace: home}
	w.before = func() {
		if err := other.Put(w.Context(), stone(n)); err != nil {
			w.Errorf("putting as another process: %v", err)
		}
	}
}

// TestFull: the limit is told, and what stands is not lost.
func TestFull(t *testing.T) {
	tests := map[string]struct {
		reason string
		have   func(*corev1.ConfigMap)
	}{
		"Many": {"there are as many as may be", func(c *corev1.ConfigMap) {
			for n := range Limit {
				c.Data[fmt.Sprintf("k%d", n)] = "x"
			}
		}},
		"Large": {"the API server takes no larger ConfigMap", func(c *corev1.ConfigMap) { c.Data["large"] = strings.Repeat("x", sizeLimit) }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			have := empty(home)
			have.Data = map[string]string{}
			tc.have(have)
			w := newWorld(t, have)
			err := w.store.Put(t.Context(), stone(1))
			e, ok := errors.AsType[*identity.Error](err)
			if !ok || e.Kind != identity.Rejected || e.Reason != v1alpha1.ReasonTombstoneNotKept {
				t.Errorf("%s: error is %v, want one of kind Rejected", tc.reason, err)
			}
			if w.writes != 0 {
				t.Errorf("%s: it was written all the same", tc.reason)
			}
		})
	}
}

// TestNoNamespace: without a place nothing is promised, and nothing is there.
func TestNoNamespace(t *testing.T) {
	w := newWorld(t)
	w.store.Namespace = ""
	if err := w.store.Put(t.Context(), stone(1)); identity.KindOf(err) != identity.Rejected {
		t.Errorf("putting gives %v, want an error of kind Rejected: the key must not be let go", err)
	}
	w.mustHold()
	if err := w.store.Remove(t.Context(), stone(1)); err != nil {
		t.Errorf("removing gives %v", err)
	}
}

// TestBroken: an entry that a person has broken hides none of the others, allows
// nothing, and is mended by the next Put.
func TestBroken(t *testing.T) {
	w := newWorld(t)
	w.put(stone(1))
	w.put(stone(2))
	held, err := w.store.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held.Data[nameOf(stone(1))] = `{"mark":"managed-by=somebody","clientID":"aik-1"}`
	if err := w.client.Update(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	got, err := w.store.List(t.Context())
	if err == nil || !strings.Contains(err.Error(), nameOf(stone(1))) {
		t.Errorf("error is %v, want one that names the entry", err)
	}
	if diff := cmp.Diff([]identity.Tombstone{stone(2)}, got); diff != "" {
		t.Errorf("tombstones (-want +got):\n%s", diff)
	}
	w.put(stone(1))
	w.mustHold(stone(1), stone(2))
}

// TestNames: every client id that Okta or an adoption may have fits into a ConfigMap.
func TestNames(t *testing.T) {
	for _, clientID := range []string{"aik-abc", "0oa1.x_y-z", "$a.+!*'(),-b", strings.Repeat("é", 100)} {
		s := stone(1)
		s.ClientID = clientID
		if problems := validation.IsConfigMapKey(nameOf(s)); len(problems) > 0 {
			t.Errorf("client id %q gives the name %q: %v", clientID, nameOf(s), problems)
		}
	}
}

// TestErrors: an API server that refuses is told, and a tombstone that names nothing is none.
func TestErrors(t *testing.T) {
	refused := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, Name, errors.New("no role"))
	inner := interceptor.NewClient(fake.NewClientBuilder().Build(), interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return refused
		},
	})
	s := &Store{Live: inner, Client: inner, Namespace: home}
	if err := s.Put(t.Context(), stone(1)); !apierrors.IsForbidden(err) {
		t.Errorf("putting gives %v, want the refusal", err)
	}
	if _, err := s.List(t.Context()); !apierrors.IsForbidden(err) {
		t.Errorf("listing gives %v, want the refusal", err)
	}
	if err := newWorld(t).store.Put(t.Context(), identity.Tombstone{ClientID: "aik-1"}); err == nil {
		t.Error("a tombstone without a mark was taken")
	}
}
