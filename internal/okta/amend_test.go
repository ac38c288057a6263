package okta_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/identity/directorytest"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// tree is JSON of whatever shape.
type tree = map[string]any

// whole reads an app as it is in Okta.
func (w *world) whole(id string) tree {
	w.t.Helper()
	req := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/api/v1/apps/"+id, http.NoBody)
	req.Header.Set("Authorization", "SSWS "+w.token)
	recorder := httptest.NewRecorder()
	w.org.ServeHTTP(recorder, req)
	var app tree
	if err := json.Unmarshal(recorder.Body.Bytes(), &app); err != nil || recorder.Code != http.StatusOK {
		w.t.Fatalf("reading app %s: %d %s", id, recorder.Code, recorder.Body)
	}
	return app
}

// replace writes an app, as a person's script would.
func (w *world) replace(id string, app tree) {
	w.t.Helper()
	w.put("/api/v1/apps/"+id, app)
}

// put replaces what stands at a path.
func (w *world) put(path string, what any) {
	w.t.Helper()
	body, err := json.Marshal(what)
	must(w.t, err)
	req := httptest.NewRequestWithContext(w.t.Context(), http.MethodPut, path, bytes.NewReader(body))
	req.Header.Set("Authorization", "SSWS "+w.token)
	req.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	w.org.ServeHTTP(recorder, req)
	if recorder.Code != http.StatusOK {
		w.t.Fatalf("writing %s: %d %s", path, recorder.Code, recorder.Body)
	}
}

func inner(app tree, path ...string) tree {
	for _, name := range path {
		next, is := app[name].(tree)
		if !is {
			next = tree{}
			app[name] = next
		}
		app = next
	}
	return app
}

// TestUpdateKeepsAllElse gives an app all that people might, and holds that an update
// writes what is ours and hands the rest back as it was, key by key.
func TestUpdateKeepsAllElse(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	install(t, w.open())
	h := w.hand()
	h.Give("aik-one", newCredential(t, identity.PrivateKeyJWT))
	h.Give("aik-one", newCredential(t, identity.PrivateKeyJWT))
	must(t, w.org.AdminUpdateApp("aik-one", func(a *oktasim.App) { a.Keys[1].Status = "INACTIVE" }))
	id := w.org.Snapshot().Apps[0].ID
	app := w.whole(id)
	settings := inner(app, "settings", "oauthClient")
	settings["client_uri"], settings["network"] = "https://example.com/<agent>", tree{"connection": "ANYWHERE"}
	settings["dpop_bound_access_tokens"], settings["grant_types"] = true, []any{"client_credentials", "implicit"}
	inner(app, "visibility", "hide")["web"] = false
	inner(app, "settings", "notes")["enduser"] = "for people"
	inner(app, "profile", "team")["pager"] = "team-a"
	w.replace(id, app)
	before := w.whole(id)
	w.clock.Step(time.Hour)

	d, r := w.open(), registration(t, "one")
	r.Note, r.Credential = "mended", identity.Credential{}
	seen := sees(t, d, identity.ClientHint{})
	if diff := cmp.Diff([]string{"dpop_bound_access_tokens", "grant_types", "visibility"}, seen.Altered); diff != "" {
		t.Errorf("altered (-want +got):\n%s", diff)
	}
	mustCall(t, w, "updating", func() { must(t, d.UpdateClient(t.Context(), *seen, r)) }, "GET apps/{appId}", "PUT apps/{appId}")
	mustCall(t, w, "updating again", func() { must(t, d.UpdateClient(t.Context(), *seen, r)) }, "GET apps/{appId}")
	mustCall(t, w, "seeing", func() {
		if now := sees(t, d, identity.ClientHint{}); len(now.Altered) > 0 || now.Note != "mended" {
			t.Errorf("after the update there is %+v", now)
		}
	})
	want := before
	settings = inner(want, "settings", "oauthClient")
	settings["dpop_bound_access_tokens"], settings["grant_types"] = false, []any{"client_credentials"}
	inner(want, "visibility", "hide")["web"] = true
	inner(want, "settings", "notes")["admin"] = "mended"
	after := w.whole(id)
	// What stands for the words we wrote goes with them.
	inner(want, "profile", "agentidentity.dev")["written"] = inner(after, "profile", "agentidentity.dev")["written"]
	delete(want, "lastUpdated")
	delete(after, "lastUpdated")
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNoSecretIsSentBack holds that a secret Okta should tell where it does not is
// neither sent back nor kept.
func TestNoSecretIsSentBack(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	var sent []string
	d := w.open(func(c *okta.Config) {
		c.Base = inProcess{http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if r.Method == http.MethodPut {
				sent = append(sent, string(body))
			}
			recorder := httptest.NewRecorder()
			w.ServeHTTP(recorder, r)
			answer := recorder.Body.String()
			if r.Method == http.MethodGet {
				answer = strings.ReplaceAll(answer, `"client_id"`, `"client_secret":"told-by-mistake","client_id"`)
			}
			for name, values := range recorder.Header() {
				rw.Header()[name] = values
			}
			rw.WriteHeader(recorder.Code)
			_, _ = io.WriteString(rw, answer)
		})}
	})
	r := registration(t, "one")
	r.Credential = newCredential(t, identity.ClientSecretBasic)
	must(t, d.RegisterClient(t.Context(), r))
	r.Note = "mended"
	must(t, d.UpdateClient(t.Context(), *sees(t, d, identity.ClientHint{}), r))
	if len(sent) != 1 || strings.Contains(sent[0], "told-by-mistake") || strings.Contains(sent[0], "client_secret\"") {
		t.Errorf("sent: %v, want the app without a secret", sent)
	}
}

