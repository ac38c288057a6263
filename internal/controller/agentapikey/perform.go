package agentapikey

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// perform takes the steps in order, stops at the first that does not succeed, and
// gives the steps that were taken.
func (c *Controller) perform(ctx context.Context, key *v1alpha1.AgentAPIKey, s *scene, steps []plan.KeyStep) ([]plan.KeyStep, error) {
	log := ctrl.LoggerFrom(ctx)
	for i, step := range steps {
		if err := c.take(ctx, key, s, step.Verb); err != nil {
			return steps[:i], fmt.Errorf("%s: %w", step.Verb, err)
		}
		log.Info("took a step", "step", step.Verb, "because", step.Reason)
	}
	return steps, nil
}

func (c *Controller) take(ctx context.Context, key *v1alpha1.AgentAPIKey, s *scene, verb plan.KeyVerb) error {
	switch verb {
	case plan.Mint:
		return c.Secrets.Mint(ctx, key, s.want, s.stored)
	case plan.Restage:
		return c.Secrets.Restage(ctx, key, s.want, s.stored)
	case plan.Register:
		return c.register(ctx, key, s)
	case plan.Probe:
		return c.Directory.Probe(ctx, s.document().Server, s.want.ClientID, s.stored.Credential(), s.seen.Permissions)
	case plan.Publish:
		return c.Secrets.Publish(ctx, key, s.want, s.document(), s.stored)
	}
	return fmt.Errorf("unknown step %q", verb)
}

// register tells the directory and looks at once at what it made: that is in the
// snapshot and costs no call, and the status can name it.
func (c *Controller) register(ctx context.Context, key *v1alpha1.AgentAPIKey, s *scene) error {
	if err := c.stillWanted(ctx, key); err != nil {
		return err
	}
	if err := c.Directory.RegisterClient(ctx, s.want.Registration(s.stored.Credential())); err != nil {
		return err
	}
	var err error
	s.seen.Client, err = c.Directory.ObserveClient(ctx, s.want.ClientID, s.want.Hint())
	return err
}

// stillWanted asks the API server itself: a cache that is behind, as after a change
// of the leader, may show a key that another process has released already.
func (c *Controller) stillWanted(ctx context.Context, key *v1alpha1.AgentAPIKey) error {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("AgentAPIKey"))
	err := c.Live.Get(ctx, client.ObjectKeyFromObject(key), live)
	if err == nil && live.UID == key.UID && live.DeletionTimestamp.IsZero() {
		return nil
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("making sure that the key still exists: %w", err)
	}
	return &identity.Error{
		Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing,
		Message: "the key was deleted a moment ago; nothing is registered for it",
	}
}
