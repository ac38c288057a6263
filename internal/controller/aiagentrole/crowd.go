package aiagentrole

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
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
