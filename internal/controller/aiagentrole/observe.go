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
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// observe looks at the directory and at the keys bound to the role.
func (c *Controller) observe(ctx context.Context, role *v1alpha1.AIAgentRole, want desired.Role) (plan.RoleSeen, error) {
	o := observation{Controller: c, role: want, permissions: want.PermissionNames(), look: c.Restraints.Look()}
	var err error
	if o.seen.RoleSeen, err = c.Directory.ObserveRole(ctx, want.Mark, want.Group.Name); err != nil {
		return o.seen, fmt.Errorf("observing the role: %w", err)
	}
	if o.seen.Server == nil {
		if o.seen.ServerRequested, err = c.serverRequested(ctx); err != nil {
			return o.seen, err
		}
	}
	// Before the keys: one that comes to be in between then counts twice, and not never.
	if err := o.ownerless(ctx); err != nil {
		return o.seen, err
	}
	keys, err := c.bound(ctx, role)
	if err != nil {
		return o.seen, err
	}
	for i := range keys {
		if err := o.key(ctx, &keys[i]); err != nil {
			return o.seen, err
		}
	}
	return o.seen, nil
}

// observation is one look at a role and at all of its keys.
type observation struct {
	*Controller

	role        desired.Role
	permissions []string
	look        restraint.Look
	seen        plan.RoleSeen
}

// ownerless looks, while the role is young, for clients in its grant whose keys
// do not exist.
func (o *observation) ownerless(ctx context.Context) error {
	if o.seen.Grant == nil || o.settled(o.role.Mark) || exceeds(o.permissions, o.seen.Grant.Permissions) {
		return nil
	}
	for _, id := range o.seen.Grant.Clients {
		listed, err := o.Clients.ObserveClient(ctx, id, identity.ClientHint{})
		if err != nil {
			return fmt.Errorf("observing client %s of the role: %w", id, err)
		}
		if listed == nil || listed.Mark.Cluster != o.Settings.Cluster {
			continue
		}
		key := types.NamespacedName{Namespace: listed.Mark.Namespace, Name: listed.Mark.Name}
		switch err := o.Client.Get(ctx, key, &v1alpha1.AgentAPIKey{}); {
		case apierrors.IsNotFound(err):
			keeps, err := o.mayKeep(ctx, key)
			if err != nil {
				return err
			}
			if keeps {
				o.seen.Ownerless = append(o.seen.Ownerless, id)
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
func (o *observation) mayKeep(ctx context.Context, key types.NamespacedName) (bool, error) {
	ceilings, err := o.look.Ceilings(ctx, key.Namespace)
	if err != nil || len(ceilings.Permitted(o.permissions)) < len(o.permissions) {
		return false, err
	}
	absent := &v1alpha1.AgentAPIKey{ObjectMeta: metav1.ObjectMeta{
		Namespace: key.Namespace, Name: key.Name, CreationTimestamp: metav1.NewTime(o.Clock.Now()),
	}}
	quarantine, err := o.Restraints.Quarantine(ctx, absent, true)
	return quarantine == nil, err
}

// key counts the key as a member once its client is registered. One that is
// being deleted stays one until its client is inactive: the deletion may be held, and
// nobody is to lose access by that.
func (o *observation) key(ctx context.Context, key *v1alpha1.AgentAPIKey) error {
	want := desired.ClientOf(key, o.Settings)
	client, err := o.Clients.ObserveClient(ctx, want.ClientID, want.Hint(key.Status.AppID))
	if err != nil {
		return fmt.Errorf("observing the client of AgentAPIKey %s/%s: %w", key.Namespace, key.Name, err)
	}
	leaving := !key.DeletionTimestamp.IsZero() && (client == nil || !client.Active)
	may, err := o.mayHold(ctx, want, key, client)
	if err == nil && may && !leaving {
		o.count(key, want, client)
	}
	return err
}

// mayHold tells that the key may have the role. Before the role has what is too much for the
// key's namespace, the key has no role; a client of an earlier namesake, of which it is not
// proved that the key may take it over, keeps for a while what it has.
func (o *observation) mayHold(
	ctx context.Context, want desired.Key, key *v1alpha1.AgentAPIKey, client *identity.ClientSeen,
) (bool, error) {
	ceilings, err := o.look.Ceilings(ctx, key.Namespace)
	if err != nil {
		return false, err
	}
	within := ceilings.Excess(restraint.AskedBy(key, o.permissions)) == ""
	if !within || client == nil || client.Mark == want.Mark {
		return within, nil
	}
	if o.settled(o.role.Mark) && o.settled(want.Mark) || o.seen.Grant == nil || exceeds(o.permissions, o.seen.Grant.Permissions) {
		return false, nil
	}
	keeps, err := o.mayKeep(ctx, types.NamespacedName{Namespace: key.Namespace, Name: key.Name})
	until := time.Unix(max(o.role.Mark.Since, want.Mark.Since), 0).Add(plan.Succession)
	if keeps && (o.seen.KeptUntil.IsZero() || until.Before(o.seen.KeptUntil)) {
		o.seen.KeptUntil = until
	}
	return keeps, err
}

// count is the part of key that looks at what there is.
func (o *observation) count(key *v1alpha1.AgentAPIKey, want desired.Key, client *identity.ClientSeen) {
	switch {
	case client != nil && (client.Mark == want.Mark || want.Mark.Succeeds(client.Mark) && o.listed(client.ClientID)):
		// A client that is about to be taken over keeps the access it has, and gets no more.
		o.seen.Members = append(o.seen.Members, plan.Member{ClientID: client.ClientID, FirstSeen: client.FirstSeen})
	case client == nil && !meta.IsStatusConditionTrue(key.Status.Conditions, v1alpha1.ConditionStalled):
		o.seen.Underway++
	}
}

func (o *observation) listed(clientID string) bool {
	return o.seen.Grant != nil && slices.Contains(o.seen.Grant.Clients, clientID)
}
