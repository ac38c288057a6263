package okta_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	oneJWK    = "apps/{appId}/credentials/jwks/{keyId}"
	allJWKs   = "apps/{appId}/credentials/jwks"
	oneSecret = "apps/{appId}/credentials/secrets/{secretId}"
	secrets   = "apps/{appId}/credentials/secrets"
)

// TestCallsOfRotation counts: calls for an app's credentials share the smallest of
// Okta's limits.
func TestCallsOfRotation(t *testing.T) {
	for method, want := range map[identity.AuthMethod][]string{
		identity.PrivateKeyJWT: {
			"GET apps", "POST " + allJWKs, "POST " + oneJWK + "/lifecycle/deactivate", "DELETE " + oneJWK,
		},
		identity.ClientSecretBasic: {
			"GET apps", "GET " + secrets, "POST " + secrets, "POST " + oneSecret + "/lifecycle/deactivate", "DELETE " + oneSecret,
		},
	} {
		t.Run(string(method), func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			r := registration(t, "one")
			r.Credential = newCredential(t, method)
			must(t, w.open().RegisterClient(t.Context(), r))
			w.clock.Step(time.Hour)
			d, next := w.open(), newCredential(t, method)
			mustCall(t, w, "rotating", func() {
				seen := sees(t, d, identity.ClientHint{})
				must(t, d.AddCredential(t.Context(), *seen, next), d.RemoveCredential(t.Context(), *seen, r.Credential.KeyID))
			}, want...)
			seen := sees(t, d, identity.ClientHint{})
			mustCall(t, w, "again", func() { must(t, d.AddCredential(t.Context(), *seen, next)) })
			// What is remembered of secrets is not believed for long; keys come with every
			// list. The last credential is looked at, and not touched.
			w.clock.Step(2 * time.Minute)
			look := []string{"GET apps/{appId}"}
			if method == identity.ClientSecretBasic {
				look = []string{"GET " + secrets}
			}
			mustCall(t, w, "removing the last one later", func() {
				if err := d.RemoveCredential(t.Context(), *seen, next.KeyID); identity.KindOf(err) != identity.Rejected {
					t.Errorf("got %v, want it refused", err)
				}
			}, look...)
		})
	}
}

// TestLeftovers holds what becomes of credentials that were switched off half-way, by
// us or by a person.
func TestLeftovers(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			r := registration(t, "one")
			r.Credential = newCredential(t, method)
			must(t, w.open().RegisterClient(t.Context(), r))
			left := newCredential(t, method)
			w.hand().Give("aik-one", left)
			off := func(at int) {
				t.Helper()
				must(t, w.org.AdminUpdateApp("aik-one", func(a *oktasim.App) {
					if method == identity.PrivateKeyJWT {
						a.Keys[at].Status = "INACTIVE"
						return
					}
					a.Secrets[at].Status = "INACTIVE"
				}))
			}
			off(1)
			d := w.open()
			seen := sees(t, d, identity.ClientHint{})
			err := d.RemoveCredential(t.Context(), *seen, r.Credential.KeyID)
			typed, ok := errors.AsType[*identity.Error](err)
			if !ok || typed.Kind != identity.Rejected || !strings.Contains(typed.Message, "last active one") {
				t.Errorf("removing the only active one: got %v, want it refused", err)
			}
			must(t, d.AddCredential(t.Context(), *seen, left))
			has, err := d.ObserveCredentials(t.Context(), *seen)
			if err != nil || len(has) != 2 || !has[0].Active || !has[1].Active {
				t.Errorf("after the leftover was added there is %v, %v, want two active", has, err)
			}
			// A person switches off what is about to be removed.
			off(0)
			for range 3 {
				if err = d.RemoveCredential(t.Context(), *seen, r.Credential.KeyID); identity.KindOf(err) != identity.Waiting || err == nil {
					break
				}
			}
			must(t, err)
			has, err = d.ObserveCredentials(t.Context(), *seen)
			if err != nil || len(has) != 1 || has[0].KeyID != left.KeyID || !has[0].Active {
				t.Errorf("in the end there is %v, %v, want the leftover", has, err)
			}
		})
	}
}

