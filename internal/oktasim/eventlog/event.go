package eventlog

// Event is what an event says. Its uuid and its times are the journal's affair. It must
// not be changed once it is in the journal.
type Event struct {
	Type, Message, Severity string
	// Result is SUCCESS, FAILURE, ALLOW, DENY, CHALLENGE and so on; Reason may be empty.
	Result, Reason string

	Actor   Party
	Targets []Party
	Client  Client

	// Transaction is the id of the request; without one, the event gets one of its own.
	Transaction string
	// TokenID is the API token's, if one was used.
	TokenID string
	// Session is the person's, URI the path of the request.
	Session, URI string
	Debug        map[string]any
	// Credential is the type of what the actor proved themselves with.
	Credential string
}

// Party is who does something, or what it is done to.
type Party struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	AlternateID string         `json:"alternateId"`
	DisplayName string         `json:"displayName"`
	DetailEntry map[string]any `json:"detailEntry"`
}

// Client is where a request comes from.
type Client struct {
	IP, UserAgent, Zone, Device string
	// ID is the OAuth client's.
	ID string
}

// wire is an event as the API writes it.
type wire struct {
	Actor           Party          `json:"actor"`
	Client          wireClient     `json:"client"`
	Authentication  map[string]any `json:"authenticationContext"`
	DisplayMessage  string         `json:"displayMessage"`
	EventType       string         `json:"eventType"`
	Outcome         wireOutcome    `json:"outcome"`
	Published       string         `json:"published"`
	SecurityContext wireSecurity   `json:"securityContext"`
	Severity        string         `json:"severity"`
	DebugContext    map[string]any `json:"debugContext"`
	LegacyEventType *string        `json:"legacyEventType"`
	Transaction     map[string]any `json:"transaction"`
	UUID            string         `json:"uuid"`
	Version         string         `json:"version"`
	Request         wireRequest    `json:"request"`
	// Target is null when there is none.
	Target []Party `json:"target"`
}

type wireClient struct {
	UserAgent           map[string]string `json:"userAgent"`
	Zone                *string           `json:"zone"`
	Device              *string           `json:"device"`
	ID                  *string           `json:"id"`
	IPAddress           *string           `json:"ipAddress"`
	GeographicalContext *struct{}         `json:"geographicalContext"`
}

type wireOutcome struct {
	Result string  `json:"result"`
	Reason *string `json:"reason"`
}

type wireSecurity struct {
	ASNumber *int    `json:"asNumber"`
	ASOrg    *string `json:"asOrg"`
	ISP      *string `json:"isp"`
	Domain   *string `json:"domain"`
	IsProxy  *bool   `json:"isProxy"`
}

type wireRequest struct {
	IPChain []wireAddress `json:"ipChain"`
}

type wireAddress struct {
	IP                  string    `json:"ip"`
	GeographicalContext *struct{} `json:"geographicalContext"`
	Version             string    `json:"version"`
	Source              *string   `json:"source"`
}

// render writes a record as the API does.
func (r *record) render() wire {
	e := r.event
	w := wire{
		Actor: e.Actor, DisplayMessage: e.Message, EventType: e.Type, Severity: e.Severity,
		Outcome:   wireOutcome{e.Result, orNull(e.Reason)},
		Published: stamp(r.published), UUID: r.uuid.String(), Version: "0", Target: e.Targets,
		Client: wireClient{Zone: orNull(e.Client.Zone), Device: orNull(e.Client.Device), ID: orNull(e.Client.ID), IPAddress: orNull(e.Client.IP)},
		Authentication: map[string]any{
			"authenticationProvider": nil, "credentialProvider": nil, "credentialType": orNull(e.Credential), "issuer": nil,
			"interface": nil, "authenticationStep": 0, "externalSessionId": orNull(e.Session),
		},
		DebugContext: map[string]any{"debugData": r.debugData()},
		Transaction:  map[string]any{"type": "WEB", "id": r.transaction(), "detail": map[string]any{}},
		Request:      wireRequest{IPChain: []wireAddress{}},
	}
	if e.Client.UserAgent != "" {
		w.Client.UserAgent = map[string]string{"rawUserAgent": e.Client.UserAgent, "os": "Unknown", "browser": "UNKNOWN"}
	}
	if e.TokenID != "" {
		w.Transaction["detail"] = map[string]any{"requestApiTokenId": e.TokenID}
	}
	if e.Client.IP != "" {
		w.Request.IPChain = append(w.Request.IPChain, wireAddress{IP: e.Client.IP, Version: ipVersion(e.Client.IP)})
	}
	return w
}

func (r *record) debugData() map[string]any {
	all := map[string]any{"requestId": r.transaction()}
	if r.event.URI != "" {
		all["requestUri"], all["url"] = r.event.URI, r.event.URI+"?"
	}
	for name, value := range r.event.Debug {
		all[name] = value
	}
	return all
}

// transaction is the request's id, or one that follows from the uuid.
func (r *record) transaction() string {
	if r.event.Transaction != "" {
		return r.event.Transaction
	}
	return r.uuid.plain()
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func ipVersion(ip string) string {
	for _, char := range ip {
		if char == ':' {
			return "V6"
		}
	}
	return "V4"
}
