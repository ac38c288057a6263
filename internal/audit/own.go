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
	UUID         string     `json:"uuid"`
	Published    string     `json:"published"`
	EventType    string     `json:"eventType"`
	Severity     string     `json:"severity"`
	Message      string     `json:"displayMessage"`
	Actor        ownParty   `json:"actor"`
	Outcome      ownOutcome `json:"outcome"`
	Target       []ownParty `json:"target,omitempty"`
	DebugContext ownContext `json:"debugContext"`
}

type ownParty struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	AlternateID string `json:"alternateId"`
	DisplayName string `json:"displayName"`
}

type ownOutcome struct {
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
}

type ownContext struct {
	Data map[string]any `json:"debugData"`
}

// Note is something that the operator did or found.
type Note struct {
	At   time.Time
	Type string
	// Severity is Okta's: DEBUG, INFO, WARN or ERROR.
	Severity string
	Message  string
	Outcome  event.Outcome
	// Kind, Namespace and Name are those of the object concerned; empty where there is none.
	Kind, Namespace, Name string
	// Debug is what else there is to say. It holds no secret.
	Debug map[string]any
}

// Record writes down what was asked of the directory.
func (j *Journal) Record(a identity.Action) {
	n := Note{
		At: a.At, Type: TypeCall, Severity: "INFO", Message: "The operator asked the directory to change something",
		Outcome: event.Outcome{Result: "SUCCESS"}, Kind: a.Caller.Kind, Namespace: a.Caller.Namespace, Name: a.Caller.Name,
		Debug: map[string]any{"call": a.Call, "requestId": a.RequestID},
	}
	if a.Err != nil {
		n.Outcome, n.Severity = event.Outcome{Result: "FAILURE", Reason: why(a.Err)}, "WARN"
	}
	j.Write(n)
}

// Write writes a note down.
func (j *Journal) Write(n Note) {
	o := own{
		UUID: string(uuid.NewUUID()), Published: n.At.UTC().Format(event.TimeLayout), EventType: n.Type, Severity: n.Severity,
		Message: n.Message, Outcome: ownOutcome(n.Outcome), DebugContext: ownContext{n.Debug},
		Actor: ownParty{ID: operator, Type: "Operator", AlternateID: operator, DisplayName: operator},
	}
	if n.Name != "" {
		name := n.Namespace + "/" + n.Name
		o.Target = []ownParty{{ID: n.Kind + "/" + name, Type: n.Kind, AlternateID: name, DisplayName: n.Name}}
	}
	j.Add(o.event(n.At))
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
