package agentapikey

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/keysecret"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
	"github.com/agentidentity/agent-identity-operator/internal/workload"
)

// Restarter restarts workloads that read a Secret only when they start.
type Restarter interface {
	Restart(
		ctx context.Context, namespace string, target v1alpha1.RestartTarget, secrets []workload.Secret, now time.Time,
	) (workload.Outcome, error)
}

// Pods knows the running pods.
type Pods interface {
	// Holders names the pods that still have the Secret as it was before it changed.
	Holders(ctx context.Context, namespace string, use workload.Use, now time.Time) ([]string, error)
}

func (c *Controller) countPods(ctx context.Context, s *scene, _ plan.KeyStep) error {
	use := workload.Use{SecretName: s.want.SecretName, Changed: s.seen.Published.Since, Targets: s.key.Spec.RestartTargets}
	var err error
	s.seen.Holders, err = c.Pods.Holders(ctx, s.key.Namespace, use, c.Clock.Now())
	s.seen.PodsCounted = err == nil
	return err
}

// restart sees to the workloads that the key names, and gives when to look again. A
// workload that cannot be restarted holds up nothing; it is told as a condition.
func (c *Controller) restart(ctx context.Context, s *scene) ([]lifecycle.Event, time.Duration, error) {
	var events []lifecycle.Event
	var again time.Duration
	var pending []string
	for _, target := range s.key.Spec.RestartTargets {
		secrets, err := c.secretsOf(ctx, s, target)
		if err != nil {
			return events, again, err
		}
		outcome, err := c.Restarter.Restart(ctx, s.key.Namespace, target, secrets, c.Clock.Now())
		if err != nil {
			return events, again, err
		}
		switch {
		case outcome.State == workload.Restarted:
			events = append(events, lifecycle.Event{Reason: "Restarted", Action: "Restart", Note: outcome.Message})
		case outcome.State == workload.RestartWaiting:
			again = plan.Sooner(again, outcome.Again)
		case outcome.Pending():
			pending = append(pending, outcome.Message)
			again = plan.Sooner(again, outcome.Again)
		}
		if outcome.Cause != nil {
			ctrl.LoggerFrom(ctx).Error(outcome.Cause, "a workload is not restarted", "kind", target.Kind, "name", target.Name)
		}
	}
	s.restarts = strings.Join(pending, "; ")
	return events, again, nil
}

// secretsOf are the Secrets of all keys of the namespace that name the workload, as far
// as they are published: for one that is not there yet nothing has to be restarted.
func (c *Controller) secretsOf(ctx context.Context, s *scene, target v1alpha1.RestartTarget) ([]workload.Secret, error) {
	var keys v1alpha1.AgentAPIKeyList
	err := c.Client.List(ctx, &keys, client.InNamespace(s.key.Namespace),
		client.MatchingFields{workload.KeysByTarget: workload.TargetIndex(target)})
	if err != nil {
		return nil, fmt.Errorf("listing the keys that name %s %s: %w", target.Kind, target.Name, err)
	}
	var secrets []workload.Secret
	if s.stored.Edition().Revision > 0 {
		secrets = append(secrets, secretOf(s.want.SecretName, s.stored))
	}
	for i := range keys.Items {
		other := &keys.Items[i]
		if other.UID == s.key.UID {
			continue
		}
		want := desired.KeyOf(other, c.Settings)
		stored, err := c.Secrets.Observe(ctx, other, want)
		if err != nil {
			return nil, err
		}
		if stored.Edition().Revision > 0 {
			secrets = append(secrets, secretOf(want.SecretName, stored))
		}
	}
	return secrets, nil
}

func secretOf(name string, stored *keysecret.Stored) workload.Secret {
	edition := stored.Edition()
	return workload.Secret{
		Name: name, Revision: strconv.Itoa(edition.Revision), Changed: edition.Changed, Rotating: edition.Rotating,
	}
}
