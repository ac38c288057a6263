package operator

import (
	"cmp"
	"os"
	"strings"

	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/brake"
	"github.com/agentidentity/agent-identity-operator/internal/controller/accesspolicy"
	"github.com/agentidentity/agent-identity-operator/internal/controller/agentapikey"
	"github.com/agentidentity/agent-identity-operator/internal/controller/aiagentrole"
	"github.com/agentidentity/agent-identity-operator/internal/controller/orphan"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
	"github.com/agentidentity/agent-identity-operator/internal/tombstone"
	"github.com/agentidentity/agent-identity-operator/internal/workload"
)

// setupable is a controller that can be registered.
type setupable interface {
	SetupWithManager(mgr ctrl.Manager) error
}

// directory is where identities live, and its log.
type directory interface {
	identity.Directory
	identity.SystemLog
	Keeps(id string) bool
}

// controllers is the one list of them all.
func controllers(o Options, mgr ctrl.Manager, directory directory, trail trail) []setupable {
	settings := desired.Settings{
		Cluster: o.Config.ClusterID, TokenLifetime: o.Config.AccessTokenLifetime.Duration, AdminResources: adminResources(o.Config),
	}
	resync := o.Config.ResyncInterval.Duration
	home := ownNamespace(o.Config.Manager.LeaderElectionNamespace)
	restraints := restraint.Rules{
		Reader: mgr.GetClient(), Home: home, Incident: incidentNamespace(o), DefaultDeny: o.Config.WithoutCeiling == "Deny",
	}
	told := func(name string) events.EventRecorder {
		return recorder{EventRecorder: mgr.GetEventRecorder(name), scheme: mgr.GetScheme(), journal: trail.journal, clock: o.Clock}
	}
	tombstones := &tombstone.Store{Live: mgr.GetAPIReader(), Client: mgr.GetClient(), Namespace: home}
	return []setupable{
		&aiagentrole.Controller{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Directory: directory, Clients: directory, Restraints: restraints,
			Drifted:  trail.lookout.roles,
			Recorder: told("aiagentrole"), Clock: o.Clock, Settings: settings, Resync: resync, FirstRetry: o.FirstRetry,
		},
		&agentapikey.Controller{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Directory: directory,
			Secrets:  &keysecret.Store{Client: mgr.GetClient(), Live: mgr.GetAPIReader()},
			Recorder: told("agentapikey"), Clock: o.Clock, Settings: settings, Resync: resync, FirstRetry: o.FirstRetry,
			Workers: o.Config.Manager.Workers, Pods: workload.Pods{Live: mgr.GetAPIReader()},
			Restarter:  workload.Restarter{Live: mgr.GetAPIReader(), Client: mgr.GetClient()},
			Restraints: restraints, Drifted: trail.lookout.keys,
			Brake: brake.New(*o.Config.DeletionBrake.KeysPerHour), Tombstones: tombstones,
		},
		&accesspolicy.Controller{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Directory: directory, Recorder: told("accesspolicy"), Clock: o.Clock,
			Settings: settings, Resync: resync, FirstRetry: o.FirstRetry, Restraints: restraints, Apps: appGrants(o.Config, home),
		},
		&orphan.Controller{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Directory: directory, Tombstones: tombstones,
			Recorder: told("orphan"), Clock: o.Clock, Metrics: o.Metrics, Namespace: home,
			Interval: o.Config.Orphans.Interval.Duration,
			Rules: plan.OrphanRules{
				Cluster: o.Config.ClusterID, Namespaces: o.Config.Namespaces,
				Policy: plan.OrphanPolicy(o.Config.Orphans.Policy), Grace: o.Config.Orphans.Grace.Duration,
			},
		},
		trail.controller(o, mgr, directory, home, restraints),
	}
}

// adminResources are what okta.* permissions may be given over.
func adminResources(config *configv1alpha1.Configuration) map[string][]string {
	resources := map[string][]string{}
	for _, allowed := range config.Okta.AdminPermissions {
		resources[allowed.Permission] = allowed.Resources
	}
	return resources
}

// appGrants are those of the configuration.
func appGrants(config *configv1alpha1.Configuration, home string) accesspolicy.AppGrants {
	grants := accesspolicy.AppGrants{Home: home}
	for _, governed := range config.GovernedApps {
		grants.Grants = append(grants.Grants, accesspolicy.AppGrant{App: governed.App, Namespaces: governed.Namespaces})
	}
	return grants
}

// incidentNamespace is where Quarantines count.
func incidentNamespace(o Options) string {
	return cmp.Or(o.Config.IncidentNamespace, ownNamespace(o.Config.Manager.LeaderElectionNamespace))
}

// ownNamespace is where the operator keeps what is its own: the configured namespace of
// the lease, else the pod's; empty outside a pod, where nothing is kept.
func ownNamespace(configured string) string {
	mounted, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return configured
	}
	return cmp.Or(configured, strings.TrimSpace(string(mounted)))
}
