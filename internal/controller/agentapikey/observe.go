package agentapikey

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
)

// scene is all that one reconciliation of a key knows.
type scene struct {
	want   desired.Key
	role   desired.Role
	seen   plan.KeySeen
	stored *keysecret.Stored
}

// observe looks at the role, at the directory and at the key's Secrets.
func (c *Controller) observe(ctx context.Context, key *v1alpha1.AgentAPIKey) (*scene, error) {
	role, err := reference.Resolve(ctx, c.Client, key)
	if err != nil {
		return nil, err
	}
	s := &scene{want: desired.KeyOf(key, c.Settings), role: desired.RoleOf(role, c.Settings)}
	s.seen.RoleRef = role.Namespace + "/" + role.Name
	s.seen.RoleReady = ready(role)
	s.seen.Permissions = s.role.PermissionNames()
	if s.seen.Role, err = c.Directory.ObserveRole(ctx, s.role.Mark, s.role.Group.Name); err != nil {
		return nil, fmt.Errorf("observing the role: %w", err)
	}
	if s.seen.Client, err = c.Directory.ObserveClient(ctx, s.want.ClientID, s.want.Hint()); err != nil {
		return nil, fmt.Errorf("observing the client: %w", err)
	}
	if s.stored, err = c.Secrets.Observe(ctx, key, s.want, s.document()); err != nil {
		return nil, err
	}
	s.seen.Staged, s.seen.Published = s.stored.Staged, s.stored.Published
	return s, nil
}

// document is what the published Secret should say beside the credential.
func (s *scene) document() keysecret.Document {
	doc := keysecret.Document{ClientID: s.want.ClientID, Permissions: s.seen.Permissions}
	if s.seen.Role.Server != nil {
		doc.Server = *s.seen.Role.Server
	}
	return doc
}

func ready(role *v1alpha1.AIAgentRole) bool {
	return role.Status.ObservedGeneration == role.Generation &&
		meta.IsStatusConditionTrue(role.Status.Conditions, v1alpha1.ConditionReady)
}
