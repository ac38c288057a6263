package oktasim_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const logs = "/api/v1/logs"

// poll reads from a link until a page is empty; it gives the events and the link to
// go on with.
func (w *world) poll(link string) ([]map[string]any, string) {
	w.t.Helper()
	var all []map[string]any
	for range 10_000 {
		r := w.do(200, "GET", link, nil)
		all = append(all, r.List...)
		if link = r.next(); link == "" {
			w.t.Fatal("a polling request must always have a next link")
		}
		if len(r.List) == 0 {
			return all, link
		}
	}
	w.t.Fatal("polling does not come to an empty page")
	return nil, ""
}

func dig(event map[string]any, path ...string) any {
	var value any = event
	for _, name := range path {
		inner, _ := value.(map[string]any)
		value = inner[name]
	}
	return value
}

// said gives type, outcome and the types of the targets of events, one line each.
func said(events []map[string]any) []string {
	var lines []string
	for _, e := range events {
		line := e["eventType"].(string)
		if result := dig(e, "outcome", "result"); result != "SUCCESS" {
			line += " " + result.(string)
		}
		targets, _ := e["target"].([]any)
		for _, t := range targets {
			line += " " + t.(map[string]any)["type"].(string)
		}
		lines = append(lines, line)
	}
	return lines
}

// happened reads what has happened after a link was given.
func (w *world) happened(do func()) []map[string]any {
	w.t.Helper()
	_, link := w.poll(logs)
	do()
	events, _ := w.poll(link)
	return events
}

func (w *world) driveLogs() {
	w.auth = "SSWS " + w.org.AddAPIToken()
	events, _ := w.poll(logs + "?limit=100")
	if len(events) < 50 {
		w.t.Errorf("everything before this leaves more than %d events", len(events))
	}
	w.do(200, "GET", logs+"?sortOrder=DESCENDING&limit=2&q=application", nil)
	query := url.Values{
		"since": {stampOf(epoch().Add(-time.Hour))}, "until": {stampOf(epoch().Add(time.Hour))},
		"filter": {`eventType eq "application.lifecycle.create"`}, "sortOrder": {"ASCENDING"},
	}
	if r := w.do(200, "GET", logs+"?"+query.Encode(), nil); len(r.List) == 0 {
		w.t.Error("apps have been made, and the log does not tell")
	}
	w.do(400, "GET", logs+"?filter="+url.QueryEscape(`published gt "x"`), nil)
	w.do(400, "GET", logs+"?filter="+url.QueryEscape(`actor.id gt "x"`), nil)
	w.do(400, "GET", logs+"?after=made-up", nil)
}

func stampOf(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }

func TestTypesOfEventsAreInTheCatalogue(t *testing.T) {
	file, err := os.Open(filepath.Join(data(t), "event-types.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Versions []struct {
			EventTypes []struct {
				ID string `json:"id"`
			} `json:"eventTypes"`
		} `json:"versions"`
	}
	if err := json.NewDecoder(unzipped).Decode(&catalogue); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, version := range catalogue.Versions {
		for _, kind := range version.EventTypes {
			known[kind.ID] = true
		}
	}
	for _, kind := range oktasim.EventKinds() {
		if !known[kind] {
			t.Errorf("Okta has no events of type %s", kind)
		}
	}
}

func TestEveryOperationThatChangesSomethingSaysWhatItLeaves(t *testing.T) {
	templates, said := oktasim.Templates(), oktasim.Happenings()
	for _, template := range templates {
		if !strings.HasPrefix(template, "GET ") && strings.Contains(template, " /api/v1/") && !slices.Contains(said, template) {
			t.Errorf("%s has no entry in happenings", template)
		}
	}
	for _, template := range said {
		if !slices.Contains(templates, template) {
			t.Errorf("happenings has %s, which is no operation", template)
		}
	}
}

