// Package event is one entry of an audit log: of the directory's System Log, or of what
// the operator did itself. It reads what the System Log says (Okta's LogEvent, see
// https://developer.okta.com/docs/reference/api/system-log) and refuses to know where
// events come from, where they go, and what is made of them.
package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Event is one entry. What the directory says is untrusted: names, addresses and user
// agents are whatever somebody sent to it.
type Event struct {
	// ID tells the event from all others, and is the same whenever it is read: Okta's uuid.
	ID string
	// Type is Okta's eventType, such as "app.oauth2.as.token.grant", or one of Operator*.
	Type string
	// Published is when it happened, to the millisecond.
	Published time.Time
	// Severity is DEBUG, INFO, WARN or ERROR.
	Severity string
	// Message is the directory's words for the type.
	Message string
	Outcome Outcome
	Actor   Party
	Client  Client
	Targets []Party
	// Transaction names the request that caused it: what one request caused says the same.
	Transaction string
	// Debug is debugContext.debugData. Okta may change what stands there.
	Debug map[string]any

	// Raw is the JSON object itself, byte for byte as it was given.
	Raw []byte
	// Operator tells an event of the operator's own from one of the System Log.
	Operator bool

	// Agent is whom it concerns, and Role the role it concerns; nil when that is nobody's
	// that the operator knows. An event about an agent has the agent's role.
	Agent *Agent
	Role  *Object
}

// Outcome is what came of it.
type Outcome struct {
	// Result is SUCCESS, FAILURE, SKIPPED, ALLOW, DENY, CHALLENGE, UNKNOWN or absent.
	Result string `json:"result"`
	Reason string `json:"reason"`
}

// Succeeded tells that what the event speaks of was done.
func (o Outcome) Succeeded() bool { return o.Result == "SUCCESS" || o.Result == "ALLOW" }

// Party is who did it, or what it was done to.
type Party struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	AlternateID string         `json:"alternateId"`
	DisplayName string         `json:"displayName"`
	Detail      map[string]any `json:"detailEntry"`
}

// Client is where it was done from.
type Client struct {
	// ID is that of the OAuth client, where there is one.
	ID        string `json:"id"`
	IP        string `json:"ipAddress"`
	Zone      string `json:"zone"`
	Device    string `json:"device"`
	UserAgent struct {
		Raw string `json:"rawUserAgent"`
	} `json:"userAgent"`
	Place struct {
		City    string `json:"city"`
		State   string `json:"state"`
		Country string `json:"country"`
	} `json:"geographicalContext"`
}

// Object is an object of the cluster.
type Object struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

// Agent is what the cluster says of an agent: an AgentAPIKey.
type Agent struct {
	Object
	// Agent is spec.agent.name.
	Agent    string   `json:"agent,omitempty"`
	ClientID string   `json:"clientID,omitempty"`
	Owners   []string `json:"owners,omitempty"`
	Purpose  string   `json:"purpose,omitempty"`
	Role     Object   `json:"role"`
	// Revision is the generation of the key that Okta was last brought to.
	Revision int64 `json:"revision,omitempty"`
}

// written is an event as Okta writes it.
type written struct {
	UUID        string    `json:"uuid"`
	EventType   string    `json:"eventType"`
	Published   time.Time `json:"published"`
	Severity    string    `json:"severity"`
	Message     string    `json:"displayMessage"`
	Outcome     Outcome   `json:"outcome"`
	Actor       Party     `json:"actor"`
	Client      Client    `json:"client"`
	Targets     []Party   `json:"target"`
	Transaction struct {
		ID string `json:"id"`
	} `json:"transaction"`
	DebugContext struct {
		Data map[string]any `json:"debugData"`
	} `json:"debugContext"`
}

// Decode reads an event of the System Log. The event keeps raw. One without a uuid, a type
// or a time is an error, as is what is no JSON object.
func Decode(raw []byte) (Event, error) {
	var w written
	if err := json.Unmarshal(raw, &w); err != nil {
		return Event{}, fmt.Errorf("reading an event: %w", err)
	}
	if w.UUID == "" || w.EventType == "" || w.Published.IsZero() {
		return Event{}, errors.New("reading an event: it has no uuid, eventType or published")
	}
	return Event{
		ID: w.UUID, Type: w.EventType, Published: w.Published, Severity: w.Severity, Message: w.Message, Outcome: w.Outcome,
		Actor: w.Actor, Client: w.Client, Targets: w.Targets, Transaction: w.Transaction.ID, Debug: w.DebugContext.Data, Raw: raw,
	}, nil
}

// TypeUnreadable is the type of an event that Decode refuses.
const TypeUnreadable = "agentidentity.audit.unreadable"

// Unreadable makes an event of what Decode refuses, so that it is not lost: its id is a
// digest of what stands there, and its time when it was read.
func Unreadable(raw []byte, read time.Time) Event {
	digest := sha256.Sum256(raw)
	return Event{
		ID: "sha256-" + hex.EncodeToString(digest[:16]), Type: TypeUnreadable, Published: read, Severity: "WARN",
		Message: "An event of the System Log that cannot be read", Raw: raw,
	}
}
