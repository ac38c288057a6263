package okta_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
)

// against gives a Directory before a handler of the test's own.
func against(t *testing.T, handler http.HandlerFunc) *okta.Directory {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	d, err := okta.New(okta.Config{
		OrgURL: server.URL, Cluster: cluster, Audience: audience, Credentials: apiToken("operators-own-token"),
		Clock: clocktesting.NewFakeClock(time.Now()), Logger: logr.Discard(), Base: base,
	})
	if err != nil {
		t.Fatalf("making a Directory: %v", err)
	}
	return d
}

// TestBadAnswers gives every bad answer to a read, and holds that it ends in an
// error of the port at once, without a repetition.
func TestBadAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		answer http.HandlerFunc
		kind   identity.Kind
	}{
		"dropped":       {"no io.EOF may reach the SDK", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, identity.Unavailable},
		"html":          {"a gateway's page", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); _, _ = io.WriteString(w, "<html>") }, identity.Unavailable},
		"html with 200": {"a captive portal", text("text/html", "<html>sign in</html>"), identity.Unavailable},
		"empty":         {"an empty list is [], not nothing", text("application/json", ""), identity.Unavailable},
		"truncated": {"a body that breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"clientPrivilegesSetting":`)
		}, identity.Unavailable},
		"half JSON":  {"JSON that breaks off", text("application/json", `{"clientPrivilegesSetting":`), identity.Unavailable},
		"other JSON": {"JSON of another shape", text("application/json", `["x"]`), identity.Unavailable},
		"deep JSON":  {"JSON that would eat the stack", text("application/json", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)), identity.Unavailable},
		"large":      {"a body that would eat the memory", large, identity.Unavailable},
		"gzip bomb":  {"a small body that unpacks to a large one", bomb, identity.Unavailable},
		"odd link":   {"a Link header the SDK panics on", oddLink, identity.Unavailable},
		"redirect": {"the operator's proof follows no redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, identity.Unavailable},
		"unauthorized": {"a refused token", status(401, "E0000011"), identity.Rejected},
		"too many":     {"a 429 without any header", status(429, "E0000047"), identity.Throttled},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			d := against(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				test.answer(w, r)
			})
			_, err := d.ObserveClient(t.Context(), "aik-x", identity.ClientHint{Label: "k8s/test/a/x"})
			typed, ok := errors.AsType[*identity.Error](err)
			if !ok || typed.Kind != test.kind {
				t.Errorf("%s: got %#v, want an *identity.Error of kind %s", test.reason, err, test.kind)
			}
			if calls.Load() > 2 {
				t.Errorf("%s: called %d times", test.reason, calls.Load())
			}
			if err != nil && (strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "operators-own-token")) {
				t.Errorf("%s: the message is not stable or shows too much: %v", test.reason, err)
			}
		})
	}
}

func text(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
}

func status(code int, errorCode string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"errorCode":%q,"errorSummary":"you sent %s"}`, errorCode, r.Header.Get("Authorization"))
	}
}

func large(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for range 40 {
		_, _ = w.Write(make([]byte, 1<<20))
	}
}

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	defer packed.Close()
	for range 64 {
		_, _ = packed.Write(make([]byte, 1<<20))
	}
}

func oddLink(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", `<https://%zz>; rel="next"`)
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(r.URL.Path, "/api/v1/org") {
		_, _ = io.WriteString(w, `{"clientPrivilegesSetting":false}`)
		return
	}
	_, _ = io.WriteString(w, `{"not":"a list"}`)
}

// TestPages holds that a walk that meets a fault is thrown away whole.
func TestPages(t *testing.T) {
	app := func(id string) string {
		return fmt.Sprintf(`{"id":%q,"label":"k8s/test/a/x","status":"ACTIVE","credentials":{"oauthClient":{"client_id":"c-%s"}}}`, id, id)
	}
	for name, test := range map[string]struct {
		reason string
		pages  map[string]string
		next   map[string]string
		fails  bool
	}{
		"whole":      {"two pages make a list", map[string]string{"": app("1"), "2": app("2")}, map[string]string{"": "2"}, false},
		"loop":       {"a page that leads back", map[string]string{"": app("1"), "2": app("2")}, map[string]string{"": "2", "2": "2"}, true},
		"duplicated": {"an object on two pages: the list moved", map[string]string{"": app("1"), "2": app("1")}, map[string]string{"": "2"}, true},
		"lost":       {"a page that is lost", map[string]string{"": app("1")}, map[string]string{"": "2"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := against(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if strings.HasPrefix(r.URL.Path, "/api/v1/org") {
					_, _ = io.WriteString(w, `{"clientPrivilegesSetting":false}`)
					return
				}
				after := r.URL.Query().Get("after")
				page, there := test.pages[after]
				if !there {
					panic(http.ErrAbortHandler)
				}
				if next := test.next[after]; next != "" {
					w.Header().Add("Link", `<https://proxied.example/api/v1/apps?q=k8s%2Ftest%2F&limit=200>; rel="self"`)
					w.Header().Add("Link", `<https://proxied.example/api/v1/apps?limit=200&after=`+next+`>; rel="next"`)
				}
				_, _ = io.WriteString(w, "["+page+"]")
			})
			seen, err := d.ObserveClient(t.Context(), "c-2", identity.ClientHint{Label: "k8s/test/a/x"})
			if (err != nil) != test.fails || (err == nil && seen == nil) {
				t.Errorf("%s: got %v, %v", test.reason, seen, err)
			}
		})
	}
}

