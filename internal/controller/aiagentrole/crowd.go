package aiagentrole

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

const (
	// crowded is how many keys a role has of which each news is not looked at by itself.
	crowded = 100
	// perKey is what a look at a role may take for each of its keys, so that looks at the news of
	// its keys leave most of the time to other roles.
	perKey = 100 * time.Microsecond
	// longestPace bounds what a key waits for its role.
	longestPace = time.Second
)

// bound are the keys that have the role, of which the crowds take note.
func (c *Controller) bound(ctx context.Context, role *v1alpha1.AIAgentRole) ([]v1alpha1.AgentAPIKey, error) {
	keys, err := reference.Bound(ctx, c.Client, role)
	if err == nil {
		c.crowds.saw(client.ObjectKeyFromObject(role), len(keys))
	}
	return keys, err
}

// crowds remembers how many keys the last look at each crowded role saw. Looks are asked for while
// others go on. The zero value knows of none.
type crowds struct {
	mu   sync.Mutex
	keys map[types.NamespacedName]int
}

// saw takes in how many keys a look has seen; none once the role is gone.
func (c *crowds) saw(role types.NamespacedName, keys int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if keys < crowded {
		delete(c.keys, role)
		return
	}
	if c.keys == nil {
		c.keys = map[types.NamespacedName]int{}
	}
	c.keys[role] = keys
}

// pace is how often news of a role's keys makes it look at them all; zero for each time.
func (c *crowds) pace(_ context.Context, role reconcile.Request) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return min(time.Duration(c.keys[role.NamespacedName])*perKey, longestPace)
}
