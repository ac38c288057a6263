package okta_test

import (
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// twins has two processes make the operator's server, the second in the first's stead,
// and gives a third one.
func twins(t *testing.T, w *world, between func(second identity.Directory)) identity.Directory {
	t.Helper()
	first, second := w.open(), w.open()
	for _, d := range []identity.Directory{first, second} {
		_, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
		must(t, err)
	}
	must(t, first.CreateServer(t.Context(), false, nil))
	w.clock.Step(time.Second)
	must(t, second.CreateServer(t.Context(), false, nil))
	between(second)
	w.clock.Step(time.Minute)
	return w.open()
}

func servers(w *world) []string {
	var ids []string
	for _, s := range w.org.Snapshot().Servers {
		if s.Name == "agentid-"+cluster {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// TestTwinDropped holds that of two servers of ours the older is used, and the other
// deleted once.
func TestTwinDropped(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := twins(t, w, func(identity.Directory) {})
	seen, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	must(t, err)
	both := servers(w)
	if len(both) != 2 || seen.Server == nil || seen.Server.ID != both[0] || seen.Twin != both[1] {
		t.Fatalf("of the servers %v, %+v is used and %q called a twin; want the older and the younger", both, seen.Server, seen.Twin)
	}
	must(t, d.DropTwin(t.Context()), d.DropTwin(t.Context()))
	if left := servers(w); len(left) != 1 || left[0] != both[0] {
		t.Errorf("the servers %v are left of %v, want the older", left, both)
	}
	seen, err = d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	must(t, err)
	if seen.Twin != "" {
		t.Errorf("%s is called a twin though it is deleted", seen.Twin)
	}
}

// TestTwinInUse holds that a server on which something is granted stays.
func TestTwinInUse(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := twins(t, w, func(second identity.Directory) {
		must(t, second.PutPermission(t.Context(), identity.Permission{Name: "p"}),
			second.RegisterClient(t.Context(), registration(t, "one")), second.PutGrant(t.Context(), grantOf(registration(t, "one").ClientID)))
	})
	_, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	must(t, err)
	if err := d.DropTwin(t.Context()); identity.KindOf(err) != identity.Rejected {
		t.Errorf("dropping a server that is in use gives %v, want an error of kind Rejected", err)
	}
	if left := servers(w); len(left) != 2 {
		t.Errorf("the servers %v are left, want both", left)
	}
	seen, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	must(t, err)
	if seen.Twin != "" {
		t.Errorf("%s is called a twin again, though it cannot go", seen.Twin)
	}
}

// TestTwinOfLostAnswer holds that a server whose creation brought no answer is waited
// for, and not made again.
func TestTwinOfLostAnswer(t *testing.T) {
	w := newWorld(t, oktasim.Options{ListLag: 30 * time.Second})
	d := w.open()
	_, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	must(t, err)
	w.lose, w.when = 1, directorytest.AfterCommit
	if err := d.CreateServer(t.Context(), false, nil); err == nil {
		t.Fatal("the answer was not lost")
	}
	for range 70 {
		if err := d.CreateServer(t.Context(), false, nil); err == nil {
			break
		} else if kind := identity.KindOf(err); kind != identity.Waiting {
			t.Fatalf("creating it again gives %v, want an error of kind Waiting", err)
		}
		w.clock.Step(time.Second)
	}
	must(t, d.CreateServer(t.Context(), false, nil))
	if made := servers(w); len(made) != 1 {
		t.Errorf("there are the servers %v, want one", made)
	}
}
