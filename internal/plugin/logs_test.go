package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
)

// scripted is a log that gives one answer after another.
type scripted struct {
	answers []answer
	asked   []identity.LogPlace
	before  func(call int)
}

type answer struct {
	events []string
	err    error
}

func (s *scripted) ReadLog(ctx context.Context, from identity.LogPlace) (identity.LogPage, error) {
	call := len(s.asked)
	s.asked = append(s.asked, from)
	if s.before != nil {
		s.before(call)
	}
	if ctx.Err() != nil {
		return identity.LogPage{}, ctx.Err()
	}
	if call >= len(s.answers) {
		return identity.LogPage{Next: from, Now: now}, nil
	}
	page := identity.LogPage{Next: identity.LogPlace{Next: fmt.Sprint(call)}, Now: now}
	for _, e := range s.answers[call].events {
		page.Events = append(page.Events, []byte(e))
	}
	return page, s.answers[call].err
}

func anEvent(kind string, ago time.Duration, more string) string {
	return fmt.Sprintf(`{"uuid":"u-%s-%d","eventType":%q,"published":%q%s}`, kind, ago, kind, now.Add(-ago).Format(time.RFC3339Nano), more)
}

// The events of the snapshots: an agent acts, something is done to one, and to a role,
// and something concerns nobody here.
func events() []string {
	return []string{
		anEvent("app.oauth2.as.token.grant", 50*time.Minute, `,"outcome":{"result":"SUCCESS"},"actor":{"id":"0oachatbot","type":"PublicClientApp",`+
			`"alternateId":"aik-chatbot-chatbot"},"client":{"ipAddress":"192.0.2.7","geographicalContext":{"city":"Oslo","country":"Norway"}}`),
		anEvent("user.session.start", 40*time.Minute, `,"actor":{"id":"00u1","alternateId":"eve@example.com"}`),
		anEvent("application.lifecycle.deactivate", 30*time.Minute, `,"outcome":{"result":"FAILURE","reason":"no\u001b[2J \u009b31m\u202e right\nnow"},`+
			`"actor":{"id":"00u2","alternateId":"mallory\u0007@example.com"},"client":{"ipAddress":"198.51.100.1"},"target":[{"id":"0oachatbot","type":"AppInstance"}]`),
		anEvent("group.user_membership.add", 20*time.Minute, `,"outcome":{"result":"SUCCESS"},"actor":{"id":"00u2","displayName":"Operator"},`+
			`"target":[{"id":"00gchatbot","type":"UserGroup"}]`),
	}
}

func logWorld(t *testing.T, answers ...answer) (*world, *scripted) {
	t.Helper()
	w := newWorld(t, key("chatbot", "chatbot"), key("other", "reports"), role("chatbot", "chatbot"))
	w.env[envToken] = "00canary-token"
	log := &scripted{answers: answers}
	w.log = log
	return w, log
}

// TestLogsScreens: what is wrong with a reading before Okta is asked.
func TestLogsScreens(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		args   string
	}{
		"logs-token":      {"without a token Okta is not asked", "logs"},
		"logs-since":      {"longer than Okta keeps its log", "logs --since 100d"},
		"logs-since-what": {"no time", "logs --since yesterday"},
		"logs-agent":      {"an agent that is not there", "logs --agent nobody"},
		"logs-nobody":     {"a namespace without agents: Okta is not asked", "logs -n empty"},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, newWorld(t, cluster()...).screen(strings.Fields(test.args)...))
		})
	}
}

// TestLogsCompletion: the agent is completed as a key is.
func TestLogsCompletion(t *testing.T) {
	w := newWorld(t, cluster()...)
	if w.runAs(completer, "logs", "--agent", "st"); !strings.HasPrefix(w.out.String(), "stale\t") {
		t.Errorf("completed: %s", w.out.String())
	}
}

// TestLogs: events that concern agents, as tables and documents that do nothing to a terminal.
func TestLogs(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		args   string
	}{
		"logs":        {"what concerns the namespace's agents and roles", "logs --since 1h"},
		"logs-json":   {"a document a line, Okta's own event in it", "logs -o json"},
		"logs-yaml":   {"the same as documents of YAML", "logs -o yaml"},
		"logs-one":    {"one agent, not its role", "logs --agent chatbot/chatbot --since 2026-11-28T08:00:00Z"},
		"logs-type":   {"types that begin so", "logs --type app.oauth2"},
		"logs-others": {"agents of another namespace", "logs -n other --org-url https://id.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			w, log := logWorld(t, answer{events: events()})
			screen := w.screen(strings.Fields(test.args)...)
			golden(t, name, screen)
			if strings.ContainsAny(screen, "\x1b\u009b\u202e\x07") {
				t.Errorf("%s: what Okta says reaches the terminal: %q", test.reason, screen)
			}
			if strings.Contains(screen, "canary") {
				t.Errorf("the token is shown:\n%s", screen)
			}
			if len(log.asked) != 2 {
				t.Errorf("the log was read %d times, want until the page that is empty", len(log.asked))
			}
		})
	}
}

