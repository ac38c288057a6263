package directorytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func testEmpty(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	r := newRole(h, "empty", identity.PrivateKeyJWT)
	before := h.Objects()
	seen, err := h.Directory.ObserveRole(t.Context(), r.mark, r.group.Name)
	if err != nil {
		t.Fatalf("observing a role: %v", err)
	}
	if seen.Server != nil || seen.Group != nil || seen.Grant != nil || len(seen.Permissions) > 0 {
		t.Errorf("an empty directory shows something: %+v", seen)
	}
	client, err := h.Directory.ObserveClient(t.Context(), r.client.ClientID, identity.ClientHint{Label: r.client.Label})
	if err != nil || client != nil {
		t.Errorf("observing a client of an empty directory: got %v, %v, want nothing", client, err)
	}
	if diff := cmp.Diff(before, h.Objects()); diff != "" || h.Writes() != 0 {
		t.Errorf("observing wrote %d times: %s", h.Writes(), diff)
	}
	for what, err := range map[string]error{
		"DeleteGrant":     h.Directory.DeleteGrant(t.Context(), r.mark),
		"DeleteGroup":     h.Directory.DeleteGroup(t.Context(), r.mark, r.group.Name),
		"ConfirmNoClient": h.Directory.ConfirmNoClient(t.Context(), r.client.ClientID, identity.ClientHint{Label: r.client.Label}),
		"DeleteClient":    h.Directory.DeleteClient(t.Context(), identity.ClientSeen{ClientID: r.client.ClientID, Mark: r.client.Mark}),
	} {
		if err != nil {
			t.Errorf("%s of what is not there: %v, want success", what, err)
		}
	}
}

// built gives a harness in which the role is complete.
func built(t *testing.T, newHarness func(*testing.T) Harness, name string, method identity.AuthMethod) (Harness, role) {
	t.Helper()
	h := newHarness(t)
	r := newRole(h, name, method)
	until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
	return h, r
}

// mustSee holds that all of the role is seen, as it was wanted.
func mustSee(t *testing.T, d identity.Directory, r role) {
	t.Helper()
	seen, err := d.ObserveRole(t.Context(), r.mark, r.group.Name)
	if err != nil {
		t.Fatalf("observing the role: %v", err)
	}
	if seen.Server == nil || seen.Group == nil || seen.Grant == nil {
		t.Fatalf("part of the role is not seen: %+v", seen)
	}
	for what, field := range map[string]string{
		"id": seen.Server.ID, "issuer": seen.Server.Issuer, "token URL": seen.Server.TokenURL, "audience": seen.Server.Audience,
	} {
		if field == "" {
			t.Errorf("the server has no %s", what)
		}
	}
	group := *seen.Group
	group.ID = ""
	if diff := cmp.Diff(r.group, group); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(r.grant(r.client.ClientID), *seen.Grant); diff != "" {
		t.Errorf("grant (-want +got):\n%s", diff)
	}
	for _, p := range r.permissions {
		if diff := cmp.Diff(p, seen.Permissions[p.Name]); diff != "" {
			t.Errorf("permission (-want +got):\n%s", diff)
		}
	}
	mustSeeAsRegistered(t, mustSeeClient(t, d, r), r)
}

func mustSeeAsRegistered(t *testing.T, client identity.ClientSeen, r role) {
	t.Helper()
	want := identity.ClientSeen{
		ID: client.ID, ClientID: r.client.ClientID, Mark: r.client.Mark, Label: r.client.Label, Note: r.client.Note,
		Method: r.client.Credential.Method, Registered: r.client.Credential.KeyID, Active: true, FirstSeen: client.FirstSeen,
	}
	if want.Method == identity.PrivateKeyJWT {
		want.PublicKeyIDs = []string{want.Registered}
	}
	if diff := cmp.Diff(want, client); diff != "" || client.ID == "" || client.FirstSeen.IsZero() {
		t.Errorf("client (-want +got):\n%s", diff)
	}
}

func mustSeeClient(t *testing.T, d identity.Directory, r role) identity.ClientSeen {
	t.Helper()
	client, err := d.ObserveClient(t.Context(), r.client.ClientID, identity.ClientHint{Label: r.client.Label})
	if err != nil || client == nil {
		t.Fatalf("observing the client: got %v, %v", client, err)
	}
	return *client
}

func testComplete(t *testing.T, newHarness func(*testing.T) Harness) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			h, r := built(t, newHarness, "complete", method)
			mustSee(t, h.Directory, r)
		})
	}
}

func testRepeated(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "repeated", identity.PrivateKeyJWT)
	objects, writes := h.Objects(), h.Writes()
	repeatAll(t, h.Directory, r)
	if diff := cmp.Diff(objects, h.Objects()); diff != "" {
		t.Errorf("repeating changed (-before +after):\n%s", diff)
	}
	if h.Writes() != writes {
		t.Errorf("repeating what is done wrote %d times more", h.Writes()-writes)
	}
	mustSee(t, h.Directory, r)
}

