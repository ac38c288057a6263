package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// least is an event that says no more than it must.
const least = `{"uuid":"u-1","eventType":"a.b","published":"2026-01-02T03:04:05.678Z"%s}`

// grant is a made-up grant of a token, as large as one of Okta's.
func grant() []byte {
	return fmt.Appendf(nil, `{
  "actor": {"id":"0oa1","type":"PublicClientApp","alternateId":"0oa1","displayName":"summer \"one\" é","detailEntry":{"a":"b"}},
  "client": {"userAgent":{"rawUserAgent":"agent/1.0","os":"Linux","browser":"UNKNOWN"},"zone":"null","device":"Unknown","id":"0oa1",
    "ipAddress":"203.0.113.7","geographicalContext":{"city":"Graz","state":"Styria","country":"Austria","postalCode":"8010",
    "geolocation":{"lat":47.07,"lon":15.43}}},
  "device": null,
  "authenticationContext": {"authenticationProvider":null,"credentialType":null,"authenticationStep":0,"externalSessionId":"s-1"},
  "displayMessage": "OAuth2 access token is granted", "eventType": "app.oauth2.as.token.grant.access_token",
  "outcome": {"result":"SUCCESS","reason":null}, "published": "2026-01-02T03:04:05.678Z",
  "securityContext": {"asNumber":64500,"asOrg":"example","isp":"example isp","domain":null,"isProxy":false},
  "severity": "INFO",
  "debugContext": {"debugData":{"grantedScopes":"read_ai_logs","list":["a",1],"n":7,"deep":{"x":[1,2]},"filler":"%s"}},
  "legacyEventType": null, "transaction": {"type":"WEB","id":"t-1","detail":{}}, "uuid": "u-1", "version": "0",
  "request": {"ipChain":[{"ip":"203.0.113.7","geographicalContext":null,"version":"V4","source":null}]},
  "target": [{"id":"tok1","type":"access_token","alternateId":null,"displayName":"Access Token","detailEntry":{"expires":1}},
    {"id":"aus1","type":"authorization_server","alternateId":"agents","displayName":"agents","detailEntry":null}]
}`, strings.Repeat("x", 400))
}

func TestDecode(t *testing.T) {
	raw := grant()
	got, err := event.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := event.Event{
		ID: "u-1", Type: "app.oauth2.as.token.grant.access_token", Published: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
		Severity: "INFO", Message: "OAuth2 access token is granted", Outcome: event.Outcome{Result: "SUCCESS"},
		Actor: event.Party{
			ID: "0oa1", Type: "PublicClientApp", AlternateID: "0oa1", DisplayName: `summer "one" é`, Detail: event.Fields(`{"a":"b"}`),
		},
		Client: event.Client{ID: "0oa1", IP: "203.0.113.7", Zone: "null", Device: "Unknown"},
		Targets: []event.Party{
			{ID: "tok1", Type: "access_token", DisplayName: "Access Token", Detail: event.Fields(`{"expires":1}`)},
			{ID: "aus1", Type: "authorization_server", AlternateID: "agents", DisplayName: "agents"},
		},
		Transaction: "t-1", Session: "s-1", Network: event.Network{Number: "64500", Organization: "example", Provider: "example isp"},
		Raw: grant(),
	}
	want.Client.UserAgent.Raw = "agent/1.0"
	want.Client.Place.City, want.Client.Place.State, want.Client.Place.Country = "Graz", "Styria", "Austria"
	debug := got.Debug
	got.Debug = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"grantedScopes": "read_ai_logs", "n": "7", "deep": "", "list": "", "absent": ""} {
		if got := debug.Text(name); got != want {
			t.Errorf("debugData.%s is %q, want %q", name, got, want)
		}
	}
	if diff := cmp.Diff([]string{"a", "1"}, debug.Texts("list")); diff != "" {
		t.Errorf("debugData.list (-want +got):\n%s", diff)
	}
}

