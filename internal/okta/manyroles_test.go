package okta_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// listings counts by how many calls groups were listed after the first n calls of all.
func (w *world) listings(n int) (lists int) {
	for _, call := range w.since(n) {
		if call == "GET groups" {
			lists++
		}
	}
	return lists
}

// TestMoreRolesThanOktaFinds: beyond 300 groups Okta's q does not tell all, and its search does.
func TestMoreRolesThanOktaFinds(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsUnlimited})
	d := w.open()
	const roles = 310
	mark := func(i int) identity.Mark {
		name := fmt.Sprintf("r%03d", i)
		return identity.Mark{Cluster: cluster, Kind: "AIAgentRole", Namespace: "a", Name: name, UID: "uid-" + name}
	}
	group := func(i int) string { return fmt.Sprintf("k8s/test/a/r%03d", i) }
	for i := range roles {
		must(t, d.PutGroup(t.Context(), identity.Group{Mark: mark(i), Name: group(i)}))
	}
	w.clock.Step(time.Hour)
	fresh, before := w.open(), len(w.org.Operations())
	for _, i := range []int{0, 150, roles - 1} {
		seen, err := fresh.ObserveRole(t.Context(), mark(i), group(i))
		must(t, err)
		if seen.Group == nil || seen.Group.Mark != mark(i) {
			t.Errorf("the group of role %d is not seen: %+v", i, seen.Group)
		}
	}
	if lists := w.listings(before); lists != 3 {
		t.Errorf("groups were listed by %d calls, want one by q and two pages of the search", lists)
	}
}

// TestRefusedListIsNotAskedForAgain: all objects want the same list; what Okta refuses is refused
// to all of them, for a while.
func TestRefusedListIsNotAskedForAgain(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.org.Inject(oktasim.Fault{Method: "GET", Path: `/api/v1/groups$`, Action: oktasim.Status(400, "E0000001")})
	d, before := w.open(), len(w.org.Operations())
	for range 20 {
		if _, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r"); identity.KindOf(err) != identity.Rejected {
			t.Fatalf("got %v, want it refused", err)
		}
	}
	if n := w.listings(before); n != 1 {
		t.Errorf("it was asked for %d times", n)
	}
	w.org.ClearFaults()
	w.clock.Step(10 * time.Second)
	_, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/r")
	must(t, err)
}
