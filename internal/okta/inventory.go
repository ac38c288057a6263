package okta

import (
	"cmp"
	"context"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// OwnedClients implements identity.Inventory.
func (d *Directory) OwnedClients(ctx context.Context) ([]identity.ClientSeen, error) {
	all, err := d.clients.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	var owned []identity.ClientSeen
	for _, c := range all {
		if c.seen.Mark.Cluster == d.cluster {
			owned = append(owned, d.shown(c))
		}
	}
	slices.SortFunc(owned, func(a, b identity.ClientSeen) int { return cmp.Compare(a.ClientID, b.ClientID) })
	return owned, nil
}

// OwnedRoles implements identity.Inventory. Of a role that has only a grant left the
// mark is the one that stands there, whose name may have been cut short.
func (d *Directory) OwnedRoles(ctx context.Context) ([]identity.Mark, error) {
	groups, err := d.groups.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	// By the mark as a policy would carry it, so that both are one role.
	owned := map[identity.Mark]identity.Mark{}
	for _, g := range groups {
		if mark := g.mark(); mark.Cluster == d.cluster {
			owned[policyMark(mark)] = mark
		}
	}
	if _, found, err := d.own(ctx); err != nil || !found {
		return sortedMarks(owned), err
	}
	policies, err := d.policies.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, n := range policies {
		for _, p := range n {
			if _, known := owned[p.mark]; !known && p.mark.Cluster == d.cluster && p.mark.Kind == "AIAgentRole" {
				owned[p.mark] = p.mark
			}
		}
	}
	return sortedMarks(owned), nil
}

func sortedMarks(marks map[identity.Mark]identity.Mark) []identity.Mark {
	sorted := make([]identity.Mark, 0, len(marks))
	for _, mark := range marks {
		sorted = append(sorted, mark)
	}
	slices.SortFunc(sorted, func(a, b identity.Mark) int { return cmp.Compare(a.String(), b.String()) })
	return sorted
}
