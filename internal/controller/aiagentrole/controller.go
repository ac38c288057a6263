// Package aiagentrole makes the directory agree with AIAgentRoles: the scopes of
// their permissions, their groups, and one access policy per role that lists the
// client of every key bound to it. It is the only writer of these, so a hundred
// new keys need one write of the policy.
package aiagentrole

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// Clients is what the controller needs of clients: to see them.
type Clients interface {
	ObserveClient(ctx context.Context, clientID string, hint identity.ClientHint) (*identity.ClientSeen, error)
}

// Directory is where roles and their members are kept.
type Directory interface {
	identity.Roles
	identity.People
}

// Controller reconciles AIAgentRoles.
type Controller struct {
	Client client.Client
	// Live reads past the cache: whether a role still exists before anything is made for
	// it, and Secrets of people.
	Live      client.Reader
	Directory Directory
	Clients   Clients
	// Restraints say what administrators take away.
	Restraints restraint.Rules
	Recorder   events.EventRecorder
	Clock      clock.PassiveClock
	Settings   desired.Settings
	// Resync is how often a role that is Ready is looked at again.
	Resync time.Duration
	notes  serverNotes
	crowds crowds
	// FirstRetry is the first wait after an unexpected error; zero for the default.
	FirstRetry time.Duration
	// Drifted names roles whose group or access policy somebody has changed in the directory.
	Drifted <-chan event.GenericEvent
}

// +kubebuilder:rbac:groups=agentidentity.dev,resources=aiagentroles,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=aiagentroles/status,verbs=patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys,verbs=get;list;watch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=accesspolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the controller. Roles are reconciled one at a time:
// Okta scrambles the order of policies that are written at once.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	options := lifecycle.Options(c.Client, c.New, nil, c.FirstRetry)
	options.MaxConcurrentReconciles = 1
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.AIAgentRole{}).
		Watches(&v1alpha1.AccessPolicy{}, handler.EnqueueRequestsFromMapFunc(c.rolesOfPolicy), reference.Updated(reference.PolicyChanged)).
		Watches(&v1alpha1.AgentAPIKey{}, lifecycle.Paced(roleOfKey, c.crowds.pace), reference.Updated(membershipChanged)).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(c.rolesForNamespace), reference.LabelsChanged()).
		WatchesRawSource(source.Channel(c.Drifted, lifecycle.Soon())).
		WithOptions(options).
		Complete(c.Reconciler())
}

// membershipChanged tells that a key changed in what its role looks at: whether and how it is
// bound, which client it has, and whether one may yet come.
func membershipChanged(before, after client.Object) bool {
	a, is := before.(*v1alpha1.AgentAPIKey)
	b, also := after.(*v1alpha1.AgentAPIKey)
	return !is || !also || reference.KeyChanged(a, b) ||
		meta.IsStatusConditionTrue(a.Status.Conditions, v1alpha1.ConditionStalled) !=
			meta.IsStatusConditionTrue(b.Status.Conditions, v1alpha1.ConditionStalled)
}

func roleOfKey(_ context.Context, obj client.Object) []reconcile.Request {
	key, ok := obj.(*v1alpha1.AgentAPIKey)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: reference.RoleOf(key)}}
}

// rolesOfPolicy are the roles that a policy refers to; a ceiling may limit any.
func (c *Controller) rolesOfPolicy(ctx context.Context, obj client.Object) []reconcile.Request {
	policy, ok := obj.(*v1alpha1.AccessPolicy)
	if !ok {
		return nil
	}
	var requests []reconcile.Request
	if c.Restraints.IsCeiling(policy) {
		var roles v1alpha1.AIAgentRoleList
		if err := c.Client.List(ctx, &roles, client.UnsafeDisableDeepCopy); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "listing roles that a ceiling may limit")
		}
		for i := range roles.Items {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&roles.Items[i])})
		}
	}
	if policy.Spec.Conditional != nil {
		for _, ref := range policy.Spec.Conditional.RoleRefs {
			requests = append(requests, reconcile.Request{NamespacedName: desired.RoleOfRef(ref, policy.Namespace)})
		}
	}
	return requests
}

