package oktasim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/netip"
	"slices"
	"time"
)

const authorizationCode = "authorization_code"

// authCodeLifetime is Okta's.
const authCodeLifetime = 300 * time.Second

// authCode is what an app redeems for a token of a person.
type authCode struct {
	app                 *app
	server              *server
	user                *user
	scopes              []string
	redirect, challenge string
	expires             time.Time
}

// issueCode gives the authorization code an attempt asks for, or says why not. That a
// rule of the server allows the scopes is asked when the code is redeemed.
func (o *Org) issueCode(v visit) (code, why string) {
	s, found := o.findServer(v.Server)
	settings := v.app.settings()
	// Public clients have no secret, so that only PKCE ties a code to who asked for it.
	needsPKCE := v.app.doc.flag("credentials", "oauthClient", "pkce_required") || v.app.authMethod() == "none"
	switch {
	case !found || !s.active || o.options.NoAPIAccessManagement:
		return "", "there is no active authorization server " + v.Server
	case !slices.Contains(settings.texts("grant_types"), authorizationCode):
		return "", "the app is not registered for the grant type authorization_code"
	case !slices.Contains(settings.texts("redirect_uris"), v.RedirectURI):
		return "", "the redirect URI is not registered: " + v.RedirectURI
	case needsPKCE && v.CodeChallenge == "":
		return "", "the app must use PKCE"
	case len(v.Scopes) == 0:
		return "", "no scopes were requested"
	}
	if why := s.lacks(v.Scopes); why != "" {
		return "", why
	}
	code = randomSecret(43)
	o.codes[code] = authCode{
		app: v.app, server: s, user: v.user, scopes: slices.Clone(v.Scopes), redirect: v.RedirectURI, challenge: v.CodeChallenge,
		expires: o.clock.Now().Add(authCodeLifetime),
	}
	return code, ""
}

// lacks names a scope the server has not, if any. The scopes of OpenID Connect would
// give ID tokens and refresh tokens, which are not simulated.
func (s *server) lacks(scopes []string) string {
	for _, name := range scopes {
		if sc := s.scopeNamed(name); sc == nil || sc.system() {
			return "the scope is not configured for the authorization server: " + name
		}
	}
	return ""
}

// redeem gives an access token of the person for a code, once.
func (o *Org) redeem(c *call, f form, s *server, a *app, bound *confirmation) (*reply, error) {
	code, found := o.codes[f.Get("code")]
	delete(o.codes, f.Get("code"))
	switch {
	case !found || code.app != a || code.server != s || !c.now.Before(code.expires):
		return nil, badOAuth("invalid_grant", "The authorization code is invalid or has expired.")
	case f.Get("redirect_uri") != code.redirect:
		return nil, badOAuth("invalid_grant", "The 'redirect_uri' does not match the redirection URI used in the authorization request.")
	case !proves(f.Get("code_verifier"), code.challenge):
		return nil, badOAuth("invalid_grant", "PKCE verification failed.")
	}
	if code.user.status != userActive {
		return nil, badOAuth("invalid_grant", "The user is not active.")
	}
	if why := s.lacks(code.scopes); why != "" {
		return nil, badOAuth("invalid_scope", "One or more scopes are not configured for the authorization server resource.")
	}
	r := s.decide(a.clientID(), authorizationCode, code.scopes, func(r *rule) bool { return o.isFor(r, code.user) })
	if r == nil {
		return nil, policyDenied()
	}
	return o.grant(s.key, accessClaims{
		Issuer: o.issuerOf(s), Audience: s.audience(), ClientID: a.clientID(), Subject: code.user.login, UserID: code.user.id,
		Scopes: code.scopes, Confirmation: bound,
	}, c.now, time.Duration(r.lifetimeMinutes())*time.Minute)
}

// proves holds a verifier against its S256 challenge (RFC 7636). Without a challenge
// there must be no verifier.
func proves(verifier, challenge string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// isFor tells whether a rule of an authorization server is for a person: in one of
// its groups, or named, and not excluded.
func (o *Org) isFor(r *rule, u *user) bool {
	people := r.doc.object("conditions", "people")
	if slices.Contains(people.texts("users", "exclude"), u.id) {
		return false
	}
	return slices.Contains(r.groups(), everyone) || o.inAny(u, r.groups()) || slices.Contains(people.texts("users", "include"), u.id)
}

func policyDenied() error {
	return badOAuth("access_denied", "Policy evaluation failed for this request, please check the policy configurations.")
}

// clientIPHeader is how a test says where a client is: all come from one machine.
const clientIPHeader = "X-Sim-Client-Ip"

// clientIP is where a request comes from.
func clientIP(c *call) netip.Addr {
	text := c.request.Header.Get(clientIPHeader)
	if text == "" {
		text, _, _ = net.SplitHostPort(c.request.RemoteAddr)
	}
	ip, _ := netip.ParseAddr(text)
	return ip.Unmap()
}

// allIPZones stands for every zone of the org, in the network of a client.
const allIPZones = "ALL_IP_ZONES"

// checkClientNetwork wants a client to come from where its app says.
func (o *Org) checkClientNetwork(c *call, a *app) error {
	ip := clientIP(c)
	if o.blocked(ip) || !o.inNetwork(o.spelledOut(a.settings().object("network")), ip) {
		return badOAuth("access_denied", "The client isn't allowed to make requests from this network.")
	}
	return nil
}

// spelledOut puts the zones in the place of the word for all of them.
func (o *Org) spelledOut(network document) document {
	copied := withNulls(network)
	for _, list := range []string{"include", "exclude"} {
		if slices.Contains(network.texts(list), allIPZones) {
			all := []any{}
			for _, z := range o.zones.order {
				if z.usage() == "POLICY" {
					all = append(all, z.id)
				}
			}
			copied[list] = all
		}
	}
	return copied
}
