package directorytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// testUpdated holds that an update mends what is ours and leaves all else, and ends
// the same whatever answer is lost.
func testUpdated(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			var reference Objects
			h := newHarness(t)
			r := newRole(h, "updated", method)
			others := h.Credential(method)
			change := func(t *testing.T, h Harness) role {
				until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
				h.Hand.Extend(r.client.ClientID)
				h.Hand.Give(r.client.ClientID, others)
				h.Step(time.Hour)
				changed := r
				changed.client.Note = "Other words"
				// An update that names no credential leaves the name of the one there is.
				changed.client.Credential = identity.Credential{}
				return changed
			}
			changed := change(t, h)
			until(t, h, "changing the note", func() error { return changed.register(t.Context(), h.Directory) })
			before := h.Objects()
			h.Hand.Meddle(r.client.ClientID)
			fresh := h.Reopen()
			if seen := mustSeeClient(t, fresh, r); len(seen.Altered) == 0 || !seen.Touched {
				t.Errorf("a setting that was changed is not told: %+v", seen)
			}
			until(t, h, "mending", func() error { return changed.register(t.Context(), fresh) })
			for what, d := range map[string]identity.Directory{"the process that wrote": fresh, "another": h.Reopen()} {
				seen := mustSeeClient(t, d, changed)
				if len(seen.Altered) > 0 || seen.Touched || seen.Note != changed.client.Note || seen.Registered != r.client.Credential.KeyID || !seen.Active {
					t.Errorf("%s sees %+v", what, seen)
				}
			}
			reference = h.Objects()
			if diff := cmp.Diff(before, reference); diff != "" {
				t.Errorf("mending changed more than was changed (-before +after):\n%s", diff)
			}
			mustName(t, h, fresh, changed)
			writes := h.Writes()
			if err := fresh.UpdateClient(t.Context(), mustSeeClient(t, fresh, r), changed.client); err != nil || h.Writes() != writes {
				t.Errorf("updating what is so: %v after %d writes, want success without", err, h.Writes()-writes)
			}
			for _, when := range []Loss{BeforeCommit, AfterCommit} {
				for _, restart := range []bool{false, true} {
					t.Run(fmt.Sprintf("lost %s, restarted %v", when, restart), func(t *testing.T) {
						h := newHarness(t)
						changed := change(t, h)
						h.Lose(when, 1)
						loseAndGoOn(t, h, restart, func(d identity.Directory) error { return changed.register(t.Context(), d) })
						if diff := cmp.Diff(reference, h.Objects()); diff != "" {
							t.Errorf("(-without loss +with loss):\n%s", diff)
						}
					})
				}
			}
		})
	}
}

// mustName holds that an update can say by which credential a client goes from now on.
func mustName(t *testing.T, h Harness, d identity.Directory, r role) {
	t.Helper()
	before := mustSeeClient(t, d, r)
	old, earlier := before.Registered, map[string][]string{"another": {before.Registered}}
	if before.Method != identity.PrivateKeyJWT {
		earlier[old] = []string{"another"} // a client that signs has no such key
	}
	for _, name := range []string{"another", old} {
		named := r.client
		named.Credential.KeyID = name
		until(t, h, "naming a credential", func() error { return d.UpdateClient(t.Context(), mustSeeClient(t, d, r), named) })
		for _, d := range []identity.Directory{d, h.Reopen()} {
			seen := mustSeeClient(t, d, r)
			if seen.Registered != name || seen.Touched {
				t.Errorf("after %s was named there is %+v", name, seen)
			}
			if diff := cmp.Diff(earlier[name], seen.Earlier); diff != "" {
				t.Errorf("after %s was named, the earlier ones (-want +got):\n%s", name, diff)
			}
		}
	}
}

