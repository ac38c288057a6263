package aiagentrole

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// observe looks at the directory and at the keys bound to the role.
func (c *Controller) observe(ctx context.Context, role *v1alpha1.AIAgentRole, want desired.Role) (plan.RoleSeen, error) {
	var seen plan.RoleSeen
	var err error
	if seen.RoleSeen, err = c.Directory.ObserveRole(ctx, want.Mark, want.Group.Name); err != nil {
		return seen, fmt.Errorf("observing the role: %w", err)
	}
	keys, err := reference.Bound(ctx, c.Client, role)
	if err != nil {
		return seen, err
	}
	for i := range keys {
		if err := c.observeKey(ctx, &keys[i], &seen); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// observeKey counts the key as a member once its client is registered. A key that
// is being deleted is none: its access ends before its client does.
func (c *Controller) observeKey(ctx context.Context, key *v1alpha1.AgentAPIKey, seen *plan.RoleSeen) error {
	if !key.DeletionTimestamp.IsZero() {
		return nil
	}
	want := desired.KeyOf(key, c.Settings)
	client, err := c.Clients.ObserveClient(ctx, want.ClientID, want.Hint())
	if err != nil {
		return fmt.Errorf("observing the client of AgentAPIKey %s/%s: %w", key.Namespace, key.Name, err)
	}
	switch {
	case client != nil && client.Mark == want.Mark:
		seen.Members = append(seen.Members, plan.Member{ClientID: client.ClientID, FirstSeen: client.FirstSeen})
	case client == nil && !meta.IsStatusConditionTrue(key.Status.Conditions, v1alpha1.ConditionStalled):
		seen.Underway++
	}
	return nil
}
