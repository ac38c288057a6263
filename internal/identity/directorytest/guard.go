package directorytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// testForeign plants what the role would make, made by others, and holds that none
// of it is changed.
func testForeign(t *testing.T, newHarness func(*testing.T) Harness) {
	for name, mark := range map[string]identity.Mark{
		"no mark":       {},
		"other cluster": {Cluster: "elsewhere", Kind: "AIAgentRole", Namespace: "team-a", Name: "foreign", UID: "uid-elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			r := newRole(h, "foreign", identity.PrivateKeyJWT)
			until(t, h, "creating the server", func() error { return h.Directory.CreateServer(t.Context(), false, nil) })
			h.Plant(Plant{What: PlantGroup, Name: r.group.Name, Mark: mark})
			h.Plant(Plant{What: PlantScope, Name: r.permissions[0].Name, Mark: mark})
			h.Plant(Plant{What: PlantGrant, Name: r.grant().Name, Mark: mark})
			h.Plant(Plant{What: PlantClient, Name: r.client.ClientID, Label: r.client.Label, Mark: mark})
			before := h.Objects()
			mustLeaveAlone(t, h.Reopen(), r, mark)
			if diff := cmp.Diff(before, h.Objects()); diff != "" {
				t.Errorf("what others made was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func mustLeaveAlone(t *testing.T, d identity.Directory, r role, mark identity.Mark) {
	t.Helper()
	seen, err := d.ObserveRole(t.Context(), r.mark, r.group.Name)
	if err != nil {
		t.Fatalf("observing the role: %v", err)
	}
	if !seen.Foreign[r.permissions[0].Name] {
		t.Error("a scope somebody else made is not shown as foreign")
	}
	if seen.Group == nil || seen.Group.Mark != mark {
		t.Errorf("the group is not shown with its mark: %+v", seen.Group)
	}
	if seen.Grant != nil {
		t.Errorf("a grant somebody else made is shown as the role's: %+v", seen.Grant)
	}
	client := mustSeeClient(t, d, r)
	if client.Mark != mark {
		t.Errorf("the client is shown with mark %v, want %v", client.Mark, mark)
	}
	claimed, other := client, r.client.Credential
	claimed.Mark = r.client.Mark
	_, listed := d.ObserveCredentials(t.Context(), claimed)
	for what, err := range map[string]error{
		"PutPermission":         d.PutPermission(t.Context(), r.permissions[0]),
		"PutGroup":              d.PutGroup(t.Context(), r.group),
		"PutGrant":              d.PutGrant(t.Context(), r.grant(r.client.ClientID)),
		"RegisterClient":        d.RegisterClient(t.Context(), r.client),
		"DeactivateClient":      d.DeactivateClient(t.Context(), claimed),
		"DeleteClient":          d.DeleteClient(t.Context(), claimed),
		"UpdateClient":          d.UpdateClient(t.Context(), client, r.client),
		"UpdateClient, claimed": d.UpdateClient(t.Context(), claimed, r.client),
		"AdoptClient, claimed":  d.AdoptClient(t.Context(), claimed, r.client),
		"DisownClient":          disowning(t, d, claimed, mark),
		"ActivateClient":        d.ActivateClient(t.Context(), claimed),
		"AddCredential":         d.AddCredential(t.Context(), claimed, other),
		"RemoveCredential":      d.RemoveCredential(t.Context(), claimed, other.KeyID),
		"ObserveCredentials":    listed,
		"DeleteGroup":           d.DeleteGroup(t.Context(), r.mark, r.group.Name),
	} {
		mustBeKind(t, what, err, identity.Conflict)
	}
	if err := d.DeleteGrant(t.Context(), r.mark); err != nil {
		t.Errorf("DeleteGrant of a role without one: %v", err)
	}
}

// disowning is what is said to who disowns what is not his. What carries no mark is
// disowned already.
func disowning(t *testing.T, d identity.Directory, client identity.ClientSeen, mark identity.Mark) error {
	t.Helper()
	err := d.DisownClient(t.Context(), client)
	if mark.IsZero() && err == nil {
		return &identity.Error{Kind: identity.Conflict, Reason: identity.ReasonConflict, Message: "nothing was done"}
	}
	return err
}

// testNamesake holds that what a namesake left is shown with its mark, and that nobody
// touches it but an owner that was created later.
func testNamesake(t *testing.T, newHarness func(*testing.T) Harness) {
	for name, since := range map[string]int64{"earlier": created - 1, "at the same time": created} {
		t.Run(name, func(t *testing.T) {
			h, r := built(t, newHarness, "namesake", identity.PrivateKeyJWT)
			before, left := h.Objects(), r.mark
			r.disguise("uid-of-another", since)
			seen, err := h.Directory.ObserveRole(t.Context(), r.mark, r.group.Name)
			if err != nil {
				t.Fatalf("observing the role: %v", err)
			}
			if seen.Grant == nil || seen.Grant.Mark != left || seen.Group == nil || seen.Group.Mark != left {
				t.Errorf("what the namesake left is not shown with its mark: %+v, %+v", seen.Group, seen.Grant)
			}
			client := mustSeeClient(t, h.Directory, r)
			for what, err := range map[string]error{
				"PutGroup":       h.Directory.PutGroup(t.Context(), r.group),
				"PutGrant":       h.Directory.PutGrant(t.Context(), r.grant(r.client.ClientID)),
				"DeleteGroup":    h.Directory.DeleteGroup(t.Context(), r.mark, r.group.Name),
				"DeleteGrant":    h.Directory.DeleteGrant(t.Context(), r.mark),
				"RegisterClient": h.Directory.RegisterClient(t.Context(), r.client),
				"UpdateClient":   h.Directory.UpdateClient(t.Context(), client, r.client),
			} {
				mustBeKind(t, what, err, identity.Conflict)
			}
			if diff := cmp.Diff(before, h.Objects()); diff != "" {
				t.Errorf("what the namesake left was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func testDeleted(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "deleted", identity.PrivateKeyJWT)
	client := mustSeeClient(t, h.Directory, r)
	until(t, h, "deactivating", func() error { return h.Directory.DeactivateClient(t.Context(), client) })
	if mustSeeClient(t, h.Directory, r).Active {
		t.Error("a client that was deactivated is seen as active")
	}
	steps := []struct {
		what string
		do   func() error
	}{
		{"DeactivateClient", func() error { return h.Directory.DeactivateClient(t.Context(), client) }},
		{"DeleteClient", func() error { return h.Directory.DeleteClient(t.Context(), client) }},
		{"DeleteGrant", func() error { return h.Directory.DeleteGrant(t.Context(), r.mark) }},
		{"DeleteGroup", func() error { return h.Directory.DeleteGroup(t.Context(), r.mark, r.group.Name) }},
	}
	for _, step := range steps {
		until(t, h, step.what, step.do)
		writes := h.Writes()
		if err := step.do(); err != nil || h.Writes() != writes {
			t.Errorf("%s twice: %v after %d writes, want success without", step.what, err, h.Writes()-writes)
		}
	}
	if err := h.Directory.DeactivateClient(t.Context(), client); err != nil {
		t.Errorf("deactivating what is gone: %v", err)
	}
	for what, d := range map[string]identity.Directory{"same process": h.Directory, "fresh process": h.Reopen()} {
		seen, err := d.ObserveRole(t.Context(), r.mark, r.group.Name)
		if err != nil || seen.Group != nil || seen.Grant != nil {
			t.Errorf("%s: after the deletion there is %+v, %v", what, seen, err)
		}
		gone, err := d.ObserveClient(t.Context(), r.client.ClientID, identity.ClientHint{Label: r.client.Label})
		if err != nil || gone != nil {
			t.Errorf("%s: after the deletion there is client %v, %v", what, gone, err)
		}
	}
}

func testTokens(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h, r := built(t, newHarness, "tokens", method)
			seen, err := h.Directory.ObserveRole(t.Context(), r.mark, r.group.Name)
			if err != nil {
				t.Fatalf("observing the role: %v", err)
			}
			probe := func(credential identity.Credential, permissions ...string) error {
				return h.Directory.Probe(t.Context(), *seen.Server, r.client.ClientID, credential, permissions)
			}
			right, wrong := r.client.Credential, h.Credential(method)
			wrong.KeyID = right.KeyID
			if err := probe(right, r.names()...); err != nil {
				t.Errorf("probing the credential with all the permissions: %v", err)
			}
			until(t, h, "adding a permission outside the grant", func() error {
				return h.Directory.PutPermission(t.Context(), identity.Permission{Name: "not_granted"})
			})
			err = probe(right, append(r.names(), "not_granted")...)
			mustBeKind(t, "probing beyond the grant", err, identity.Waiting)
			err = probe(wrong, r.names()...)
			mustBeKind(t, "probing with another credential", err, identity.Waiting)
			mustNotShow(t, err, wrong)
			client := mustSeeClient(t, h.Directory, r)
			until(t, h, "deactivating", func() error { return h.Directory.DeactivateClient(t.Context(), client) })
			err = probe(right, r.names()...)
			mustBeKind(t, "probing a deactivated client", err, identity.Waiting)
			mustNotShow(t, err, right)
		})
	}
}
