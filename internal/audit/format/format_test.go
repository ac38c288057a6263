package format_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event/eventtest"
	"github.com/agentidentity/agent-identity-operator/internal/audit/format"
)

// The forms, each with its name.
func forms() map[string]func(event.Event, format.Origin) ([]byte, error) {
	return map[string]func(event.Event, format.Origin) ([]byte, error){"raw": format.Raw, "ocsf": format.OCSF}
}

func origin() format.Origin {
	return format.Origin{Cluster: "prod-eu", Org: "https://example.okta.com"}
}

// made is an event that was made up, of a type, with everything that Okta tells.
func made(tb testing.TB, eventType, outcome string, targets ...string) event.Event {
	tb.Helper()
	raw := fmt.Sprintf(`{"actor":{"id":"0oa1","type":"PublicClientApp","alternateId":"0oa1","displayName":"summer <1>"},`+
		`"client":{"userAgent":{"rawUserAgent":"agent/1.0"},"zone":"office","device":"Unknown","id":"0oa1","ipAddress":"203.0.113.7",`+
		`"geographicalContext":{"city":"Graz","state":"Styria","country":"Austria"}},`+
		`"authenticationContext":{"externalSessionId":"s-1"},"displayMessage":"Something is done","eventType":%q,`+
		`"outcome":{"result":%q,"reason":"because"},"published":"2026-01-02T03:04:05.678Z",`+
		`"securityContext":{"asNumber":64500,"asOrg":"example","isp":"example isp"},"severity":"WARN",`+
		`"debugContext":{"debugData":{"grantedScopes":"read, write","requestUri":"/oauth2/v1/token"}},`+
		`"transaction":{"type":"WEB","id":"t-1"},"uuid":"u-1","version":"0","target":[%s]}`, eventType, outcome, strings.Join(targets, ","))
	e, err := event.Decode([]byte(raw))
	if err != nil {
		tb.Fatal(err)
	}
	e.Agent = &event.Agent{
		Object: event.Object{Namespace: "shop", Name: "summer", UID: "uid-1"}, Agent: "summer", ClientID: "0oa1",
		Owners: []string{"ann@example.com"}, Purpose: "sums & more", Role: event.Object{Namespace: "roles", Name: "reader", UID: "uid-2"}, Revision: 3,
	}
	e.Role = &e.Agent.Role
	return e
}

// targets are of every kind that the formats look for.
func targets() []string {
	return []string{
		`{"id":"00u1","type":"User","alternateId":"bo@example.com","displayName":"Bo"}`,
		`{"id":"00g1","type":"UserGroup","displayName":"readers"}`,
		`{"id":"0oa2","type":"AppInstance","displayName":"Shop"}`, `{"id":null,"type":null}`, `7`,
	}
}

// bare is an event that has nothing but what it must have.
func bare(tb testing.TB, eventType string) event.Event {
	tb.Helper()
	e, err := event.Decode(fmt.Appendf(nil, `{"uuid":"u-1","published":"2026-01-02T03:04:05.678Z","eventType":%q}`, eventType))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestGolden(t *testing.T) {
	for name, e := range map[string]event.Event{
		"grant":     made(t, "app.oauth2.as.token.grant.access_token", "SUCCESS"),
		"member":    made(t, "group.user_membership.add", "SUCCESS", targets()...),
		"privilege": made(t, "user.account.privilege.grant", "FAILURE", targets()...),
		"session":   made(t, "user.session.start", "CHALLENGE", targets()...),
		"policy":    made(t, "policy.rule.update", "SUCCESS", targets()...),
		"threat":    made(t, "security.threat.detected", "DENY", targets()...),
		"bare":      bare(t, "of.tomorrow"),
	} {
		for form, write := range forms() {
			t.Run(name+" "+form, func(t *testing.T) {
				got, err := write(e, origin())
				if err != nil {
					t.Fatal(err)
				}
				var shown bytes.Buffer
				if err := json.Indent(&shown, got, "", "  "); err != nil {
					t.Fatal(err)
				}
				shown.WriteByte('\n')
				file := filepath.Join("testdata", name+"."+form+".json")
				if os.Getenv("UPDATE_GOLDEN") != "" {
					if err := os.WriteFile(file, shown.Bytes(), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), shown.String()); diff != "" {
					t.Errorf("%s (-want +got); UPDATE_GOLDEN=1 writes it anew:\n%s", file, diff)
				}
			})
		}
	}
}

func TestOktasEventIsKept(t *testing.T) {
	const head = `{"uuid":"u-1","published":"2026-01-02T03:04:05.678Z","eventType":"a.b"`
	for name, test := range map[string]struct{ reason, raw, want string }{
		"as it was":     {"a digest of it stays what it was", head + ` , "x" : 1.0e5,"x":"<\u0041>"}`, head + ` , "x" : 1.0e5,"x":"<\u0041>"}`},
		"lines":         {"receivers read a line an event", head + ",\r\n\t\"x\": [1,\n2]}\n", head + `,"x":[1,2]}`},
		"broken UTF-8":  {"receivers refuse it", head + ",\"x\":\"\xff\"}", head + `,"x":"` + "\ufffd" + `"}`},
		"large numbers": {"nothing goes through a float", head + `,"x":12345678901234567890}`, head + `,"x":12345678901234567890}`},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := event.Decode([]byte(test.raw))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := format.Raw(e, origin())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasSuffix(raw, []byte(`,"event":`+test.want+`}`)) {
				t.Errorf("%s does not end with %s; %s", raw, test.want, test.reason)
			}
			ocsf, err := format.OCSF(e, origin())
			if err != nil {
				t.Fatal(err)
			}
			var read struct {
				Data string `json:"raw_data"`
			}
			if err := json.Unmarshal(ocsf, &read); err != nil || read.Data != test.want {
				t.Errorf("raw_data is %s, %v; want %s", read.Data, err, test.want)
			}
		})
	}
	for form, write := range forms() {
		if got, err := write(event.Event{ID: "u-1", Raw: []byte(`{"a":`)}, origin()); err == nil {
			t.Errorf("%s: what is no JSON is written as %s", form, got)
		}
	}
}

