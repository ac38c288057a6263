package agentapikey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/reference"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// scene is all that one reconciliation of a key knows. Every step brings it up to date.
type scene struct {
	key    *v1alpha1.AgentAPIKey
	want   desired.Key
	seen   plan.KeySeen
	stored *keysecret.Stored
	// retained is the client that the deletion policy leaves to people.
	retained *identity.ClientSeen
	// unrevoked says why an access token could not be revoked; "" when all were.
	unrevoked string
	// restarts says which workloads are not restarted yet.
	restarts string
}

// observeOwn looks at the key's Secrets and at its client.
func (c *Controller) observeOwn(ctx context.Context, key *v1alpha1.AgentAPIKey) (*scene, error) {
	s := &scene{key: key, want: desired.KeyOf(key, c.Settings)}
	if s.want.Invalid == nil {
		s.want.Invalid = keysecret.Check(s.want)
	}
	var err error
	if s.stored, err = c.Secrets.Observe(ctx, key, s.want); err != nil {
		return nil, err
	}
	s.seen.Staged, s.seen.Published, s.seen.Reported = s.stored.Staged, s.stored.Published, key.Status.KeyID
	if s.seen.Quarantine, err = c.quarantine(ctx, key, len(s.seen.Staged.Quarantined) > 0); err != nil {
		return nil, err
	}
	return s, c.observeClient(c.hurried(ctx, s), s)
}

// observeRest looks at the role, and at what administrators allow.
func (c *Controller) observeRest(ctx context.Context, s *scene) error {
	if err := c.observeRole(ctx, s); err != nil {
		return err
	}
	ceilings, err := c.Restraints.Ceilings(ctx, s.key.Namespace)
	if err == nil {
		s.seen.Exceeds = ceilings.Excess(restraint.AskedBy(s.key, s.seen.Permissions))
	}
	s.compare()
	return err
}

func (c *Controller) observeClient(ctx context.Context, s *scene) error {
	var err error
	if s.seen.Client, err = c.Directory.ObserveClient(ctx, s.want.ClientID, s.hint()); err != nil {
		return fmt.Errorf("observing the client: %w", err)
	}
	if s.want.Adopt && s.seen.Client != nil && s.seen.Client.Mark != s.want.Mark {
		s.seen.OwnerLives, err = c.lives(ctx, s.seen.Client.Mark)
	}
	return err
}

// hint is what the client may be found by.
func (s *scene) hint() identity.ClientHint {
	return s.want.Hint(cmp.Or(s.stored.AppID(), s.key.Status.AppID))
}

// lives tells whether the AgentAPIKey that a mark of our cluster names exists.
func (c *Controller) lives(ctx context.Context, mark identity.Mark) (bool, error) {
	if mark.Cluster != c.Settings.Cluster {
		return false, nil
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("AgentAPIKey"))
	err := c.Live.Get(ctx, types.NamespacedName{Namespace: mark.Namespace, Name: mark.Name}, live)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("looking for AgentAPIKey %s/%s: %w", mark.Namespace, mark.Name, err)
	}
	return !apierrors.IsNotFound(err) && string(live.UID) == mark.UID, nil
}

// observeRole leaves it to the plan what it means that there is no role.
func (c *Controller) observeRole(ctx context.Context, s *scene) error {
	role, err := reference.Resolve(ctx, c.Client, s.key)
	if e, ok := errors.AsType[*identity.Error](err); ok {
		s.seen.RoleMissing = e
		if s.seen.Client != nil {
			s.want.Conditions = s.seen.Client.Conditions
		}
		return nil
	}
	if err != nil {
		return err
	}
	want := desired.RoleOf(role, c.Settings)
	s.seen.RoleRef = role.Namespace + "/" + role.Name
	s.seen.RoleReady = reference.RoleStands(role)
	s.seen.Permissions = want.PermissionNames()
	if s.seen.Role, err = c.Directory.ObserveRole(ctx, want.Mark, want.Group.Name); err != nil {
		return fmt.Errorf("observing the role: %w", err)
	}
	return c.observeConditions(ctx, s, client.ObjectKeyFromObject(role))
}

// observeConditions looks from where and how the agents of the role may get tokens. While
// that is not known, a client that is there stays as it is.
func (c *Controller) observeConditions(ctx context.Context, s *scene, role client.ObjectKey) error {
	agents, err := c.Restraints.Agents(ctx, role)
	if err != nil {
		return err
	}
	if grant := s.seen.Role.Grant; grant != nil && grant.TokenLifetime > 0 {
		s.want.TokenLifetime = grant.TokenLifetime
	}
	s.want.Conditions.Bound = agents.Bound
	if agents.Bound && s.want.DeliversToken {
		s.seen.Unfit = "spec.delivery is AccessToken, and an AccessPolicy asks that tokens be bound to a key which the agent " +
			"proves to hold: create a key with delivery PrivateKeyJWT, or change the policy"
	}
	if agents.Zones != nil {
		s.want.Conditions.FromZones, s.seen.Unconditioned = c.zones(ctx, role, agents.Zones.Allow)
		if s.seen.Unconditioned == nil {
			s.want.Conditions.NotFromZones, s.seen.Unconditioned = c.zones(ctx, role, agents.Zones.Deny)
		}
	}
	if s.seen.Unconditioned != nil && s.seen.Client != nil {
		s.want.Conditions = s.seen.Client.Conditions
	}
	return nil
}

// zones gives the ids of network zones, sorted.
func (c *Controller) zones(ctx context.Context, role client.ObjectKey, names []v1alpha1.NetworkZoneName) ([]string, error) {
	var ids []string
	for _, name := range names {
		id, err := c.Directory.FindZone(ctx, string(name))
		if err != nil {
			return nil, fmt.Errorf("looking for network zone %q: %w", name, err)
		}
		if id == "" {
			return nil, &identity.Error{
				Kind: identity.Waiting, Reason: v1alpha1.ReasonNetworkZoneNotFound, RetryAfter: time.Minute,
				Message: fmt.Sprintf("there is no active network zone %q in Okta, which an AccessPolicy names for the agents of AIAgentRole %s; "+
					"create or activate it there, or mend the policy", name, role),
			}
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// compare brings what is seen of the Secrets up to date.
func (s *scene) compare() {
	s.stored.Compare(s.document())
	s.seen.Staged, s.seen.Published = s.stored.Staged, s.stored.Published
}

// document is what the published Secret should say beside the credential.
func (s *scene) document() keysecret.Document {
	doc := keysecret.Document{ClientID: s.want.ClientID, Permissions: s.seen.Permissions}
	if s.seen.Client != nil {
		doc.AppID = s.seen.Client.ID
	}
	if s.seen.Role.Server != nil {
		doc.Server = *s.seen.Role.Server
	}
	return doc
}
