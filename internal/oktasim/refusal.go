package oktasim

import (
	"fmt"
	"net/http"
)

// refusal is an answer that says no, in Okta's words. As an error it travels up
// from the place that decides to the place that writes.
type refusal struct {
	status  int
	code    string
	summary string
	causes  []string
	header  http.Header
	// unknown are the fields and parameters this API does not have; they are kept
	// for Unknown.
	unknown []string
}

func (r *refusal) Error() string { return r.code + ": " + r.summary }

func (r *refusal) body(errorID string) map[string]any {
	causes := []any{}
	for _, cause := range r.causes {
		causes = append(causes, map[string]any{"errorSummary": cause})
	}
	return map[string]any{
		"errorCode": r.code, "errorSummary": r.summary, "errorLink": r.code,
		"errorId": errorID, "errorCauses": causes,
	}
}

// validation is 400 E0000001, Okta's word for everything wrong with a request.
func validation(subject string, causes ...string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, code: "E0000001",
		summary: "Api validation failed: " + subject, causes: causes,
	}
}

func malformedBody() *refusal {
	return &refusal{
		status: http.StatusBadRequest, code: "E0000003", summary: "The request body was not well-formed.",
	}
}

// notFound names the class of the object as Okta does.
func notFound(id, class string) *refusal {
	return &refusal{
		status: http.StatusNotFound, code: "E0000007",
		summary: fmt.Sprintf("Not found: Resource not found: %s (%s)", id, class),
	}
}

func noSuchPath() *refusal {
	return &refusal{status: http.StatusNotFound, code: "E0000008", summary: "The requested path was not found"}
}

func noSuchMethod() *refusal {
	return &refusal{
		status: http.StatusMethodNotAllowed, code: "E0000022",
		summary: "The endpoint does not support the provided HTTP method",
	}
}

func invalidToken() *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "E0000011", summary: "Invalid token provided"}
}

func accessDenied(causes ...string) *refusal {
	return &refusal{
		status: http.StatusForbidden, code: "E0000006",
		summary: "You do not have permission to perform the requested action", causes: causes,
	}
}

func featureMissing() *refusal {
	return &refusal{
		status: http.StatusUnauthorized, code: "E0000015",
		summary: "You do not have permission to access the feature you are requesting",
	}
}

// wrongState is for an object that is not in a state the operation is allowed in.
func wrongState(cause string) *refusal {
	return &refusal{
		status: http.StatusForbidden, code: "E0000038",
		summary: "This operation is not allowed in the user's current status.", causes: []string{cause},
	}
}

func deleteForbidden() *refusal {
	return &refusal{
		status: http.StatusForbidden, code: "E0000056", summary: "Delete application forbidden.",
		causes: []string{"The application must be deactivated before it can be deleted."},
	}
}

func invalidFilter(causes ...string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "E0000031", summary: "Invalid search criteria.", causes: causes}
}

func tooManyRequests() *refusal {
	return &refusal{
		status: http.StatusTooManyRequests, code: "E0000047",
		summary: "API call exceeded rate limit due to too many requests.",
	}
}

func prioritiesLocked() *refusal {
	return &refusal{
		status: http.StatusLocked, code: "E0000239",
		summary: "Policy priorities are being reconciled. Please try again later.",
	}
}

// oauthRefusal is how OAuth endpoints say no (RFC 6749, section 5.2).
type oauthRefusal struct {
	status      int
	code        string
	description string
	header      http.Header
	unknown     []string
}

func (r *oauthRefusal) Error() string { return r.code + ": " + r.description }

func (r *oauthRefusal) body() map[string]any {
	return map[string]any{"error": r.code, "error_description": r.description}
}

func badOAuth(code, description string) *oauthRefusal {
	return &oauthRefusal{status: http.StatusBadRequest, code: code, description: description}
}

func invalidClient(description string) *oauthRefusal {
	return &oauthRefusal{status: http.StatusUnauthorized, code: "invalid_client", description: description}
}