// TestEnvironmentIsIgnored sets all the SDK reads by itself, and holds that none of
// it is used.
func TestEnvironmentIsIgnored(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.MkdirAll(filepath.Join(home, ".okta"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := "okta:\n  client:\n    orgUrl: https://wrong.invalid\n    token: wrong\n    authorizationMode: SSWS\n    requestTimeout: 1\n    cache:\n      enabled: true\n"
	if err := os.WriteFile(filepath.Join(home, ".okta", "okta.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"OKTA_CLIENT_ORGURL": "https://wrong.invalid", "OKTA_CLIENT_TOKEN": "wrong", "OKTA_CLIENT_AUTHORIZATIONMODE": "PrivateKey",
		"OKTA_CLIENT_CLIENTID": "wrong", "OKTA_CLIENT_PRIVATEKEY": "wrong", "OKTA_CLIENT_SCOPES": "okta.users.manage",
		"OKTA_CLIENT_CACHE_ENABLED": "true", "OKTA_CLIENT_RATE_LIMIT_MAX_RETRIES": "9", "OKTA_CLIENT_PROXY_HOST": "wrong.invalid",
	} {
		t.Setenv(name, value)
	}
	var calls atomic.Int32
	d := against(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if got := r.Header.Values("Authorization"); len(got) != 1 || got[0] != "SSWS operators-own-token" {
			t.Errorf("authorized with %q", got)
		}
		status(429, "E0000047")(w, r)
	})
	_, _ = d.ObserveClient(t.Context(), "aik-x", identity.ClientHint{Label: "k8s/test/a/x"})
	if calls.Load() != 1 {
		t.Errorf("called %d times, want once: no repetition, and nowhere else", calls.Load())
	}
}

func TestOrgURL(t *testing.T) {
	for raw, good := range map[string]bool{
		"https://example.okta.com":       true,
		"https://example.okta.com/":      true,
		"http://127.0.0.1:8080":          true,
		"http://localhost:8080":          true,
		"http://[::1]:8080":              true,
		"http://example.okta.com":        false,
		"http://127.0.0.1.example.com":   false,
		"https://example-admin.okta.com": false,
		"https://user:pw@o.okta.com":     false,
		"https://example.okta.com/path":  false,
		"example.okta.com":               false,
		"":                               false,
	} {
		_, err := okta.New(okta.Config{
			OrgURL: raw, Cluster: cluster, Audience: audience, Credentials: apiToken("x"), Clock: clocktesting.NewFakePassiveClock(time.Now()),
		})
		if (err == nil) != good {
			t.Errorf("orgURL %q: got %v, want it taken: %v", raw, err, good)
		}
		if err != nil && (!strings.Contains(err.Error(), "okta.orgURL") || strings.Contains(err.Error(), "pw")) {
			t.Errorf("orgURL %q: the error does not name the setting, or shows a password: %v", raw, err)
		}
	}
}

// TestSlowAnswer holds that the caller's own deadline ends a call that drips.
func TestSlowAnswer(t *testing.T) {
	done := make(chan struct{})
	d := against(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{`)
		w.(http.Flusher).Flush()
		select {
		case <-done:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler) // it never comes to an end
	})
	t.Cleanup(func() { close(done) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.ObserveClient(ctx, "aik-x", identity.ClientHint{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's own error", err)
	}
}

// TestManyGroups holds that more groups than Okta finds by q, which it cuts off
// without a word, are searched for instead.
func TestManyGroups(t *testing.T) {
	d := against(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasPrefix(r.URL.Path, "/api/v1/org"):
			_, _ = io.WriteString(w, `{"clientPrivilegesSetting":false}`)
		case r.URL.Query().Get("search") == `profile.name sw "k8s/test/"`:
			_, _ = io.WriteString(w, `[{"id":"last","profile":{"name":"k8s/test/a/last","description":"d"}}]`)
		case r.URL.Path == "/api/v1/groups":
			var found []string
			for i := range 300 {
				found = append(found, fmt.Sprintf(`{"id":"g%d","profile":{"name":"k8s/test/a/%d","description":null}}`, i, i))
			}
			_, _ = io.WriteString(w, "["+strings.Join(found, ",")+"]")
		default:
			_, _ = io.WriteString(w, `[]`)
		}
	})
	seen, err := d.ObserveRole(t.Context(), roleMark(), "k8s/test/a/last")
	if err != nil || seen.Group == nil || seen.Group.ID != "last" {
		t.Errorf("got %+v, %v, want the last group", seen.Group, err)
	}
}