// rolesForNamespace are the roles that namespaces may use by their labels, and the
// namespace's own and those of its keys, which ceilings may now limit otherwise.
func (c *Controller) rolesForNamespace(ctx context.Context, namespace client.Object) []reconcile.Request {
	roles, err := reference.Selecting(ctx, c.Client)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "mapping a namespace to roles")
		return nil
	}
	requests := make([]reconcile.Request, 0, len(roles))
	for _, role := range roles {
		requests = append(requests, reconcile.Request{NamespacedName: role})
	}
	var own v1alpha1.AIAgentRoleList
	if err := c.Client.List(ctx, &own, client.InNamespace(namespace.GetName()), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the roles of a namespace")
	}
	for i := range own.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&own.Items[i])})
	}
	var keys v1alpha1.AgentAPIKeyList
	if err := c.Client.List(ctx, &keys, client.InNamespace(namespace.GetName()), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the keys of a namespace")
	}
	for i := range keys.Items {
		requests = append(requests, reconcile.Request{NamespacedName: reference.RoleOf(&keys.Items[i])})
	}
	return requests
}

// Reconciler is what SetupWithManager registers.
func (c *Controller) Reconciler() reconcile.Reconciler {
	return &lifecycle.Loop[*v1alpha1.AIAgentRole]{
		Kind: c, Client: c.Client, Recorder: c.Recorder, Clock: c.Clock, Resync: c.Resync,
	}
}

// New implements lifecycle.Kind.
func (c *Controller) New() *v1alpha1.AIAgentRole { return &v1alpha1.AIAgentRole{} }

// Ensure implements lifecycle.Kind. Who is to leave the role leaves first, and what is
// wrong about its people keeps nothing from its agents.
func (c *Controller) Ensure(ctx context.Context, role *v1alpha1.AIAgentRole) (lifecycle.Outcome, error) {
	want, err := c.want(ctx, role)
	if err != nil {
		return lifecycle.Outcome{}, err
	}
	roster, err := c.Directory.ObserveMembers(ctx, want.Mark, want.Group.Name)
	if err != nil && roster.GroupID == "" {
		reportPermissions(role, err, c.Clock.Now())
		return lifecycle.Outcome{}, fmt.Errorf("observing the members: %w", err)
	}
	if err != nil {
		// The group goes on saying what it says until it is known who is in it.
		want.Group.Managed, want.Group.Enrolling = roster.Managed, roster.Enrolling
	}
	lessened := c.lessen(ctx, &want, roster)
	left := cmp.Or(err, lessened, c.letOut(ctx, &want, roster), c.unguard(ctx, &want, roster))
	outcome, then, err := c.ensurePermissions(ctx, role, want)
	reportPermissions(role, cmp.Or(err, then), c.Clock.Now())
	if err != nil {
		return outcome, err
	}
	if lessened != nil && roster.Administering {
		// Who came in now would get what may not be given any more.
		return outcome, cmp.Or(then, left)
	}
	again, letIn := c.letIn(ctx, role, want)
	outcome.Again = plan.Sooner(plan.Sooner(outcome.Again, again), plan.AdminAgain(want))
	if left == nil {
		// Nobody who is to leave gets more on the way out.
		left = c.empower(ctx, want)
	}
	return outcome, cmp.Or(then, left, letIn)
}

// want is what the role asks for, as far as administrators let it.
func (c *Controller) want(ctx context.Context, role *v1alpha1.AIAgentRole) (desired.Role, error) {
	want := desired.RoleOf(role, c.Settings)
	look := c.Restraints.Look()
	if err := c.limitTokens(ctx, look, role, &want); err != nil {
		return want, err
	}
	if err := limitPeople(ctx, look, &want); err != nil {
		return want, err
	}
	err := limitAdmin(ctx, look, &want)
	want.Group.Administering = plan.Administers(want)
	return want, err
}

// limitTokens makes tokens live as long as a policy says, and no longer than the namespace
// of any key that has the role may have them.
func (c *Controller) limitTokens(ctx context.Context, look restraint.Look, role *v1alpha1.AIAgentRole, want *desired.Role) error {
	agents, err := c.Restraints.Agents(ctx, client.ObjectKeyFromObject(role))
	if err != nil {
		return err
	}
	want.TokenLifetime = cmp.Or(agents.TokenLifetime, want.TokenLifetime)
	keys, err := c.bound(ctx, role)
	if err != nil {
		return err
	}
	for i := range keys {
		ceilings, err := look.Ceilings(ctx, keys[i].Namespace)
		if err != nil {
			return err
		}
		if longest := ceilings.MaxTokenLifetime(); longest > 0 {
			want.TokenLifetime = min(want.TokenLifetime, longest)
		}
	}
	return nil
}