// TestLogsJSON: each line is a document, and says the same as Okta's.
func TestLogsJSON(t *testing.T) {
	w, _ := logWorld(t, answer{events: events()})
	w.run("logs", "-o", "json")
	lines := strings.Split(strings.TrimSpace(w.out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3", len(lines))
	}
	var got struct{ Event any }
	var want any
	if err := json.Unmarshal([]byte(lines[1]), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(events()[2]), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Event); diff != "" {
		t.Errorf("the event is another (-want +got):\n%s", diff)
	}
}

// TestLogsEnd: a busy log is read up to now, and what takes long is told.
func TestLogsEnd(t *testing.T) {
	late := anEvent("user.session.start", -time.Minute, "")
	w, log := logWorld(t, answer{events: events()}, answer{events: []string{late}}, answer{events: []string{late}})
	log.before = func(call int) { w.clock.Step(time.Duration(call) * 10 * time.Second) }
	if code := w.run("logs"); code != exitDone || len(log.asked) != 2 {
		t.Errorf("exit %d after %d pages, want to end with the page that was written after the beginning", code, len(log.asked))
	}
	w, log = logWorld(t, answer{events: events()}, answer{events: events()[:1]})
	log.before = func(int) { w.clock.Step(10 * time.Second) }
	if w.run("logs"); !strings.Contains(w.errs.String(), "4 events read, up to 2026-11-28T08:40:00Z; 3 concern agents") {
		t.Errorf("nothing is told of a long reading:\n%s", w.errs.String())
	}
}

// TestLogsFollow: new events are asked for every 30 seconds, also after Okta has failed or
// has forgotten the place.
func TestLogsFollow(t *testing.T) {
	w, log := logWorld(t,
		answer{events: events()[:1]}, answer{}, answer{err: &identity.Error{Kind: identity.Unavailable, Message: "no answer"}},
		answer{err: &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonPlaceLost}}, answer{events: events()[2:3]}, answer{})
	ctx, cancel := context.WithCancel(t.Context())
	log.before = func(call int) {
		if call == 6 {
			cancel()
		}
	}
	done := make(chan struct{})
	go func() { // lets time pass whenever somebody waits for it
		for {
			select {
			case <-done:
				return
			default:
				if w.clock.HasWaiters() {
					w.clock.Step(followEvery)
				}
			}
		}
	}()
	options := Options{
		Args: []string{"x", "logs", "--follow"}, Clock: w.clock, Getenv: func(name string) string { return w.env[name] },
		Connect: func() (client.WithWatch, error) { return w.client, nil },
		OpenLog: func(string, okta.CredentialSource) (identity.SystemLog, error) { return log, nil },
	}
	options.Streams.Out, options.Streams.ErrOut = &w.out, &w.errs
	if code := Run(ctx, options); code != exitDone {
		t.Errorf("stopped by the person, it ends with %d: %s", code, w.errs.String())
	}
	close(done)
	want := []identity.LogPlace{
		{Since: now.Add(-time.Hour)}, {Next: "0"}, {Next: "1"}, {Next: "1"}, {Since: now.Add(-51 * time.Minute)}, {Next: "4"}, {Next: "5"},
	}
	if diff := cmp.Diff(want, log.asked); diff != "" {
		t.Errorf("places that were read (-want +got):\n%s", diff)
	}
	if got := w.out.String(); strings.Count(got, "\n") != 3 || !strings.Contains(got, "application.lifecycle.deactivate") {
		t.Errorf("shown:\n%s", got)
	}
}

