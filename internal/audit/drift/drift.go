// Package drift tells which events of the log say that what an object has in the directory was
// changed, so that it need not be asked for again and again.
//
// It refuses to know who changed it, and what is done about it.
package drift

import (
	"slices"
	"strings"

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

// ofClients begin the types of events by which what a client is may have changed, in Okta's
// catalogue of 2026-06. An agent causes none of them by what it does itself.
func ofClients() []string {
	return []string{
		"application.lifecycle.", "application.configuration.update",
		"app.oauth2.client.lifecycle.", "app.oauth2.credentials.lifecycle.", "app.keys.",
	}
}

// Of tells what part of the object that the event concerns was changed. What an agent does
// itself, such as getting tokens, changes nothing.
func Of(e *event.Event) Part {
	if e.Operator || !e.Outcome.Succeeded() {
		return Nothing
	}
	if e.Agent != nil {
		if slices.ContainsFunc(ofClients(), func(beginning string) bool { return strings.HasPrefix(e.Type, beginning) }) {
			return Client
		}
		return Nothing
	}
	if e.Role == nil {
		return Nothing
	}
	switch event.Category(e.Type) {
	case v1alpha1.CategoryRoleAndGroup:
		return Group
	case v1alpha1.CategoryPolicy:
		return Grant
	default:
		return Nothing
	}
}
