// Package operator puts the operator together: it is the only room that knows all
// others, and holds the one list of controllers.
package operator

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/admission"
	"github.com/agentidentity/agent-identity-operator/internal/inventory"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/workload"
)

// leaderElectionID names the lease.
const leaderElectionID = "agent-identity-operator.agentidentity.dev"

// Options are what the operator runs with.
type Options struct {
	Config *configv1alpha1.Configuration
	REST   *rest.Config
	Logger logr.Logger
	Clock  clock.WithTicker
	// Version of the operator, for receivers of audit events.
	Version string
	// Metrics takes the operator's own metrics.
	Metrics prometheus.Registerer

	// OktaTransport carries the calls to Okta; nil for the hardened default.
	OktaTransport http.RoundTripper
	// NewClient makes the Kubernetes client; nil for the default.
	NewClient client.NewClientFunc
	// FirstRetry is the first wait after an unexpected error; zero for the default.
	FirstRetry time.Duration
	// SkipNameValidation lets a process run several operators, one after another.
	SkipNameValidation bool
}

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// Run runs the operator until ctx ends.
func Run(ctx context.Context, o Options) error {
	mgr, err := newManager(o)
	if err != nil {
		return err
	}
	trail := newTrail(o)
	directory, err := newDirectory(o, trail)
	if err != nil {
		return err
	}
	trail.self.Set(directory.Principal)
	trail.lookout.directory = directory
	if err := trail.listen(ctx, mgr); err != nil {
		return err
	}
	for name, index := range map[string]client.IndexerFunc{
		reference.KeysByRole: reference.IndexKeysByRole, workload.KeysByTarget: workload.IndexKeysByTarget,
	} {
		if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.AgentAPIKey{}, name, index); err != nil {
			return fmt.Errorf("indexing keys by %s: %w", name, err)
		}
	}
	if err := inventory.Register(o.Metrics, inventory.New(mgr.GetClient(), o.Clock)); err != nil {
		return err
	}
	for _, c := range controllers(o, mgr, directory, trail) {
		if err := c.SetupWithManager(mgr); err != nil {
			return fmt.Errorf("setting up %T: %w", c, err)
		}
	}
	o.Logger.Info("serving", "org", o.Config.Okta.OrgURL, "clusterID", o.Config.ClusterID,
		"audience", o.Config.Audience, "namespaces", o.Config.Namespaces)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

// Scheme knows the kinds the operator reads and writes.
func Scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

func newManager(o Options) (ctrl.Manager, error) {
	// The leader gives up in time for another to follow, and those that wait ask often enough: the
	// proportions are those of client-go's defaults of 15, 10 and 2 seconds. But client-go waits for
	// up to 2.2 times the retry period, which all of a handover on SIGTERM would wait for: a second
	// makes that short, for one small request a second of each process.
	lease := o.Config.Manager.LeaseDuration.Duration
	renew, retry := lease*2/3, min(lease*2/15, time.Second)
	mgr, err := ctrl.NewManager(o.REST, ctrl.Options{
		Scheme:    Scheme(),
		Logger:    o.Logger,
		NewClient: o.NewClient,
		Cache:     cacheOptions(o.Config.Namespaces, ownNamespace(o.Config.Manager.LeaderElectionNamespace), incidentNamespace(o)),
		Metrics: metricsserver.Options{
			BindAddress: o.Config.Manager.MetricsBindAddress, SecureServing: true,
			FilterProvider: filters.WithAuthenticationAndAuthorization,
		},
		WebhookServer:                 webhookServer(o),
		HealthProbeBindAddress:        o.Config.Manager.HealthProbeBindAddress,
		LeaderElection:                o.Config.Manager.LeaderElection == "Enabled",
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.Config.Manager.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &lease,
		RenewDeadline:                 &renew,
		RetryPeriod:                   &retry,
		Controller:                    config.Controller{SkipNameValidation: &o.SkipNameValidation},
	})
	if err != nil {
		return nil, fmt.Errorf("making the manager: %w", err)
	}
	if o.Config.Manager.WebhookCertificatesDirectory != "" {
		admission.Register(mgr.GetWebhookServer(), mgr.GetScheme())
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding the liveness check: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("adding the readiness check: %w", err)
	}
	return mgr, nil
}

// webhookServer begins to listen when something is registered with it.
func webhookServer(o Options) webhook.Server {
	return webhook.NewServer(webhook.Options{
		Port: o.Config.Manager.WebhookPort, CertDir: o.Config.Manager.WebhookCertificatesDirectory,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }},
	})
}

// cacheOptions keep foreign Secrets out of memory, and other namespaces out of
// sight when the operator serves only some.
func cacheOptions(namespaces []string, own ...string) cache.Options {
	labelled, err := labels.NewRequirement(keysecret.LabelPart, selection.Exists, nil)
	utilruntime.Must(err) // the label is a constant
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {Label: labels.NewSelector().Add(*labelled)},
		},
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
		// What administrators write is elsewhere.
		elsewhere := maps.Clone(options.DefaultNamespaces)
		for _, namespace := range own {
			if namespace != "" {
				elsewhere[namespace] = cache.Config{}
			}
		}
		options.ByObject[&v1alpha1.AccessPolicy{}] = cache.ByObject{Namespaces: elsewhere}
		options.ByObject[&v1alpha1.AuditSink{}] = cache.ByObject{Namespaces: elsewhere}
	}
	return options
}

func newDirectory(o Options, trail trail) (*okta.Directory, error) {
	var authorities []byte
	if file := o.Config.Okta.CABundleFile; file != "" {
		var err error
		if authorities, err = os.ReadFile(file); err != nil { //nolint:gosec // the path is the administrator's
			return nil, fmt.Errorf("reading okta.caBundleFile: %w", err)
		}
	}
	directory, err := okta.New(okta.Config{
		OrgURL:           o.Config.Okta.OrgURL,
		CABundle:         authorities,
		Cluster:          o.Config.ClusterID,
		Audience:         o.Config.Audience,
		Credentials:      okta.FileCredentials(o.Config.Okta.CredentialsDirectory),
		Share:            o.Config.Okta.RateLimitShare,
		SnapshotLifetime: o.Config.ResyncInterval.Duration,
		Clock:            o.Clock,
		Logger:           o.Logger.WithName("okta"),
		Metrics:          o.Metrics,
		Record:           trail.journal.Record,
		Heard:            trail.self.Heard,
		Base:             o.OktaTransport,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing to speak to Okta: %w", err)
	}
	return directory, nil
}
