package orphan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// pageSize is how many objects the API server lists at a time.
const pageSize = 500

// observe looks at the directory first and at the cluster last: an owner is always older
// than what it made, so the later list shows it if it is there. The first error tells of
// tombstones that cannot be read, which stops nothing; the second stops the sweep.
func (c *Controller) observe(ctx context.Context, history map[plan.OrphanID]plan.OrphanHistory) (plan.OrphanSeen, error, error) {
	seen := plan.OrphanSeen{History: history}
	var unread, err error
	seen.Tombstones, unread = c.Tombstones.List(ctx)
	if seen.Clients, err = c.Directory.OwnedClients(ctx); err != nil {
		return seen, unread, fmt.Errorf("listing the clients in the directory: %w", err)
	}
	if seen.Roles, err = c.Directory.OwnedRoles(ctx); err != nil {
		return seen, unread, fmt.Errorf("listing the roles in the directory: %w", err)
	}
	for _, kind := range []string{"AgentAPIKey", "AIAgentRole"} {
		living, err := c.living(ctx, kind)
		if err != nil {
			return seen, unread, err
		}
		seen.Living = append(seen.Living, living...)
	}
	return seen, unread, nil
}

// living lists the objects of the kind in the namespaces that are served.
func (c *Controller) living(ctx context.Context, kind string) ([]identity.Mark, error) {
	namespaces := c.Rules.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var all []identity.Mark
	for _, namespace := range namespaces {
		marks, err := c.livingIn(ctx, kind, namespace)
		if err != nil {
			return nil, err
		}
		all = append(all, marks...)
	}
	return all, nil
}

// livingIn reads page by page. The API server answers with an error when it can no
// longer continue a list as it was; then the list is incomplete and of no use.
func (c *Controller) livingIn(ctx context.Context, kind, namespace string) ([]identity.Mark, error) {
	var all []identity.Mark
	for next := ""; ; {
		page := &metav1.PartialObjectMetadataList{}
		page.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		err := c.Live.List(ctx, page, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next))
		if err != nil {
			return nil, fmt.Errorf("listing the objects of kind %s: %w", kind, err)
		}
		for i := range page.Items {
			all = append(all, c.markOf(kind, &page.Items[i]))
		}
		if next = page.Continue; next == "" {
			return all, nil
		}
	}
}

func (c *Controller) markOf(kind string, obj metav1.Object) identity.Mark {
	return identity.Mark{
		Cluster: c.Rules.Cluster, Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName(),
		UID: string(obj.GetUID()), Since: obj.GetCreationTimestamp().Unix(),
	}
}

// after is what would be seen now: what was seen, and what was done about it.
func after(seen plan.OrphanSeen, todo, done []plan.OrphanStep, now time.Time) plan.OrphanSeen {
	result := plan.OrphanSeen{
		Clients: slices.Clone(seen.Clients), Roles: slices.Clone(seen.Roles), Living: seen.Living,
		Tombstones: slices.Clone(seen.Tombstones), History: map[plan.OrphanID]plan.OrphanHistory{},
	}
	for _, step := range todo {
		result.History[step.OrphanID] = step.History
	}
	for _, step := range done {
		switch step.Verb {
		case plan.DeactivateOrphan:
			if history := step.History; step.Tombstone == nil {
				history.Deactivated = now
				result.History[step.OrphanID] = history
			}
			i := slices.IndexFunc(result.Clients, sameClient(step))
			result.Clients[i].Active = false
		case plan.DeleteOrphan:
			result.Clients = slices.DeleteFunc(result.Clients, sameClient(step))
			result.Roles = slices.DeleteFunc(result.Roles, func(m identity.Mark) bool { return step.Client == nil && m == step.Mark })
		case plan.ForgetTombstone, plan.ConfirmGone:
			result.Tombstones = slices.DeleteFunc(result.Tombstones, func(t identity.Tombstone) bool { return t == *step.Tombstone })
		case plan.ReportOrphan:
		}
	}
	return result
}

func sameClient(step plan.OrphanStep) func(identity.ClientSeen) bool {
	return func(c identity.ClientSeen) bool {
		return step.Client != nil && c.ClientID == step.ClientID && c.Mark == step.Mark
	}
}

// isPressing tells that a tombstone is to be worked off.
func isPressing(left []plan.OrphanStep) bool {
	return slices.ContainsFunc(left, func(s plan.OrphanStep) bool {
		return s.Tombstone != nil && s.Verb != plan.ReportOrphan
	})
}

func join(unread error, failed []error) error { return errors.Join(append(failed, unread)...) }
