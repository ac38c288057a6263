// Package accesspolicy reports on AccessPolicies, and makes the directory agree with
// those that are conditions of it. What limits keys is carried out by the keys
// themselves, which ask package restraint.
package accesspolicy

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

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// Directory is what the controller needs of the directory: it keeps how people sign in,
// and looks at clients and roles without touching them.
type Directory interface {
	identity.Admission
	ObserveMembers(ctx context.Context, role identity.Mark, group string) (identity.Roster, error)
	DeactivateClient(ctx context.Context, client identity.ClientSeen) error
	ObserveClient(ctx context.Context, clientID string, hint identity.ClientHint) (*identity.ClientSeen, error)
	ObserveRole(ctx context.Context, role identity.Mark, group string) (identity.RoleSeen, error)
}

// Controller reconciles AccessPolicies.
type Controller struct {
	Client client.Client
	// Live reads from the API server, to make sure that a policy exists before anything is
	// made for it.
	Live       client.Reader
	Directory  Directory
	Recorder   events.EventRecorder
	Clock      clock.PassiveClock
	Settings   desired.Settings
	Restraints restraint.Rules
	// Apps say who may govern which app.
	Apps AppGrants
	// Resync is how often a policy that is Ready is looked at again.
	Resync time.Duration
	// FirstRetry is the first wait after an unexpected error; zero for the default.
	FirstRetry time.Duration

	searched searched
}

// +kubebuilder:rbac:groups=agentidentity.dev,resources=accesspolicies,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=accesspolicies/status,verbs=patch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=aiagentroles,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=agentidentity.dev,resources=agentapikeys,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager registers the controller.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.AccessPolicy{}).
		Watches(&v1alpha1.AIAgentRole{}, handler.EnqueueRequestsFromMapFunc(c.conditionalOn), builder.WithPredicates(rolesChange())).
		Watches(&v1alpha1.AIAgentRole{}, lifecycle.SoonFor(c.ceilings), reference.Updated(reference.TermsChanged)).
		Watches(&v1alpha1.AccessPolicy{}, handler.EnqueueRequestsFromMapFunc(c.under), reference.Updated(reference.PolicyChanged)).
		Watches(&v1alpha1.AccessPolicy{}, handler.EnqueueRequestsFromMapFunc(c.rivals), builder.WithPredicates(governsOthers())).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(c.labelled), reference.LabelsChanged()).
		Watches(&v1alpha1.AgentAPIKey{}, handler.EnqueueRequestsFromMapFunc(c.quarantines), reference.Updated(reference.KeyChanged)).
		Watches(&v1alpha1.AgentAPIKey{}, lifecycle.SoonFor(c.ceilings), reference.Updated(reference.KeyChanged)).
		WithOptions(lifecycle.Options(c.Client, c.New, nil, c.FirstRetry)).
		Complete(c.Reconciler())
}

// rolesChange lets through what policies look at of a role: not how far people are with
// their factors, nor what it says of itself.
func rolesChange() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, is := e.ObjectOld.(*v1alpha1.AIAgentRole)
		after, also := e.ObjectNew.(*v1alpha1.AIAgentRole)
		return !is || !also || before.Generation != after.Generation || before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() ||
			before.Status.GroupID != after.Status.GroupID || before.Status.AppliedRevision != after.Status.AppliedRevision ||
			!slices.EqualFunc(before.Status.Members, after.Status.Members, func(a, b v1alpha1.MemberStatus) bool {
				return a.Login == b.Login && a.State == b.State
			})
	}}
}

// governsOthers lets through what other policies for the same apps look at of a policy: which
// apps it governs, and whether it is there.
func governsOthers() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return !slices.Equal(governedBy(e.ObjectOld), governedBy(e.ObjectNew))
	}}
}

func governedBy(obj client.Object) []string {
	policy, is := obj.(*v1alpha1.AccessPolicy)
	if !is || policy.Status.Conditional == nil {
		return nil
	}
	var ids []string
	for _, app := range policy.Status.Conditional.Apps {
		ids = append(ids, app.ID)
	}
	return ids
}

// rivals are the policies that may name apps which another governs now, or no more.
func (c *Controller) rivals(ctx context.Context, obj client.Object) []reconcile.Request {
	if policy, is := obj.(*v1alpha1.AccessPolicy); !is || policy.Spec.Conditional == nil {
		return nil
	}
	return c.which(ctx, func(policy *v1alpha1.AccessPolicy) bool {
		return policy.UID != obj.GetUID() && policy.Spec.Conditional != nil && policy.Spec.Conditional.SignIn != nil
	})
}

