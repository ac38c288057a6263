// Package drift tells which events of the log say that what an object has in the directory was
// changed, so that it need not be asked for again and again.
//
// It refuses to know who changed it, and what is done about it.
package drift

import (
	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// Part is what was changed.
type Part string

// The parts.
const (
	// Nothing: the event tells of no change of what an object has.
	Nothing Part = ""
	// Client is an agent's client, with its credentials.
	Client Part = "Client"
	// Group is a role's group, with who is in it.
	Group Part = "Group"
	// Grant is a role's access policy.
	Grant Part = "Grant"
)

// secretRead changes nothing.
const secretRead = "app.oauth2.client.read_client_secret" //nolint:gosec // the name of an event

// Of tells what part of the object that the event concerns was changed. What an agent does
// itself, such as getting tokens, changes nothing.
func Of(e *event.Event) Part {
	if e.Operator || !e.Outcome.Succeeded() || e.Type == secretRead {
		return Nothing
	}
	category := event.Category(e.Type)
	switch {
	case e.Agent != nil && category == v1alpha1.CategoryClient:
		return Client
	case e.Agent != nil || e.Role == nil:
		return Nothing
	case category == v1alpha1.CategoryRoleAndGroup:
		return Group
	case category == v1alpha1.CategoryPolicy:
		return Grant
	}
	return Nothing
}
