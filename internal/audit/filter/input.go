package filter

import (
	"encoding/json"
	"sync"

	"github.com/google/cel-go/cel"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// Input is an event for any number of programs, on any number of goroutines: its JSON is
// read once, when the first program looks at it.
type Input struct {
	agent *Agent
	event func() map[string]any
}

// NewInput is the event as expressions see it.
func NewInput(e event.Event) *Input {
	in := &Input{agent: &Agent{}, event: sync.OnceValue(func() map[string]any {
		var members map[string]any
		if json.Unmarshal(e.Raw, &members) != nil {
			return map[string]any{}
		}
		return members
	})}
	if a := e.Agent; a != nil {
		*in.agent = Agent{
			Namespace: a.Namespace, Name: a.Name, UID: a.UID, Agent: a.Agent, ClientID: a.ClientID, Owners: a.Owners, Purpose: a.Purpose,
			Role: Role{Namespace: a.Role.Namespace, Name: a.Role.Name},
		}
	}
	return in
}

// ResolveName implements CEL's Activation.
func (in *Input) ResolveName(name string) (any, bool) {
	switch name {
	case "event":
		return in.event(), true
	case "agent":
		return in.agent, true
	default:
		return nil, false
	}
}

// Parent implements CEL's Activation.
func (in *Input) Parent() cel.Activation { return nil }

// Agent is the agent as expressions see it. Where no agent is concerned all of it is
// empty, so that agent.namespace == "shop" is simply false; has(agent.name) asks for one.
type Agent struct {
	Namespace string   `cel:"namespace"`
	Name      string   `cel:"name"`
	UID       string   `cel:"uid"`
	Agent     string   `cel:"agent"`
	ClientID  string   `cel:"clientID"`
	Owners    []string `cel:"owners"`
	Purpose   string   `cel:"purpose"`
	Role      Role     `cel:"role"`
}

// Role is the agent's role as expressions see it.
type Role struct {
	Namespace string `cel:"namespace"`
	Name      string `cel:"name"`
}
