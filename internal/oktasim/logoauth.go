package oktasim

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/eventlog"
)

// The endpoints whose every decision is written down.
const (
	orgTokenPath    = "/oauth2/v1/token"
	customTokenPath = "/oauth2/{authServerId}/v1/token"
	revocationPath  = "/oauth2/{authServerId}/v1/revoke"
)

// logOAuth writes down tokens that are granted, refused and revoked. What a request
// without a client of the org asks for is written down as nobody's.
func (o *Org) logOAuth(c *call, r *reply, err error) {
	refused, isRefusal := errors.AsType[*oauthRefusal](err)
	told := []string{orgTokenPath, customTokenPath, revocationPath}
	if err != nil && !isRefusal || !slices.Contains(told, c.route.template) {
		return
	}
	by := o.caller(c)
	came := outcome{debug: o.asked(c)}
	if isRefusal {
		came.result, came.reason = "FAILURE", refused.code
	}
	switch c.route.template {
	case orgTokenPath:
		o.logGrant(by, came, r, orgTokenGranted, orgTokenRequest)
	case customTokenPath:
		s, _ := o.findServer(c.params["authServerId"])
		o.logGrant(by, came, r, tokenGranted, tokenRequested, s)
	case revocationPath:
		s, _ := o.findServer(c.params["authServerId"])
		form, _ := url.ParseQuery(string(c.body))
		token, known := tokenParty(form.Get("token"), s.key)
		if isRefusal {
			o.logOutcome(by, tokenRevoked, came, s)
		} else if known {
			o.logOutcome(by, tokenRevoked, came, token, s)
		}
	}
}

// logGrant writes down a token that is granted, or a request that is refused.
func (o *Org) logGrant(by source, came outcome, r *reply, granted, refused string, targets ...subject) {
	if r == nil {
		o.logOutcome(by, refused, came, targets...)
		return
	}
	body, _ := r.body.(map[string]any)
	key := o.orgKey
	if len(targets) > 0 {
		key = targets[0].(*server).key
	}
	token, known := tokenParty(document(body).text("access_token"), key)
	if known {
		targets = append([]subject{token}, targets...)
	}
	if came.debug != nil {
		came.debug["grantedScopes"] = document(body).text("scope")
	}
	o.logOutcome(by, granted, came, targets...)
}

// tokenParty is a token by its id and a digest, never by its value.
func tokenParty(value string, key *signingKey) (party, bool) {
	claims, err := key.verify(value)
	if err != nil {
		return party{}, false
	}
	sum := sha256.Sum256([]byte(value))
	subject := claims.Subject
	if claims.UserID != "" {
		subject = claims.UserID
	}
	return party{ID: claims.ID, Type: "access_token", AlternateID: unknownText, DisplayName: "Access Token", DetailEntry: map[string]any{
		"expires": stamp(claims.Expiry.Time()), "subject": subject, "hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}}, true
}

// asked is what a client asks for, as far as it is no secret: only words that the org
// knows, for a client may put anything anywhere.
func (o *Org) asked(c *call) map[string]any {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil
	}
	told := map[string]any{}
	if grant := form.Get("grant_type"); grant == clientCredentials || grant == authorizationCode {
		told["grantType"] = grant
	}
	_, _, basic := c.request.BasicAuth()
	switch {
	case form.Has("client_assertion"):
		told["clientAuthType"] = privateKeyJWT
	case basic:
		told["clientAuthType"] = "client_secret_basic"
	case form.Has("client_secret"):
		told["clientAuthType"] = "client_secret_post"
	}
	return told
}

// logConsent writes down the scopes that a service client gains and loses.
func (o *Org) logConsent(client *serviceClient, before, after []string) {
	for kind, pair := range map[string][2][]string{consentGranted: {after, before}, consentRevoked: {before, after}} {
		for _, name := range pair[0] {
			if !slices.Contains(pair[1], name) {
				o.log(o.console(), kind, client, party{ID: name, Type: "Scope", AlternateID: unknownText, DisplayName: name})
			}
		}
	}
}

// newAdministrator is the person in the console, who is no user of the org and owns the
// API tokens.
func newAdministrator(j *eventlog.Journal) party {
	return party{ID: "00u" + j.Text(idLength-3), Type: "User", AlternateID: "admin@example.com", DisplayName: "Simulated Admin"}
}
