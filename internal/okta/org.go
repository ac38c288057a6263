package okta

import (
	"context"
	"errors"
	"net/http"

	sdk "github.com/okta/okta-sdk-golang/v2/okta"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
	"github.com/agentidentity/agent-identity-operator/internal/okta/transport"
)

// org is the SDK's client, tamed.
type org struct {
	client *sdk.Client
}

// newOrg sets every value of the SDK's configuration: what is left unset it reads
// from ~/.okta/okta.yaml and from OKTA_CLIENT_* variables. Its cache would answer
// with lists from before our own writes, its retries would hold a worker up and
// repeat writes, and its OAuth puts the assertion into the query and never looks
// at a refusal; all of that is off, or the transport's business.
func newOrg(orgURL string, way http.RoundTripper) (*org, error) {
	_, client, err := sdk.NewClient(context.Background(),
		sdk.WithOrgUrl(orgURL),
		// The transport replaces this placeholder.
		sdk.WithAuthorizationMode("Bearer"), sdk.WithToken("set-by-transport"),
		sdk.WithClientId(""), sdk.WithPrivateKey(""), sdk.WithPrivateKeyId(""), sdk.WithClientAssertion(""), sdk.WithScopes(nil),
		sdk.WithCache(false), sdk.WithCacheManager(nil), sdk.WithCacheTtl(0), sdk.WithCacheTti(0),
		sdk.WithRateLimitMaxRetries(0), sdk.WithRateLimitMaxBackOff(0),
		sdk.WithRequestTimeout(0), sdk.WithConnectionTimeout(30),
		sdk.WithProxyHost(""), sdk.WithProxyPort(0), sdk.WithProxyUsername(""), sdk.WithProxyPassword(""),
		sdk.WithUserAgentExtra(identity.UserAgent),
		// checkOrgURL has refused plain http but for loopback.
		sdk.WithTestingDisableHttpsCheck(true),
		sdk.WithHttpClientPtr(&http.Client{
			Transport: way,
			// A redirect would carry the operator's proof to wherever it points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	)
	if err != nil {
		return nil, err
	}
	return &org{client: client}, nil
}

// call makes a call the SDK's types cannot express. out may be nil.
func (o *org) call(ctx context.Context, method, path string, body, out any) (http.Header, error) {
	executor := o.client.CloneRequestExecutor()
	req, err := executor.WithAccept("application/json").WithContentType("application/json").NewRequest(method, path, body)
	if err != nil {
		return nil, fault.Broken("the request cannot be written", nil)
	}
	resp, err := executor.Do(ctx, req, out)
	if err != nil {
		return nil, typed(ctx, err)
	}
	return resp.Header, nil
}

// typed unwraps what the transport returned; the SDK and net/http have wrapped it
// in words with addresses and ids in them.
func typed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if found, ok := errors.AsType[*identity.Error](err); ok {
		return found
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fault.Broken("its JSON has another shape than Okta describes", nil)
}

// done types the error of one of the SDK's own methods.
func done[T any](ctx context.Context) func(T, *sdk.Response, error) (T, error) {
	return func(value T, _ *sdk.Response, err error) (T, error) { return value, typed(ctx, err) }
}

func nextOf(header http.Header) []string { return header.Values(transport.HeaderNext) }
