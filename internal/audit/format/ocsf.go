package format

import (
	"strconv"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// SchemaVersion is the version of OCSF that is written.
const SchemaVersion = "1.8.0"

// OCSF is the event in the Open Cybersecurity Schema Framework: a JSON object without line
// breaks that holds Okta's own event as raw_data. What we know of the agent and the role
// is in enrichments. An error is an event whose Raw is no JSON.
func OCSF(e event.Event, origin Origin) ([]byte, error) {
	raw, err := oneLine(e.Raw)
	if err != nil {
		return nil, err
	}
	c := classify(e.Type)
	activity := c.activity(e.Type)
	d := document{
		ClassUID: int(c), CategoryUID: c.category(), ActivityID: activity, TypeUID: int(c)*100 + activity,
		Time: epoch(e.Published), SeverityID: severity(e.Severity), Severity: e.Severity, Message: e.Message,
		Metadata: metadataOf(e, origin), Enrichments: enrichments(e), RawData: string(raw),
		Unmapped: unmapped{Category: string(event.Category(e.Type)), Cluster: origin.Cluster, Source: source(e)},
	}
	if activity == other {
		d.ActivityName = e.Type
	}
	d.outcome(c, e.Outcome)
	d.fill(c, e)
	b := make([]byte, 0, 2*len(raw)+2048)
	return value(b, "", d)
}

// severity is OCSF's: what Okta warns of is Medium, what it calls an error High.
func severity(okta string) int {
	switch okta {
	case "DEBUG", "INFO":
		return 1
	case "WARN":
		return 3
	case "ERROR":
		return 4
	case "":
		return unknown
	default:
		return other
	}
}

// outcome says what came of it. A finding's status is another thing: it is New.
func (d *document) outcome(c class, o event.Outcome) {
	d.StatusDetail = o.Reason
	if c == detectionFinding {
		d.StatusID, d.Status, d.StatusCode = 1, "New", o.Result
		return
	}
	switch o.Result {
	case "SUCCESS", "ALLOW":
		d.StatusID, d.Status = 1, "Success"
	case "FAILURE", "DENY":
		d.StatusID, d.Status = 2, "Failure"
	case "", "UNKNOWN":
		d.StatusID, d.Status = unknown, "Unknown"
	default:
		d.StatusID, d.Status = other, o.Result
	}
	d.StatusCode = o.Result
}

func metadataOf(e event.Event, origin Origin) metadata {
	m := metadata{
		Version: SchemaVersion, UID: e.ID, EventCode: e.Type, CorrelationUID: e.Transaction, TenantUID: origin.Org,
		OriginalTime: event.Fields(e.Raw).Text("published"),
		LogName:      "System Log", LogProvider: "agent-identity-operator",
		Product: product{Name: "Okta", VendorName: "Okta"},
	}
	if e.Operator {
		m.LogName, m.Product = "agent-identity-operator", product{Name: "agent-identity-operator", VendorName: "agentidentity.dev"}
	}
	return m
}

func enrichments(e event.Event) []enrichment {
	var all []enrichment
	if a := e.Agent; a != nil {
		all = append(all, enrichment{
			Name: "agent", Value: a.Namespace + "/" + a.Name, Type: "AgentAPIKey", Provider: "agent-identity-operator", Data: agentOf(a),
		})
	}
	if r := e.Role; r != nil {
		all = append(all, enrichment{
			Name: "role", Value: r.Namespace + "/" + r.Name, Type: "AIAgentRole", Provider: "agent-identity-operator", Data: r,
		})
	}
	return all
}

// fill writes what the class has beyond what all have.
func (d *document) fill(c class, e event.Event) {
	by, from := actorOf(e), endpointOf(e)
	switch c {
	case baseEvent:
		return
	case detectionFinding:
		d.FindingInfo = &findingInfo{UID: e.ID, Title: orElse(e.Message, e.Type), Types: []string{e.Type}}
		d.Evidences = []evidence{{Actor: by, Source: from, HTTPRequest: requestOf(e)}}
		return
	case entityManagement:
		d.Entity = entityOf(e)
	case apiActivity:
		d.API, d.Resources = &api{Operation: e.Type}, resourcesOf(e)
		if from == nil {
			from = &endpoint{Name: "Okta"}
		}
	default:
		d.fillAccess(c, e)
	}
	d.Actor, d.Source, d.HTTPRequest = by, from, requestOf(e)
}

// fillAccess writes what the classes of identity and access have.
func (d *document) fillAccess(c class, e event.Event) {
	switch c {
	case authentication:
		d.User, d.Service = userOf(subject(e)), serviceOf(e)
		if e.Session != "" {
			d.Session = &session{UID: e.Session}
		}
	case authorizeSession:
		d.User, d.Privileges = userOf(e.Actor), scopes(e)
	case accountChange:
		d.User = userOf(subject(e))
	case userAccessManagement:
		d.User, d.Privileges = userOf(subject(e)), given(e)
	case groupManagement:
		d.Group = groupOf(e)
		if p, found := target(e, isPerson); found {
			d.User = userOf(p)
		}
	}
}

// scopes are what a token was granted, or what was asked for.
func scopes(e event.Event) *[]string {
	for _, name := range []string{"grantedScopes", "requestedScopes"} {
		if told := words(e.Debug, name); len(told) > 0 {
			return &told
		}
	}
	return &[]string{}
}

// given are the privileges that an event gives or takes.
func given(e event.Event) *[]string {
	for _, name := range []string{"privilegeGranted", "privilegeRevoked"} {
		if told := words(e.Debug, name); len(told) > 0 {
			return &told
		}
	}
	told := []string{}
	for _, t := range e.Targets {
		if !isPerson(t) && t.DisplayName != "" {
			told = append(told, t.DisplayName)
		}
	}
	return &told
}

func networkOf(n event.Network) *autonomousSystem {
	number, err := strconv.ParseInt(n.Number, 10, 32)
	if err != nil || number <= 0 {
		return nil
	}
	return &autonomousSystem{Number: int(number), Name: n.Organization}
}
