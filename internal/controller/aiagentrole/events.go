package aiagentrole

import (
	"fmt"

	"github.com/agentidentity/agent-identity-operator/internal/lifecycle"
	"github.com/agentidentity/agent-identity-operator/internal/plan"
)

// happened tells the steps that people want to hear of. A policy that was written
// for new keys is told by the keys themselves.
func happened(steps []plan.RoleStep) []lifecycle.Event {
	var events []lifecycle.Event
	for _, step := range steps {
		switch step.Verb {
		case plan.PutGroup:
			events = append(events, lifecycle.Event{
				Reason: "GroupWritten", Action: "Write", Note: fmt.Sprintf("wrote group %q in Okta: %s", step.Group.Name, step.Reason),
			})
		case plan.DeleteGrant:
			events = append(events, lifecycle.Event{
				Reason: "GrantDeleted", Action: "Delete", Note: "deleted the access policy in Okta: " + step.Reason,
			})
		}
	}
	return events
}

// leftBehind tells what stays in Okta when the role goes.
func leftBehind(what string, err error) lifecycle.Event {
	return lifecycle.Event{
		Warning: true, Reason: "LeftBehind", Action: "Release",
		Note: fmt.Sprintf("deleted no %s in Okta: %v", what, err),
	}
}