// repeatAll repeats every writing method that makes something.
func repeatAll(t *testing.T, d identity.Directory, r role) {
	t.Helper()
	steps := map[string]error{
		"CreateServer": d.CreateServer(t.Context(), false, nil),
		"DropTwin":     d.DropTwin(t.Context()),
		"PutGroup":     d.PutGroup(t.Context(), r.group),
		"PutGrant":     d.PutGrant(t.Context(), r.grant(r.client.ClientID)),
	}
	for _, p := range r.permissions {
		steps["PutPermission "+p.Name] = d.PutPermission(t.Context(), p)
	}
	for what, err := range steps {
		if err != nil {
			t.Errorf("repeating %s: %v", what, err)
		}
	}
	mustBeKind(t, "repeating RegisterClient", d.RegisterClient(t.Context(), r.client), identity.Waiting, identity.Conflict)
}

func testRestarted(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "restarted", identity.ClientSecretBasic)
	objects, writes := h.Objects(), h.Writes()
	fresh := h.Reopen()
	mustSee(t, fresh, r)
	repeatAll(t, fresh, r)
	if diff := cmp.Diff(objects, h.Objects()); diff != "" || h.Writes() != writes {
		t.Errorf("a restart wrote %d times (-before +after):\n%s", h.Writes()-writes, diff)
	}
}

func testMended(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "mended", identity.PrivateKeyJWT)
	r.group.Description = "Other words"
	r.permissions[0].Description = "Other words, too"
	r.permissions = append(r.permissions, identity.Permission{Name: "view_ai_logs", Description: "View"})
	r.lifetime = 15 * time.Minute
	until(t, h, "changing", func() error { return r.build(t.Context(), h.Directory) })
	mustSee(t, h.Directory, r)
	mustSee(t, h.Reopen(), r)

	r.permissions = r.permissions[:1]
	grant := r.grant(r.client.ClientID)
	until(t, h, "taking permissions away", func() error { return h.Directory.PutGrant(t.Context(), grant) })
	mustSee(t, h.Reopen(), r)
}

// testLagging holds that what is written is seen at once, and that a process that
// starts while lists lag makes no twin. The server stands before: a directory need
// not hold the names of servers unique, and then nothing tells a fresh process that
// one was made a moment ago.
func testLagging(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	until(t, h, "creating the server", func() error { return h.Directory.CreateServer(t.Context(), false, nil) })
	h.Step(time.Hour)
	h.Lag(20 * time.Second)
	r := newRole(h, "lagging", identity.PrivateKeyJWT)
	until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
	mustSee(t, h.Directory, r)
	reference := h.Objects()
	fresh := h.Reopen()
	until(t, h, "building again in a fresh process", func() error { return r.build(t.Context(), fresh) })
	mustSee(t, fresh, r)
	if diff := cmp.Diff(reference, h.Objects()); diff != "" {
		t.Errorf("lag made twins (-want +got):\n%s", diff)
	}
}

// testLostAnswers loses the answer of every single write, before and after it took
// place, and holds that the end is as if nothing had been lost.
func testLostAnswers(t *testing.T, newHarness func(*testing.T) Harness) {
	h, r := built(t, newHarness, "lost", identity.ClientSecretBasic)
	reference, writes := h.Objects(), h.Writes()
	until(t, h, "razing", func() error { return r.raze(t.Context(), h.Directory) })
	razed, razes := h.Objects(), h.Writes()-writes
	for _, when := range []Loss{BeforeCommit, AfterCommit} {
		for nth := range writes {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("write %d %s, restarted %v", nth+1, when, restart), func(t *testing.T) {
					h := newHarness(t)
					r := r
					h.Lose(when, nth+1)
					loseAndGoOn(t, h, restart, func(d identity.Directory) error { return r.build(t.Context(), d) })
					if diff := cmp.Diff(reference, h.Objects()); diff != "" {
						t.Errorf("(-without loss +with loss):\n%s", diff)
					}
				})
			}
		}
		for nth := range razes {
			t.Run(fmt.Sprintf("deletion %d %s", nth+1, when), func(t *testing.T) {
				h := newHarness(t)
				until(t, h, "building", func() error { return r.build(t.Context(), h.Directory) })
				h.Lose(when, nth+1)
				loseAndGoOn(t, h, false, func(d identity.Directory) error { return r.raze(t.Context(), d) })
				if diff := cmp.Diff(razed, h.Objects()); diff != "" {
					t.Errorf("(-without loss +with loss):\n%s", diff)
				}
			})
		}
	}
}

// loseAndGoOn runs do once, which is to fail, and then until it succeeds, in the
// same process or in a fresh one.
func loseAndGoOn(t *testing.T, h Harness, restart bool, do func(identity.Directory) error) {
	t.Helper()
	d := h.Directory
	if err := do(d); err == nil {
		t.Error("a lost answer went unnoticed")
	}
	if restart {
		d = h.Reopen()
	}
	until(t, h, "going on after a lost answer", func() error { return do(d) })
}

func testContextEnded(t *testing.T, newHarness func(*testing.T) Harness) {
	h := newHarness(t)
	r := newRole(h, "ended", identity.PrivateKeyJWT)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Directory.ObserveRole(ctx, r.mark, r.group.Name)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("observing with an ended context: got %v, want the context's own error", err)
	}
	if h.Writes() != 0 {
		t.Error("an ended context wrote")
	}
}

// mustNotShow holds that an error does not show the material of a credential.
func mustNotShow(t *testing.T, err error, credential identity.Credential) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for line := range strings.Lines(string(credential.Material.Reveal())) {
		if line = strings.TrimSpace(line); len(line) > 12 && !strings.HasPrefix(line, "-----") && strings.Contains(text, line) {
			t.Errorf("an error shows a credential: %s", text)
		}
	}
}