// TestAdoptionIsFoundByID holds what it costs to see an app that has neither our label
// nor our mark: one look an interval, until it is ours and comes with the list.
func TestAdoptionIsFoundByID(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	key := newCredential(t, identity.PrivateKeyJWT)
	made, err := w.org.AdminCreateApp(oktasim.NewApp{Label: "by hand", PublicJWK: key.PublicJWK})
	must(t, err)
	r := registration(t, "one")
	r.ClientID = made.ClientID
	by := identity.ClientHint{Label: r.Label, ID: made.ID}
	d := w.open()
	observe := func() *identity.ClientSeen {
		t.Helper()
		seen, err := d.ObserveClient(t.Context(), made.ClientID, by)
		if err != nil || seen == nil {
			t.Fatalf("observing: got %v, %v", seen, err)
		}
		return seen
	}
	mustCall(t, w, "the first time", func() { observe() }, "GET apps", "GET apps/{appId}")
	mustCall(t, w, "again", func() {
		for range 3 {
			w.clock.Step(time.Minute)
			observe()
		}
	})
	w.clock.Step(time.Minute)
	mustCall(t, w, "in the next interval", func() { observe() }, "GET apps/{appId}")
	w.clock.Step(13 * time.Hour)
	mustCall(t, w, "after the next list", func() { observe() }, "GET apps")
	w.clock.Step(2 * time.Minute)
	mustCall(t, w, "which does not show it", func() { observe() }, "GET apps/{appId}")
	seen := observe()
	if !seen.Mark.IsZero() || !slices.Equal(seen.PublicKeyIDs, []string{key.KeyID}) {
		t.Errorf("before the adoption there is %+v", seen)
	}
	mustCall(t, w, "adopting", func() { must(t, d.AdoptClient(t.Context(), *seen, r)) }, "GET apps/{appId}", "PUT apps/{appId}")
	d, by.ID = w.open(), ""
	mustCall(t, w, "a fresh process that knows no id", func() { observe() }, "GET apps")
	// An id of an app that is none is asked for once an interval, too.
	by.ID = "0oaNone"
	d = w.open()
	mustCall(t, w, "no such app", func() {
		for range 3 {
			seen, err := d.ObserveClient(t.Context(), "0oaNone", by)
			if err != nil || seen != nil {
				t.Errorf("got %v, %v, want nothing", seen, err)
			}
		}
	}, "GET apps", "GET apps/{appId}")
}

// stale answers reads of one app from before, as Okta may for a moment.
type stale struct {
	*world
	on   bool
	kept map[string][]byte
}

