package aiagentrole

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// How soon people are looked at again who have something to do, and who have nothing.
const (
	pendingAgain  = 5 * time.Minute
	enrolledAgain = time.Hour
)

// enroll looks which factors the members have, and starts the enrolment of those they lack
// where the role wants that. It says when to look again. The rate limit is no reason to
// call the role not Ready: what is known of people is some minutes old anyway.
func (c *Controller) enroll(
	ctx context.Context, role *v1alpha1.AIAgentRole, want desired.Role, people []identity.Person,
) (time.Duration, error) {
	if len(want.Factors) == 0 {
		forgetFactors(role)
		return 0, nil
	}
	members, err := c.observeFactors(ctx, people)
	if err != nil {
		return waitOut(err)
	}
	if err := c.phones(ctx, role, want, members); err != nil {
		return 0, err
	}
	steps, again := plan.Factors(want, members, c.Clock.Now())
	if err := c.startFactors(ctx, role, members, steps); err != nil {
		return waitOut(err)
	}
	if len(steps) > 0 {
		refused := members
		if members, err = c.observeFactors(ctx, people); err != nil {
			return waitOut(err)
		}
		for i := range members {
			members[i].Refused, members[i].Phone = refused[i].Refused, refused[i].Phone
		}
	}
	missing := plan.MissingFactors(want, members)
	c.reportFactors(role, want, members, missing)
	if missing != "" {
		return plan.Sooner(again, pendingAgain), nil
	}
	return enrolledAgain, nil
}

func (c *Controller) observeFactors(ctx context.Context, people []identity.Person) ([]plan.MemberFactors, error) {
	members := make([]plan.MemberFactors, 0, len(people))
	for _, person := range people {
		seen, err := c.Directory.ObserveFactors(ctx, person)
		if err != nil {
			return nil, fmt.Errorf("observing the factors of a member: %w", err)
		}
		members = append(members, plan.MemberFactors{Person: person, Seen: seen, Refused: map[identity.FactorKind]error{}})
	}
	return members, nil
}

// startFactors notes what is refused for a person, and goes on with the others.
func (c *Controller) startFactors(
	ctx context.Context, role *v1alpha1.AIAgentRole, members []plan.MemberFactors, steps []plan.FactorStep,
) error {
	for _, step := range steps {
		err := c.Directory.StartFactor(ctx, step.Person, step.Kind, step.Phone)
		if e, ok := errors.AsType[*identity.Error](err); ok && e.Kind == identity.Rejected && e.Reason != identity.ReasonPermissionDenied {
			for i := range members {
				if members[i].Person.ID == step.Person.ID {
					members[i].Refused[step.Kind] = errors.New(e.Message + elsewhere(role, step.Person, e))
				}
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("starting to enroll %s: %w", step.Kind, err)
		}
		ctrl.LoggerFrom(ctx).Info("took a step", "step", "StartFactor", "factor", step.Kind, "person", step.Person.ID, "because", step.Reason)
	}
	return nil
}

// guard has Okta ask the members for the factors before they get in anywhere. The group
// has said before that it does.
func (c *Controller) guard(ctx context.Context, want desired.Role, roster identity.Roster) error {
	if !want.StartFactors || !roster.Enrolling {
		return nil
	}
	if _, err := c.Directory.PutEnrollment(ctx, want.Enrollment(roster.GroupID)); err != nil {
		return fmt.Errorf("writing the enrolment policy: %w", err)
	}
	return nil
}

// unguard ends that. Until it has ended, the group goes on saying that it may be so.
func (c *Controller) unguard(ctx context.Context, want *desired.Role, roster identity.Roster) error {
	if want.StartFactors || !roster.Enrolling {
		return nil
	}
	err := c.Directory.DeleteEnrollment(ctx, want.Mark, want.Enrollment("").Name)
	if err != nil {
		want.Group.Enrolling = true
		return fmt.Errorf("deleting the enrolment policy: %w", err)
	}
	return nil
}

// unguarded does so for a role that is being deleted.
func (c *Controller) unguarded(ctx context.Context, want *desired.Role) error {
	roster, err := c.Directory.ObserveMembers(ctx, want.Mark, want.Group.Name)
	if err != nil {
		return fmt.Errorf("observing the members: %w", err)
	}
	want.StartFactors = false
	return c.unguard(ctx, want, roster)
}

// waitOut makes the rate limit a wait.
func waitOut(err error) (time.Duration, error) {
	if e, ok := errors.AsType[*identity.Error](err); ok && e.Kind == identity.Throttled {
		return max(e.RetryAfter, time.Second), nil
	}
	return 0, err
}