// ensurePermissions is about what agents need of the role: observe, plan, perform, report.
// then says what is wrong although all that could be done was done.
func (c *Controller) ensurePermissions(
	ctx context.Context, role *v1alpha1.AIAgentRole, want desired.Role,
) (outcome lifecycle.Outcome, then, err error) {
	seen, err := c.observe(ctx, role, want)
	if err != nil {
		return lifecycle.Outcome{}, nil, err
	}
	todo := plan.Role(want, seen, c.Clock.Now())
	if len(todo.Steps) > 0 && (seen.Group == nil || seen.Grant == nil) {
		if err := lifecycle.StillWanted(ctx, c.Live, "AIAgentRole", role); err != nil {
			return lifecycle.Outcome{}, nil, err
		}
	}
	if err := c.perform(ctx, role, todo.Steps); err != nil {
		return lifecycle.Outcome{}, nil, err
	}
	if len(todo.Steps) > 0 {
		if seen.RoleSeen, err = c.Directory.ObserveRole(ctx, want.Mark, want.Group.Name); err != nil {
			return lifecycle.Outcome{Events: happened(todo.Steps)}, nil, fmt.Errorf("observing what was done: %w", err)
		}
	}
	if todo.Then != nil {
		return lifecycle.Outcome{Events: happened(todo.Steps), Again: todo.Again}, todo.Then, nil
	}
	report(role, want, seen)
	return lifecycle.Outcome{
		Message: message(want), Events: happened(todo.Steps), Again: todo.Again,
	}, nil, nil
}

// Release implements lifecycle.Kind: first the grant, so that no token is issued
// any more, then the group. Scopes stay: other roles may share them. A group of the
// name that is somebody else's is none of ours to delete.
func (c *Controller) Release(ctx context.Context, role *v1alpha1.AIAgentRole) (lifecycle.Outcome, error) {
	want := desired.RoleOf(role, c.Settings)
	// The role takes its note with it.
	c.notes.read(role)
	var outcome lifecycle.Outcome
	if err := c.keysFirst(ctx, role); err != nil {
		return outcome, err
	}
	if err := c.Directory.DeleteGrant(ctx, want.Mark); neverWas(err) {
		outcome.Events = append(outcome.Events, leftBehind("access policy", err))
	} else if err != nil {
		return outcome, fmt.Errorf("deleting the grant: %w", err)
	}
	if err := c.disempowered(ctx, want); neverWas(err) {
		outcome.Events = append(outcome.Events, leftBehind("admin role", err))
	} else if err != nil {
		return outcome, err
	}
	if err := c.unguarded(ctx, &want); err != nil {
		return outcome, err
	}
	if err := c.Directory.DeleteGroup(ctx, want.Mark, want.Group.Name); neverWas(err) {
		outcome.Events = append(outcome.Events, leftBehind("group", err))
	} else if err != nil {
		return outcome, fmt.Errorf("deleting the group: %w", err)
	}
	c.crowds.saw(client.ObjectKeyFromObject(role), 0)
	return outcome, nil
}

// keysFirst lets keys go first that are being deleted together with the role, as with
// their namespace: when their deletion is held, their access is to stay.
func (c *Controller) keysFirst(ctx context.Context, role *v1alpha1.AIAgentRole) error {
	keys, err := c.bound(ctx, role)
	if err != nil {
		return err
	}
	for i := range keys {
		key := &keys[i]
		if key.DeletionTimestamp.IsZero() {
			continue
		}
		want := desired.KeyOf(key, c.Settings)
		client, err := c.Clients.ObserveClient(ctx, want.ClientID, want.Hint(key.Status.AppID))
		if err != nil {
			return fmt.Errorf("observing the client of AgentAPIKey %s/%s: %w", key.Namespace, key.Name, err)
		}
		if client != nil && client.Active && client.Mark == want.Mark {
			return &identity.Error{
				Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing, RetryAfter: 10 * time.Second,
				Message: "keys of the role are being deleted too, and go first; see their conditions",
			}
		}
	}
	return nil
}

// neverWas tells an error that means that there is nothing of ours to delete: what
// stands under the name is somebody else's, or the org lacks the whole feature.
func neverWas(err error) bool {
	e, ok := errors.AsType[*identity.Error](err)
	return ok && (e.Kind == identity.Conflict || e.Reason == identity.ReasonFeatureUnavailable)
}