func TestTokensThatAreGrantedAndRefused(t *testing.T) {
	w := newTokenWorld(t)
	var token string
	events := w.happened(func() {
		claims := w.claims("agent-one", w.url+w.endpoint)
		form := assertionForm(sign(t, w.key, "good", claims), "read")
		r := w.post(w.endpoint, form, func(r *http.Request) { r.Header.Set("X-Sim-Client-IP", "192.0.2.7") })
		token = r.text("access_token")
		w.post(w.endpoint, form)
		w.ask(nil, "write")
		revoke := assertionForm(sign(t, w.key, "good", w.claims("agent-one", w.url+strings.Replace(w.endpoint, "token", "revoke", 1))))
		revoke.Del("grant_type")
		revoke.Del("scope")
		revoke.Set("token", token)
		w.post(strings.Replace(w.endpoint, "token", "revoke", 1), revoke)
	})
	want := []string{
		"app.oauth2.as.token.grant.access_token access_token AuthorizationServer",
		"app.oauth2.as.token.grant FAILURE AuthorizationServer",
		"app.oauth2.as.token.grant FAILURE AuthorizationServer",
		"app.oauth2.as.token.revoke access_token AuthorizationServer",
	}
	if diff := cmp.Diff(want, said(events)); diff != "" {
		t.Fatalf("events differ (-want +got):\n%s", diff)
	}
	app := strings.TrimPrefix(w.app, "/api/v1/apps/")
	granted := events[0]
	got := map[string]any{
		"actor": dig(granted, "actor"), "client": dig(granted, "client", "id"), "ip": dig(granted, "client", "ipAddress"),
		"chain": len(dig(granted, "request", "ipChain").([]any)), "reasons": []any{
			dig(granted, "outcome", "reason"), dig(events[1], "outcome", "reason"), dig(events[2], "outcome", "reason"),
		},
		"scopes": dig(granted, "debugContext", "debugData", "grantedScopes"),
		"uri":    dig(granted, "debugContext", "debugData", "requestUri"),
	}
	wantParts := map[string]any{
		"actor":  object{"id": app, "type": "PublicClientApp", "alternateId": "agent-one", "displayName": "one", "detailEntry": nil},
		"client": "agent-one", "ip": "192.0.2.7", "chain": 1, "reasons": []any{nil, "invalid_client", "access_denied"},
		"scopes": "read", "uri": w.endpoint,
	}
	if diff := cmp.Diff(wantParts, got); diff != "" {
		t.Errorf("what the events say differs (-want +got):\n%s", diff)
	}
}

func TestWhoDidIt(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	byToken := w.happened(func() { w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "one"}}) })[0]
	private, jwk := newKey(t, "key")
	if err := w.org.AddServiceClient("operator", encode(t, jwk), "okta.groups.manage", "okta.logs.read"); err != nil {
		t.Fatal(err)
	}
	admin := w.auth
	events := w.happened(func() {
		form := assertionForm(sign(t, private, "key", w.claims("operator", w.url+"/oauth2/v1/token")), "okta.groups.manage")
		w.auth = "Bearer " + w.post("/oauth2/v1/token", form).text("access_token")
		w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "two"}})
		w.auth = admin
	})
	want := []string{"app.oauth2.token.grant.access_token access_token", "group.lifecycle.create UserGroup"}
	if diff := cmp.Diff(want, said(events)); diff != "" {
		t.Fatalf("events differ (-want +got):\n%s", diff)
	}
	if got := dig(events[1], "actor", "id"); got != "operator" {
		t.Errorf("the client is the actor, got %v", got)
	}
	token, _ := dig(byToken, "transaction", "detail", "requestApiTokenId").(string)
	if dig(byToken, "actor", "type") != "User" || !strings.HasPrefix(token, "00T") {
		t.Errorf("the owner of the token is the actor, and its id is told: %v", byToken)
	}
	filter := url.QueryEscape(`transaction.detail.requestApiTokenId eq "` + token + `" and eventType sw "group."`)
	if found, _ := w.poll(logs + "?filter=" + filter); len(found) != 1 || found[0]["uuid"] != byToken["uuid"] {
		t.Errorf("what the token did must be found by its id, got %v", said(found))
	}
}

func TestRequestIDsOfEventsAreThoseOfAnswers(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	var r response
	events := w.happened(func() { r = w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "g"}}) })
	want := r.Header.Get("X-Okta-Request-Id")
	if got := dig(events[0], "transaction", "id"); want == "" || got != want {
		t.Errorf("the transaction is the request %s, got %v", want, got)
	}
}

