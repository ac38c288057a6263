package filter_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/filter"
)

// grant is a made-up grant of a token to an agent.
func grant(tb testing.TB) event.Event {
	tb.Helper()
	e, err := event.Decode([]byte(`{"uuid":"u-1","eventType":"app.oauth2.as.token.grant","published":"2026-01-02T03:04:05.678Z",
		"severity":"INFO","outcome":{"result":"SUCCESS","reason":null},"actor":{"id":"0oa1","type":"PublicClientApp","displayName":"Summer"},
		"client":{"ipAddress":"203.0.113.7","zone":null,"userAgent":{"rawUserAgent":"agent/1.0"}},
		"securityContext":{"asNumber":64500,"isProxy":false},"debugContext":{"debugData":{"grantedScopes":"read write"}},
		"target":[{"id":"t1","type":"access_token"},{"id":"aus1","type":"authorization_server","displayName":"agents"}]}`))
	if err != nil {
		tb.Fatal(err)
	}
	e.Agent = &event.Agent{
		Object: event.Object{Namespace: "shop", Name: "summer", UID: "uid-1"}, Agent: "summer", ClientID: "0oa1",
		Owners: []string{"ann@example.com", "bo@example.com"}, Role: event.Object{Namespace: "roles", Name: "reader"},
	}
	return e
}

func TestMatch(t *testing.T) {
	for expression, test := range map[string]struct {
		reason                string
		withAgent, withoutOne bool
	}{
		`true`: {"the simplest", true, true},
		`event.eventType.startsWith("app.oauth2.as.token")`:                                  {"Okta's own JSON", true, true},
		`event.outcome.result == "FAILURE"`:                                                  {"a member of a member", false, false},
		`timestamp(event.published) > timestamp("2026-01-01T00:00:00Z")`:                     {"times are compared as times", true, true},
		`event.securityContext.asNumber == 64500`:                                            {"numbers of JSON are numbers, whatever CEL's types", true, true},
		`event.securityContext.asNumber > 64000 && event.securityContext.asNumber < 65000.5`: {"so are they in order", true, true},
		`event.target.exists(t, t.type == "authorization_server")`:                           {"loops over targets", true, true},
		`event.target.exists(t, event.target.exists(u, u.id == t.id && u.type != t.type))`:   {"a loop in a loop is allowed", false, false},
		`has(event.client.zone) && event.client.zone == null`:                                {"null is there", true, true},
		`has(event.device)`:                                                 {"what is absent is not", false, false},
		`event.?device.?managed.orValue(false)`:                             {"optional members", false, false},
		`event.actor.displayName.lowerAscii() == "summer"`:                  {"regardless of case", true, true},
		`event.client.userAgent.rawUserAgent.matches("^agent/[0-9.]+$")`:    {"regular expressions", true, true},
		`cidr("203.0.113.0/24").containsIP(event.client.ipAddress)`:         {"networks", true, true},
		`agent.namespace == "shop"`:                                         {"no agent is in no namespace, without an error", true, false},
		`has(agent.name)`:                                                   {"asks whether an agent is concerned", true, false},
		`agent.role.name == "reader" && agent.role.namespace == "roles"`:    {"the agent's role", true, false},
		`"ann@example.com" in agent.owners`:                                 {"owners", true, false},
		`agent.owners.exists(o, o.endsWith("@example.com"))`:                {"a loop over owners", true, false},
		`agent.clientID == event.actor.id`:                                  {"both together", true, false},
		`!has(agent.purpose) && agent.agent == "summer" && agent.uid != ""`: {"an empty field is as one absent", true, false},
		`event.actor.id in ["0oa1", "0oa2"] ? agent.name != "" : false`:     {"a condition", true, false},
	} {
		t.Run(expression, func(t *testing.T) {
			p, err := filter.Compile(expression)
			if err != nil {
				t.Fatalf("%v; %s", err, test.reason)
			}
			e := grant(t)
			got, err := p.MatchEvent(t.Context(), e)
			if err != nil || got != test.withAgent {
				t.Errorf("%t, %v; want %t: %s", got, err, test.withAgent, test.reason)
			}
			e.Agent = nil
			got, err = p.MatchEvent(t.Context(), e)
			if err != nil || got != test.withoutOne {
				t.Errorf("without an agent %t, %v; want %t: %s", got, err, test.withoutOne, test.reason)
			}
		})
	}
}

func TestWhatCannotBeDecidedIsToldAndIsNoMatch(t *testing.T) {
	for expression, test := range map[string]struct{ reason, says string }{
		`event.device.managed`:                                      {"the event has no device", "no such key: device"},
		`event.client.zone.size() > 0`:                              {"the zone is null", "no such overload"},
		`event.severity`:                                            {"what it yields is known only now", "string, not bool"},
		`int(event.outcome.result) == 1`:                            {"no number", "type conversion error"},
		`cidr("10.0.0.0/8").containsIP(event.uuid)`:                 {"no address", "IP"},
		`timestamp(event.uuid) > timestamp("2026-01-01T00:00:00Z")`: {"no time", "timestamp"},
	} {
		t.Run(expression, func(t *testing.T) {
			p, err := filter.Compile(expression)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.MatchEvent(t.Context(), grant(t))
			if err == nil || got {
				t.Fatalf("%t, %v; want an error, for %s", got, err, test.reason)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("says %q, which does not tell of %q", err, test.says)
			}
		})
	}
}

