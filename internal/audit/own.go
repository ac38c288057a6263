package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TypeCall is the type of an event about a call to the directory that was to change something.
const TypeCall = "agentidentity.directory.call"

// operator is what the operator calls itself.
const operator = "agent-identity-operator"

// own is an event of the operator's own, in the shape of Okta's, so that what reads the one
// can read the other.
type own struct {
	UUID         string        `json:"uuid"`
	Published    string        `json:"published"`
	EventType    string        `json:"eventType"`
	Severity     string        `json:"severity"`
	Message      string        `json:"displayMessage"`
	Actor        ownParty      `json:"actor"`
	Outcome      event.Outcome `json:"outcome"`
	Target       []ownParty    `json:"target,omitempty"`
	DebugContext ownContext    `json:"debugContext"`
}

type ownParty struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	AlternateID string `json:"alternateId"`
	DisplayName string `json:"displayName"`
}

type ownContext struct {
	Data map[string]any `json:"debugData"`
}

// Record writes down what was asked of the directory.
func (j *Journal) Record(a identity.Action) {
	o := own{
		UUID: string(uuid.NewUUID()), Published: a.At.UTC().Format("2006-01-02T15:04:05.000Z"), EventType: TypeCall, Severity: "INFO",
		Message: "The operator asked the directory to change something",
		Actor:   ownParty{ID: operator, Type: "Operator", AlternateID: operator, DisplayName: operator},
		Outcome: event.Outcome{Result: "SUCCESS"},
		DebugContext: ownContext{map[string]any{
			"call": a.Call, "requestId": a.RequestID,
		}},
	}
	if a.Err != nil {
		o.Outcome, o.Severity = event.Outcome{Result: "FAILURE", Reason: why(a.Err)}, "WARN"
	}
	if a.Caller.Name != "" {
		name := a.Caller.Namespace + "/" + a.Caller.Name
		o.Target = []ownParty{{ID: a.Caller.Kind + "/" + name, Type: a.Caller.Kind, AlternateID: name, DisplayName: a.Caller.Name}}
	}
	j.Add(o.event(a.At))
}

// why is the directory's reason, or ours.
func why(err error) string {
	if e, ok := errors.AsType[*identity.Error](err); ok {
		return fmt.Sprintf("%s: %s", e.Reason, e.Message)
	}
	return "no answer"
}

// event is what is sent. A struct of strings can always be written.
func (o own) event(at time.Time) event.Event {
	raw, err := json.Marshal(o)
	if err != nil {
		return event.Unreadable([]byte("{}"), at)
	}
	e, err := event.Decode(raw)
	if err != nil {
		return event.Unreadable(raw, at)
	}
	e.Operator = true
	return e
}
