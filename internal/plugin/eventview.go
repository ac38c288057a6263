package plugin

import (
	"cmp"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// row is an event as a table shows it.
func row(e *event.Event) []string {
	return []string{e.Published.UTC().Format(time.RFC3339), concerns(e), e.Type, resultOf(e.Outcome), doneBy(e), doneFrom(e.Client)}
}

func concerns(e *event.Event) string {
	switch {
	case e.Agent != nil:
		return e.Agent.Namespace + "/" + e.Agent.Name
	case e.Role != nil:
		return "role " + e.Role.Namespace + "/" + e.Role.Name
	}
	return ""
}

func resultOf(o event.Outcome) string {
	if o.Reason == "" || o.Succeeded() {
		return o.Result
	}
	return o.Result + ": " + o.Reason
}

// doneBy names who did it by what people know them by.
func doneBy(e *event.Event) string {
	if e.Agent != nil && e.Agent.ClientID != "" && (e.Actor.ID == e.Agent.ClientID || e.Actor.AlternateID == e.Agent.ClientID) {
		return "the agent"
	}
	for _, name := range []string{e.Actor.AlternateID, e.Actor.DisplayName} {
		if name != "" && name != "unknown" {
			return name
		}
	}
	return e.Actor.ID
}

func doneFrom(c event.Client) string {
	place := cmp.Or(c.Place.City, c.Place.State)
	if c.Place.Country != "" {
		place = strings.TrimPrefix(place+", "+c.Place.Country, ", ")
	}
	if place == "" {
		return c.IP
	}
	return strings.TrimSpace(c.IP + " (" + place + ")")
}

// eventPrinter prints events in the format that is asked for.
func (p *plugin) eventPrinter() func([]event.Event) error {
	columns := newTable("TIME", "AGENT", "EVENT", "RESULT", "BY", "FROM")
	return func(events []event.Event) error {
		if p.flags.output != formatTable {
			for i := range events {
				if err := p.printEvent(&events[i]); err != nil {
					return err
				}
			}
			return nil
		}
		rows := make([][]string, len(events))
		for i := range events {
			rows[i] = row(&events[i])
		}
		_, err := io.WriteString(p.Streams.Out, columns.format(rows))
		return err
	}
}

// printEvent prints an event as one JSON document on a line, or as a document of YAML.
func (p *plugin) printEvent(e *event.Event) error {
	raw := json.RawMessage(e.Raw)
	if !json.Valid(raw) {
		text, err := json.Marshal(string(e.Raw))
		if err != nil {
			return err
		}
		raw = text
	}
	text, err := encode(struct {
		Agent *event.Agent    `json:"agent,omitempty"`
		Role  *event.Object   `json:"role,omitempty"`
		Event json.RawMessage `json:"event"`
	}{e.Agent, e.Role, raw}, "")
	if err != nil {
		return err
	}
	if p.flags.output == formatYAML {
		if text, err = asYAML(text); err != nil {
			return err
		}
		text = append([]byte("---\n"), text...)
	}
	_, err = p.Streams.Out.Write(text)
	return err
}
