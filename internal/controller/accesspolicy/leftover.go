package accesspolicy

import (
	"context"
	"errors"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// searched are the policies of which it is known that nothing about people is in Okta: they
// say nothing of people, and it was looked for what they once said.
type searched struct {
	mu   sync.Mutex
	uids map[types.UID]bool
}

func (s *searched) has(uid types.UID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uids[uid]
}

func (s *searched) set(uid types.UID, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uids == nil {
		s.uids = map[types.UID]bool{}
	}
	if is {
		s.uids[uid] = true
		return
	}
	delete(s.uids, uid)
}

// leftover ends what a policy that says nothing of people once said. The status tells that it
// did; but a status may be lost, so each process looks once. Who may not look, for the
// operator's app was not granted the scopes, has never written anything either.
func (c *Controller) leftover(ctx context.Context, policy *v1alpha1.AccessPolicy) error {
	status := policy.Status.Conditional
	told := status != nil && (status.PolicyID != "" || status.SignOnPolicyID != "" || len(status.Apps) > 0)
	if !told && c.searched.has(policy.UID) {
		return nil
	}
	err := c.endSignIn(ctx, policy)
	if e, ok := errors.AsType[*identity.Error](err); ok && !told && e.Kind == identity.Rejected {
		err = nil
	}
	if err == nil {
		c.searched.set(policy.UID, true)
	}
	return err
}