// TestSecretTwice holds that a secret which a late request added a second time does not
// stand in the way of the next one.
func TestSecretTwice(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	r := registration(t, "one")
	r.Credential = newCredential(t, identity.ClientSecretBasic)
	must(t, w.open().RegisterClient(t.Context(), r))
	w.hand().Give("aik-one", r.Credential)
	w.clock.Step(time.Hour)
	has := func() (names []string) {
		t.Helper()
		d := w.open()
		seen, err := d.ObserveCredentials(t.Context(), *sees(t, d, identity.ClientHint{}))
		must(t, err)
		for _, credential := range seen {
			names = append(names, credential.KeyID)
		}
		return names
	}
	old, next := r.Credential.KeyID, newCredential(t, identity.ClientSecretBasic)
	if diff := cmp.Diff([]string{old, old}, has()); diff != "" {
		t.Fatalf("in the beginning (-want +got):\n%s", diff)
	}
	d := w.open()
	seen := *sees(t, d, identity.ClientHint{})
	if err := d.RemoveCredential(t.Context(), seen, old); identity.KindOf(err) != identity.Rejected {
		t.Errorf("removing the only one, which stands twice: got %v, want it refused", err)
	}
	must(t, d.AddCredential(t.Context(), seen, next))
	both := []string{old, next.KeyID}
	slices.Sort(both)
	if diff := cmp.Diff(both, has()); diff != "" {
		t.Errorf("after another was added (-want +got):\n%s", diff)
	}
	must(t, d.RemoveCredential(t.Context(), seen, old))
	if diff := cmp.Diff([]string{next.KeyID}, has()); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
}

// TestDeletedByHandWhileRotating holds that what a person has deleted is gone.
func TestDeletedByHandWhileRotating(t *testing.T) {
	for _, method := range []identity.AuthMethod{identity.PrivateKeyJWT, identity.ClientSecretBasic} {
		t.Run(string(method), func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			r := registration(t, "one")
			r.Credential = newCredential(t, method)
			d, next := w.open(), newCredential(t, method)
			must(t, d.RegisterClient(t.Context(), r))
			seen := sees(t, d, identity.ClientHint{})
			must(t, d.AddCredential(t.Context(), *seen, next))
			must(t, w.org.AdminUpdateApp("aik-one", func(a *oktasim.App) {
				if method == identity.PrivateKeyJWT {
					a.Keys = a.Keys[1:]
					return
				}
				a.Secrets = a.Secrets[1:]
			}))
			must(t, d.RemoveCredential(t.Context(), *seen, r.Credential.KeyID))
			has, err := d.ObserveCredentials(t.Context(), *seen)
			if err != nil || len(has) != 1 || has[0].KeyID != next.KeyID {
				t.Errorf("there is %v, %v, want the new one", has, err)
			}
			must(t, w.org.AdminDeleteApp("aik-one"))
			w.clock.Step(2 * time.Minute)
			for _, err := range []error{
				d.AddCredential(t.Context(), *seen, newCredential(t, method)), d.ActivateClient(t.Context(), *seen),
				d.UpdateClient(t.Context(), *seen, r),
			} {
				if err != nil && identity.KindOf(err) != identity.Waiting {
					t.Errorf("of an app that is gone: %v, want to wait", err)
				}
			}
			must(t, d.RemoveCredential(t.Context(), *seen, next.KeyID), d.DisownClient(t.Context(), *seen))
		})
	}
}

// TestHiddenSecrets holds that an operator that may not see secrets says so, and adds
// none it could not tell from its own later.
func TestHiddenSecrets(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	hidden := regexp.MustCompile(`"client_secret":"[^"]*",`)
	d := w.open(func(c *okta.Config) {
		c.Base = inProcess{http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			recorder := httptest.NewRecorder()
			w.ServeHTTP(recorder, r)
			for name, values := range recorder.Header() {
				rw.Header()[name] = values
			}
			rw.WriteHeader(recorder.Code)
			_, _ = io.WriteString(rw, hidden.ReplaceAllString(recorder.Body.String(), ""))
		})}
	})
	r := registration(t, "one")
	r.Credential = newCredential(t, identity.ClientSecretBasic)
	must(t, d.RegisterClient(t.Context(), r))
	err := d.AddCredential(t.Context(), *sees(t, d, identity.ClientHint{}), newCredential(t, identity.ClientSecretBasic))
	typed, ok := errors.AsType[*identity.Error](err)
	if !ok || typed.Reason != identity.ReasonPermissionDenied || !strings.Contains(typed.Message, "okta.apps.clientCredentials.read") {
		t.Errorf("got %v, want the missing permission named", err)
	}
	if n := len(w.org.Snapshot().Apps[0].Secrets); n != 1 {
		t.Errorf("there are %d secrets, want the first only", n)
	}
}

// TestLimitNamesTheApp holds that a person is told where to make room, in words that
// stay the same.
func TestLimitNamesTheApp(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d, r := w.open(), registration(t, "one")
	r.Credential = newCredential(t, identity.ClientSecretBasic)
	must(t, d.RegisterClient(t.Context(), r))
	w.hand().Give("aik-one", newCredential(t, identity.ClientSecretBasic))
	seen := sees(t, d, identity.ClientHint{})
	var told []string
	for range 2 {
		err := d.AddCredential(t.Context(), *seen, newCredential(t, identity.ClientSecretBasic))
		told = append(told, fmt.Sprint(err))
	}
	if told[0] != told[1] || !strings.Contains(told[0], `app "k8s/test/a/one" (client id aik-one) has 2 client secrets`) {
		t.Errorf("got %q", told)
	}
}

