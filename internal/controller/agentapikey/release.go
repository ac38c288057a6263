package agentapikey

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/brake"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// Release implements lifecycle.Kind: the client by the deletion policy, then the
// Secrets. A person may let a key go of which nobody can say what became of its client.
func (c *Controller) Release(ctx context.Context, key *v1alpha1.AgentAPIKey) (lifecycle.Outcome, error) {
	s := &scene{key: key, want: desired.KeyOf(key, c.Settings)}
	var err error
	if s.stored, err = c.Secrets.Observe(ctx, key, s.want); err != nil {
		return lifecycle.Outcome{}, err
	}
	s.seen.Staged, s.seen.Published = s.stored.Staged, s.stored.Published
	// Neither the brake nor a person who lets the key go keeps it out of quarantine.
	if err := c.cutOff(ctx, s); err != nil {
		return lifecycle.Outcome{}, c.held(s, err)
	}
	if key.Annotations[v1alpha1.AnnotationAbandon] == s.want.ClientID {
		return c.abandon(ctx, s)
	}
	if err := c.braked(ctx, key); err != nil {
		return lifecycle.Outcome{}, err
	}
	if err := c.observeClient(ctx, s); err != nil {
		return lifecycle.Outcome{}, c.held(s, err)
	}
	events, err := c.releaseSteps(ctx, s)
	return lifecycle.Outcome{Events: events}, c.held(s, err)
}

// braked holds a key back while many are being deleted.
func (c *Controller) braked(ctx context.Context, key *v1alpha1.AgentAPIKey) error {
	var keys v1alpha1.AgentAPIKeyList
	if err := c.Client.List(ctx, &keys, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("counting the keys that are being deleted: %w", err)
	}
	var terminating []string
	for i := range keys.Items {
		if !keys.Items[i].DeletionTimestamp.IsZero() {
			terminating = append(terminating, string(keys.Items[i].UID))
		}
	}
	confirmed := key.Annotations[v1alpha1.AnnotationConfirmDeletion] == key.Name
	this := brake.Key{Namespace: key.Namespace, Name: key.Name, UID: string(key.UID)}
	return c.Brake.Allow(c.Clock.Now(), this, confirmed, terminating)
}

// releaseSteps takes steps until the last, and tells what stays behind.
func (c *Controller) releaseSteps(ctx context.Context, s *scene) ([]lifecycle.Event, error) {
	var events []lifecycle.Event
	if seen := s.seen.Client; seen != nil && seen.Mark != s.want.Mark {
		events = append(events, leftBehind(*seen))
	}
	for range maxSteps {
		step := plan.Release(s.want, s.seen)
		err := c.take(ctx, s, step)
		if step.Verb == plan.ConfirmAbsence && identity.KindOf(err) == identity.Conflict {
			events = append(events, leftSomewhere(err))
			s.seen.Gone, err = true, nil
		}
		if err != nil {
			return events, err
		}
		if step.Verb == plan.DropSecrets {
			return append(events, stays(s)...), nil
		}
	}
	return events, errors.New("the steps of the release do not end")
}

// confirmGone makes sure that no client is left which nobody sees: one may have been
// registered, by whichever process, as soon as a credential was staged for it.
func (c *Controller) confirmGone(ctx context.Context, s *scene, _ plan.KeyStep) error {
	hint := s.hint()
	hint.Tried = s.stored.HasStaged()
	if err := c.Directory.ConfirmNoClient(ctx, s.want.ClientID, hint); err != nil {
		return err
	}
	s.seen.Gone = true
	return nil
}

func (c *Controller) delete(ctx context.Context, s *scene, _ plan.KeyStep) error {
	if err := c.Directory.DeleteClient(ctx, *s.seen.Client); err != nil {
		return err
	}
	s.seen.Client, s.seen.Gone = nil, true
	return nil
}

func (c *Controller) disown(ctx context.Context, s *scene, _ plan.KeyStep) error {
	if err := c.Directory.DisownClient(ctx, *s.seen.Client); err != nil {
		return err
	}
	s.retained, s.seen.Client, s.seen.Gone = s.seen.Client, nil, true
	return nil
}

// abandon lets go of a key while nobody can say what became of its client. What is
// left of it is written down for the sweeper first, unless it is to be left to people.
func (c *Controller) abandon(ctx context.Context, s *scene) (lifecycle.Outcome, error) {
	drop := c.Secrets.Delete
	if s.want.Deletion == desired.Retain {
		drop = c.Secrets.HandOver
	} else {
		err := c.Tombstones.Put(ctx, identity.Tombstone{
			Mark: s.want.Mark, ClientID: s.want.ClientID, AppID: s.hint().ID, Keep: s.want.Deletion == desired.Deactivate,
			Since: c.Clock.Now(), Why: "abandoned by the annotation " + v1alpha1.AnnotationAbandon,
		})
		if err != nil {
			return lifecycle.Outcome{}, err
		}
	}
	event := lifecycle.Event{
		Warning: true, Reason: "Abandoned", Action: "Release",
		Note: fmt.Sprintf("let the key go without knowing what became of client %s; unless deletionPolicy is Retain, "+
			"the operator looks for it when Okta answers again", s.want.ClientID),
	}
	return lifecycle.Outcome{Events: []lifecycle.Event{event}}, drop(ctx, s.stored)
}

// server is the authorization server, also of a key whose role is gone.
func (c *Controller) server(ctx context.Context, s *scene) (identity.Server, error) {
	if s.seen.Role.Server != nil {
		return *s.seen.Role.Server, nil
	}
	seen, err := c.Directory.ObserveRole(ctx, s.want.Mark, "")
	if err != nil || seen.Server == nil {
		return identity.Server{}, err
	}
	return *seen.Server, nil
}

// held adds to an error what it means for a key that is being deleted: what may still
// be alive, and how to let go of it.
func (c *Controller) held(s *scene, err error) error {
	e, ok := errors.AsType[*identity.Error](err)
	if !ok || e.Kind == identity.Waiting || e.Kind == identity.Throttled {
		return err
	}
	app := s.hint().ID
	if app == "" {
		app = "not known"
	}
	said := *e
	said.Message = fmt.Sprintf("%s. The key stays until it is certain that its client is dead (client id %s, app id %s), and goes by itself "+
		"when Okta answers again. To let it go without: kubectl annotate agentapikey -n %s %s %s=%s; "+
		"the operator then cleans up later, if it can", e.Message, s.want.ClientID, app,
		s.key.Namespace, s.key.Name, v1alpha1.AnnotationAbandon, s.want.ClientID)
	return &said
}
