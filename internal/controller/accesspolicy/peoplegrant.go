package accesspolicy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// grantPeople lets people who sign in to the apps obtain tokens with the permissions of
// their roles. Of apps that are no OAuth clients nobody obtains any.
func (c *Controller) grantPeople(
	ctx context.Context, policy *v1alpha1.AccessPolicy, apps []identity.App, groups map[types.NamespacedName]string,
) error {
	var clients []string
	for _, app := range apps {
		if app.ClientID != "" {
			clients = append(clients, app.ClientID)
		}
	}
	slices.Sort(clients)
	if len(clients) == 0 {
		return c.ungrantPeople(ctx, policy)
	}
	var roles []desired.PeopleOfRole
	var late error
	for _, ref := range policy.Spec.Conditional.RoleRefs {
		name := desired.RoleOfRef(ref, policy.Namespace)
		people, missing, err := c.peopleOf(ctx, policy, name, groups[name])
		if err != nil {
			return err
		}
		if missing {
			late = &identity.Error{
				Kind: identity.Waiting, Reason: v1alpha1.ReasonRoleNotReady, RetryAfter: 10 * time.Second,
				Message: fmt.Sprintf("AIAgentRole %s has permissions that Okta does not show yet; see its conditions", name),
			}
		}
		if len(people.Permissions) > 0 {
			roles = append(roles, people)
		}
	}
	if len(roles) == 0 {
		return cmp.Or(c.ungrantPeople(ctx, policy), late)
	}
	grant := desired.PeopleGrantOf(policy, c.Settings, clients, roles)
	ceilings, err := c.Restraints.Ceilings(ctx, policy.Namespace)
	if err != nil {
		return err
	}
	if longest := ceilings.MaxTokenLifetime(); longest > 0 {
		grant.TokenLifetime = min(grant.TokenLifetime, longest)
	}
	if err := c.Directory.PutPeopleGrant(ctx, grant); err != nil {
		return fmt.Errorf("granting people the permissions of their roles: %w", err)
	}
	return late
}

// ungrantPeople takes away what people are granted by the policy.
func (c *Controller) ungrantPeople(ctx context.Context, policy *v1alpha1.AccessPolicy) error {
	mark := desired.PolicyMark(policy, c.Settings.Cluster)
	if err := c.Directory.DeletePeopleGrant(ctx, mark, desired.PeopleGrantName(mark)); err != nil {
		return fmt.Errorf("deleting what people are granted: %w", err)
	}
	return nil
}

// peopleOf tells who has the role and what it permits, as far as Okta has its scopes and
// the ceilings over it and over the policy allow it; and whether Okta lacks a scope.
func (c *Controller) peopleOf(
	ctx context.Context, policy *v1alpha1.AccessPolicy, name types.NamespacedName, group string,
) (people desired.PeopleOfRole, missing bool, err error) {
	people = desired.PeopleOfRole{Name: strings.TrimPrefix(name.String(), policy.Namespace+"/"), Group: group}
	role, err := c.role(ctx, policy, name)
	if err != nil {
		return people, false, err
	}
	want := desired.RoleOf(role, c.Settings)
	seen, err := c.Directory.ObserveRole(ctx, want.Mark, want.Group.Name)
	if err != nil {
		return people, false, fmt.Errorf("observing AIAgentRole %s: %w", name, err)
	}
	people.Permissions = slices.DeleteFunc(want.PermissionNames(), func(name string) bool {
		_, there := seen.Permissions[name]
		missing = missing || !there
		return !there
	})
	for _, namespace := range []string{role.Namespace, policy.Namespace} {
		ceilings, err := c.Restraints.Ceilings(ctx, namespace)
		if err != nil {
			return people, false, err
		}
		people.Permissions = ceilings.Permitted(people.Permissions)
	}
	roster, err := c.Directory.ObserveMembers(ctx, want.Mark, want.Group.Name)
	if err != nil {
		return people, false, fmt.Errorf("observing the members of AIAgentRole %s: %w", name, err)
	}
	for _, member := range roster.Members {
		people.Members = append(people.Members, member.ID)
	}
	return people, missing, nil
}