func (s *stale) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	one := r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/v1/apps/")
	if old, has := s.kept[r.URL.Path]; one && s.on && has {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write(old)
		return
	}
	recorder := httptest.NewRecorder()
	s.world.ServeHTTP(recorder, r)
	if one && recorder.Code == http.StatusOK {
		s.kept[r.URL.Path] = recorder.Body.Bytes()
	}
	for name, values := range recorder.Header() {
		rw.Header()[name] = values
	}
	rw.WriteHeader(recorder.Code)
	_, _ = rw.Write(recorder.Body.Bytes())
}

// TestStaleReads holds that an answer from before our last write does no harm: an app
// that was written back from it would lose the key that was added, or get back the one
// that was taken away.
func TestStaleReads(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	s := &stale{world: w, kept: map[string][]byte{}}
	d := w.open(func(c *okta.Config) { c.Base = inProcess{s} })
	r := registration(t, "one")
	must(t, d.RegisterClient(t.Context(), r))
	seen, next := sees(t, d, identity.ClientHint{}), newCredential(t, identity.PrivateKeyJWT)
	_, err := d.ObserveCredentials(t.Context(), *seen)
	must(t, err)
	s.on = true
	must(t, d.AddCredential(t.Context(), *seen, next))
	if has, err := d.ObserveCredentials(t.Context(), *seen); err != nil || len(has) != 2 {
		t.Errorf("observing: got %v, %v, want what was written", has, err)
	}
	name := r.Credential.KeyID
	r.Note, r.Credential = "mended", identity.Credential{KeyID: name}
	mustWaitToUpdate := func() {
		t.Helper()
		err := d.UpdateClient(t.Context(), *seen, r)
		if typed, ok := errors.AsType[*identity.Error](err); !ok || typed.Kind != identity.Waiting || typed.RetryAfter == 0 {
			t.Fatalf("updating: got %v, want to wait until Okta shows the keys", err)
		}
	}
	mustWaitToUpdate()
	s.on = false
	must(t, d.UpdateClient(t.Context(), *seen, r))
	if keys := w.org.Snapshot().Apps[0].Keys; len(keys) != 2 {
		t.Errorf("there are keys %v, want both", keys)
	}
	s.on = true
	must(t, d.RemoveCredential(t.Context(), *seen, name))
	r.Note = "mended again"
	mustWaitToUpdate()
	s.on = false
	must(t, d.UpdateClient(t.Context(), *seen, r))
	if keys := w.org.Snapshot().Apps[0].Keys; len(keys) != 1 || keys[0].KID != next.KeyID {
		t.Errorf("there are keys %v, want the new one", keys)
	}
}

// TestMarkOfAnotherIsRespectedAtTheLastMoment: what Okta shows when an app is read to
// be written counts, not what was remembered of it.
func TestMarkOfAnotherIsRespectedAtTheLastMoment(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	install(t, d)
	w.clock.Step(time.Hour)
	seen, r := sees(t, d, identity.ClientHint{}), registration(t, "one")
	other := r.Mark
	other.UID, other.Since = "uid-of-another", 99
	w.hand().Mark("aik-one", other)
	r.Note = "mended"
	before := objects(w.org.Snapshot())
	for what, err := range map[string]error{
		"UpdateClient": d.UpdateClient(t.Context(), *seen, r),
		"AdoptClient":  d.AdoptClient(t.Context(), *seen, r),
		"DisownClient": d.DisownClient(t.Context(), *seen),
	} {
		if identity.KindOf(err) != identity.Conflict {
			t.Errorf("%s: got %v, want a conflict", what, err)
		}
	}
	if diff := cmp.Diff(before, objects(w.org.Snapshot())); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// TestAdoptedAndMeddledWith holds that an app is the owner's once the mark is written, even
// if people have changed it since into what could not be adopted.
func TestAdoptedAndMeddledWith(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	r := registration(t, "one")
	id := w.plant(directorytest.Plant{What: directorytest.PlantClient, Name: r.ClientID, Label: "by hand"})
	d := w.open()
	by := identity.ClientHint{ID: id}
	must(t, d.AdoptClient(t.Context(), *sees(t, d, by), r))
	w.hand().Meddle(r.ClientID)
	must(t, d.AdoptClient(t.Context(), *sees(t, d, by), r))
	if got := w.org.Snapshot().Apps[0].GrantTypes; len(got) != 1 {
		t.Errorf("the app has grant types %v, want ours", got)
	}
}
