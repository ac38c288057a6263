// Package agentapikey issues the credentials of agents: minted in the cluster,
// kept in a staging Secret, registered in the directory, proved with a token and
// then published in the Secret the agent mounts.
package agentapikey

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// Directory is what the controller needs of the directory: it keeps clients and
// proves their credentials, and looks at roles without touching them.
type Directory interface {
	identity.Clients
	identity.Tokens
	ObserveRole(ctx context.Context, role identity.Mark, group string) (identity.RoleSeen, error)
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
}

// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys/status,verbs=patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys/finalizers,verbs=update
// +kubebuilder:rbac:groups=agentidentity.dev,resources=aiagentroles,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the controller.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	loop := &lifecycle.Loop[*v1alpha1.AgentAPIKey]{
		Kind: c, Client: c.Client, Recorder: c.Recorder, Clock: c.Clock, Resync: c.Resync,
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.AgentAPIKey{}).
		Owns(&corev1.Secret{}).
		Watches(&v1alpha1.AIAgentRole{}, handler.EnqueueRequestsFromMapFunc(c.keysOfRole)).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(c.keysIn), reference.LabelsChanged()).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: c.Workers,
			RateLimiter:             lifecycle.Backoff(c.FirstRetry),
		}).
		Complete(loop)
}

// keysOfRole are the keys that point at the role.
func (c *Controller) keysOfRole(ctx context.Context, role client.Object) []reconcile.Request {
	return c.requests(ctx, client.MatchingFields{reference.KeysByRole: client.ObjectKeyFromObject(role).String()})
}

// keysIn are the keys of the namespace.
func (c *Controller) keysIn(ctx context.Context, namespace client.Object) []reconcile.Request {
	return c.requests(ctx, client.InNamespace(namespace.GetName()))
}

func (c *Controller) requests(ctx context.Context, which client.ListOption) []reconcile.Request {
	var keys v1alpha1.AgentAPIKeyList
	if err := c.Client.List(ctx, &keys, which); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing keys to look at again")
		return nil
	}
	requests := make([]reconcile.Request, 0, len(keys.Items))
	for i := range keys.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&keys.Items[i])})
	}
	return requests
}

// New implements lifecycle.Kind.
func (c *Controller) New() *v1alpha1.AgentAPIKey { return &v1alpha1.AgentAPIKey{} }

// Ensure implements lifecycle.Kind: observe, plan, perform, report.
func (c *Controller) Ensure(ctx context.Context, key *v1alpha1.AgentAPIKey) (lifecycle.Outcome, error) {
	scene, err := c.observe(ctx, key)
	if err != nil {
		return lifecycle.Outcome{}, err
	}
	todo := plan.Key(scene.want, scene.seen)
	done, err := c.perform(ctx, key, scene, todo.Steps)
	if err == nil {
		err = todo.Then
	}
	report(key, scene, err == nil)
	return lifecycle.Outcome{Message: message(scene), Events: happened(key, scene, done)}, err
}

// Release implements lifecycle.Kind: the client is deactivated first, so that no
// token is issued any more, then deleted, and at last the Secrets. The key is not
// let go before it is certain that no client of it is left.
func (c *Controller) Release(ctx context.Context, key *v1alpha1.AgentAPIKey) (lifecycle.Outcome, error) {
	want := desired.KeyOf(key, c.Settings)
	seen, err := c.Directory.ObserveClient(ctx, want.ClientID, want.Hint())
	if err != nil {
		return lifecycle.Outcome{}, fmt.Errorf("observing the client: %w", err)
	}
	var outcome lifecycle.Outcome
	switch {
	case seen == nil:
		err = c.confirmGone(ctx, key, want)
		if identity.KindOf(err) == identity.Conflict {
			outcome.Events, err = []lifecycle.Event{leftSomewhere(err)}, nil
		}
	case seen.Mark != want.Mark:
		outcome.Events = []lifecycle.Event{leftBehind(*seen)}
	default:
		err = c.deleteClient(ctx, *seen)
	}
	if err != nil {
		return lifecycle.Outcome{}, err
	}
	return outcome, c.Secrets.Delete(ctx, key, want)
}

// confirmGone makes sure that no client is left which nobody sees: one may have been
// registered, by whichever process, as soon as a credential was staged for it.
func (c *Controller) confirmGone(ctx context.Context, key *v1alpha1.AgentAPIKey, want desired.Key) error {
	staged, err := c.Secrets.HasStaged(ctx, key, want)
	if err != nil {
		return err
	}
	hint := want.Hint()
	hint.Tried = staged
	return c.Directory.ConfirmNoClient(ctx, want.ClientID, hint)
}

func (c *Controller) deleteClient(ctx context.Context, seen identity.ClientSeen) error {
	if err := c.Directory.DeactivateClient(ctx, seen); err != nil {
		return fmt.Errorf("deactivating client %s: %w", seen.ClientID, err)
	}
	if err := c.Directory.DeleteClient(ctx, seen); err != nil {
		return fmt.Errorf("deleting client %s: %w", seen.ClientID, err)
	}
	ctrl.LoggerFrom(ctx).Info("deleted the client in Okta", "clientID", seen.ClientID, "appID", seen.ID)
	return nil
}
