package aiagentrole

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// perform takes the steps in order and stops at the first that does not succeed.
func (c *Controller) perform(ctx context.Context, role *v1alpha1.AIAgentRole, steps []plan.RoleStep) error {
	log := ctrl.LoggerFrom(ctx)
	for _, step := range steps {
		if err := c.take(ctx, role, step); step.Verb == plan.DropTwin && identity.KindOf(err) == identity.Rejected {
			// It is a person's to decide on, and in nobody's way.
			log.Info("left the second authorization server as it is", "because", err.Error())
			continue
		} else if err != nil {
			return fmt.Errorf("%s: %w", step.Verb, err)
		}
		log.Info("took a step", "step", step.Verb, "because", step.Reason)
	}
	return nil
}

func (c *Controller) take(ctx context.Context, role *v1alpha1.AIAgentRole, step plan.RoleStep) error {
	switch step.Verb {
	case plan.CreateServer:
		return c.Directory.CreateServer(ctx, step.Tried, func(ctx context.Context) error { return c.noteServer(ctx, role) })
	case plan.DropTwin:
		return c.Directory.DropTwin(ctx)
	case plan.PutPermission:
		return c.Directory.PutPermission(ctx, step.Permission)
	case plan.PutGroup:
		return c.Directory.PutGroup(ctx, step.Group)
	case plan.PutGrant:
		return c.Directory.PutGrant(ctx, step.Grant)
	case plan.DeleteGrant:
		return c.Directory.DeleteGrant(ctx, step.Grant.Mark)
	}
	return fmt.Errorf("unknown step %q", step.Verb)
}
