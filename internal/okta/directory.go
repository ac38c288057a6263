// Package okta is the directory spoken in Okta's API. It is the only importer of
// the Okta SDK and, with its sub-packages, the only one that knows HTTP codes.
//
// What stands in Okta for what:
//
//   - the operator: one custom authorization server
//   - a permission: one scope on it
//   - a role's people: the members of one group
//   - a role's okta.* permissions: one custom admin role, bound to the group
//   - a role's grant: one access policy with one rule, listing every client
//   - a client: one OIDC service app with the client_credentials grant
//
// It refuses to decide what should exist; it only sees, and does as it is told,
// and changes nothing that does not carry the mark of whom it acts for.
package okta

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/credential"
	"github.com/agentidentity/agent-identity-operator/internal/okta/transport"
)

// CredentialSource gives the operator's credentials; it is asked before every call.
type CredentialSource = credential.Source

// FileCredentials reads the credentials from a mounted Secret: client_id, key_id
// and private_key.pem of a service app, or api_token. A change needs no restart.
func FileCredentials(dir string) CredentialSource { return credential.Files(dir) }

const (
	defaultShare    = 50
	defaultLifetime = 12 * time.Hour
)

// Config configures a Directory.
type Config struct {
	// OrgURL is the org's own address: https://example.okta.com. Plain http is
	// taken for loopback addresses only.
	OrgURL string
	// CABundle is trusted beside the system's authorities, in PEM; may be empty.
	CABundle []byte
	// Cluster is the clusterID that stands in every mark.
	Cluster string
	// Audience is the aud of the agents' tokens.
	Audience    string
	Credentials CredentialSource
	// Share is the percentage of every rate limit the operator may use, 1 to 100;
	// zero means 50.
	Share int
	// SnapshotLifetime is how long what was listed is believed; zero means 12 hours.
	SnapshotLifetime time.Duration
	Clock            clock.PassiveClock
	Logger           logr.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Record is told of every call that was to change something; it may be nil. It must
	// not wait.
	Record func(identity.Action)
	// Heard is told Okta's id of each request that was answered; it may be nil. It must not wait.
	Heard func(requestID string)
	// Base sends what is left to send; nil means a hardened default.
	Base http.RoundTripper
}

// Directory implements identity.Directory.
type Directory struct {
	cluster  string
	audience string
	orgURL   string
	clock    clock.PassiveClock
	org      *org
	chain    transport.Chain
	bare     http.RoundTripper
	time     *transport.ServerTime
	mark     identity.Mark
	// credentials are the operator's own.
	credentials CredentialSource

	setting  *setting
	servers  *family[server]
	scopes   *family[scope]
	groups   *family[group]
	policies *family[namesakes]
	rosters  rosters
	// madePolicies are those of the org itself that lists may not show yet.
	madePolicies madePolicies
	// admins remembers what became of admin roles.
	admins         adminMemory
	authenticators authenticatorList
	zones          zoneList
	// engine tells what the org can; leading are sign-on policies that come first.
	engine  engine
	leading firsts
	// enrolments are people's second factors.
	enrolments enrolments
	clients    *family[client]
	rules      singleflight.Group

	// granting is held while policies and rules are written: Okta answers writes
	// at the same time with 423 or 500, and scrambles priorities.
	granting sync.Mutex
	firsts   firsts
	// refusals remembers since when a client is refused tokens.
	refusals firsts
	// strangers remembers when a login was unknown.
	strangers firsts
	// clientWalk keeps a listing of apps that the rate limit has interrupted.
	clientWalk clientWalk
}

