package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func TestTranslate(t *testing.T) {
	okta := func(code, summary string, causes ...string) string {
		var list []string
		for _, c := range causes {
			list = append(list, fmt.Sprintf(`{"errorSummary":%q}`, c))
		}
		return fmt.Sprintf(`{"errorCode":%q,"errorSummary":%q,"errorCauses":[%s]}`, code, summary, strings.Join(list, ","))
	}
	const apps, servers, token = "/api/v1/apps", "/api/v1/authorizationServers", "/oauth2/v1/token"
	for name, test := range map[string]struct {
		reason  string
		status  int
		path    string
		purpose Purpose
		body    string
		kind    identity.Kind
		because string
		says    string
	}{
		"dead token":     {"a refused token is a person's matter", 401, apps, Manage, okta("E0000011", "Invalid token provided"), identity.Rejected, identity.ReasonAuthenticationFailed, "revoked or deactivated"},
		"no licence":     {"401 E0000015 is about the feature, not about who asks", 401, servers, Manage, okta("E0000015", "no"), identity.Rejected, identity.ReasonFeatureUnavailable, "API Access Management"},
		"no permission":  {"403 names the scope the path needs", 403, apps, Manage, okta("E0000006", "no"), identity.Rejected, identity.ReasonPermissionDenied, "okta.apps.manage"},
		"wrong state":    {"E0000038 is seldom an error: it is looked at again", 403, apps, Manage, okta("E0000038", "no"), identity.Waiting, identity.ReasonWaiting, ""},
		"validation":     {"400 tells the code and the causes", 400, apps, Manage, okta("E0000001", "Api validation failed: label", "label: too long"), identity.Rejected, identity.ReasonInvalidRequest, "(E0000001): label: too long"},
		"with a secret":  {"causes may quote the request", 400, apps, ManageSecret, okta("E0000001", "bad", "the secret hunter2hunter2 is bad"), identity.Rejected, identity.ReasonInvalidRequest, "(E0000001)"},
		"missing":        {"404 soon after a write is lag", 404, apps, Manage, okta("E0000007", "Not found"), identity.Waiting, identity.ReasonWaiting, ""},
		"no such path":   {"404 E0000008 is an API that is not there", 404, apps, Manage, okta("E0000008", "no"), identity.Rejected, identity.ReasonFeatureUnavailable, ""},
		"priorities":     {"423 passes", 423, servers, Manage, okta("E0000239", "Policy priorities"), identity.Waiting, identity.ReasonWaiting, ""},
		"conflict":       {"409 passes, or is found by looking", 409, servers, Manage, okta("E0000055", "no"), identity.Waiting, identity.ReasonWaiting, ""},
		"too many":       {"429 waits", 429, apps, Manage, okta("E0000047", "too many"), identity.Throttled, identity.ReasonThrottled, ""},
		"server error":   {"500 passes", 500, apps, Manage, okta("E0000009", "no"), identity.Unavailable, identity.ReasonDirectoryError, ""},
		"html":           {"a gateway answers with a page", 502, apps, Manage, "<html>Bad Gateway</html>", identity.Unavailable, identity.ReasonDirectoryError, ""},
		"redirect":       {"a redirect is a wrong address", 302, apps, Manage, "", identity.Unavailable, identity.ReasonDirectoryError, "okta.orgURL"},
		"agent refused":  {"a refusal of an agent may be lag", 401, "/oauth2/aus1/v1/token", AgentToken, `{"error":"invalid_client","error_description":"no"}`, identity.Waiting, identity.ReasonTokenRefused, "(invalid_client)"},
		"agent policy":   {"no policy lists the client yet", 400, "/oauth2/aus1/v1/token", AgentToken, `{"error":"access_denied"}`, identity.Waiting, identity.ReasonTokenRefused, "(access_denied)"},
		"not revoked":    {"who may not ask for tokens may not take them back", 401, "/oauth2/aus1/v1/revoke", AgentRevocation, `{"error":"invalid_client","error_description":"no"}`, identity.Waiting, identity.ReasonTokenRefused, "take a token back (invalid_client)"},
		"operator scope": {"one missing grant fails the operator", 400, token, OperatorToken, `{"error":"invalid_scope"}`, identity.Rejected, identity.ReasonPermissionDenied, "Okta API Scopes"},
		"operator dpop":  {"the operator does not speak DPoP", 400, token, OperatorToken, `{"error":"invalid_dpop_proof"}`, identity.Rejected, identity.ReasonAuthenticationFailed, "DPoP"},
		"operator down":  {"the token endpoint can fail like any other", 503, token, OperatorToken, "", identity.Unavailable, identity.ReasonDirectoryError, ""},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"X-Okta-Request-Id": {"req1\n"}}
			err := Translate(Answer{Status: test.status, Path: test.path, Purpose: test.purpose, Body: []byte(test.body), Header: header})
			if err.Kind != test.kind || err.Reason != test.because || !strings.Contains(err.Message, test.says) {
				t.Errorf("%s: got %s %s %q, want %s %s saying %q", test.reason, err.Kind, err.Reason, err.Message, test.kind, test.because, test.says)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("%s: the error shows too much: %v", test.reason, err)
			}
			if status, ok := StatusOf(err); !ok || status.HTTP != test.status {
				t.Errorf("%s: the status is lost: %v", test.reason, status)
			}
			if test.kind == identity.Rejected && err.RetryAfter == 0 {
				t.Errorf("%s: nobody looks again", test.reason)
			}
		})
	}
}

