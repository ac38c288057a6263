// Package v1alpha1 is the operator's configuration file. It is versioned like an
// API: unknown fields are errors, and every error names the field.
package v1alpha1

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// The file's apiVersion and kind.
const (
	APIVersion = "config.agentidentity.dev/v1alpha1"
	Kind       = "Configuration"
)

// Configuration of one operator, which serves one Okta org.
type Configuration struct {
	metav1.TypeMeta `json:",inline"`

	// clusterID names this cluster in Okta. Two clusters that share an org need two
	// names; it must never change. 1 to 30 characters of a-z, 0-9 and '-'.
	ClusterID string `json:"clusterID"`

	// okta is the connection to the org.
	Okta Okta `json:"okta"`

	// audience is the audience of the agents' tokens, by default "api://ai-agents".
	Audience string `json:"audience,omitempty"`

	// accessTokenLifetime is how long the agents' access tokens live: whole minutes
	// from 5m to 24h, by default 15m. Tokens cannot be called back, so this is also
	// how long a deleted key's last token works.
	AccessTokenLifetime metav1.Duration `json:"accessTokenLifetime,omitempty"`

	// namespaces the operator serves; all when absent.
	Namespaces []string `json:"namespaces,omitempty"`

	// resyncInterval is how often Okta is listed anew and every object compared with
	// it, by default 12h, at least 1m.
	ResyncInterval metav1.Duration `json:"resyncInterval,omitempty"`

	// orphans says what is done about clients and roles in Okta that carry the mark of
	// an object that does not exist.
	Orphans Orphans `json:"orphans,omitempty"`

	// deletionBrake holds the deletion of many keys at once.
	DeletionBrake DeletionBrake `json:"deletionBrake,omitempty"`

	// governedApps say which namespaces' AccessPolicies may govern which apps of Okta: who
	// signs in to them, and how. The operator's own namespace may govern every app.
	GovernedApps []GovernedApp `json:"governedApps,omitempty"`

	// audit says how AuditSinks are served.
	Audit Audit `json:"audit,omitempty"`

	// withoutCeiling says what keys of namespaces may have that no AccessPolicy of type
	// Ceiling selects: everything (Allow, the default) or nothing (Deny).
	WithoutCeiling string `json:"withoutCeiling,omitempty"`

	// incidentNamespace holds the AccessPolicies of type Quarantine; they count nowhere
	// else. Whoever may create them there can cut every agent off. By default the
	// operator's own namespace.
	IncidentNamespace string `json:"incidentNamespace,omitempty"`

	// manager says where the process listens and how it elects its leader.
	Manager Manager `json:"manager,omitempty"`
}

// Orphans says what is done about what belongs to nobody any more.
type Orphans struct {
	// policy is Report (the default), Deactivate or Delete. Report changes nothing.
	// Deactivate ends the issue of tokens for clients. Delete deactivates them, deletes
	// what it has deactivated a grace later, and deletes the groups and access policies of
	// roles. Before any but Report is chosen, be sure that no other cluster has the same
	// clusterID: to this one, what the other owns would belong to nobody.
	Policy string `json:"policy,omitempty"`

	// interval is how often it is looked for orphans, by default 1h, at least 1m.
	Interval metav1.Duration `json:"interval,omitempty"`

	// grace is how long something must belong to nobody, from one look to another, before
	// the policy does anything; by default 1h, at least 5m.
	Grace metav1.Duration `json:"grace,omitempty"`
}

// GovernedApp lets namespaces govern an app.
type GovernedApp struct {
	// app is the app's label or id in Okta. A label lets them govern whatever app has it.
	App string `json:"app"`

	// namespaces that may govern it.
	Namespaces []string `json:"namespaces"`
}

// DeletionBrake holds mass deletion.
type DeletionBrake struct {
	// keysPerHour is how many keys may be deleted within an hour before the rest is held
	// until a person confirms each; by default 25. 0 is no brake.
	KeysPerHour *int `json:"keysPerHour,omitempty"`
}