// New returns a Directory. It makes no call.
func New(config Config) (*Directory, error) {
	orgURL, err := checkOrgURL(config.OrgURL)
	if err != nil {
		return nil, err
	}
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("configuring the Okta directory: %w", err)
	}
	chain, err := transport.NewChain(transport.Options{
		OrgURL: orgURL, Source: config.Credentials, Authorities: authorities(), Share: config.Share,
		Clock: config.Clock, Logger: config.Logger, Metrics: config.Metrics, Record: config.Record, Heard: config.Heard,
		Base: config.Base,
	})
	if err != nil {
		return nil, fmt.Errorf("configuring the connection to Okta: %w", err)
	}
	org, err := newOrg(orgURL, chain.Authorized)
	if err != nil {
		return nil, fmt.Errorf("configuring the Okta SDK: %w", err)
	}
	d := &Directory{
		cluster: config.Cluster, audience: config.Audience, orgURL: orgURL, clock: config.Clock,
		org: org, chain: chain, bare: chain.Bare, time: chain.Time, mark: operatorMark(config.Cluster),
		credentials: config.Credentials,
	}
	d.remember(config.SnapshotLifetime)
	return d, nil
}

// complete checks the configuration and fills in what may be left out.
func (c *Config) complete() error {
	if c.Cluster == "" || c.Audience == "" || c.Credentials == nil || c.Clock == nil {
		return errors.New("the cluster, the audience, the credentials and the clock must be set")
	}
	if c.SnapshotLifetime <= 0 {
		c.SnapshotLifetime = defaultLifetime
	}
	if c.Share == 0 {
		c.Share = defaultShare
	}
	if c.Share < 1 || c.Share > 100 {
		return fmt.Errorf("the share of the rate limits is %d, it must be 1 to 100 percent", c.Share)
	}
	if c.Base != nil {
		return nil
	}
	base, err := transport.NewBase(c.CABundle)
	c.Base = base
	return err
}

// remember makes the empty snapshot.
func (d *Directory) remember(lifetime time.Duration) {
	d.setting = &setting{org: d.org, clock: d.clock, lifetime: lifetime}
	d.servers = newFamily(d.clock, lifetime, d.listServers, d.findServer)
	d.scopes = newFamily(d.clock, lifetime, d.listScopes, d.findScope)
	d.groups = newFamily(d.clock, lifetime, d.listGroups, d.findGroup)
	d.policies = newFamily(d.clock, lifetime, d.listPolicies, d.findPolicy)
	d.clients = newFamily(d.clock, lifetime, d.listClients, d.findClient)
	d.rosters = rosters{byGroup: map[string]*family[user]{}, lifetime: lifetime}
	d.enrolments = enrolments{seen: map[string]enrolled{}, refused: map[string]refusedFactor{}, texted: map[string]time.Time{}}
	d.madePolicies = madePolicies{made: map[orgPolicy]madePolicy{}, equal: map[orgPolicy]equalPolicy{}}
	d.admins = adminMemory{outcomes: map[adminCall]adminOutcome{}, looks: map[orgPolicy]adminLook{}, odd: map[orgPolicy]adminOutcome{}}
	d.zones = zoneList{org: d.org, clock: d.clock}
	d.engine = engine{org: d.org, clock: d.clock}
	d.leading = firsts{seen: map[string]time.Time{}}
	d.authenticators = authenticatorList{org: d.org, clock: d.clock}
	d.clientWalk = clientWalk{d: d}
	d.firsts = firsts{seen: map[string]time.Time{}}
	d.refusals = firsts{seen: map[string]time.Time{}}
	d.strangers = firsts{seen: map[string]time.Time{}}
}

// checkOrgURL gives the URL without a slash at its end.
func checkOrgURL(raw string) (string, error) {
	const want = "it must be the organization's own address, like https://example.okta.com"
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", fmt.Errorf("reading okta.orgURL: %s", want)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", fmt.Errorf("reading okta.orgURL %s: %s; plain http is for loopback addresses only", u.Redacted(), want)
	}
	if strings.Contains(u.Host, "-admin.okta") {
		return "", fmt.Errorf("reading okta.orgURL %s: %s, without -admin", u.Redacted(), want)
	}
	return u.Scheme + "://" + u.Host, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
