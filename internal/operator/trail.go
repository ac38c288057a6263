package operator

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit"
	"github.com/agentidentity/agent-identity-operator/internal/audit/agents"
	"github.com/agentidentity/agent-identity-operator/internal/audit/checkpoint"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/format"
	"github.com/agentidentity/agent-identity-operator/internal/audit/outbound"
	"github.com/agentidentity/agent-identity-operator/internal/audit/receiver"
	"github.com/agentidentity/agent-identity-operator/internal/audit/self"
	"github.com/agentidentity/agent-identity-operator/internal/controller/auditsink"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
	"github.com/agentidentity/agent-identity-operator/internal/workload"
)

// changes is how many receivers there can be news of at once; of more it is heard at the
// next regular look.
const changes = 100

// trail is what all audit has in common.
type trail struct {
	index   *agents.Index
	journal *audit.Journal
	self    *self.Self
	lookout *lookout
	// filled is closed when the index knows all objects that there were at the start.
	filled chan struct{}
}

func newTrail(o Options) trail {
	index := agents.New(o.Config.ClusterID, o.Clock)
	own := self.New()
	return trail{
		index: index, journal: audit.NewJournal(index.Identify), self: own, lookout: newLookout(o, own), filled: make(chan struct{}),
	}
}

// identify says whom an event concerns, learns of the operator from its own, and has looked at
// what others have changed.
func (t trail) identify(e *event.Event) {
	t.index.Identify(e)
	t.self.Learn(e)
	t.lookout.see(e)
}

// listen keeps the index up to date.
func (t trail) listen(ctx context.Context, mgr ctrl.Manager) error {
	var synced []toolscache.InformerSynced
	for _, obj := range []client.Object{&v1alpha1.AgentAPIKey{}, &v1alpha1.AIAgentRole{}} {
		informer, err := mgr.GetCache().GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watching %T for audit events: %w", obj, err)
		}
		registration, err := informer.AddEventHandler(t.index.Handler())
		if err != nil {
			return fmt.Errorf("watching %T for audit events: %w", obj, err)
		}
		synced = append(synced, registration.HasSynced)
	}
	go func() {
		if toolscache.WaitForCacheSync(ctx.Done(), synced...) {
			close(t.filled)
		}
	}()
	return nil
}

// controller is that of AuditSinks, with all that moves events.
func (t trail) controller(o Options, mgr ctrl.Manager, directory directory, home string, restraints restraint.Rules) *auditsink.Controller {
	changed := make(chan ctrlevent.TypedGenericEvent[types.UID], changes)
	positions := &checkpoint.Store{Live: mgr.GetAPIReader(), Client: mgr.GetClient(), Namespace: home}
	opener := receiver.Opener{
		Guard: outbound.Guard{
			Allowed: o.Config.Audit.Allowed(), Denied: append(o.Config.Audit.Denied(), apiServer(mgr.GetConfig().Host)...),
		},
		Cluster: o.Config.ClusterID, Org: o.Config.Okta.OrgURL, Version: o.Version, Clock: o.Clock,
	}
	return &auditsink.Controller{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Positions: positions, Changed: changed, Open: opener.Open,
		Sinks: audit.NewSet(audit.Shared{
			Reader:  audit.NewReader(directory, o.Clock, o.Config.Audit.PollInterval.Duration, t.identify),
			Journal: t.journal, Positions: positions, Clock: o.Clock, Ready: t.filled,
			Changed: func(id string) {
				select {
				case changed <- ctrlevent.TypedGenericEvent[types.UID]{Object: types.UID(id)}:
				default:
				}
			},
		}),
		Origin:  format.Origin{Cluster: o.Config.ClusterID, Org: o.Config.Okta.OrgURL},
		Metrics: o.Metrics, Recorder: mgr.GetEventRecorder("auditsink"), Clock: o.Clock, Home: home, FirstRetry: o.FirstRetry,
		Journal: t.journal, Incident: incidentNamespace(o),
		Facts: &auditsink.Facts{
			Index: t.index, Self: t.self, Directory: directory, Restraints: restraints,
			Pods: workload.Pods{Live: mgr.GetAPIReader()}, Clock: o.Clock,
		},
	}
}

// apiServer is the address of the cluster's API server, where it is known by one: no receiver of
// events, and the one place to which the operator could be made to send that trusts it most.
func apiServer(host string) []netip.Prefix {
	at, err := url.Parse(host)
	if err != nil {
		return nil
	}
	addr, err := netip.ParseAddr(at.Hostname())
	if err != nil {
		return nil
	}
	return []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
}