// Okta is the connection to one org.
type Okta struct {
	// orgURL is the org's address, such as https://example.okta.com. Plain http is
	// taken for loopback addresses only.
	OrgURL string `json:"orgURL"`

	// credentialsDirectory holds the operator's own credentials, as a mounted Secret:
	// either client_id, private_key.pem and key_id, or api_token. It is read again
	// when it changes. By default /var/run/secrets/okta.
	CredentialsDirectory string `json:"credentialsDirectory,omitempty"`

	// caBundleFile holds further certificate authorities to trust, in PEM; read at
	// the start. It may be put into the credentials Secret beside the credentials.
	CABundleFile string `json:"caBundleFile,omitempty"`

	// rateLimitShare is the percentage of each of the org's rate limits the operator
	// may use: 1 to 100, by default 50.
	RateLimitShare int `json:"rateLimitShare,omitempty"`

	// adminPermissions are the permissions to administer Okta itself (okta.*) that
	// AIAgentRoles may give to the people of their groups; by default none. Which
	// namespaces' roles may, say Ceilings. The operator's service app needs the scopes
	// okta.roles.manage and okta.roles.read for it, and a super administrator's role.
	AdminPermissions []AdminPermission `json:"adminPermissions,omitempty"`
}

// Manager is the process.
type Manager struct {
	// metricsBindAddress serves Prometheus metrics, by default "0": not at all.
	MetricsBindAddress string `json:"metricsBindAddress,omitempty"`

	// healthProbeBindAddress serves /healthz and /readyz, by default ":8081"; "0" for not at all.
	HealthProbeBindAddress string `json:"healthProbeBindAddress,omitempty"`

	// webhookCertificatesDirectory holds tls.crt and tls.key, as a mounted Secret; they are read
	// again when they change. With them AuditSinks whose expressions do not compile are
	// refused at admission (config/webhook); by default that is told by their conditions only.
	WebhookCertificatesDirectory string `json:"webhookCertificatesDirectory,omitempty"`

	// webhookPort serves the webhook, by default 9443.
	WebhookPort int `json:"webhookPort,omitempty"`

	// leaderElection is Enabled (the default) or Disabled.
	LeaderElection string `json:"leaderElection,omitempty"`

	// leaderElectionNamespace holds the lease, the tombstones of abandoned keys and the
	// list of orphans; by default the pod's own namespace. Outside a pod, without it,
	// there is no list, and no key can be abandoned.
	LeaderElectionNamespace string `json:"leaderElectionNamespace,omitempty"`

	// leaseDuration is after how long another process takes over from one that has gone without
	// giving the lease back: 6s to 60s, by default 15s. Shorter costs the API server more
	// writes, and a slow one may make the process that works give up.
	LeaseDuration metav1.Duration `json:"leaseDuration,omitzero"`

	// workers is how many keys are reconciled at once: 1 to 64, by default 8.
	Workers int `json:"workers,omitempty"`
}

// Load reads and checks the file.
func Load(path string) (*Configuration, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the path is the administrator's
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(text)
}

// Parse reads a configuration, fills in the defaults and checks it.
func Parse(text []byte) (*Configuration, error) {
	c := &Configuration{}
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, fmt.Errorf("parsing the configuration: %w", err)
	}
	// As the API server reads: unknown fields are errors, and case matters.
	unknown, err := json.UnmarshalStrict(asJSON, c)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return nil, fmt.Errorf("parsing the configuration: %w", err)
	}
	if c.APIVersion != APIVersion || c.Kind != Kind {
		return nil, fmt.Errorf("parsing the configuration: want apiVersion %s and kind %s, have %q and %q",
			APIVersion, Kind, c.APIVersion, c.Kind)
	}
	c.setDefaults()
	return c, c.validate()
}

func (c *Configuration) setDefaults() {
	orElse(&c.Audience, "api://ai-agents")
	orElse(&c.AccessTokenLifetime.Duration, 15*time.Minute)
	orElse(&c.ResyncInterval.Duration, 12*time.Hour)
	orElse(&c.Okta.CredentialsDirectory, "/var/run/secrets/okta")
	orElse(&c.Okta.RateLimitShare, 50)
	orElse(&c.WithoutCeiling, "Allow")
	orElse(&c.Audit.PollInterval.Duration, 30*time.Second)
	orElse(&c.Orphans.Policy, "Report")
	orElse(&c.Orphans.Interval.Duration, time.Hour)
	orElse(&c.Orphans.Grace.Duration, time.Hour)
	if c.DeletionBrake.KeysPerHour == nil {
		c.DeletionBrake.KeysPerHour = new(25)
	}
	orElse(&c.Manager.MetricsBindAddress, "0")
	orElse(&c.Manager.HealthProbeBindAddress, ":8081")
	orElse(&c.Manager.WebhookPort, 9443)
	orElse(&c.Manager.LeaderElection, "Enabled")
	orElse(&c.Manager.LeaseDuration.Duration, 15*time.Second)
	orElse(&c.Manager.Workers, 8)
}