func TestCompileSaysWhatIsWrongAndWhere(t *testing.T) {
	for name, test := range map[string]struct{ reason, expression, want string }{
		"misspelt variable": {"the place is shown", `evnt.eventType == "a"`, "1:1: undeclared reference to 'evnt' (in container '')\n | evnt.eventType == \"a\"\n | ^"},
		"misspelt field of agent": {
			"what agent has is known", "has(agent.name) &&\n  agent.nmae == \"a\"", "2:8: undefined field 'nmae'\n |   agent.nmae == \"a\"\n |        ^",
		},
		"another type": {"a name is no number", `agent.name == 7`, "1:12: found no matching overload for '_==_' applied to '(string, int)'\n | agent.name == 7\n |            ^"},
		"no bool":      {"it must decide", `agent.name`, "the expression yields string; it must yield bool"},
		"far along": {
			"only what is around it is shown", `event.a == "` + strings.Repeat("x", 100) + `" || nobody == "` + strings.Repeat("y", 100) + `"`,
			"1:118: undeclared reference to 'nobody' (in container '')\n | ..." + strings.Repeat("x", 35) + `" || nobody == "` + strings.Repeat("y", 29) +
				"...\n | " + strings.Repeat(" ", 43) + "^",
		},
		"more than one": {"the first is told", `a && b && c`, "1:1: undeclared reference to 'a' (in container '')\n | a && b && c\n | ^\n(and 2 more)"},
		"three loops": {
			"it would hold up everybody", `event.target.all(a, event.target.all(b, event.target.all(c, a == b && b == c)))`,
			"the expression may cost too much: do not put loops within loops",
		},
		"too long": {"the API's bound", strings.Repeat("x", 4097), "the expression has 4097 characters; at most 4096 are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := filter.Compile(test.expression)
			if err == nil {
				t.Fatalf("it is taken, but %s", test.reason)
			}
			if err.Error() != test.want {
				t.Errorf("says\n%s\nwant\n%s", err, test.want)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, test := range map[string]struct{ reason, expression string }{
		"nothing":         {"it decides nothing", ``},
		"half":            {"it is no CEL", `event.eventType ==`},
		"replacing":       {"strings grow beyond any bound by it", `event.uuid.replace("", event.uuid) == ""`},
		"formatting":      {"strings grow beyond any bound by it", `"%s".format([event.uuid]) == ""`},
		"deep":            {"the stack is everybody's", strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200)},
		"deep in lists":   {"the stack is everybody's", strings.Repeat("[", 300) + strings.Repeat("]", 300) + " == []"},
		"a broken regexp": {"it can never match", `event.uuid.matches("(")`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := filter.Compile(test.expression); err == nil {
				t.Errorf("it is taken, but %s", test.reason)
			} else if utf8.RuneCountInString(err.Error()) > 600 {
				t.Errorf("it says %d characters", utf8.RuneCountInString(err.Error()))
			}
		})
	}
}

func TestALargeEventCannotMakeAnExpressionDear(t *testing.T) {
	raw := `{"uuid":"u-1","eventType":"a.b","published":"2026-01-02T03:04:05Z","target":[` +
		strings.Repeat(`{"id":"a"},`, 5000) + `{"id":"b"}]}`
	e, err := event.Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Compile(`event.target.all(a, event.target.all(b, a.id != "x" || b.id != "y"))`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.MatchEvent(t.Context(), e); err == nil || !strings.Contains(err.Error(), "cost limit exceeded") {
		t.Errorf("25 million turns of a loop: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := p.MatchEvent(ended, e); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestManyMayMatchAtOnce(t *testing.T) {
	p, err := filter.Compile(`agent.name == "summer" && event.target.exists(t, t.id == "aus1")`)
	if err != nil {
		t.Fatal(err)
	}
	in := filter.NewInput(grant(t))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if got, err := p.Match(t.Context(), in); err != nil || !got {
					t.Errorf("%t, %v", got, err)
				}
			}
		})
	}
	all.Wait()
}

func FuzzCompile(f *testing.F) {
	for _, expression := range []string{
		`true`, `agent.nmae`, `event.target.exists(t, t.type == "x")`, `event.?a.?b.orValue(1) == 1`, "a\n\t\xff b", `"é" + event`,
		`[1,2].map(x, [x, x]).size() > 0`, `cidr("10.0.0.0/8").containsIP("x")`, `event.uuid.matches(event.uuid)`, `{"a": event}.a == 1`,
	} {
		f.Add(expression)
	}
	e := grant(f)
	f.Fuzz(func(t *testing.T, expression string) {
		p, err := filter.Compile(expression)
		if err != nil {
			message := err.Error()
			if _, again := filter.Compile(expression); again == nil || again.Error() != message {
				t.Errorf("it says %q, then %v", message, again)
			}
			if !utf8.ValidString(message) || utf8.RuneCountInString(message) > 600 {
				t.Errorf("unfit for a condition: %q", message)
			}
			return
		}
		if matched, err := p.MatchEvent(t.Context(), e); err != nil && matched {
			t.Error("a match that cannot be decided")
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := filter.Compile(`agent.namespace == "shop" && event.target.exists(t, t.type == "x")`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	e := grant(b)
	for name, expression := range map[string]string{
		"agent": `agent.namespace == "shop" && agent.role.name == "reader"`,
		"event": `event.target.exists(t, t.type == "access_token") && event.outcome.result == "SUCCESS"`,
	} {
		p, err := filter.Compile(expression)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.MatchEvent(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
