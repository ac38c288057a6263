package detect

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// org is a simulated org that is spoken to by an API token.
type org struct {
	*testing.T
	*oktasim.Org
	token string
}

func (o org) do(method, path, body string) []byte {
	o.Helper()
	req := httptest.NewRequest(method, "https://org.test"+path, strings.NewReader(body))
	req.Header.Set("Authorization", "SSWS "+o.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	answer := httptest.NewRecorder()
	o.ServeHTTP(answer, req)
	if answer.Code >= http.StatusMultipleChoices {
		o.Fatalf("%s %s: HTTP %d %s", method, path, answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

// log is what the org has written down, with the agent it concerns.
func (o org) log(agent *event.Agent) []*event.Event {
	o.Helper()
	var raw []json.RawMessage
	if err := json.Unmarshal(o.do(http.MethodGet, "/api/v1/logs?limit=1000", ""), &raw); err != nil {
		o.Fatal(err)
	}
	var events []*event.Event
	for _, r := range raw {
		e, err := event.Decode(r)
		if err != nil {
			o.Fatal(err)
		}
		e.Agent = agent
		events = append(events, &e)
	}
	return events
}

// What the org itself writes when an administrator does it is found, and by whom it was decides.
func TestEventsOfTheOrg(t *testing.T) {
	o := org{T: t, Org: oktasim.New(oktasim.Options{BaseURL: "https://org.test"})}
	o.token = o.AddAPIToken()
	var app struct{ ID string }
	if err := json.Unmarshal(o.do(http.MethodPost, "/api/v1/apps", `{"name":"oidc_client","label":"bot","signOnMode":"OPENID_CONNECT",
		"credentials":{"oauthClient":{"client_id":"client","token_endpoint_auth_method":"client_secret_basic"}},
		"settings":{"oauthClient":{"application_type":"service","grant_types":["client_credentials"],"response_types":["token"]}}}`), &app); err != nil {
		t.Fatal(err)
	}
	o.do(http.MethodPost, "/api/v1/apps/"+app.ID+"/credentials/secrets", "")
	o.do(http.MethodGet, "/api/v1/apps/"+app.ID+"/credentials/secrets", "")
	agent := &event.Agent{Object: event.Object{Namespace: "shop", Name: "bot", UID: "u1"}, ClientID: "client", AppID: app.ID}
	for rule, want := range map[v1alpha1.DetectionRule]v1alpha1.DetectionResponse{
		v1alpha1.RuleForeignCredential: v1alpha1.ResponseSuspend,
		v1alpha1.RuleSecretRead:        v1alpha1.ResponseSuspend,
	} {
		for own, wanted := range map[Answer][]v1alpha1.DetectionResponse{No: {want}, Unknown: {v1alpha1.ResponseNotify}, Yes: nil} {
			detector, err := New([]v1alpha1.Detection{suspends(rule)}, facts{own: own, fromHere: No})
			if err != nil {
				t.Fatal(err)
			}
			var got []v1alpha1.DetectionResponse
			for _, f := range detector.Examine(t.Context(), time.Now(), o.log(agent)) {
				got = append(got, f.Response)
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("%s, own %d: responses differ (-want +got):\n%s", rule, own, diff)
			}
		}
	}
}