func TestWhatCanBeReadIsNotLost(t *testing.T) {
	for name, test := range map[string]struct{ reason, raw string }{
		"no more than it must":   {"Okta may leave anything else out", fmt.Sprintf(least, "")},
		"every field null":       {"Okta writes null for what it does not know", fmt.Sprintf(least, nulls("null"))},
		"every field a number":   {"no type is promised for what we only pass on", fmt.Sprintf(least, nulls("7"))},
		"every field a string":   {"no type is promised for what we only pass on", fmt.Sprintf(least, nulls(`"x"`))},
		"every field a list":     {"no type is promised for what we only pass on", fmt.Sprintf(least, nulls(`[[],{},null,"x"]`))},
		"every field an object":  {"no type is promised for what we only pass on", fmt.Sprintf(least, nulls(`{"id":{},"debugData":[],"a":null}`))},
		"odd detail":             {"one target of another type spoils no other", fmt.Sprintf(least, `,"target":[{"detailEntry":"x"},7,null]`)},
		"deep":                   {"what nobody looks at may be as deep as it likes", fmt.Sprintf(least, `,"x":`+nested(9_000))},
		"broken UTF-8":           {"an attacker writes user agents", fmt.Sprintf(least, `,"displayMessage":"`+"\xff\xfe"+`"`)},
		"a name with an escape":  {"the same name, written otherwise", `{"uu\u0069d":"u-1","eventType":"a.b","published":"2026-01-02T03:04:05.678Z"}`},
		"twice the same":         {"the last counts, as for whoever receives it", fmt.Sprintf(least, `,"uuid":"u-1"`)},
		"surrounded by space":    {"raw is kept as it was given", "\n\t " + fmt.Sprintf(least, "") + "\r\n"},
		"time in another offset": {"the instant is what counts", `{"uuid":"u-1","eventType":"a.b","published":"2026-01-02T05:04:05.678+02:00"}`},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := event.Decode([]byte(test.raw))
			if err != nil {
				t.Fatalf("%v; %s", err, test.reason)
			}
			if e.ID != "u-1" || e.Type != "a.b" || !e.Published.Equal(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)) {
				t.Errorf("read as %s of type %s at %s", e.ID, e.Type, e.Published)
			}
			if string(e.Raw) != test.raw {
				t.Error("raw is not what was given")
			}
		})
	}
}

func TestWhatIsNoEvent(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":                 ``,
		"no JSON":                 `{"uuid":"u-1",`,
		"two objects":             fmt.Sprintf(least+least, "", ""),
		"null":                    `null`,
		"a list":                  `[{"uuid":"u-1"}]`,
		"no uuid":                 `{"eventType":"a.b","published":"2026-01-02T03:04:05.678Z"}`,
		"no type":                 `{"uuid":"u-1","published":"2026-01-02T03:04:05.678Z"}`,
		"no time":                 `{"uuid":"u-1","eventType":"a.b"}`,
		"a time that is none":     `{"uuid":"u-1","eventType":"a.b","published":"yesterday"}`,
		"names of another case":   `{"UUID":"u-1","EventType":"a.b","Published":"2026-01-02T03:04:05.678Z"}`,
		"deeper than JSON may be": fmt.Sprintf(least, `,"x":`+nested(10_001)),
		"too large":               fmt.Sprintf(least, `,"x":"`+strings.Repeat("x", event.MaxSize)+`"`),
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := event.Decode([]byte(raw)); err == nil {
				t.Errorf("taken as %s of type %s", e.ID, e.Type)
			}
		})
	}
}

// nulls gives value to every member that an event need not have.
func nulls(value string) string {
	var b strings.Builder
	for _, name := range []string{
		"severity", "displayMessage", "outcome", "actor", "client", "target", "transaction", "authenticationContext", "securityContext",
		"debugContext", "request", "version", "legacyEventType",
	} {
		fmt.Fprintf(&b, `,%q:%s`, name, value)
	}
	return b.String()
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func FuzzDecode(f *testing.F) {
	f.Add(grant())
	f.Add(fmt.Appendf(nil, least, ""))
	f.Add(fmt.Appendf(nil, least, nulls(`[{"id":7,"detailEntry":{"a":[1,{}]}}]`)))
	f.Add(fmt.Appendf(nil, least, `,"a\u0062":"\ud800","":""`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		given := bytes.Clone(raw)
		e, err := event.Decode(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(e.Raw, given) {
			t.Fatal("raw is not what was given")
		}
		// The standard library is the judge of what the members are; it folds case,
		// which we do not.
		var want map[string]json.RawMessage
		if err := json.Unmarshal(given, &want); err != nil {
			t.Fatalf("taken, but %v", err)
		}
		for name, got := range map[string]string{"uuid": e.ID, "eventType": e.Type, "displayMessage": e.Message} {
			var text string
			if json.Unmarshal(want[name], &text) == nil && text != got {
				t.Errorf("%s is %q, want %q", name, got, text)
			}
		}
		for _, fields := range []event.Fields{e.Debug, e.Actor.Detail} {
			if fields != nil && !json.Valid(fields) {
				t.Errorf("%q is no JSON", fields)
			}
			fields.Text("a")
			fields.Texts("a")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	raw := grant()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}
