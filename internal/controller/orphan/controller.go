// Package orphan sweeps up: it looks for what stands in the directory with the mark of
// an object that does not exist, because somebody removed a finalizer, restored a backup
// or abandoned a key. What is found is listed in a ConfigMap; more is done only by
// configuration, or as a tombstone allows. It has no kind of its own.
package orphan

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

const (
	// settling is how long a process waits with its first sweep: after a restart the
	// other controllers finish first what was under way.
	settling = time.Minute
	// pressing is how long it waits at most after a sweep that did not succeed, and while
	// tombstones are not worked off.
	pressing = 5 * time.Minute
)

// Directory is what the sweeper needs of the directory.
type Directory interface {
	identity.Inventory
	Roles
	ConfirmNoClient(ctx context.Context, clientID string, hint identity.ClientHint) error
	DeactivateClient(ctx context.Context, client identity.ClientSeen) error
	DeleteClient(ctx context.Context, client identity.ClientSeen) error
}

// Roles is what the sweeper needs to remove one.
type Roles interface {
	ObserveMembers(ctx context.Context, role identity.Mark, group string) (identity.Roster, error)
	DeleteAdminRole(ctx context.Context, owner identity.Mark, label, group string) error
	DeleteGrant(ctx context.Context, role identity.Mark) error
	DeleteGroup(ctx context.Context, role identity.Mark, name string) error
}

// Tombstones are kept by package tombstone.
type Tombstones interface {
	// List gives those that can be read next to an error about the others.
	List(ctx context.Context) ([]identity.Tombstone, error)
	Remove(ctx context.Context, t identity.Tombstone) error
}

// Controller sweeps. It implements manager.Runnable.
type Controller struct {
	// Live reads from the API server, round the cache: what is missing in a cache may
	// only be late.
	Live client.Reader
	// Client writes the list of orphans.
	Client     client.Writer
	Directory  Directory
	Tombstones Tombstones
	Recorder   events.EventRecorder
	Clock      clock.Clock
	Rules      plan.OrphanRules
	// Interval is the time between two sweeps; up to a tenth is added by chance.
	Interval time.Duration
	// Namespace is the operator's own, where the list is kept. Without one it is kept in
	// memory only, and nothing tells of it but the log and the metrics.
	Namespace string
	// Metrics takes the sweeper's metrics; may be nil.
	Metrics prometheus.Registerer

	ledger  ledger
	metrics *metrics
}

// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys;aiagentroles,verbs=get;list
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// The ConfigMaps are in the operator's own namespace: config/rbac/ledger_role.yaml.

// SetupWithManager registers the sweeper.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	if err := c.prepare(); err != nil {
		return err
	}
	if c.Namespace == "" {
		mgr.GetLogger().Info("keeping neither tombstones nor the list of orphans: the operator's own namespace is unknown, " +
			"for this is no pod and manager.leaderElectionNamespace is not set")
	}
	return mgr.Add(c)
}

// prepare makes what a sweep needs.
func (c *Controller) prepare() error {
	var err error
	c.metrics, err = newMetrics(c.Metrics)
	c.ledger = ledger{live: c.Live, client: c.Client, namespace: c.Namespace}
	return err
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: two sweepers would take
// each other's deeds for those of people.
func (c *Controller) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable: it sweeps until ctx ends. The manager calls it
// when the caches are filled and this process leads.
func (c *Controller) Start(ctx context.Context) error {
	log := ctrl.LoggerFrom(ctx).WithName("orphan")
	ctx = ctrl.LoggerInto(ctx, log)
	for wait := settling; c.sleep(ctx, wait); {
		result, err := c.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			log.Error(err, "sweeping up orphans")
		}
		wait = c.again(result, err)
	}
	return nil
}

// sleep waits, a little longer by chance so that the sweepers of many clusters do not
// fall on one org at once, and tells whether to go on.
func (c *Controller) sleep(ctx context.Context, wait time.Duration) bool {
	timer := c.Clock.NewTimer(wait + rand.N(wait/10)) //nolint:gosec // no secret hangs on it
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return true
	}
}

// again is when to sweep next.
func (c *Controller) again(result Result, err error) time.Duration {
	if err != nil || result.Pressing {
		return min(c.Interval, pressing)
	}
	return c.Interval
}

// Result is what a sweep has found and done.
type Result struct {
	// Left are the orphans and tombstones that are still there, with what will be done.
	Left []plan.OrphanStep
	// Done are the steps that were taken.
	Done []plan.OrphanStep
	// Held says why the policy did nothing.
	Held string
	// Pressing tells that a tombstone is not worked off yet.
	Pressing bool
}

// Sweep looks once, and does what is to be done: observe, plan, perform, report. An
// error from before the first step means that nothing was changed. What is about to be
// done is written down first, so that a process that dies in between leaves a note.
func (c *Controller) Sweep(ctx context.Context) (Result, error) {
	result, err := c.sweep(ctx)
	c.metrics.swept(err)
	return result, err
}

func (c *Controller) sweep(ctx context.Context) (Result, error) {
	now := c.Clock.Now().UTC().Truncate(time.Second)
	before, err := c.ledger.read(ctx)
	if err != nil {
		return Result{}, err
	}
	seen, unread, err := c.observe(ctx, history(before))
	if err != nil {
		return Result{}, err
	}
	todo := plan.Orphans(seen, c.Rules, now)
	if err := c.ledger.write(ctx, newDocument(todo, c.Rules)); err != nil {
		return Result{}, err
	}
	done, failed := c.perform(ctx, todo.Steps)
	left := plan.Orphans(after(seen, todo.Steps, done, now), c.Rules, now)
	if len(done) > 0 {
		if err := c.ledger.write(ctx, newDocument(left, c.Rules)); err != nil {
			failed = append(failed, err)
		}
	}
	result := Result{Left: left.Steps, Done: done, Held: todo.Held, Pressing: isPressing(left.Steps)}
	c.report(ctx, result, unknown(before), before.Held)
	return result, join(unread, failed)
}
