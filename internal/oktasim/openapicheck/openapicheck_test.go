package openapicheck

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newChecker(t *testing.T) *Checker {
	t.Helper()
	dir := os.Getenv("OKTA_DATA")
	if dir == "" {
		t.Skip("OKTA_DATA does not name the directory with Okta's OpenAPI descriptions.")
	}
	c, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	jsonKind = "application/json"
	formKind = "application/x-www-form-urlencoded"
	group    = `{"id":"00g1","profile":{"name":"a"}}`
	scopes   = "POST /api/v1/authorizationServers/{authServerId}/scopes"
)

// sample is an exchange and the problems that are in it.
type sample struct {
	reason, method, path, kind, body string
	status                           int
	answer                           string
	want                             []string
}

func samples() map[string]sample {
	return map[string]sample{
		"good": {
			reason: "nothing to tell", method: "POST", path: "/api/v1/groups", kind: jsonKind,
			body: `{"profile":{"name":"a","description":null}}`, status: 200, answer: group,
		},
		"misspelt field": {
			reason: "Okta would ignore it", method: "POST", path: "/api/v1/authorizationServers/aus1/scopes", kind: jsonKind,
			body: `{"name":"a","discription":"hunter2"}`, status: 201, answer: `{"name":"a"}`,
			want: []string{scopes + ": request discription: is not in the schema"},
		},
		"wrong value": {
			reason: "types and enums, without the value", method: "POST", path: "/api/v1/authorizationServers/aus1/scopes", kind: jsonKind,
			body: `{"name":7,"consent":"hunter2"}`, status: 201, answer: `{"name":"a"}`,
			want: []string{
				scopes + `: request consent: value is not one of the allowed values ["FLEXIBLE","IMPLICIT","REQUIRED"]`,
				scopes + `: request name: value must be a string`,
			},
		},
		"deep in an app": {
			reason: "the discriminator leads to the app's own schema", method: "POST", path: "/api/v1/apps?activate=true", kind: jsonKind,
			body: `{"name":"oidc_client","label":"l","signOnMode":"OPENID_CONNECT","credentials":{},` +
				`"settings":{"oauthClient":{"grant_types":["client_credentials"],"grants":[]}}}`,
			status: 200, answer: `{"signOnMode":"OPENID_CONNECT","label":"l","name":"oidc_client","credentials":{},` +
				`"settings":{"app":{},"oauthClient":{"grant_types":["client_credentials"]}}}`,
			want: []string{"POST /api/v1/apps: request settings.oauthClient.grants: is not in the schema"},
		},
		"parameter": {
			reason: "names and types", method: "GET", path: "/api/v1/groups?limit=x&page=2", status: 200, answer: "[" + group + "]", kind: jsonKind,
			want: []string{
				"GET /api/v1/groups: query limit: has a value of another type than the schema says",
				"GET /api/v1/groups: query page: is not a parameter of the operation",
			},
		},
		"path": {
			reason: "no such operation", method: "GET", path: "/api/v1/nonsense", status: 404, answer: `{}`, kind: jsonKind,
			want: []string{"GET /api/v1/nonsense: the operation is not in Okta's descriptions"},
		},
		"content type": {
			reason: "JSON in, JSON out", method: "POST", path: "/api/v1/groups", kind: "text/plain", body: `{}`, status: 200, answer: group,
			want: []string{"POST /api/v1/groups: request: the content type is not application/json"},
		},
		"status": {
			reason: "groups are created with 200", method: "POST", path: "/api/v1/groups", kind: jsonKind,
			body: `{"profile":{"name":"a"}}`, status: 202, answer: group,
			want: []string{"POST /api/v1/groups: answer: the status 202 is not described"},
		},
		"answer": {
			reason: "what the org answers is checked as well", method: "GET", path: "/api/v1/groups/00g1", status: 200,
			answer: `{"id":7,"colour":"red"}`, kind: jsonKind,
			want: []string{
				"GET /api/v1/groups/{groupId}: answer colour: is not in the schema",
				"GET /api/v1/groups/{groupId}: answer id: value must be a string",
			},
		},
		"form": {
			reason: "parameters of a grant, and a client's proof", method: "POST", path: "/oauth2/aus1/v1/token", kind: formKind,
			body: "grant_type=client_credentials&scope=a&client_id=x&client_secret=y&sope=z", status: 400, answer: `{"error":"invalid_request"}`,
			want: []string{"POST /oauth2/{authorizationServerId}/v1/token: request sope: is not in the schema"},
		},
		"error": {
			reason: "errors have Okta's form", method: "GET", path: "/api/v1/groups/00g1", status: 404, answer: `{"message":"no"}`, kind: jsonKind,
			want: []string{"GET /api/v1/groups/{groupId}: answer: the error has no errorCode"},
		},
		"passcode": {
			reason: "the same for several factors", method: "POST", path: "/api/v1/users/00u1/factors/sms1/lifecycle/activate", kind: jsonKind,
			body: `{"passCode":"1"}`, status: 200, answer: `{"factorType":"sms","status":"ACTIVE"}`,
		},
		"misspelt passcode": {
			reason: "of no factor", method: "POST", path: "/api/v1/users/00u1/factors/sms1/lifecycle/activate", kind: jsonKind,
			body: `{"passcode":"1"}`, status: 200, answer: `{"factorType":"sms","status":"ACTIVE"}`,
			want: []string{"POST /api/v1/users/{userId}/factors/{factorId}/lifecycle/activate: request passcode: is not in the schema"},
		},
		"undescribed": {
			reason: "only in links", method: "POST", path: "/api/v1/users/00u1/factors/opf1/lifecycle/activate/poll", kind: jsonKind,
			status: 200, answer: `{"factorResult":"WAITING"}`,
		},
		"unheard of": {
			reason: "in no link either", method: "GET", path: "/api/v1/users/00u1/factors/opf1/lifecycle/activate/poll", kind: jsonKind,
			status: 200, answer: `{}`,
			want: []string{"GET /api/v1/users/00u1/factors/opf1/lifecycle/activate/poll: the operation is not in Okta's descriptions"},
		},
		"control": {reason: "not Okta's", method: "GET", path: "/_sim/state", status: 200, answer: `{}`, kind: jsonKind},
	}
}

