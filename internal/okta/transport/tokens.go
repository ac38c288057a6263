package transport

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const (
	// refusedFor is how long a refusal of the same credentials is believed, so that
	// ten thousand objects do not each ask for a token of their own.
	refusedFor = 10 * time.Second
	// forbiddenFor is how old a token must be for a forbidden call to evict it.
	forbiddenFor = 30 * time.Second
	// lastMoments is when a token is too old to set out with.
	lastMoments = 10 * time.Second
	// skewed is a change of Okta's clock against ours that explains a refused assertion.
	skewed = 30 * time.Second
)

// tokens keeps the operator's access token for some scopes.
type tokens struct {
	orgURL string
	scopes []string
	time   *ServerTime
	next   http.RoundTripper

	flight singleflight.Group
	mu     sync.Mutex
	held   held
}

// held is what is known for one set of credentials.
type held struct {
	credentials credential.Credentials
	token       identity.Secret
	obtained    time.Time
	refresh     time.Time
	expires     time.Time
	refused     error
	until       time.Time
}

// get gives a token, of 80 % of its life at most if a new one can be had.
func (t *tokens) get(ctx context.Context, credentials credential.Credentials) (identity.Secret, error) {
	now := t.time.Now()
	h := t.hold(credentials)
	if !h.token.IsZero() && now.Before(h.refresh) {
		return h.token, nil
	}
	if h.refused != nil && now.Before(h.until) {
		return identity.Secret{}, h.refused
	}
	result := t.flight.DoChan("token", func() (any, error) { return t.fetch(detach(ctx), credentials) })
	select {
	case <-ctx.Done():
		return identity.Secret{}, ctx.Err()
	case r := <-result:
		token, _ := r.Val.(identity.Secret)
		if r.Err != nil && !h.token.IsZero() && now.Before(h.expires.Add(-lastMoments)) {
			return h.token, nil
		}
		return token, r.Err
	}
}

// hold forgets what belonged to other credentials.
func (t *tokens) hold(credentials credential.Credentials) held {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.held.credentials.Equal(credentials) {
		t.held = held{credentials: credentials}
	}
	return t.held
}

// evict forgets the token if it is the one held, and of that age at least; it tells
// whether another is to be had.
func (t *tokens) evict(token identity.Secret, age time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.held.token.Equal(token) {
		return true
	}
	if t.time.Now().Sub(t.held.obtained) < age {
		return false
	}
	t.held = held{credentials: t.held.credentials}
	return true
}

// fetch obtains a token and keeps it. A refusal is tried once more when the answer
// showed that our clock was wrong when the assertion was dated.
func (t *tokens) fetch(ctx context.Context, credentials credential.Credentials) (identity.Secret, error) {
	before := t.time.Offset()
	granted, err := t.request(ctx, credentials)
	if err != nil && identity.KindOf(err) == identity.Rejected && (t.time.Offset()-before).Abs() > skewed {
		granted, err = t.request(ctx, credentials)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.time.Now()
	kept := held{credentials: credentials}
	if err != nil {
		if identity.KindOf(err) == identity.Rejected {
			kept.refused, kept.until = err, now.Add(refusedFor)
		}
		if t.held.credentials.Equal(credentials) {
			// The old token, if there is one, is used on while it lives.
			kept.token, kept.obtained, kept.refresh, kept.expires = t.held.token, t.held.obtained, now.Add(refusedFor), t.held.expires
			if !now.Before(kept.expires.Add(-lastMoments)) {
				kept.token = identity.Secret{}
			}
		}
		t.held = kept
		return identity.Secret{}, err
	}
	life := time.Duration(granted.ExpiresIn) * time.Second
	kept.token = identity.NewSecret([]byte(granted.AccessToken))
	kept.obtained, kept.refresh, kept.expires = now, now.Add(life*8/10), now.Add(life)
	t.held = kept
	return kept.token, nil
}

// grant is the answer of a token endpoint.
type grant struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
}

// request asks with everything in a form: a query would end up in access logs.
func (t *tokens) request(ctx context.Context, credentials credential.Credentials) (grant, error) {
	endpoint := t.orgURL + "/oauth2/v1/token"
	assertion, err := credential.Assertion(credentials.ClientID, credentials.KeyID, credentials.PrivateKey, endpoint, t.time.Now())
	if err != nil {
		return grant{}, rejected("signing with the operator's private key: " + err.Error())
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(t.scopes, " ")},
		"client_assertion_type": {credential.AssertionType}, "client_assertion": {string(assertion.Reveal())},
	}
	body, err := PostForm(fault.WithPurpose(ctx, fault.OperatorToken), t.next, endpoint, form, nil)
	if e, ok := errors.AsType[*identity.Error](err); ok && e.Reason == identity.ReasonPermissionDenied {
		e.Message += ": " + strings.Join(t.scopes, ", ")
	}
	if err != nil {
		return grant{}, err
	}
	var granted grant
	if err := json.Unmarshal(body, &granted); err != nil || granted.AccessToken == "" || granted.ExpiresIn <= 0 {
		return grant{}, fault.Broken("it is not a token", nil)
	}
	if !strings.EqualFold(granted.TokenType, "Bearer") {
		return grant{}, rejected("Okta binds the operator's tokens to a key; switch off \"Require DPoP\" in the service app's general settings")
	}
	return granted, nil
}

func rejected(message string) error {
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonAuthenticationFailed, Message: message, RetryAfter: time.Minute,
	}
}

// PostForm posts a form through next, which gives typed errors, and gives the body.
func PostForm(ctx context.Context, next http.RoundTripper, endpoint string, form url.Values, sign func(*http.Request)) ([]byte, error) {
	//nolint:gosec // The endpoint is that of the configured org, or the one it names for its own server.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the address of the token endpoint is none")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	// The System Log tells by it whose request it was: a token for an agent is obtained as the agent.
	req.Header.Set("User-Agent", identity.UserAgent)
	if sign != nil {
		sign(req)
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer closeBody(resp.Body)
	return io.ReadAll(resp.Body)
}
