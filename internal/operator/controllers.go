package operator

import (
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/internal/controller/agentapikey"
	"github.com/agentidentity/agent-identity-operator/internal/controller/aiagentrole"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
)

// setupable is a controller that can be registered.
type setupable interface {
	SetupWithManager(mgr ctrl.Manager) error
}

// controllers is the one list of them all.
func controllers(o Options, mgr ctrl.Manager, directory identity.Directory) []setupable {
	settings := desired.Settings{Cluster: o.Config.ClusterID, TokenLifetime: o.Config.AccessTokenLifetime.Duration}
	resync := o.Config.ResyncInterval.Duration
	return []setupable{
		&aiagentrole.Controller{
			Client: mgr.GetClient(), Directory: directory, Clients: directory,
			Recorder: mgr.GetEventRecorder("aiagentrole"), Clock: o.Clock, Settings: settings, Resync: resync, FirstRetry: o.FirstRetry,
		},
		&agentapikey.Controller{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Directory: directory,
			Secrets:  &keysecret.Store{Client: mgr.GetClient(), Live: mgr.GetAPIReader()},
			Recorder: mgr.GetEventRecorder("agentapikey"), Clock: o.Clock, Settings: settings, Resync: resync, FirstRetry: o.FirstRetry,
			Workers: o.Config.Manager.Workers,
		},
	}
}