func TestWrapReportsWhatIsNotAsDescribed(t *testing.T) {
	c := newChecker(t)
	for name, test := range samples() {
		t.Run(name, func(t *testing.T) {
			var got []string
			handler := c.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", jsonKind)
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.answer))
			}), func(problem string) { got = append(got, problem) })
			request := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			request.Header.Set("Content-Type", test.kind)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			if recorder.Code != test.status || recorder.Body.String() != test.answer {
				t.Errorf("the answer must pass unchanged, got %d %s", recorder.Code, recorder.Body)
			}
			if diff := cmp.Diff(sorted(test.want), sorted(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			if strings.Contains(strings.Join(got, ""), "hunter2") {
				t.Errorf("a problem must not hold a value: %v", got)
			}
		})
	}
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

func TestCutConnectionStillChecksTheRequest(t *testing.T) {
	c := newChecker(t)
	var got []string
	handler := c.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		func(problem string) { got = append(got, problem) })
	defer func() {
		if cut, _ := recover().(error); !errors.Is(cut, http.ErrAbortHandler) {
			t.Error("the server must see the panic, or the client would get an answer")
		}
		want := []string{"DELETE /api/v1/groups/{groupId}: query force: is not a parameter of the operation"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/api/v1/groups/00g1?force=true", nil))
}

func TestEveryDeviationHasAReason(t *testing.T) {
	for _, d := range deviations() {
		if d.template == "" || d.path == "" || d.reason == "" {
			t.Errorf("%+v says too little", d)
		}
	}
	for pattern, reason := range undescribed() {
		if reason == "" {
			t.Errorf("%s says too little", pattern)
		}
	}
}
