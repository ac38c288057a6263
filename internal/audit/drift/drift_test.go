package drift

import (
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

func TestOf(t *testing.T) {
	agent, role := &event.Agent{Role: event.Object{Name: "chat"}}, &event.Object{Name: "chat"}
	for name, test := range map[string]struct {
		reason string
		e      event.Event
		want   Part
	}{
		"app":        {"the client's settings", event.Event{Type: "application.lifecycle.update", Agent: agent, Role: role}, Client},
		"switch":     {"whether it gets tokens", event.Event{Type: "application.lifecycle.deactivate", Agent: agent, Role: role}, Client},
		"credential": {"what it authenticates with", event.Event{Type: "app.oauth2.credentials.lifecycle.create", Agent: agent, Role: role}, Client},
		"read":       {"reading changes nothing", event.Event{Type: "app.oauth2.client.read_client_secret", Agent: agent, Role: role}, Nothing},
		"warned":     {"an agent that asks too often is warned, and has changed nothing", event.Event{Type: "app.oauth2.client_id_rate_limit_warning", Agent: agent, Role: role}, Nothing},
		"keys":       {"its keys", event.Event{Type: "app.keys.rotate", Agent: agent, Role: role}, Client},
		"token":      {"nor does what an agent is for", event.Event{Type: "app.oauth2.as.token.grant.access_token", Agent: agent, Role: role}, Nothing},
		"refused":    {"nor what was not done", event.Event{Type: "application.lifecycle.update", Agent: agent, Outcome: event.Outcome{Result: "FAILURE"}}, Nothing},
		"own":        {"nor what the operator tells of itself", event.Event{Type: "agentidentity.x", Agent: agent, Operator: true}, Nothing},
		"group":      {"a role's group", event.Event{Type: "group.profile.update", Role: role}, Group},
		"member":     {"who is in it", event.Event{Type: "group.user_membership.add", Role: role}, Group},
		"policy":     {"a role's access policy", event.Event{Type: "policy.lifecycle.update", Role: role}, Grant},
		"rule":       {"its rule", event.Event{Type: "policy.rule.update", Role: role}, Grant},
		"nobody's":   {"what belongs to no object", event.Event{Type: "application.lifecycle.update"}, Nothing},
		"sign-in":    {"a person of a role signs in", event.Event{Type: "user.session.start", Role: role}, Nothing},
	} {
		t.Run(name, func(t *testing.T) {
			if test.e.Outcome.Result == "" {
				test.e.Outcome.Result = "SUCCESS"
			}
			if got := Of(&test.e); got != test.want {
				t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
			}
		})
	}
}
