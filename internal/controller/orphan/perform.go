package orphan

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// perform takes the steps in order and gives those that were taken. One that does not
// succeed leaves the others to be tried, unless they would meet the same: a rate limit
// that is used up, or a directory that does not answer.
func (c *Controller) perform(ctx context.Context, steps []plan.OrphanStep) (done []plan.OrphanStep, failed []error) {
	log := ctrl.LoggerFrom(ctx)
	for _, step := range steps {
		if step.Verb == plan.ReportOrphan {
			continue
		}
		err := c.take(identity.WithCaller(ctx, caller(step)), step)
		if err == nil {
			log.Info("took a step", "step", step.Verb, "because", step.Reason, "owner", owner(step), "clientID", clientID(step))
			done = append(done, step)
			continue
		}
		kind := identity.KindOf(err)
		if kind == identity.Waiting {
			log.Info("left a step to the next sweep", "step", step.Verb, "because", err.Error(), "owner", owner(step))
			continue
		}
		failed = append(failed, fmt.Errorf("%s of %s: %w", step.Verb, owner(step), err))
		if kind == identity.Throttled || kind == identity.Unavailable {
			break
		}
	}
	return done, failed
}

// caller lets what ends access use the part of the rate limits that is kept for it.
func caller(step plan.OrphanStep) identity.Caller {
	by := identity.Caller{Namespace: subject(step).Namespace}
	if step.Client != nil && step.Client.Active {
		by.Urgency = identity.Revocation
	}
	return by
}

func (c *Controller) take(ctx context.Context, step plan.OrphanStep) error {
	if step.Verb == plan.ForgetTombstone {
		return c.Tombstones.Remove(ctx, *step.Tombstone)
	}
	if err := c.ownerGone(ctx, subject(step)); err != nil {
		return err
	}
	switch step.Verb {
	case plan.DeactivateOrphan:
		return c.Directory.DeactivateClient(ctx, *step.Client)
	case plan.DeleteOrphan:
		return c.remove(ctx, step)
	case plan.ConfirmGone:
		return c.confirmGone(ctx, *step.Tombstone)
	case plan.ReportOrphan, plan.ForgetTombstone:
	}
	return fmt.Errorf("unknown step %q", step.Verb)
}

// ownerGone asks the API server once more about the owner's name, just before something
// is taken away: a sweep can take long, and an object come back.
func (c *Controller) ownerGone(ctx context.Context, mark identity.Mark) error {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(mark.Kind))
	err := c.Live.Get(ctx, client.ObjectKey{Namespace: mark.Namespace, Name: mark.Name}, live)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making sure that the owner does not exist: %w", err)
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing,
		Message: "an object of the owner's name appeared during the sweep; nothing is done",
	}
}

// remove deletes a client, or what there is of a role.
func (c *Controller) remove(ctx context.Context, step plan.OrphanStep) error {
	if step.Client == nil {
		return c.removeRole(ctx, step.Mark)
	}
	if err := c.Directory.DeactivateClient(ctx, *step.Client); err != nil {
		return fmt.Errorf("deactivating the client: %w", err)
	}
	return c.Directory.DeleteClient(ctx, *step.Client)
}

// removeRole deletes the grant first, so that no token is issued any more, and what people
// administer before their group. Scopes stay, for other roles may share them.
func (c *Controller) removeRole(ctx context.Context, role identity.Mark) error {
	if err := c.Directory.DeleteGrant(ctx, role); err != nil {
		return fmt.Errorf("deleting the grant: %w", err)
	}
	group := desired.GroupName(role)
	roster, err := c.Directory.ObserveMembers(ctx, role, group)
	if err != nil {
		return fmt.Errorf("observing the group: %w", err)
	}
	if roster.Administering {
		if err := c.Directory.DeleteAdminRole(ctx, role, desired.AdminLabel(role), roster.GroupID); err != nil {
			return fmt.Errorf("deleting the admin role: %w", err)
		}
	}
	return c.Directory.DeleteGroup(ctx, role, group)
}

// confirmGone removes the tombstone when no client can be left that nobody sees: one may
// have been registered as soon as there was a key.
func (c *Controller) confirmGone(ctx context.Context, t identity.Tombstone) error {
	hint := identity.ClientHint{Label: desired.Label(t.Mark), ID: t.AppID, Tried: true}
	if err := c.Directory.ConfirmNoClient(ctx, t.ClientID, hint); err != nil {
		return err
	}
	return c.Tombstones.Remove(ctx, t)
}

// subject is the mark a step is about.
func subject(step plan.OrphanStep) identity.Mark {
	if step.Mark.IsZero() && step.Tombstone != nil {
		return step.Tombstone.Mark
	}
	return step.Mark
}

func owner(step plan.OrphanStep) string { return subject(step).Ref() }

// clientID is empty for a role.
func clientID(step plan.OrphanStep) string {
	if step.ClientID == "" && step.Tombstone != nil {
		return step.Tombstone.ClientID
	}
	return step.ClientID
}
