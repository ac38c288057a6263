package agentapikey

import (
	"context"
	"errors"
	"fmt"
	"slices"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// deed takes a step and brings the scene up to date.
type deed func(context.Context, *scene, plan.KeyStep) error

// take takes one step.
func (c *Controller) take(ctx context.Context, s *scene, step plan.KeyStep) error {
	do, known := c.deeds()[step.Verb]
	if !known {
		return fmt.Errorf("unknown step %q", step.Verb)
	}
	if err := do(ctx, s, step); err != nil {
		return fmt.Errorf("%s: %w", step.Verb, err)
	}
	ctrl.LoggerFrom(ctx).Info("took a step", "step", step.Verb, "because", step.Reason)
	s.compare()
	return nil
}

// deeds are what the steps of the plan mean.
func (c *Controller) deeds() map[plan.KeyVerb]deed {
	return map[plan.KeyVerb]deed{
		// in Secrets
		plan.Inherit: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.Inherit(ctx, s.stored, s.document())
		},
		plan.Restage: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.Restage(ctx, s.stored, s.seen.Client.Registered)
		},
		plan.Forget: func(ctx context.Context, s *scene, _ plan.KeyStep) error { return c.Secrets.Forget(ctx, s.stored) },
		plan.Blank:  func(ctx context.Context, s *scene, _ plan.KeyStep) error { return c.Secrets.Blank(ctx, s.stored) },
		plan.Mint:   c.mint,
		plan.NoteClient: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.NoteClient(ctx, s.stored, s.seen.Client.ID)
		},
		plan.NoteSuspension: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.NoteSuspension(ctx, s.stored, true)
		},
		plan.NoteResumption: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.NoteSuspension(ctx, s.stored, false)
		},
		plan.NoteQuarantine: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.NoteQuarantine(ctx, s.stored, plan.Endangered(s.seen))
		},
		plan.NoteCleansing: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.NoteCleansing(ctx, s.stored)
		},
		plan.Withdraw: func(ctx context.Context, s *scene, _ plan.KeyStep) error { return c.Secrets.Delete(ctx, s.stored) },
		plan.Publish: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.Publish(ctx, s.stored, s.document(), c.Clock.Now())
		},
		plan.PublishOld: func(ctx context.Context, s *scene, _ plan.KeyStep) error {
			return c.Secrets.PublishOld(ctx, s.stored, s.document(), c.Clock.Now())
		},
		plan.CountPods: c.countPods,
		// in the directory
		plan.Register:       c.register,
		plan.Adopt:          c.clientDeed(c.adopt),
		plan.Update:         c.clientDeed(c.update),
		plan.Add:            c.clientDeed(c.add),
		plan.Activate:       c.clientDeed(c.activate),
		plan.Deactivate:     c.clientDeed(c.deactivate),
		plan.Retire:         c.retire,
		plan.Probe:          c.probe,
		plan.Obtain:         c.obtain,
		plan.Revoke:         c.revoke,
		plan.ConfirmAbsence: c.confirmGone,
		plan.Delete:         c.delete,
		plan.Disown:         c.disown,
		plan.DropSecrets:    func(ctx context.Context, s *scene, _ plan.KeyStep) error { return c.Secrets.Delete(ctx, s.stored) },
		plan.HandOver:       func(ctx context.Context, s *scene, _ plan.KeyStep) error { return c.Secrets.HandOver(ctx, s.stored) },
	}
}

func (c *Controller) mint(ctx context.Context, s *scene, _ plan.KeyStep) error {
	previous, retiring := plan.AfterMint(s.seen)
	s.seen.Retired = nil
	if err := c.Secrets.Mint(ctx, s.stored, c.Clock.Now(), previous, retiring); err != nil {
		return err
	}
	s.seen.Minted = true
	return nil
}

// register tells the directory and looks at once at what it made: that is in the
// snapshot and costs no call, and the status can name it.
func (c *Controller) register(ctx context.Context, s *scene, _ plan.KeyStep) error {
	if err := lifecycle.StillWanted(ctx, c.Live, "AgentAPIKey", s.key); err != nil {
		return err
	}
	if err := c.Directory.RegisterClient(ctx, s.want.Registration(s.stored.Credential())); err != nil {
		return err
	}
	return c.observeClient(ctx, s)
}

