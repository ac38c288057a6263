package aiagentrole

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// observe looks at the directory and at the keys bound to the role.
func (c *Controller) observe(ctx context.Context, role *v1alpha1.AIAgentRole, want desired.Role) (plan.RoleSeen, error) {
	var seen plan.RoleSeen
	var err error
	if seen.RoleSeen, err = c.Directory.ObserveRole(ctx, want.Mark, want.Group.Name); err != nil {
		return seen, fmt.Errorf("observing the role: %w", err)
	}
	if seen.Server == nil {
		if seen.ServerRequested, err = c.serverRequested(ctx); err != nil {
			return seen, err
		}
	}
	// Before the keys: one that comes to be in between then counts twice, and not never.
	if err := c.observeOwnerless(ctx, want, &seen); err != nil {
		return seen, err
	}
	keys, err := reference.Bound(ctx, c.Client, role)
	if err != nil {
		return seen, err
	}
	for i := range keys {
		if err := c.observeKey(ctx, want, &keys[i], &seen); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// observeOwnerless looks, while the role is young, for clients in its grant whose keys
// do not exist.
func (c *Controller) observeOwnerless(ctx context.Context, want desired.Role, seen *plan.RoleSeen) error {
	if seen.Grant == nil || c.settled(want.Mark) || exceeds(want.PermissionNames(), seen.Grant.Permissions) {
		return nil
	}
	for _, id := range seen.Grant.Clients {
		listed, err := c.Clients.ObserveClient(ctx, id, identity.ClientHint{})
		if err != nil {
			return fmt.Errorf("observing client %s of the role: %w", id, err)
		}
		if listed == nil || listed.Mark.Cluster != c.Settings.Cluster {
			continue
		}
		key := types.NamespacedName{Namespace: listed.Mark.Namespace, Name: listed.Mark.Name}
		switch err := c.Client.Get(ctx, key, &v1alpha1.AgentAPIKey{}); {
		case apierrors.IsNotFound(err):
			keeps, err := c.mayKeep(ctx, want, key)
			if err != nil {
				return err
			}
			if keeps {
				seen.Ownerless = append(seen.Ownerless, id)
			}
		case err != nil:
			return fmt.Errorf("looking for AgentAPIKey %s: %w", key, err)
		}
	}
	return nil
}

// settled tells that nothing of an earlier namesake need be kept any more.
func (c *Controller) settled(mark identity.Mark) bool {
	return c.Clock.Since(time.Unix(mark.Since, 0)) >= plan.Succession
}

// exceeds tells that there is more wanted than had: what nobody asks for gets no more.
func exceeds(want, had []string) bool {
	return slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(had, name) })
}

// mayKeep tells that a client whose key does not exist may keep its access for a while: if
// the key were there, it might have the role.
func (c *Controller) mayKeep(ctx context.Context, want desired.Role, key types.NamespacedName) (bool, error) {
	allowed, err := c.Restraints.Permitted(ctx, key.Namespace, want.PermissionNames())
	if err != nil || len(allowed) < len(want.Permissions) {
		return false, err
	}
	absent := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{
		Namespace: key.Namespace, Name: key.Name, CreationTimestamp: metav1.NewTime(c.Clock.Now()),
	}}
	quarantine, err := c.Restraints.Quarantine(ctx, absent, true)
	return quarantine == nil, err
}

// observeKey counts the key as a member once its client is registered. One that is
// being deleted stays one until its client is inactive: the deletion may be held, and
// nobody is to lose access by that.
func (c *Controller) observeKey(ctx context.Context, role desired.Role, key *v1alpha1.AgentAPIKey, seen *plan.RoleSeen) error {
	want := desired.ClientOf(key, c.Settings)
	client, err := c.Clients.ObserveClient(ctx, want.ClientID, want.Hint(key.Status.AppID))
	if err != nil {
		return fmt.Errorf("observing the client of AgentAPIKey %s/%s: %w", key.Namespace, key.Name, err)
	}
	leaving := !key.DeletionTimestamp.IsZero() && (client == nil || !client.Active)
	may, err := c.mayHold(ctx, role, want, key, client, seen)
	if err == nil && may && !leaving {
		count(key, want, client, seen)
	}
	return err
}

// mayHold tells that the key may have the role. Before the role has what is too much for the
// key's namespace, the key has no role; a client of an earlier namesake, of which it is not
// proved that the key may take it over, keeps for a while what it has.
func (c *Controller) mayHold(
	ctx context.Context, role desired.Role, want desired.Key, key *v1alpha1.AgentAPIKey, client *identity.ClientSeen, seen *plan.RoleSeen,
) (bool, error) {
	excess, err := c.Restraints.Exceeds(ctx, key.Namespace, restraint.AskedBy(key, role.PermissionNames()))
	if err != nil || excess != "" || client == nil || client.Mark == want.Mark {
		return excess == "", err
	}
	if c.settled(role.Mark) && c.settled(want.Mark) || seen.Grant == nil || exceeds(role.PermissionNames(), seen.Grant.Permissions) {
		return false, nil
	}
	keeps, err := c.mayKeep(ctx, role, types.NamespacedName{Namespace: key.Namespace, Name: key.Name})
	until := time.Unix(max(role.Mark.Since, want.Mark.Since), 0).Add(plan.Succession)
	if keeps && (seen.KeptUntil.IsZero() || until.Before(seen.KeptUntil)) {
		seen.KeptUntil = until
	}
	return keeps, err
}

// count is the part of observeKey that looks at what there is.
func count(key *v1alpha1.AgentAPIKey, want desired.Key, client *identity.ClientSeen, seen *plan.RoleSeen) {
	switch {
	case client != nil && (client.Mark == want.Mark || want.Mark.Succeeds(client.Mark) && listed(seen, client.ClientID)):
		// A client that is about to be taken over keeps the access it has, and gets no more.
		seen.Members = append(seen.Members, plan.Member{ClientID: client.ClientID, FirstSeen: client.FirstSeen})
	case client == nil && !meta.IsStatusConditionTrue(key.Status.Conditions, v1alpha1.ConditionStalled):
		seen.Underway++
	}
}

func listed(seen *plan.RoleSeen, clientID string) bool {
	return seen.Grant != nil && slices.Contains(seen.Grant.Clients, clientID)
}
