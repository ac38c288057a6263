package directorytest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// testSucceeded holds that an owner takes over what its namesake left, who was created
// earlier and is gone from the cluster, whatever answer is lost on the way; and that
// nothing is taken back.
func testSucceeded(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "succeeded", identity.PrivateKeyJWT)
	left, credential := r, r.client.Credential
	r.disguise("uid-of-successor", created+1)
	writes := h.Writes()
	until(t, h, "taking over", func() error { return r.build(t.Context(), h.Directory) })
	mustSee(t, h.Directory, r)
	mustSee(t, h.Reopen(), r)
	reference, writes := h.Objects(), h.Writes()-writes
	mustBeKind(t, "taking back", left.build(t.Context(), h.Directory), identity.Conflict)
	if diff := cmp.Diff(reference, h.Objects()); diff != "" {
		t.Errorf("the predecessor took something back (-before +after):\n%s", diff)
	}
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		for nth := range writes {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("write %d %s, restarted %v", nth+1, when, restart), func(t *testing.T) {
					h := newHarness(t)
					left, r := left, r
					left.client.Credential, r.client.Credential = credential, credential
					until(t, h, "building", func() error { return left.build(t.Context(), h.Directory) })
					h.Lose(when, nth+1)
					loseAndGoOn(t, h, restart, func(d identity.Directory) error { return r.build(t.Context(), d) })
					if diff := cmp.Diff(reference, h.Objects()); diff != "" {
						t.Errorf("(-without loss +with loss):\n%s", diff)
					}
				})
			}
		}
	}
}

// testSucceededEnd holds that an owner may delete what its namesake left without
// having taken it over.
func testSucceededEnd(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "ended", identity.PrivateKeyJWT)
	r.disguise("uid-of-successor", created+1)
	for what, d := range map[string]identity.Directory{"grant": h.Directory, "group": h.Reopen()} {
		until(t, h, "deleting the "+what, func() error {
			if what == "grant" {
				return d.DeleteGrant(t.Context(), r.mark)
			}
			return d.DeleteGroup(t.Context(), r.mark, r.group.Name)
		})
	}
	seen, err := h.Reopen().ObserveRole(t.Context(), r.mark, r.group.Name)
	if err != nil || seen.Group != nil || seen.Grant != nil {
		t.Errorf("after the deletion there is %+v, %+v, %v", seen.Group, seen.Grant, err)
	}
}

// testShadowed holds that a grant of somebody else that comes first is told, and one
// that comes after is not.
func testShadowed(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "shadowed", identity.PrivateKeyJWT)
	h.Plant(Plant{What: PlantGrant, Name: "comes after"})
	mustBeShadowed(t, h.Directory, r)
	mustBeShadowed(t, h.Reopen(), r)
	h.Plant(Plant{What: PlantGrant, Name: "b comes first", First: true})
	h.Plant(Plant{What: PlantGrant, Name: "a comes first", First: true})
	mustBeShadowed(t, h.Reopen(), r, "a comes first", "b comes first")
	// A grant that is made now comes after all of them.
	fresh, second := h.Reopen(), newRole(h, "second", identity.PrivateKeyJWT)
	until(t, h, "building", func() error { return second.build(t.Context(), fresh) })
	mustBeShadowed(t, fresh, second, "a comes first", "b comes first", "comes after")
	mustBeShadowed(t, fresh, r, "a comes first", "b comes first")
}

func mustBeShadowed(t *testing.T, d identity.Directory, r role, want ...string) {
	t.Helper()
	seen, err := d.ObserveRole(t.Context(), r.mark, r.group.Name)
	if err != nil {
		t.Fatalf("observing the role: %v", err)
	}
	if diff := cmp.Diff(want, seen.Shadows); diff != "" {
		t.Errorf("shadows (-want +got):\n%s", diff)
	}
}

// testInventory holds that all that carries a mark of the cluster is told, and nothing
// else.
func testInventory(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	mustOwn(t, h.Directory, nil, nil)
	r, other := newRole(h, "one", identity.PrivateKeyJWT), newRole(h, "two", identity.ClientSecretBasic)
	for _, r := range []role{r, other} {
		until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
	}
	elsewhere := identity.Mark{Cluster: "elsewhere", Kind: "AIAgentRole", Namespace: "team-a", Name: "x", UID: "uid-x"}
	for i, mark := range []identity.Mark{{}, elsewhere} {
		name := fmt.Sprintf("k8s/%s/team-a/foreign-%d", h.Cluster, i)
		h.Plant(Plant{What: PlantGroup, Name: name, Mark: mark})
		h.Plant(Plant{What: PlantGrant, Name: name, Mark: mark})
		h.Plant(Plant{What: PlantClient, Name: fmt.Sprintf("aik-foreign-%d", i), Label: name, Mark: mark})
	}
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		mustOwn(t, d, []identity.Mark{r.mark, other.mark}, []role{r, other})
	}
	until(t, h, "deleting a group", func() error { return h.Directory.DeleteGroup(t.Context(), r.mark, r.group.Name) })
	until(t, h, "deleting a grant", func() error { return h.Directory.DeleteGrant(t.Context(), other.mark) })
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		mustOwn(t, d, []identity.Mark{r.mark, other.mark}, []role{r, other})
	}
	for _, r := range []role{r, other} {
		until(t, h, "razing", func() error { return r.raze(t.Context(), h.Directory) })
	}
	for _, d := range []identity.Directory{h.Directory, h.Reopen()} {
		mustOwn(t, d, nil, nil)
	}
}

func mustOwn(t *testing.T, d identity.Directory, roles []identity.Mark, clients []role) {
	t.Helper()
	owned, err := d.OwnedRoles(t.Context())
	if err != nil {
		t.Fatalf("listing the roles: %v", err)
	}
	if len(owned)+len(roles) > 0 {
		if diff := cmp.Diff(roles, owned); diff != "" {
			t.Errorf("owned roles (-want +got):\n%s", diff)
		}
	}
	seen, err := d.OwnedClients(t.Context())
	if err != nil || len(seen) != len(clients) {
		t.Fatalf("listing the clients: got %v, %v, want %d", seen, err, len(clients))
	}
	for i, client := range seen {
		mustSeeAsRegistered(t, client, clients[i])
	}
}