// clientDeed does something to the client and looks at it again, which costs no call.
func (c *Controller) clientDeed(do func(context.Context, *scene) error) deed {
	return func(ctx context.Context, s *scene, _ plan.KeyStep) error {
		if err := do(ctx, s); err != nil {
			return err
		}
		return c.observeClient(ctx, s)
	}
}

func (c *Controller) adopt(ctx context.Context, s *scene) error {
	if err := lifecycle.StillWanted(ctx, c.Live, "AgentAPIKey", s.key); err != nil {
		return err
	}
	return c.Directory.AdoptClient(ctx, *s.seen.Client, s.want.Registration(identity.Credential{}))
}

// update names the newest credential only once the client takes it.
func (c *Controller) update(ctx context.Context, s *scene) error {
	return c.Directory.UpdateClient(ctx, *s.seen.Client, s.want.Registration(identity.Credential{KeyID: plan.Named(s.seen)}))
}

// add leaves it to the plan to make room in a client that is full.
func (c *Controller) add(ctx context.Context, s *scene) error {
	if err := lifecycle.StillWanted(ctx, c.Live, "AgentAPIKey", s.key); err != nil {
		return err
	}
	err := c.addTo(ctx, s, *s.seen.Client)
	if full(err) && s.seen.Full == nil {
		s.seen.Full = err
		return nil
	}
	if err == nil {
		s.seen.Full = nil
		s.seen.Added = s.stored.Credential().KeyID
	}
	return err
}

// addTo adds the key and names it by one write, where that can be: to a client that is ours and
// has a key already.
func (c *Controller) addTo(ctx context.Context, s *scene, client identity.ClientSeen) error {
	credential := s.stored.Credential()
	if client.Mark != s.want.Mark || client.Method != identity.PrivateKeyJWT || len(client.PublicKeyIDs) == 0 {
		return c.Directory.AddCredential(ctx, client, credential)
	}
	return c.Directory.UpdateClient(ctx, client, s.want.Registration(credential))
}

// full tells that a client has room for no further credential.
func full(err error) bool {
	e, ok := errors.AsType[*identity.Error](err)
	return ok && e.Reason == identity.ReasonCredentialLimit
}

func (c *Controller) activate(ctx context.Context, s *scene) error {
	return c.Directory.ActivateClient(ctx, *s.seen.Client)
}

func (c *Controller) deactivate(ctx context.Context, s *scene) error {
	return c.Directory.DeactivateClient(ctx, *s.seen.Client)
}

func (c *Controller) retire(ctx context.Context, s *scene, step plan.KeyStep) error {
	if err := c.Directory.RemoveCredential(ctx, *s.seen.Client, step.KeyID); err != nil {
		return err
	}
	s.seen.Retired = append(s.seen.Retired, step.KeyID)
	s.seen.Full = nil
	return c.observeClient(ctx, s)
}

// credential is the newest one, as tokens are asked for with it.
func (s *scene) credential() identity.Credential {
	credential := s.stored.Credential()
	credential.Bound = s.want.Conditions.Bound
	return credential
}

func (c *Controller) probe(ctx context.Context, s *scene, _ plan.KeyStep) error {
	credential := s.credential()
	err := c.Directory.Probe(ctx, s.document().Server, s.want.ClientID, credential, s.seen.Permissions)
	if err == nil {
		s.seen.Probed = credential.KeyID
	}
	return err
}

func (c *Controller) obtain(ctx context.Context, s *scene, _ plan.KeyStep) error {
	token, err := c.Directory.ObtainToken(ctx, s.document().Server, s.want.ClientID, s.credential(), s.seen.Permissions)
	if err != nil {
		return err
	}
	return c.Secrets.KeepToken(ctx, s.stored, token, slices.Clone(s.seen.Permissions))
}

func (c *Controller) revoke(ctx context.Context, s *scene, _ plan.KeyStep) error {
	server, err := c.server(ctx, s)
	if err != nil {
		return err
	}
	for _, token := range s.stored.Tokens() {
		err := c.Directory.RevokeToken(ctx, server, s.want.ClientID, s.stored.Credential(), token)
		if e, ok := errors.AsType[*identity.Error](err); ok && e.Reason == identity.ReasonTokenRefused {
			// The client cannot ask for it any more, and access must end all the same.
			s.unrevoked = e.Message
			continue
		}
		if err != nil {
			return err
		}
	}
	s.seen.Revoked = true
	return nil
}
