package agentapikey

import (
	"context"
	"fmt"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// quarantine says why the key is in quarantine; "" when it is not.
func (c *Controller) quarantine(ctx context.Context, key *v1alpha1.AgentAPIKey, cut bool) (string, error) {
	policy, err := c.Restraints.Quarantine(ctx, key, cut)
	if err != nil || policy == nil {
		return "", err
	}
	return fmt.Sprintf("AccessPolicy %s/%s keeps the key in quarantine: %s. Okta issues no token until that policy is deleted; "+
		"the agent then gets a new credential", policy.Namespace, policy.Name, policy.Spec.Quarantine.Reason), nil
}

// cutOff ends the access of a key that is being deleted while it is in quarantine.
func (c *Controller) cutOff(ctx context.Context, s *scene) error {
	var err error
	if s.seen.Quarantine, err = c.quarantine(ctx, s.key, len(s.seen.Staged.Quarantined) > 0); err != nil || s.seen.Quarantine == "" {
		return err
	}
	if err := c.observeClient(ctx, s); err != nil {
		return err
	}
	_, err = c.shut(ctx, s)
	return err
}

// hurried has the calls for a key that is cut off made in the lane for taking access away.
func (c *Controller) hurried(ctx context.Context, s *scene) context.Context {
	if s.seen.Quarantine == "" {
		return ctx
	}
	return identity.Urgently(ctx)
}

// shut ends the access of a key that is in quarantine, and gives the steps it took.
func (c *Controller) shut(ctx context.Context, s *scene) ([]plan.KeyStep, error) {
	var done []plan.KeyStep
	for s.seen.Quarantine != "" && len(done) < maxSteps {
		step := plan.Shut(s.want, s.seen, c.Clock.Now())
		if step == nil {
			break
		}
		if err := c.take(c.hurried(ctx, s), s, *step); err != nil {
			return done, err
		}
		done = append(done, *step)
	}
	return done, nil
}

// targets looks at the keys that a policy says something of, or has until now: before all
// others where a Quarantine cuts them off, but not where it lets them in again.
func (c *Controller) targets() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(ctx context.Context, q queue, urgently bool, objects ...client.Object) {
		how := queue.Add
		if urgently {
			how = lifecycle.AddUrgently
		}
		for _, request := range c.bound(ctx, objects) {
			how(q, request)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { add(ctx, q, c.cutsOff(e.Object), e.Object) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			if reference.PolicyChanged(e.ObjectOld, e.ObjectNew) {
				add(ctx, q, c.cutsOff(e.ObjectNew), e.ObjectOld, e.ObjectNew)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { add(ctx, q, false, e.Object) },
	}
}

// cutsOff tells a Quarantine that counts, and is not about to end.
func (c *Controller) cutsOff(obj client.Object) bool {
	policy, is := obj.(*v1alpha1.AccessPolicy)
	return is && c.Restraints.IsQuarantine(policy) && policy.DeletionTimestamp.IsZero()
}

// concerns tells that the policy says something of the key, or has until it was deleted.
func (c *Controller) concerns(policy *v1alpha1.AccessPolicy, key *v1alpha1.AgentAPIKey) bool {
	policy = policy.DeepCopy()
	policy.DeletionTimestamp = nil
	return policy.Namespace == c.Restraints.Incident && (restraint.Holds(policy, key) || restraint.Forgotten(policy, key)) ||
		c.Restraints.IsCeiling(policy) || restraint.Conditions(policy, reference.RoleOf(key))
}

// bound are the keys that the policies say something of.
func (c *Controller) bound(ctx context.Context, policies []client.Object) []reconcile.Request {
	var keys v1alpha1.AgentAPIKeyList
	if err := c.Client.List(ctx, &keys, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing keys that a quarantine may bind")
		return nil
	}
	var requests []reconcile.Request
	for i := range keys.Items {
		for _, obj := range policies {
			if policy, is := obj.(*v1alpha1.AccessPolicy); is && c.concerns(policy, &keys.Items[i]) {
				requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&keys.Items[i])})
				break
			}
		}
	}
	return requests
}
