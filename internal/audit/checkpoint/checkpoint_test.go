package checkpoint

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func at(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 4, 567e6, time.UTC) }

func place(next string) audit.Position {
	return audit.Position{
		Place: identity.LogPlace{Next: next}, Began: at(1), Last: at(2), SetAside: 3,
		Gaps: []audit.Gap{{From: at(3), To: at(4), Reason: audit.CursorRejected}},
	}
}

func newStore() *Store {
	c := fake.NewClientBuilder().Build()
	return &Store{Live: c, Client: c, Namespace: "home"}
}

// again is the store of the next process.
func again(s *Store) *Store { return &Store{Live: s.Live, Client: s.Client, Namespace: s.Namespace} }

func mustLoad(t *testing.T, s *Store, id string, want *audit.Position) {
	t.Helper()
	got, found, err := s.Load(t.Context(), id)
	if err != nil || found != (want != nil) {
		t.Fatalf("found: %t, want %t: %v", found, want != nil, err)
	}
	if want == nil {
		return
	}
	if diff := cmp.Diff(*want, got); diff != "" {
		t.Errorf("position of %s (-want +got):\n%s", id, diff)
	}
}

func TestPositionsAreReadAgain(t *testing.T) {
	s := newStore()
	mustLoad(t, s, "a", nil)
	since := audit.Position{Place: identity.LogPlace{Since: at(9)}, Began: at(9)}
	for id, p := range map[string]audit.Position{"a": place("/one"), "b": since} {
		if err := s.Save(t.Context(), id, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Save(t.Context(), "a", place("/two")); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, again(s), "a", new(place("/two")))
	mustLoad(t, again(s), "b", &since)
	if err := s.Forget(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, again(s), "a", nil)
	mustLoad(t, again(s), "b", &since)
	if err := again(newStore()).Forget(t.Context(), "a"); err != nil {
		t.Errorf("forgetting what was never there: %v", err)
	}
}

// TestBroken holds that what was written before is read when the last is not whole, and
// that a position is never made up.
func TestBroken(t *testing.T) {
	tests := map[string]struct {
		change func(text string) string
		want   *audit.Position
		reason string
	}{
		"a bit of the last": {
			func(text string) string { return strings.Replace(text, "/two", "/twO", 1) }, new(place("/one")), "its sum does not fit",
		},
		"a bit of both": {
			func(text string) string {
				return strings.ReplaceAll(strings.ReplaceAll(text, "/two", "/x"), "/one", "/y")
			}, nil, "neither fits",
		},
		"half of it":   {func(text string) string { return text[:len(text)/2] }, nil, "it is no JSON"},
		"nothing":      {func(string) string { return "" }, nil, "somebody emptied it"},
		"other JSON":   {func(string) string { return `{"position":{"at":{},"sum":"44136fa355b3678a"}}` }, nil, "it names no place"},
		"a null entry": {func(string) string { return `{"position":null}` }, nil, "there is none"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore()
			for _, next := range []string{"/one", "/two"} {
				if err := s.Save(t.Context(), "a", place(next)); err != nil {
					t.Fatal(err)
				}
			}
			var cm corev1.ConfigMap
			if err := s.Live.Get(t.Context(), client.ObjectKey{Namespace: "home", Name: NameOf("a")}, &cm); err != nil {
				t.Fatal(err)
			}
			cm.Data["a"] = tt.change(cm.Data["a"])
			if err := s.Live.(client.Client).Update(t.Context(), &cm); err != nil {
				t.Fatal(err)
			}
			mustLoad(t, again(s), "a", tt.want)
		})
	}
}

func TestNoHome(t *testing.T) {
	s := &Store{}
	if _, _, err := s.Load(t.Context(), "a"); !errors.Is(err, ErrNoHome) {
		t.Errorf("loading without a namespace: %v", err)
	}
	if err := s.Save(t.Context(), "a", place("/one")); !errors.Is(err, ErrNoHome) {
		t.Errorf("saving without a namespace: %v", err)
	}
}

// TestManyFit holds what the doc comment says of the size.
func TestManyFit(t *testing.T) {
	p := place("/api/v1/logs?after=" + strings.Repeat("x", 300))
	for i := range audit.MaxGaps {
		p = audit.Position{Place: p.Place, Began: p.Began, Last: p.Last, Gaps: append(p.Gaps, audit.Gap{From: at(i), To: at(i), Reason: audit.CursorRejected})}
	}
	s := newStore()
	for range 2 {
		if err := s.Save(t.Context(), "a", p); err != nil {
			t.Fatal(err)
		}
	}
	var cm corev1.ConfigMap
	if err := s.Live.Get(t.Context(), client.ObjectKey{Namespace: "home", Name: NameOf("a")}, &cm); err != nil {
		t.Fatal(err)
	}
	if size := 250 * (len(cm.Data["a"]) + 36); size > 1<<20 {
		t.Errorf("250 receivers would take %d bytes", size)
	}
}

// TestShippedRole holds that what is done to the ConfigMaps is what the role allows.
func TestShippedRole(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "rbac", "audit_role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.Role
	if err := yaml.Unmarshal([]byte(strings.Split(string(text), "\n---\n")[0]), &role); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for i := range 1000 {
		names[NameOf(strconv.Itoa(i))] = true
	}
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: slices.Sorted(maps.Keys(names)), Verbs: []string{"get", "patch"}},
	}
	if diff := cmp.Diff(want, role.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"position":{"at":{"next":"/x"},"sum":""}}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, e := read(text)
		if e != nil && (p.Place == identity.LogPlace{}) {
			t.Error(fmt.Sprint("a position without a place of ", text))
		}
	})
}