// testAdopted holds that a client somebody else made is taken over when that is asked
// for, with the credential it has and without another change, and can be given back.
func testAdopted(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		for what, mark := range map[string]func(Harness) identity.Mark{
			"no mark": func(Harness) identity.Mark { return identity.Mark{} },
			"the mark of another owner": func(h Harness) identity.Mark {
				return identity.Mark{Cluster: h.Cluster, Kind: "AgentAPIKey", Namespace: "team-b", Name: "x", UID: "uid-x", Since: created + 9}
			},
		} {
			for _, when := range []Loss{BeforeCommit, AfterCommit} {
				t.Run(fmt.Sprintf("%s, %s, lost %s", method, what, when), func(t *testing.T) {
					h := newHarness(t)
					r := newRole(h, "adopted", method)
					id := h.Plant(Plant{
						What: PlantClient, Name: r.client.ClientID, Label: "made by hand", Mark: mark(h), Credential: r.client.Credential,
					})
					h.Hand.Extend(r.client.ClientID)
					by := identity.ClientHint{Label: r.client.Label, ID: id}
					adopt := func(d identity.Directory) error {
						seen, err := d.ObserveClient(t.Context(), r.client.ClientID, by)
						if err != nil {
							return err
						}
						if seen == nil {
							return fmt.Errorf("client %s is not seen by its id", r.client.ClientID)
						}
						return d.AdoptClient(t.Context(), *seen, r.client)
					}
					seen, err := h.Directory.ObserveClient(t.Context(), r.client.ClientID, by)
					if err != nil || seen == nil || seen.Mark != mark(h) || seen.Label != "made by hand" {
						t.Fatalf("before the adoption: got %+v, %v", seen, err)
					}
					h.Lose(when, 1)
					loseAndGoOn(t, h, false, adopt)
					mustBeAdopted(t, h, r, by)
					writes := h.Writes()
					if err := adopt(h.Directory); err != nil || h.Writes() != writes {
						t.Errorf("adopting again: %v after %d writes, want success without", err, h.Writes()-writes)
					}
					until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
					role, err := h.Directory.ObserveRole(t.Context(), r.mark, r.group.Name)
					if err != nil {
						t.Fatalf("observing the role: %v", err)
					}
					err = h.Directory.Probe(t.Context(), *role.Server, r.client.ClientID, r.client.Credential, r.names())
					if err != nil {
						t.Errorf("the credential it had before is refused: %v", err)
					}
				})
			}
		}
	}
}