func TestWordsAreStable(t *testing.T) {
	say := func(id string) string {
		body := `{"errorCode":"E0000001","errorSummary":"x","errorId":"oae` + id + `","errorCauses":[{"errorSummary":"client 0oa` + id + ` is bad"}]}`
		return Translate(Answer{Status: 400, Path: "/api/v1/apps", Body: []byte(body), Header: http.Header{}}).Message
	}
	if a, b := say("abcdefghijklmn123"), say("zyxwvutsrqponm987"); a != b || !strings.Contains(a, "[id]") {
		t.Errorf("messages differ by ids: %q and %q", a, b)
	}
}

func TestKnownSecretsAreCutOut(t *testing.T) {
	body := `{"errorCode":"E0000001","errorSummary":"x","errorCauses":[{"errorSummary":"you sent s3cr3t"},{"errorSummary":"other"}]}`
	err := Translate(Answer{Status: 400, Path: "/api/v1/apps", Body: []byte(body), Header: http.Header{}, Known: []string{"s3cr3t"}})
	if strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Message, "other") {
		t.Errorf("got %q, want the other cause only", err.Message)
	}
}

func TestChallenge(t *testing.T) {
	header := http.Header{"Www-Authenticate": {`Bearer scope="okta.apps.read", error="insufficient_scope", error_description="no"`}}
	err := Translate(Answer{Status: 403, Path: "/api/v1/apps", Header: header})
	if status, _ := StatusOf(err); status.Code != "insufficient_scope" || err.Reason != identity.ReasonPermissionDenied {
		t.Errorf("got %v %s, want insufficient_scope and PermissionDenied", status, err.Reason)
	}
}

func TestAmbiguous(t *testing.T) {
	answer := func(status int) error {
		return Translate(Answer{Status: status, Path: "/api/v1/apps", Header: http.Header{}})
	}
	for name, test := range map[string]struct {
		reason string
		err    error
		want   bool
	}{
		"none":      {"it worked", nil, false},
		"refused":   {"Okta said no", answer(400), false},
		"gone":      {"Okta said no", answer(404), false},
		"server":    {"Okta may have done it", answer(500), true},
		"gateway":   {"Okta may have done it", answer(502), true},
		"timeout":   {"Okta may have done it", answer(408), true},
		"lost":      {"Okta may have done it", Unreachable("x"), true},
		"cut off":   {"Okta has done it", Broken("x", nil), true},
		"withheld":  {"it was never sent", Throttled(1, nil), false},
		"cancelled": {"the caller left while it was under way", context.Canceled, true},
		"wrapped":   {"wrapping changes nothing", fmt.Errorf("creating: %w", answer(503)), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.err != nil && Ambiguous(test.err); got != test.want {
				t.Errorf("%s: got %v, want %v", test.reason, got, test.want)
			}
		})
	}
}

func FuzzTranslate(f *testing.F) {
	for _, seed := range []string{
		`{"errorCode":"E0000001","errorSummary":"Api validation failed","errorCauses":[{"errorSummary":"x"}]}`,
		`{"error":"invalid_client","error_description":"no"}`, `<html>`, `{"errorCauses":[`, `{"errorCode":"\u0000\n"}`, `[[[[`, ``,
	} {
		f.Add(400, seed, `Bearer error="x"`)
	}
	f.Fuzz(func(t *testing.T, status int, body, challenge string) {
		err := Translate(Answer{Status: status, Path: "/api/v1/apps/x", Body: []byte(body), Header: http.Header{"Www-Authenticate": {challenge}}})
		if err.Reason == "" || err.Message == "" || len(err.Message) > 1000 {
			t.Errorf("the error is not whole: %#v", err)
		}
		if strings.ContainsFunc(err.Error(), func(r rune) bool { return unicode.IsControl(r) }) {
			t.Errorf("the error holds control characters: %q", err.Error())
		}
		if found, ok := errors.AsType[*Status](err); !ok || found.HTTP != status {
			t.Errorf("the status is lost: %v", found)
		}
	})
}
