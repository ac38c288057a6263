package aiagentrole

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
)

// limitPeople takes those out of the wish whom the namespace may not name.
func limitPeople(ctx context.Context, look restraint.Look, want *desired.Role) error {
	if len(want.Members) == 0 {
		return nil
	}
	ceilings, err := look.Ceilings(ctx, want.Mark.Namespace)
	if err != nil {
		return err
	}
	allowed := want.Members[:0:0]
	for _, login := range want.Members {
		if ceilings.MayName(login) {
			allowed = append(allowed, login)
			continue
		}
		want.Refused = append(want.Refused, login)
	}
	want.Members = allowed
	return nil
}

// refusal says whom the namespace may not name; nil for nobody.
func refusal(want desired.Role) error {
	if len(want.Refused) == 0 {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: v1alpha1.ReasonCeilingExceeded,
		Message: fmt.Sprintf("a Ceiling does not let namespace %q name %s; take them out of spec.members.users. Everybody else is a member",
			want.Mark.Namespace, plan.SomeOf(want.Refused)),
	}
}

// letOut takes out of the group who is not to be in it any more. Until it is done the
// group goes on saying that the role decides on it.
func (c *Controller) letOut(ctx context.Context, want *desired.Role, roster identity.Roster) error {
	err := c.performPeople(identity.Urgently(ctx), *want, plan.People(*want, plan.PeopleSeen{Roster: roster}).Steps)
	if err != nil {
		want.Group.Managed = true
	}
	return err
}

// letIn makes the people members whom the role names, and reports on them.
func (c *Controller) letIn(ctx context.Context, role *v1alpha1.AIAgentRole, want desired.Role) (time.Duration, error) {
	if !want.Group.Managed {
		reportNobody(role)
		return 0, nil
	}
	seen, err := c.observePeople(ctx, want)
	if err != nil {
		return 0, err
	}
	todo := plan.People(want, seen)
	err = c.performPeople(ctx, want, todo.Steps)
	if len(todo.Steps) > 0 {
		var failed error
		if seen.Roster, failed = c.Directory.ObserveMembers(ctx, want.Mark, want.Group.Name); failed != nil {
			return 0, fmt.Errorf("observing who was let in: %w", failed)
		}
	}
	reportPeople(role, want, seen)
	again, failed := c.enroll(ctx, role, want, seen.Members)
	failed = cmp.Or(failed, c.guard(ctx, want, seen.Roster))
	switch {
	case err != nil:
		return 0, err
	case todo.More:
		return time.Second, &identity.Error{
			Kind: identity.Waiting, Reason: v1alpha1.ReasonProgressing, RetryAfter: time.Second,
			Message: "people are being let into the role's group; see status.members",
		}
	}
	if want.StartFactors {
		again = plan.Sooner(again, c.Directory.UnsettledPolicies())
	}
	return again, cmp.Or(failed, refusal(want), todo.Then)
}

// observePeople looks who is in the group, and for the others whom the role names.
func (c *Controller) observePeople(ctx context.Context, want desired.Role) (plan.PeopleSeen, error) {
	var seen plan.PeopleSeen
	var err error
	if seen.Roster, err = c.Directory.ObserveMembers(ctx, want.Mark, want.Group.Name); err != nil {
		return seen, fmt.Errorf("observing the members: %w", err)
	}
	members := map[string]bool{}
	for _, member := range seen.Members {
		members[strings.ToLower(member.Login)] = true
	}
	for _, login := range want.Members {
		if members[login] || len(seen.Others) > plan.AtOnce {
			continue
		}
		person, err := c.Directory.FindPerson(ctx, login)
		switch {
		case err != nil:
			return seen, fmt.Errorf("looking for a member: %w", err)
		case person == nil:
			seen.Unknown = append(seen.Unknown, login)
		default:
			seen.Others = append(seen.Others, *person)
		}
	}
	return seen, nil
}

func (c *Controller) performPeople(ctx context.Context, want desired.Role, steps []plan.PersonStep) error {
	log := ctrl.LoggerFrom(ctx)
	var refused error
	for _, step := range steps {
		change := c.Directory.AddMember
		if step.Verb == plan.RemoveMember {
			change = c.Directory.RemoveMember
		}
		err := change(ctx, want.Mark, want.Group.Name, step.Person)
		if kind := identity.KindOf(err); err != nil && (kind == identity.Rejected || kind == identity.Waiting) {
			// One person keeps no other out, nor in.
			refused = cmp.Or(refused, fmt.Errorf("%s: %w", step.Verb, err))
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", step.Verb, err)
		}
		log.Info("took a step", "step", step.Verb, "person", step.Person.ID)
	}
	return refused
}