func TestSignInsAreTold(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	user := w.org.AddUser("jane@example.com")
	body := serviceApp("web-app", "web")
	body["settings"].(object)["oauthClient"] = object{
		"application_type": "web", "grant_types": []string{"authorization_code"}, "response_types": []string{"code"},
		"redirect_uris": []string{"https://app.example.com/cb"},
	}
	w.do(200, "POST", "/api/v1/apps", body)
	w.do(200, "POST", "/api/v1/zones", zoneBody("home", "198.51.100.0/24"))
	w.do(200, "POST", "/api/v1/zones", zoneBody("office", "192.0.2.0/24"))
	factors := "/api/v1/users/" + user + "/factors"
	w.do(200, "POST", factors, object{"factorType": "push", "provider": "OKTA"})
	if err := w.org.CompletePush(user); err != nil {
		t.Fatal(err)
	}
	attempt := oktasim.Attempt{
		Login: "jane@example.com", ClientID: "web-app", IP: "192.0.2.9", Factors: []string{"password"},
		Server: "default", Scopes: []string{"none"}, RedirectURI: "https://app.example.com/cb",
	}
	events := w.happened(func() {
		w.org.SignIn(attempt)
		attempt.Factors = append(attempt.Factors, "push")
		w.org.SignIn(attempt)
		attempt.Login = "nobody@example.com"
		w.org.SignIn(attempt)
	})
	want := []string{
		"user.authentication.auth_via_mfa User", "policy.evaluate_sign_on CHALLENGE AppInstance PolicyEntity PolicyRule",
		"user.authentication.auth_via_mfa User", "user.authentication.auth_via_mfa User",
		"policy.evaluate_sign_on ALLOW AppInstance PolicyEntity PolicyRule",
		"user.session.start AppInstance", "user.authentication.sso AppInstance",
		"app.oauth2.as.authorize.code FAILURE AppInstance AuthorizationServer",
		"user.session.start FAILURE",
	}
	if diff := cmp.Diff(want, said(events)); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
	if got := []any{dig(events[0], "client", "ipAddress"), dig(events[0], "client", "zone")}; cmp.Diff([]any{"192.0.2.9", "office"}, got) != "" {
		t.Errorf("the person comes from the address of the attempt, got %v", got)
	}
}

func TestLimitsAreToldOnceAWindow(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsIntegratorFree, PrincipalShare: 100})
	statuses := map[int]int{}
	for range 25 {
		r, err := w.try("GET", "/api/v1/apps", nil)
		if err != nil {
			t.Fatal(err)
		}
		statuses[r.Status]++
	}
	if diff := cmp.Diff(map[int]int{200: 20, 429: 5}, statuses); diff != "" {
		t.Fatalf("answers differ (-want +got):\n%s", diff)
	}
	found, _ := w.poll(logs + "?filter=" + url.QueryEscape(`eventType sw "system.org.rate_limit."`))
	want := []string{"system.org.rate_limit.warning URL Pattern", "system.org.rate_limit.violation URL Pattern"}
	if diff := cmp.Diff(want, said(found)); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

func TestLogsHaveTheirOwnBucketAndScope(t *testing.T) {
	w := newWorld(t, oktasim.Options{Limits: oktasim.LimitsEnterprise})
	if got := w.do(200, "GET", logs, nil).Header.Get("X-Rate-Limit-Limit"); got != "50" {
		t.Errorf("the log of an Enterprise org may be read 50 times a minute, got %s", got)
	}
	private, jwk := newKey(t, "key")
	if err := w.org.AddServiceClient("reader", encode(t, jwk), "okta.apps.read"); err != nil {
		t.Fatal(err)
	}
	form := assertionForm(sign(t, private, "key", w.claims("reader", w.url+"/oauth2/v1/token")), "okta.apps.read")
	w.auth = "Bearer " + w.post("/oauth2/v1/token", form).text("access_token")
	w.do(403, "GET", logs, nil)
}

// TestEventsHoldNoSecrets drives everything and looks for what nobody may learn from the
// log.
func TestEventsHoldNoSecrets(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	admin := w.auth
	w.driveOrg()
	w.drivePeople()
	w.driveFactors()
	w.driveGroups()
	w.driveApps()
	w.driveServers()
	w.driveAccess()
	w.driveTokens()
	w.auth = admin
	user := w.org.AddUser("phone@example.com")
	w.do(200, "POST", "/api/v1/users/"+user+"/factors", object{
		"factorType": "sms", "provider": "OKTA", "profile": object{"phoneNumber": "+15557654321"},
	})
	code, err := w.org.LastSMSCode(user)
	if err != nil {
		t.Fatal(err)
	}
	w.post("/oauth2/default/v1/token", url.Values{
		"grant_type": {"top-secret-grant"}, "client_id": {"top-secret-client"}, "client_secret": {"top-secret-value"}, "scope": {"top-secret-scope"},
	})
	var raw bytes.Buffer
	link := logs + "?limit=1000"
	r := w.do(200, "GET", link, nil)
	raw.Write(r.Raw)
	if len(r.List) < 50 || len(r.List) == 1000 {
		t.Fatalf("%d events are not all of them", len(r.List))
	}
	for what, pattern := range map[string]string{
		"a token or an assertion": `eyJ[A-Za-z0-9_-]+\.`, "a phone number": `\+?1?555\d{7}`, "a secret": `0123456789abcdef|top-secret`,
		"the code of a message": `"` + code + `"`, "the API token": regexp.QuoteMeta(strings.TrimPrefix(w.auth, "SSWS ")),
	} {
		if found := regexp.MustCompile(pattern).Find(raw.Bytes()); found != nil {
			t.Errorf("the log holds %s: %s", what, found)
		}
	}
}