// TestLogsRefused: what Okta says to the operator is said to a person in other words.
func TestLogsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		err    *identity.Error
		says   string
	}{
		"token":     {"a token that is revoked", &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonAuthenticationFailed, Message: "the operator's"}, "Security > API > Tokens"},
		"rights":    {"somebody who may not read the log", &identity.Error{Kind: identity.Rejected, Reason: identity.ReasonPermissionDenied, Message: "the operator's"}, "read-only"},
		"elsewhere": {"advice for an operator is of no use to a person", &identity.Error{Kind: identity.Unavailable, Reason: identity.ReasonUnreachable, Message: "Okta gave no answer; check the operator's"}, "SSL_CERT_FILE"},
		"down":      {"no answer ends a single reading", &identity.Error{Kind: identity.Unavailable, Message: "no answer came"}, "no answer came"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := logWorld(t, answer{err: test.err})
			if code := w.run("logs"); code != exitFailed || !strings.Contains(w.errs.String(), test.says) || strings.Contains(w.errs.String(), "the operator's") {
				t.Errorf("%s: exit %d:\n%s", test.reason, code, w.errs.String())
			}
		})
	}
}

// TestOrg: the token is sent where the person says, or to a domain of Okta's own.
func TestOrg(t *testing.T) {
	const refused = ""
	for name, test := range map[string]struct {
		reason  string
		issuers []string
		args    []string
		env     string
		want    string
	}{
		"discovered":   {"Okta's own domain", []string{"https://example.okta.com/oauth2/a"}, nil, "", "https://example.okta.com"},
		"preview":      {"another of Okta's", []string{"https://example.oktapreview.com/oauth2/a"}, nil, "", "https://example.oktapreview.com"},
		"custom":       {"who writes a status could collect tokens", []string{"https://id.example.com/oauth2/a"}, nil, "", refused},
		"lookalike":    {"a domain that ends like Okta's", []string{"https://evilokta.com/oauth2/a"}, nil, "", refused},
		"user part":    {"what comes before the @ is no host", []string{"https://example.okta.com@evil.example/oauth2/a"}, nil, "", refused},
		"plain http":   {"a token is not sent in the clear", []string{"http://example.okta.com/oauth2/a"}, nil, "", refused},
		"another port": {"Okta has no other port", []string{"https://example.okta.com:8443/oauth2/a"}, nil, "", refused},
		"two":          {"nobody knows which", []string{"https://a.okta.com/x", "https://b.okta.com/x"}, nil, "", refused},
		"none":         {"no role has an issuer yet", []string{""}, nil, "", refused},
		"flag":         {"the person decides", []string{"https://a.okta.com/x"}, []string{"--org-url", "https://id.example.com"}, "https://env.example.com", "https://id.example.com"},
		"environment":  {"or their shell", []string{"https://a.okta.com/x"}, nil, "https://env.example.com", "https://env.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := []client.Object{key("chatbot", "chatbot")}
			for i, issuer := range test.issuers {
				r := role("chatbot", fmt.Sprint("role-", i))
				r.Status.Issuer = issuer
				objects = append(objects, r)
			}
			w := newWorld(t, objects...)
			w.log, w.env[envToken], w.env[envOrgURL] = &scripted{}, "00token", test.env
			code := w.run(append([]string{"logs"}, test.args...)...)
			if w.orgURL != test.want || (code == exitUsage) != (test.want == refused) {
				t.Errorf("%s: it asks %q and ends with %d, want %q\n%s", test.reason, w.orgURL, code, test.want, w.errs.String())
			}
		})
	}
}

// TestToken: from a file or the environment, and never shown.
func TestToken(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		reason string
		file   string
		env    string
		want   string
	}{
		"file":        {"with a newline at its end", file("00canary\n"), "", "00canary"},
		"environment": {"no file is named", "", "00canary", "00canary"},
		"both":        {"what is named counts", file("00canary"), "00other", "00canary"},
		"nothing":     {"there is none", "", "", ""},
		"empty":       {"an empty file is no token", file("\n"), "00canary", ""},
		"two lines":   {"a header could be smuggled in", file("00canary\nX: y"), "", ""},
		"no file":     {"a file that is not there", "/nonexistent/token", "00canary", ""},
		"large":       {"a file that is no token", file(strings.Repeat("c", maxToken+1)), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, key("chatbot", "chatbot"), role("chatbot", "chatbot"))
			w.log, w.env[envToken] = &scripted{}, test.env
			w.run("logs", "--token-file", test.file)
			if strings.Contains(w.out.String()+w.errs.String(), "canary") {
				t.Errorf("the token is shown: %s", w.errs.String())
			}
			if test.want == "" {
				if w.token != nil {
					t.Errorf("%s: Okta is asked", test.reason)
				}
				return
			}
			if w.token == nil {
				t.Fatalf("%s: Okta is not asked: %s", test.reason, w.errs.String())
			}
			got, err := w.token(t.Context())
			if err != nil || !got.APIToken.Equal(identity.NewSecret([]byte(test.want))) {
				t.Errorf("%s: another token is sent (%v)", test.reason, err)
			}
		})
	}
}
