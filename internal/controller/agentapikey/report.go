package agentapikey

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// report fills the status, but the conditions that all kinds have, from what was seen last.
func (c *Controller) report(s *scene, next plan.KeyNext) lifecycle.Outcome {
	now := c.Clock.Now()
	status := &s.key.Status
	if client := s.seen.Client; client != nil {
		status.ClientID, status.AppID = client.ClientID, client.ID
	}
	status.RetiringKeyIDs = plan.Retiring(s.seen)
	status.CredentialCreatedAt = timeOf(s.seen.Staged.Created)
	status.RotateRequest = s.seen.Staged.Request
	status.NextRotationAt = nil
	if next.Err == nil {
		status.KeyID, status.Scopes = s.seen.Staged.Newest, slices.Clone(s.seen.Permissions)
		if at, ok := plan.AnnouncedRotation(s.want, s.seen.Staged, now); ok {
			status.NextRotationAt = timeOf(at)
		}
	}
	return lifecycle.Outcome{Message: message(s), Events: c.warn(s, now)}
}

// warning is a condition that tells people what to look into.
type warning struct{ kind, reason, message string }

// warn sets the conditions that are only there while they are true, and tells as an
// event that one has come to be.
func (c *Controller) warn(s *scene, now time.Time) []lifecycle.Event {
	var events []lifecycle.Event
	conditions := &s.key.Status.Conditions
	for _, w := range warnings(s, now) {
		if w.message == "" {
			meta.RemoveStatusCondition(conditions, w.kind)
			continue
		}
		if !meta.IsStatusConditionTrue(*conditions, w.kind) {
			events = append(events, lifecycle.Event{Warning: true, Reason: w.reason, Action: "Warn", Note: w.message})
		}
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: w.kind, Status: metav1.ConditionTrue, Reason: w.reason, Message: w.message,
			ObservedGeneration: s.key.Generation, LastTransitionTime: metav1.NewTime(now),
		})
	}
	return events
}

func warnings(s *scene, now time.Time) []warning {
	return []warning{
		{v1alpha1.ConditionExpiring, "ExpiresSoon", plan.Expiring(s.want, now)},
		{v1alpha1.ConditionForeignCredential, "AddedBySomebodyElse", foreign(s)},
		{v1alpha1.ConditionOldCredentialInUse, "PodsNotRestarted", holding(s)},
		{v1alpha1.ConditionRestartPending, "NotRestarted", s.restarts},
	}
}

func foreign(s *scene) string {
	names := plan.ForeignCredentials(s.want, s.seen)
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("app %s takes credentials that are not this key's: %s; whoever has one can act as the agent, "+
		"so deactivate and delete it in Okta unless you know whose it is", s.seen.Client.ID, strings.Join(names, ", "))
}

func holding(s *scene) string {
	if len(s.seen.Holders) == 0 || len(plan.Retiring(s.seen)) == 0 {
		return ""
	}
	const most = 10
	names, more := s.seen.Holders, ""
	if len(names) > most {
		names, more = names[:most], " and others"
	}
	return fmt.Sprintf("pods that run with an earlier credential: %s%s; restart them: it ends by spec.rotation.maxOverlap at the latest",
		strings.Join(names, ", "), more)
}

func timeOf(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := metav1.NewTime(t)
	return &at
}

func message(s *scene) string {
	return fmt.Sprintf("Secret %q holds a credential with the permissions of AIAgentRole %s", s.want.SecretName, s.seen.RoleRef)
}
