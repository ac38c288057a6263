// Package event is one entry of an audit log: of the directory's System Log, or of what
// the operator did itself. It reads what the System Log says (Okta's LogEvent, see
// https://developer.okta.com/docs/reference/api/system-log) and refuses to know where
// events come from, where they go, and what is made of them.
package event

import "time"

// TimeLayout is how times are written, in UTC: Okta's way, always of one length, so that
// they sort.
const TimeLayout = "2006-01-02T15:04:05.000Z"

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
	// Session is that of the person who did it: authenticationContext.externalSessionId.
	Session string
	// Network is whose the address is that it was done from.
	Network Network
	// Debug is debugContext.debugData; nil when there is none.
	Debug Fields

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
	Result string
	Reason string
}

// Succeeded tells that what the event speaks of was done.
func (o Outcome) Succeeded() bool { return o.Result == "SUCCESS" || o.Result == "ALLOW" }

// Party is who did it, or what it was done to.
type Party struct {
	ID          string
	Type        string
	AlternateID string
	DisplayName string
	// Detail is detailEntry; nil when there is none.
	Detail Fields
}

// Client is where it was done from.
type Client struct {
	// ID is that of the OAuth client, where there is one.
	ID        string
	IP        string
	Zone      string
	Device    string
	UserAgent struct {
		Raw string
	}
	Place struct {
		City    string
		State   string
		Country string
	}
}

// Network is an autonomous system of the internet, each as Okta says it.
type Network struct {
	Number       string
	Organization string
	Provider     string
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
	Agent    string `json:"agent,omitempty"`
	ClientID string `json:"clientID,omitempty"`
	// AppID is Okta's id of the client's app; "" while it is not known.
	AppID   string   `json:"appID,omitempty"`
	Owners  []string `json:"owners,omitempty"`
	Purpose string   `json:"purpose,omitempty"`
	Role    Object   `json:"role"`
	// Revision is the generation of the key that Okta was last brought to.
	Revision int64 `json:"revision,omitempty"`
}

// Is tells that the directory's id is the agent's own. Names are no ids: an app's label or a
// person's login may be chosen to look like an agent's.
func (a *Agent) Is(id string) bool { return id != "" && (id == a.ClientID || id == a.AppID) }
