package okta_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/openapicheck"
)

func fixed(c credential.Credentials) okta.CredentialSource {
	return func(context.Context) (credential.Credentials, error) { return c, nil }
}

// descriptions loads Okta's OpenAPI descriptions once, for that takes a second.
var descriptions = sync.OnceValues(func() (*openapicheck.Checker, error) {
	return openapicheck.New(os.Getenv("OKTA_DATA"))
})

// checked holds every call and answer against Okta's OpenAPI description, where
// OKTA_DATA says that it is at hand.
func checked(t *testing.T, org http.Handler) http.Handler {
	t.Helper()
	if os.Getenv("OKTA_DATA") == "" {
		return org
	}
	held, err := descriptions()
	if err != nil {
		t.Fatalf("loading Okta's OpenAPI descriptions: %v", err)
	}
	return held.Wrap(org, func(problem string) { t.Errorf("Okta's OpenAPI description: %s", problem) })
}

func changing(c *credential.Credentials) okta.CredentialSource {
	return func(context.Context) (credential.Credentials, error) { return *c, nil }
}

// serve calls a handler the way a connection would.
func serve(handler http.Handler, req *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	inbound := req.Clone(req.Context())
	inbound.RequestURI = req.URL.RequestURI()
	if inbound.Body == nil {
		inbound.Body = http.NoBody
	}
	handler.ServeHTTP(recorder, inbound)
	return recorder.Result(), nil
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The SDK starts a janitor for a cache it is told not to use; it ends when the
		// client is collected.
		goleak.IgnoreTopFunction("github.com/patrickmn/go-cache.(*janitor).Run"),
		// Metrics of the API machinery.
		goleak.IgnoreTopFunction("k8s.io/klog/v2.(*flushDaemon).run.func1"),
	)
}