func mustBeAdopted(t *testing.T, h Harness, r role, by identity.ClientHint) {
	t.Helper()
	for what, d := range map[string]identity.Directory{"same process": h.Directory, "fresh process": h.Reopen()} {
		seen, err := d.ObserveClient(t.Context(), r.client.ClientID, by)
		if err != nil || seen == nil {
			t.Fatalf("%s: got %v, %v, want the client", what, seen, err)
		}
		want := identity.ClientSeen{
			ID: by.ID, ClientID: r.client.ClientID, Mark: r.client.Mark, Label: r.client.Label, Note: r.client.Note,
			Method: r.client.Credential.Method, Registered: r.client.Credential.KeyID, Active: true, FirstSeen: seen.FirstSeen,
		}
		if want.Method == identity.PrivateKeyJWT {
			want.PublicKeyIDs = []string{r.client.Credential.KeyID}
		}
		if diff := cmp.Diff(want, *seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

// testNotAdopted holds what is not taken over, even when that is asked for.
func testNotAdopted(t *testing.T, newHarness func(*testing.T) Harness) {
	elsewhere := identity.Mark{Cluster: "elsewhere", Kind: "AgentAPIKey", Namespace: "team-a", Name: "x", UID: "uid-x"}
	for what, test := range map[string]struct {
		plant Plant
		since func(h Harness, clientID string)
		kind  identity.Kind
	}{
		"another cluster's": {plant: Plant{Mark: elsewhere}, kind: identity.Conflict},
		"people's":          {plant: Plant{ForPeople: true}, kind: identity.Rejected},
		"marked since": {
			since: func(h Harness, clientID string) {
				here := elsewhere
				here.Cluster = h.Cluster
				h.Hand.Mark(clientID, here)
			},
			kind: identity.Conflict,
		},
	} {
		t.Run(what, func(t *testing.T) {
			h := newHarness(t)
			r := newRole(h, "not-adopted", identity.ClientSecretBasic)
			test.plant.What, test.plant.Name, test.plant.Label = PlantClient, r.client.ClientID, "made by hand"
			by := identity.ClientHint{Label: r.client.Label, ID: h.Plant(test.plant)}
			seen, err := h.Directory.ObserveClient(t.Context(), r.client.ClientID, by)
			if err != nil || seen == nil {
				t.Fatalf("observing: got %v, %v", seen, err)
			}
			if test.since != nil {
				test.since(h, r.client.ClientID)
			}
			before := h.Objects()
			mustBeKind(t, "adopting", h.Directory.AdoptClient(t.Context(), *seen, r.client), test.kind)
			if diff := cmp.Diff(before, h.Objects()); diff != "" {
				t.Errorf("it was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// testDisowned holds that a client is left to people as it is, and is nobody's then.
func testDisowned(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		t.Run(when.String(), func(t *testing.T) {
			h, r := built(t, newHarness, "disowned", identity.ClientSecretBasic)
			h.Hand.Extend(r.client.ClientID)
			owned := mustSeeClient(t, h.Directory, r)
			h.Lose(when, 1)
			loseAndGoOn(t, h, false, func(d identity.Directory) error { return d.DisownClient(t.Context(), owned) })
			writes := h.Writes()
			if err := h.Directory.DisownClient(t.Context(), owned); err != nil || h.Writes() != writes {
				t.Errorf("disowning again: %v after %d writes, want success without", err, h.Writes()-writes)
			}
			for what, d := range map[string]identity.Directory{"same process": h.Directory, "fresh process": h.Reopen()} {
				seen := mustSeeClient(t, d, r)
				want := owned
				want.Mark, want.Registered, want.FirstSeen = identity.Mark{}, "", seen.FirstSeen
				want.Note += "\n" + owned.Mark.Consent()
				// Of what is nobody's it has no meaning.
				want.Touched = seen.Touched
				if diff := cmp.Diff(want, seen); diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
				mustBeKind(t, "updating", d.UpdateClient(t.Context(), seen, r.client), identity.Conflict)
				mustBeKind(t, "deactivating", d.DeactivateClient(t.Context(), owned), identity.Conflict)
				if err := d.ConfirmNoClient(t.Context(), r.client.ClientID, identity.ClientHint{Label: r.client.Label}); err != nil {
					t.Errorf("%s: confirming that none is ours: %v", what, err)
				}
			}
			if err := h.Directory.DisownClient(t.Context(), identity.ClientSeen{ClientID: "aik-never-was", Mark: r.client.Mark}); err != nil {
				t.Errorf("disowning what is not there: %v", err)
			}
		})
	}
}

// testActivated holds that access that was taken away can be given again.
func testActivated(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		t.Run(when.String(), func(t *testing.T) {
			h, r := built(t, newHarness, "activated", identity.PrivateKeyJWT)
			reference := h.Objects()
			client := mustSeeClient(t, h.Directory, r)
			until(t, h, "deactivating", func() error { return h.Directory.DeactivateClient(t.Context(), client) })
			h.Lose(when, 1)
			loseAndGoOn(t, h, false, func(d identity.Directory) error { return d.ActivateClient(t.Context(), client) })
			mustSee(t, h.Directory, r)
			mustSee(t, h.Reopen(), r)
			writes := h.Writes()
			if err := h.Directory.ActivateClient(t.Context(), client); err != nil || h.Writes() != writes {
				t.Errorf("activating again: %v after %d writes, want success without", err, h.Writes()-writes)
			}
			if diff := cmp.Diff(reference, h.Objects()); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}