// types are all of the catalogue, some of the operator's own, and one that is unknown.
func types(t *testing.T) []string {
	t.Helper()
	all := []string{"agentidentity.key.rotated", "agentidentity.detection.matched", "of.tomorrow", "x"}
	known, there := eventtest.Catalogue(t)
	if !there {
		t.Log("OKTA_DATA is unset: the catalogue of Okta's event types is not looked at")
		known = []string{"user.session.start", "group.lifecycle.create", "app.oauth2.as.token.revoke"}
	}
	return append(all, known...)
}

func TestEveryTypeIsAsThePublishedSchemaWants(t *testing.T) {
	s := judging(t)
	if s.Version != format.SchemaVersion {
		t.Fatalf("the schema is of version %s; we write %s", s.Version, format.SchemaVersion)
	}
	s.used = &schema{Version: s.Version, Classes: map[int]*item{}, Objects: map[string]*item{}, Types: map[string]string{}}
	classes := map[string]int{}
	for _, eventType := range types(t) {
		full := made(t, eventType, "SUCCESS", targets()...)
		operator := full
		operator.Operator = true
		for name, e := range map[string]event.Event{
			"full": full, "denied": made(t, eventType, "DENY"), "skipped": made(t, eventType, "SKIPPED", targets()[2]),
			"bare": bare(t, eventType), "operator's": operator,
		} {
			got, err := format.OCSF(e, origin())
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range s.judge(got) {
				t.Errorf("%s, %s: %s", eventType, name, wrong)
			}
			var read struct {
				Class int `json:"class_uid"`
			}
			_ = json.Unmarshal(got, &read)
			classes[s.Classes[read.Class].Name]++
		}
	}
	if os.Getenv("OCSF_SCHEMA") != "" {
		s.mustBeKnown(t)
	}
	t.Logf("documents by class: %v", classes)
}

func TestTheJudgeFindsFaults(t *testing.T) {
	s := judging(t)
	good, err := format.OCSF(made(t, "user.session.start", "SUCCESS", targets()...), origin())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"required":   func(doc map[string]any) { delete(doc, "user") },
		"unknown":    func(doc map[string]any) { doc["of_tomorrow"] = 1 },
		"enum":       func(doc map[string]any) { doc["severity_id"] = 42 },
		"type":       func(doc map[string]any) { doc["time"] = "now" },
		"type_uid":   func(doc map[string]any) { doc["type_uid"] = 300202 },
		"constraint": func(doc map[string]any) { delete(doc, "service") },
		"inside":     func(doc map[string]any) { doc["metadata"].(map[string]any)["product"] = map[string]any{} },
		"regex":      func(doc map[string]any) { doc["src_endpoint"].(map[string]any)["ip"] = "here" },
		"no list":    func(doc map[string]any) { doc["enrichments"] = map[string]any{} },
	} {
		t.Run(name, func(t *testing.T) {
			var doc map[string]any
			if err := json.Unmarshal(good, &doc); err != nil {
				t.Fatal(err)
			}
			change(doc)
			bad, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.judge(bad)) == 0 && (name != "regex" || s.regexes != nil) {
				t.Error("nothing is found")
			}
		})
	}
}

func FuzzFormats(f *testing.F) {
	f.Add(made(f, "user.session.start", "SUCCESS", targets()...).Raw, "shop", "sums\n\x00\"\xff")
	f.Add(bare(f, "a.b").Raw, "", "")
	f.Fuzz(func(t *testing.T, raw []byte, namespace, purpose string) {
		e, err := event.Decode(raw)
		if err != nil {
			return
		}
		e.Agent = &event.Agent{Object: event.Object{Namespace: namespace, Name: "x"}, Purpose: purpose}
		for form, write := range forms() {
			got, err := write(e, format.Origin{Cluster: namespace, Org: purpose})
			if err != nil {
				t.Fatalf("%s: %v", form, err)
			}
			var read struct {
				ID       string `json:"id"`
				Metadata struct {
					UID string `json:"uid"`
				} `json:"metadata"`
			}
			if err := json.Unmarshal(got, &read); err != nil || bytes.ContainsAny(got, "\r\n") || !utf8.Valid(got) {
				t.Fatalf("%s is no line of JSON: %v: %q", form, err, got)
			}
			if read.ID+read.Metadata.UID != e.ID {
				t.Errorf("%s: the id is %q, want %q", form, read.ID+read.Metadata.UID, e.ID)
			}
		}
	})
}

func BenchmarkFormats(b *testing.B) {
	e := made(b, "app.oauth2.as.token.grant", "SUCCESS", targets()...)
	for form, write := range forms() {
		b.Run(form, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := write(e, origin()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("decode and raw", func(b *testing.B) {
		for b.Loop() {
			read, err := event.Decode(e.Raw)
			if err != nil {
				b.Fatal(err)
			}
			read.Agent, read.Role = e.Agent, e.Role
			if _, err := format.Raw(read, origin()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
