// Package agentapikey issues the credentials of agents: minted in the cluster,
// kept in a staging Secret, registered in the directory, proved with a token and
// then published in the Secret the agent mounts.
package agentapikey

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/brake"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
	"github.com/agentidentity/agent-identity-operator/internal/tombstone"
)

// Directory is what the controller needs of the directory: it keeps clients and
// proves their credentials, and looks at roles without touching them.
type Directory interface {
	identity.Clients
	identity.Access
	identity.Tokens
	ObserveRole(ctx context.Context, role identity.Mark, group string) (identity.RoleSeen, error)
	FindZone(ctx context.Context, name string) (id string, err error)
}

// Controller reconciles AgentAPIKeys.
type Controller struct {
	Client client.Client
	// Live reads from the API server, round the cache.
	Live      client.Reader
	Secrets   *keysecret.Store
	Directory Directory
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	Settings  desired.Settings
	// Resync is how often a key that is Ready is looked at again.
	Resync time.Duration
	// FirstRetry is the first wait after an unexpected error; zero for the default.
	FirstRetry time.Duration
	// Workers is how many keys are reconciled at once.
	Workers int
	// Pods are looked at live, and only while a credential is being replaced.
	Pods      Pods
	Restarter Restarter
	// Brake holds mass deletion.
	Brake *brake.Brake
	// Restraints say what administrators take away from keys.
	Restraints restraint.Rules
	// Tombstones keep the trace of keys that were let go.
	Tombstones *tombstone.Store
	// Drifted names keys whose client somebody has changed in the directory.
	Drifted <-chan event.GenericEvent
}

// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys/status,verbs=patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys/finalizers,verbs=update
// +kubebuilder:rbac:groups=agentidentity.dev,resources=aiagentroles,verbs=get;list;watch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=accesspolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the controller.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	options := lifecycle.Options(c.Client, c.New, reference.Halfway, c.FirstRetry)
	options.MaxConcurrentReconciles = c.Workers
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.AgentAPIKey{}).
		Owns(&corev1.Secret{}).
		Watches(&v1alpha1.AIAgentRole{}, handler.EnqueueRequestsFromMapFunc(c.keysOfRole), reference.Updated(reference.TermsChanged)).
		Watches(&v1alpha1.AIAgentRole{}, handler.EnqueueRequestsFromMapFunc(c.halfwayKeysOfRole), builder.WithPredicates(predicate.Funcs{
			UpdateFunc: func(e event.UpdateEvent) bool { return !reference.TermsChanged(e.ObjectOld, e.ObjectNew) },
			CreateFunc: func(event.CreateEvent) bool { return false },
			DeleteFunc: func(event.DeleteEvent) bool { return false },
		})).
		Watches(&v1alpha1.AccessPolicy{}, c.targets()).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(c.keysIn), reference.LabelsChanged()).
		WatchesRawSource(source.Channel(c.Drifted, lifecycle.Soon())).
		WithOptions(options).
		Complete(c.Reconciler())
}

// keysOfRole are the keys that point at the role.
func (c *Controller) keysOfRole(ctx context.Context, role client.Object) []reconcile.Request {
	return c.requests(ctx, byRole(role), func(*v1alpha1.AgentAPIKey) bool { return true })
}

// halfwayKeysOfRole are those of them that may wait for it: a role of a thousand keys gets
// another one without troubling them.
func (c *Controller) halfwayKeysOfRole(ctx context.Context, role client.Object) []reconcile.Request {
	return c.requests(ctx, byRole(role), reference.Halfway)
}

func byRole(role client.Object) client.ListOption {
	return client.MatchingFields{reference.KeysByRole: client.ObjectKeyFromObject(role).String()}
}

// keysIn are the keys of the namespace.
func (c *Controller) keysIn(ctx context.Context, namespace client.Object) []reconcile.Request {
	return c.requests(ctx, client.InNamespace(namespace.GetName()), func(*v1alpha1.AgentAPIKey) bool { return true })
}

// requests are for the keys of those that fit.
func (c *Controller) requests(ctx context.Context, which client.ListOption, fits func(*v1alpha1.AgentAPIKey) bool) []reconcile.Request {
	var keys v1alpha1.AgentAPIKeyList
	if err := c.Client.List(ctx, &keys, which, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing keys to look at again")
		return nil
	}
	var requests []reconcile.Request
	for i := range keys.Items {
		if key := &keys.Items[i]; fits(key) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(key)})
		}
	}
	return requests
}

// Reconciler is what SetupWithManager registers.
func (c *Controller) Reconciler() reconcile.Reconciler {
	return &lifecycle.Loop[*v1alpha1.AgentAPIKey]{
		Kind: c, Client: c.Client, Recorder: c.Recorder, Clock: c.Clock, Resync: c.Resync,
	}
}

// New implements lifecycle.Kind.
func (c *Controller) New() *v1alpha1.AgentAPIKey { return &v1alpha1.AgentAPIKey{} }

// maxSteps bounds the steps of one reconciliation; a rotation takes about ten.
const maxSteps = 40

// Ensure implements lifecycle.Kind: observe, plan, perform, report.
func (c *Controller) Ensure(ctx context.Context, key *v1alpha1.AgentAPIKey) (lifecycle.Outcome, error) {
	s, err := c.observeOwn(ctx, key)
	if err != nil {
		return lifecycle.Outcome{}, err
	}
	// Whoever is cut off is so before anything else is looked at.
	shut, err := c.shut(ctx, s)
	if err == nil {
		err = c.observeRest(ctx, s)
	}
	if err != nil {
		return lifecycle.Outcome{Events: happened(s, shut)}, err
	}
	steps, next := c.work(ctx, s)
	steps = append(shut, steps...)
	restarts, again, err := c.restart(ctx, s)
	if next.Err == nil {
		next.Err = err
	}
	outcome := c.report(s, next)
	outcome.Events = slices.Concat(happened(s, steps), restarts, outcome.Events)
	outcome.Again = plan.Sooner(next.Again, again)
	return outcome, next.Err
}

// work takes steps until there is none left, or one does not succeed. It gives the
// steps that were taken.
func (c *Controller) work(ctx context.Context, s *scene) ([]plan.KeyStep, plan.KeyNext) {
	var done []plan.KeyStep
	for range maxSteps {
		next := plan.Key(s.want, s.seen, c.Clock.Now())
		if next.Step == nil {
			return done, next
		}
		if err := c.take(ctx, s, *next.Step); err != nil {
			return done, plan.KeyNext{Err: err, Again: next.Again}
		}
		done = append(done, *next.Step)
	}
	return done, plan.KeyNext{Err: fmt.Errorf("the steps do not end: the last was %s", done[len(done)-1].Verb)}
}