// under are the Conditional policies, which a ceiling may now limit otherwise.
func (c *Controller) under(ctx context.Context, obj client.Object) []reconcile.Request {
	if policy, is := obj.(*v1alpha1.AccessPolicy); !is || !c.Restraints.IsCeiling(policy) {
		return nil
	}
	return c.which(ctx, func(policy *v1alpha1.AccessPolicy) bool { return policy.Spec.Conditional != nil })
}

// labelled are the policies for which a namespace's labels matter: ceilings that may bind it, and those
// for people of its own or with roles of it, whom other ceilings may limit now.
func (c *Controller) labelled(ctx context.Context, namespace client.Object) []reconcile.Request {
	ofIt := func(role client.ObjectKey) bool { return role.Namespace == namespace.GetName() }
	return c.which(ctx, func(policy *v1alpha1.AccessPolicy) bool {
		return c.Restraints.IsCeiling(policy) ||
			policy.Spec.Conditional != nil && (policy.Namespace == namespace.GetName() || refers(policy, ofIt))
	})
}

// which are the policies that fit.
func (c *Controller) which(ctx context.Context, fits func(*v1alpha1.AccessPolicy) bool) []reconcile.Request {
	var policies v1alpha1.AccessPolicyList
	if err := c.Client.List(ctx, &policies, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing policies")
		return nil
	}
	var requests []reconcile.Request
	for i := range policies.Items {
		if fits(&policies.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&policies.Items[i])})
		}
	}
	return requests
}

// quarantines may cut off a key that is new or has changed.
func (c *Controller) quarantines(ctx context.Context, _ client.Object) []reconcile.Request {
	return c.which(ctx, c.Restraints.IsQuarantine)
}

// ceilings only count whom they bind, which is looked at once for all that changes together.
func (c *Controller) ceilings(ctx context.Context, _ client.Object) []reconcile.Request {
	return c.which(ctx, c.Restraints.IsCeiling)
}

// conditionalOn are the policies that refer to a role.
func (c *Controller) conditionalOn(ctx context.Context, role client.Object) []reconcile.Request {
	return c.which(ctx, func(policy *v1alpha1.AccessPolicy) bool { return refersTo(policy, client.ObjectKeyFromObject(role)) })
}

func refersTo(policy *v1alpha1.AccessPolicy, role client.ObjectKey) bool {
	return refers(policy, func(other client.ObjectKey) bool { return other == role })
}

// refers tells that the policy refers to a role of that kind.
func refers(policy *v1alpha1.AccessPolicy, is func(role client.ObjectKey) bool) bool {
	return policy.Spec.Conditional != nil && slices.ContainsFunc(policy.Spec.Conditional.RoleRefs, func(ref v1alpha1.RoleReference) bool {
		return is(desired.RoleOfRef(ref, policy.Namespace))
	})
}

// Reconciler is what SetupWithManager registers.
func (c *Controller) Reconciler() reconcile.Reconciler {
	return &lifecycle.Loop[*v1alpha1.AccessPolicy]{
		Kind: c, Client: c.Client, Recorder: c.Recorder, Clock: c.Clock, Resync: c.Resync,
	}
}

// New implements lifecycle.Kind.
func (c *Controller) New() *v1alpha1.AccessPolicy { return &v1alpha1.AccessPolicy{} }

// Ensure implements lifecycle.Kind.
func (c *Controller) Ensure(ctx context.Context, policy *v1alpha1.AccessPolicy) (lifecycle.Outcome, error) {
	switch policy.Spec.Type {
	case v1alpha1.PolicyConditional:
		outcome, err := c.conditional(ctx, policy)
		c.reportFailure(policy, err)
		return outcome, err
	case v1alpha1.PolicyCeiling:
		return c.ceiling(ctx, policy)
	case v1alpha1.PolicyQuarantine:
		return c.quarantine(ctx, policy)
	}
	return lifecycle.Outcome{}, &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonNotHonouredHere,
		Message: fmt.Sprintf("this release of the operator does not carry out a %s: it does nothing", policy.Spec.Type),
	}
}

// Release implements lifecycle.Kind. Who asks package restraint sees no policy that is
// being deleted.
func (c *Controller) Release(ctx context.Context, policy *v1alpha1.AccessPolicy) (lifecycle.Outcome, error) {
	if policy.Spec.Type != v1alpha1.PolicyConditional {
		return lifecycle.Outcome{}, nil
	}
	defer tidy(policy)
	return lifecycle.Outcome{}, c.endSignIn(ctx, policy)
}

func notHonouredHere(kind v1alpha1.PolicyType, where string) error {
	message := fmt.Sprintf("a %s does nothing in this namespace: it counts in namespace %q only; create it there", kind, where)
	if where == "" {
		message = fmt.Sprintf("a %s counts nowhere: the operator runs outside a pod, and its configuration names no namespace for it", kind)
	}
	return &identity.Error{Kind: identity.Rejected, Reason: v1alpha1.ReasonNotHonouredHere, Message: message}
}