// TestEncryptionKeysAreNone holds that a key a client cannot sign with is not taken for
// one it can.
func TestEncryptionKeysAreNone(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	install(t, w.open())
	id := w.org.Snapshot().Apps[0].ID
	app := w.whole(id)
	keys := inner(app, "settings", "oauthClient", "jwks")
	other := tree{}
	for name, value := range keys["keys"].([]any)[0].(tree) {
		other[name] = value
	}
	other["kid"], other["use"] = "for-encryption", "enc"
	delete(other, "id")
	keys["keys"] = append(keys["keys"].([]any), other)
	w.replace(id, app)
	seen := sees(t, w.open(), identity.ClientHint{})
	if len(seen.PublicKeyIDs) != 1 || seen.PublicKeyIDs[0] == "for-encryption" {
		t.Errorf("the client can sign with %v", seen.PublicKeyIDs)
	}
}

// TestNamesakePolicies holds which of several policies of one name is the role's, for
// every process, and that only those of owners who are no more are deleted.
func TestNamesakePolicies(t *testing.T) {
	marked := func(uid string, since int64) identity.Mark {
		m := roleMark()
		m.UID, m.Since = uid, since
		return m
	}
	for name, test := range map[string]struct {
		reason string
		asks   identity.Mark
		want   string
		kind   identity.Kind
		left   []string
	}{
		"own":       {"the owner's own wins over a later one", marked("two", 20), "two", 0, []string{"three"}},
		"none":      {"without one of its own an owner sees the latest", marked("four", 40), "three", 0, nil},
		"too early": {"an owner created before all others changes none", marked("zero", 5), "three", identity.Conflict, []string{"one", "three", "two"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oktasim.Options{})
			d := w.open()
			must(t, d.CreateServer(t.Context(), false, nil), d.RegisterClient(t.Context(), registration(t, "one")))
			for uid, since := range map[string]int64{"one": 10, "two": 20, "three": 30} {
				_, err := w.org.AdminAddPolicy(oktasim.Policy{
					ServerID: serverID(t, w), Name: uid, Description: marked(uid, since).String(), Status: "ACTIVE", Clients: []string{"aik-one"},
				})
				must(t, err)
			}
			d = w.open()
			seen, err := d.ObserveRole(t.Context(), test.asks, "k8s/test/a/r")
			must(t, err)
			if seen.Grant == nil || seen.Grant.Mark.UID != test.want {
				t.Errorf("%s: got %+v, want that of %s", test.reason, seen.Grant, test.want)
			}
			if err := d.DeleteGrant(t.Context(), test.asks); err != nil && identity.KindOf(err) != test.kind {
				t.Errorf("%s: deleting: %v", test.reason, err)
			}
			var left []string
			for _, p := range w.org.Snapshot().Policies {
				if mark, ok := identity.ParseMark(p.Description); ok {
					left = append(left, mark.UID)
				}
			}
			slices.Sort(left)
			if diff := cmp.Diff(test.left, left); diff != "" {
				t.Errorf("%s: left (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

// TestSuccessionOfALongName holds that a role whose name does not fit into a policy
// finds the grant of its predecessor, and is shown its mark in full.
func TestSuccessionOfALongName(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	d := w.open()
	must(t, d.CreateServer(t.Context(), false, nil), d.PutPermission(t.Context(), identity.Permission{Name: "p"}))
	must(t, d.RegisterClient(t.Context(), registration(t, "one")))
	grant := grantOf("aik-one")
	grant.Mark.Name, grant.Mark.UID, grant.Mark.Since = strings.Repeat("n", 250), "short-uid", 1
	must(t, d.PutGrant(t.Context(), grant))
	successor := grant.Mark
	successor.UID, successor.Since = "0f8fad5b-d9cb-469f-a165-70867728950e", 1_700_000_000
	fresh := w.open()
	seen, err := fresh.ObserveRole(t.Context(), successor, "k8s/test/a/long")
	must(t, err)
	if seen.Grant == nil || seen.Grant.Mark != grant.Mark || !successor.MayChange(seen.Grant.Mark) {
		t.Fatalf("got %+v, want the predecessor's grant with its mark", seen.Grant)
	}
	owned, err := fresh.OwnedRoles(t.Context())
	if err != nil || len(owned) != 1 || owned[0].UID != "short-uid" {
		t.Errorf("owned: got %v, %v, want the predecessor", owned, err)
	}
	must(t, fresh.PutGroup(t.Context(), identity.Group{Mark: successor, Name: "k8s/test/a/long"}))
	grant.Mark = successor
	must(t, fresh.PutGrant(t.Context(), grant))
	owned, err = w.open().OwnedRoles(t.Context())
	if err != nil || len(owned) != 1 || owned[0] != successor {
		t.Errorf("owned: got %v, %v, want the successor, once and in full", owned, err)
	}
	must(t, fresh.DeleteGrant(t.Context(), successor))
}