func orElse[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}

func (c *Configuration) validate() error {
	clusterID := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$`)
	namespace := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	lifetime, share, workers := c.AccessTokenLifetime.Duration, c.Okta.RateLimitShare, c.Manager.Workers
	election := c.Manager.LeaderElection
	return errors.Join(
		require(clusterID.MatchString(c.ClusterID), "clusterID", "must be 1 to 30 characters of a-z, 0-9 and '-'", c.ClusterID),
		validOrgURL(c.Okta.OrgURL),
		require(share >= 1 && share <= 100, "okta.rateLimitShare", "must be 1 to 100 (percent)", share),
		require(lifetime >= 5*time.Minute && lifetime <= 24*time.Hour && lifetime%time.Minute == 0,
			"accessTokenLifetime", "must be whole minutes from 5m to 24h", lifetime),
		require(c.ResyncInterval.Duration >= time.Minute, "resyncInterval", "must be at least 1m", c.ResyncInterval.Duration),
		c.Orphans.validate(),
		c.Audit.validate(),
		c.validateApps(),
		c.Okta.validateAdminPermissions(),
		require(c.WithoutCeiling == "Allow" || c.WithoutCeiling == "Deny", "withoutCeiling", "must be Allow or Deny", c.WithoutCeiling),
		require(c.IncidentNamespace == "" || namespace.MatchString(c.IncidentNamespace),
			"incidentNamespace", "must be the name of a namespace", c.IncidentNamespace),
		require(*c.DeletionBrake.KeysPerHour >= 0, "deletionBrake.keysPerHour", "must be 0 (no brake) or more", *c.DeletionBrake.KeysPerHour),
		require(workers >= 1 && workers <= 64, "manager.workers", "must be 1 to 64", workers),
		require(c.Manager.WebhookPort >= 1 && c.Manager.WebhookPort <= 65535, "manager.webhookPort", "must be 1 to 65535", c.Manager.WebhookPort),
		require(c.Manager.LeaseDuration.Duration >= 6*time.Second && c.Manager.LeaseDuration.Duration <= time.Minute,
			"manager.leaseDuration", "must be 6s to 60s", c.Manager.LeaseDuration.Duration),
		require(election == "Enabled" || election == "Disabled", "manager.leaderElection", "must be Enabled or Disabled", election),
	)
}

func (c *Configuration) validateApps() error {
	var all []error
	for i, governed := range c.GovernedApps {
		field := fmt.Sprintf("governedApps[%d].", i)
		all = append(all, require(governed.App != "", field+"app", "must be the label or id of an app", governed.App),
			require(len(governed.Namespaces) > 0, field+"namespaces", "must name at least one namespace", governed.Namespaces))
	}
	return errors.Join(all...)
}

func (o Orphans) validate() error {
	policies := []string{"Report", "Deactivate", "Delete"}
	return errors.Join(
		require(slices.Contains(policies, o.Policy), "orphans.policy", "must be Report, Deactivate or Delete", o.Policy),
		require(o.Interval.Duration >= time.Minute, "orphans.interval", "must be at least 1m", o.Interval.Duration),
		require(o.Grace.Duration >= 5*time.Minute, "orphans.grace", "must be at least 5m", o.Grace.Duration),
	)
}

func require(ok bool, field, rule string, have any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("configuration: %s %s; it is %q", field, rule, fmt.Sprint(have))
}

func validOrgURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.User != nil {
		return require(false, "okta.orgURL", "must be an address without a user", "not shown, for it may hold a password")
	}
	bare := u.Host != "" && (u.Path == "" || u.Path == "/") && u.RawQuery == ""
	secure := u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
	return require(bare && secure, "okta.orgURL",
		"must be the org's address, such as https://example.okta.com (http for loopback only)", text)
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }
