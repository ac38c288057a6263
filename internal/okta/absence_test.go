package okta_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// mustWait holds that err asks to wait for so long.
func mustWait(t *testing.T, what string, err error, want time.Duration) {
	t.Helper()
	typed, ok := errors.AsType[*identity.Error](err)
	if !ok || typed.Kind != identity.Waiting || typed.Reason != identity.ReasonWaiting || typed.RetryAfter != want {
		t.Fatalf("%s: got %#v, want to wait %s", what, err, want)
	}
}

// mustCall holds that do makes these calls.
func mustCall(t *testing.T, w *world, what string, do func(), want ...string) {
	t.Helper()
	n := len(w.org.Operations())
	do()
	if diff := cmp.Diff(want, w.since(n)); diff != "" {
		t.Errorf("%s: calls (-want +got):\n%s", what, diff)
	}
}

// sees observes a client.
func sees(t *testing.T, d *okta.Directory, by identity.ClientHint) *identity.ClientSeen {
	t.Helper()
	seen, err := d.ObserveClient(t.Context(), "aik-one", by)
	must(t, err)
	return seen
}

// TestRenamedIsNotAbsent holds that an app a list does not show is looked up by its
// id before it is taken for gone, by a process that has never seen it.
func TestRenamedIsNotAbsent(t *testing.T) {
	for name, hide := range map[string]func(w *world){
		"renamed": func(w *world) {
			must(t, w.org.AdminUpdateApp("aik-one", func(a *oktasim.App) { a.Label = "renamed" }))
		},
		"list lag": func(w *world) { w.post("/_sim/settings", map[string]any{"listLag": 20 * time.Second}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			install(t, w.open())
			by := identity.ClientHint{Label: "k8s/test/a/one", ID: w.org.Snapshot().Apps[0].ID}
			hide(w)
			d := w.open()
			mustCall(t, w, "observing", func() {
				if seen := sees(t, d, by); seen == nil || !seen.Active {
					t.Errorf("got %v, want the client", seen)
				}
			}, "GET apps", "GET apps/{appId}")
			mustCall(t, w, "observing again", func() {
				if seen := sees(t, d, identity.ClientHint{}); seen == nil {
					t.Error("without the id: got nothing, want the client")
				}
			})
			if err := d.ConfirmNoClient(t.Context(), "aik-one", by); identity.KindOf(err) != identity.Waiting {
				t.Errorf("confirming: got %v, want to observe again", err)
			}
			for range 2 {
				w.clock.Step(13 * time.Hour)
				if seen := sees(t, d, by); seen == nil {
					t.Error("after the next list: got nothing, want the client")
				}
				w.clock.Step(2 * time.Minute)
				if seen := sees(t, d, by); seen == nil {
					t.Error("after the look that follows: got nothing, want the client")
				}
			}
		})
	}
}

// TestAbsenceIsProvedOnce holds what it costs to prove that an app is gone.
func TestAbsenceIsProvedOnce(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	install(t, w.open())
	by := identity.ClientHint{Label: "k8s/test/a/one", ID: w.org.Snapshot().Apps[0].ID}
	must(t, w.org.AdminDeleteApp(by.ID))
	d := w.open()
	absent := func() {
		t.Helper()
		if seen := sees(t, d, by); seen != nil {
			t.Errorf("got %v, want nothing", seen)
		}
	}
	mustCall(t, w, "never registered", func() {
		_, err := d.ObserveClient(t.Context(), "aik-never", identity.ClientHint{Label: "k8s/test/a/never"})
		must(t, err, d.ConfirmNoClient(t.Context(), "aik-never", identity.ClientHint{}))
	}, "GET apps")
	mustCall(t, w, "the first time", absent, "GET apps/{appId}")
	w.clock.Step(30 * time.Second)
	mustCall(t, w, "again", absent)
	mustWait(t, "a fresh process may meet lag", d.ConfirmNoClient(t.Context(), "aik-one", by), 30*time.Second)
	w.clock.Step(30 * time.Second)
	mustCall(t, w, "a last look", func() { must(t, d.ConfirmNoClient(t.Context(), "aik-one", by)) }, "GET apps/{appId}")
	mustCall(t, w, "confirmed", func() { must(t, d.ConfirmNoClient(t.Context(), "aik-one", by)) })
	w.clock.Step(5 * time.Minute)
	mustCall(t, w, "4 minutes later", absent, "GET apps/{appId}")
	mustCall(t, w, "and again", absent)
	// An app of another client under the id we remember is not ours.
	w.plantClient("aik-other")
	d, by.ID = w.open(), w.org.Snapshot().Apps[0].ID
	mustCall(t, w, "another client", absent, "GET apps", "GET apps/{appId}")
}

// TestOwnDeletionIsRemembered holds that what we deleted is looked for no more.
func TestOwnDeletionIsRemembered(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	seen := sees(t, d, identity.ClientHint{})
	by := identity.ClientHint{Label: seen.Label, ID: seen.ID}
	must(t, d.DeactivateClient(t.Context(), *seen), d.DeleteClient(t.Context(), *seen))
	mustCall(t, w, "after the deletion", func() {
		for range 3 {
			if seen := sees(t, d, by); seen != nil {
				t.Errorf("got %v, want nothing", seen)
			}
			must(t, d.ConfirmNoClient(t.Context(), "aik-one", by))
			w.clock.Step(10 * time.Minute)
		}
	})
}

// TestLostRegistration holds that a registration whose answer was lost, and which
// lists do not show for a while, is not taken for one that did not take place.
func TestLostRegistration(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	must(t, d.CreateServer(t.Context(), false, nil))
	w.post("/_sim/settings", map[string]any{"listLag": 50 * time.Second, "getLag": 50 * time.Second})
	w.org.Inject(oktasim.Fault{Method: "POST", Path: "^/api/v1/apps$", Nth: 1, Phase: oktasim.AfterCommit, Action: oktasim.HTML502()})
	r := registration(t, "one")
	if err := d.RegisterClient(t.Context(), r); identity.KindOf(err) != identity.Unavailable {
		t.Fatalf("registering: got %v, want no answer", err)
	}
	by := identity.ClientHint{Label: r.Label}
	for left := time.Minute; left > 10*time.Second; left -= 20 * time.Second {
		if seen := sees(t, d, by); seen != nil {
			t.Fatalf("%s before the end it is seen already", left)
		}
		mustWait(t, "while it may still show", d.ConfirmNoClient(t.Context(), r.ClientID, by), left)
		w.clock.Step(20 * time.Second)
	}
	if err := d.ConfirmNoClient(t.Context(), r.ClientID, by); identity.KindOf(err) != identity.Waiting {
		t.Errorf("once it shows: got %v, want to observe again", err)
	}
	seen := sees(t, d, by)
	if seen == nil || seen.Mark != r.Mark {
		t.Fatalf("got %v, want the client", seen)
	}
	must(t, d.DeactivateClient(t.Context(), *seen), d.DeleteClient(t.Context(), *seen))
	must(t, d.ConfirmNoClient(t.Context(), r.ClientID, by))
}

// TestRegistrationThatNeverWas holds that the doubt about a registration ends.
func TestRegistrationThatNeverWas(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	r := registration(t, "one")
	by := identity.ClientHint{Label: r.Label}
	fail := func(action oktasim.Action, want identity.Kind) {
		t.Helper()
		w.org.Inject(oktasim.Fault{Method: "POST", Path: "^/api/v1/apps$", Nth: 1, Action: action})
		if err := d.RegisterClient(t.Context(), r); identity.KindOf(err) != want {
			t.Fatalf("registering: got %v, want %s", err, want)
		}
	}
	fail(oktasim.Status(400, "E0000001"), identity.Rejected)
	if err := d.ConfirmNoClient(t.Context(), r.ClientID, by); err != nil {
		t.Errorf("after a clear refusal: got %v, want certainty", err)
	}
	fail(oktasim.HTML502(), identity.Unavailable)
	w.clock.Step(50 * time.Second)
	mustWait(t, "in doubt", d.ConfirmNoClient(t.Context(), r.ClientID, by), 10*time.Second)
	fail(oktasim.HTML502(), identity.Unavailable)
	mustWait(t, "a second doubt begins anew", d.ConfirmNoClient(t.Context(), r.ClientID, by), time.Minute)
	w.clock.Step(58 * time.Second)
	mustWait(t, "shortly before the end", d.ConfirmNoClient(t.Context(), r.ClientID, by), 2*time.Second)
	w.clock.Step(2 * time.Second)
	mustCall(t, w, "the end of the doubt", func() { must(t, d.ConfirmNoClient(t.Context(), r.ClientID, by)) }, "GET apps")
	mustCall(t, w, "afterwards", func() { must(t, d.ConfirmNoClient(t.Context(), r.ClientID, by)) })
}

// TestForeignClientIsNotOurs holds that a client without our mark is none of ours.
func TestForeignClientIsNotOurs(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.plantClient("aik-one")
	must(t, w.open().ConfirmNoClient(t.Context(), "aik-one", identity.ClientHint{}))
}

// TestLostThenDeleted holds that a grant and a group whose creation brought no answer
// are not taken for gone before they must show.
func TestLostThenDeleted(t *testing.T) {
	for name, test := range map[string]struct {
		path string
		put  func(context.Context, *okta.Directory) error
		del  func(context.Context, *okta.Directory) error
	}{
		"group": {
			"^/api/v1/groups$",
			func(ctx context.Context, d *okta.Directory) error {
				return d.PutGroup(ctx, identity.Group{Mark: roleMark(), Name: "k8s/test/a/r"})
			},
			func(ctx context.Context, d *okta.Directory) error {
				return d.DeleteGroup(ctx, roleMark(), "k8s/test/a/r")
			},
		},
		"grant": {
			"/policies$",
			func(ctx context.Context, d *okta.Directory) error { return d.PutGrant(ctx, grantOf("aik-one")) },
			func(ctx context.Context, d *okta.Directory) error { return d.DeleteGrant(ctx, roleMark()) },
		},
	} {
		for _, phase := range []oktasim.Phase{oktasim.Before, oktasim.AfterCommit} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, oktasim.Options{})
				d := w.open()
				must(t, d.CreateServer(t.Context(), false, nil), d.PutPermission(t.Context(), identity.Permission{Name: "p"}))
				must(t, d.RegisterClient(t.Context(), registration(t, "one")))
				before := objects(w.org.Snapshot())
				w.clock.Step(time.Hour)
				w.post("/_sim/settings", map[string]any{"listLag": 50 * time.Second, "getLag": 50 * time.Second})
				w.org.Inject(oktasim.Fault{Method: http.MethodPost, Path: test.path, Nth: 1, Phase: phase, Action: oktasim.HTML502()})
				if err := test.put(t.Context(), d); err == nil {
					t.Fatal("the answer is not lost")
				}
				mustWait(t, "at once", test.del(t.Context(), d), time.Minute)
				w.clock.Step(time.Minute)
				must(t, test.del(t.Context(), d), test.del(t.Context(), d))
				if diff := cmp.Diff(before, objects(w.org.Snapshot())); diff != "" {
					t.Errorf("(-before +after):\n%s", diff)
				}
			})
		}
	}
}
