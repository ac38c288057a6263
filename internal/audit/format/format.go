// Package format writes an event as it is sent: as Raw, which is Okta's own event with ours
// beside it, or as OCSF. It refuses to know who is sent what.
package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// Origin is where events come from.
type Origin struct {
	// Cluster is the operator's clusterID.
	Cluster string
	// Org is the URL of the org.
	Org string
}

// Raw is Okta's own event with what we know of it beside it: a JSON object without line
// breaks. Okta's is byte for byte what it was, but for space between its tokens where
// there are line breaks, and for bytes that are no UTF-8. An error is an event whose Raw
// is no JSON.
func Raw(e event.Event, origin Origin) ([]byte, error) {
	body, err := oneLine(e.Raw)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(body)+1024)
	b = member(b, `{"id":`, e.ID)
	b = member(b, `,"time":`, e.Published.UTC().Format(event.TimeLayout))
	b = member(b, `,"type":`, e.Type)
	b = member(b, `,"category":`, string(event.Category(e.Type)))
	b = member(b, `,"source":`, source(e))
	b = member(b, `,"cluster":`, origin.Cluster)
	b = member(b, `,"org":`, origin.Org)
	if e.Agent != nil {
		if b, err = value(b, `,"agent":`, agentOf(e.Agent)); err != nil {
			return nil, err
		}
	}
	if e.Role != nil {
		if b, err = value(b, `,"role":`, e.Role); err != nil {
			return nil, err
		}
	}
	b = append(b, `,"event":`...)
	b = append(b, body...)
	return append(b, '}'), nil
}

// agent is event.Agent in the order of the document; its role is a name.
type agent struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       string    `json:"uid,omitempty"`
	Agent     string    `json:"agent,omitempty"`
	ClientID  string    `json:"clientID,omitempty"`
	Owners    []string  `json:"owners,omitempty"`
	Purpose   string    `json:"purpose,omitempty"`
	Role      reference `json:"role"`
	Revision  int64     `json:"revision,omitempty"`
}

type reference struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

func agentOf(a *event.Agent) agent {
	return agent{
		Namespace: a.Namespace, Name: a.Name, UID: a.UID, Agent: a.Agent, ClientID: a.ClientID, Owners: a.Owners, Purpose: a.Purpose,
		Role: reference{Namespace: a.Role.Namespace, Name: a.Role.Name}, Revision: a.Revision,
	}
}

func source(e event.Event) string {
	if e.Operator {
		return "Operator"
	}
	return "Okta"
}

// oneLine is JSON without line breaks and in UTF-8, as receivers want it.
func oneLine(raw []byte) ([]byte, error) {
	raw = bytes.TrimSpace(raw)
	if bytes.ContainsAny(raw, "\n\r") {
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return nil, fmt.Errorf("writing an event: %w", err)
		}
		raw = compact.Bytes()
	} else if !json.Valid(raw) {
		return nil, errors.New("writing an event: it is no JSON")
	}
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\ufffd"))
	}
	return raw, nil
}

// member appends a name, as it is written, and a string.
func member(b []byte, name, text string) []byte { return quote(append(b, name...), text) }

// quote appends a string. Unlike encoding/json it leaves <, > and & as they are.
func quote(b []byte, text string) []byte {
	b = append(b, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// value appends a name, as it is written, and anything else.
func value(b []byte, name string, v any) ([]byte, error) {
	var text strings.Builder
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	if err := to.Encode(v); err != nil {
		return nil, fmt.Errorf("writing an event: %w", err)
	}
	return append(append(b, name...), strings.TrimSuffix(text.String(), "\n")...), nil
}

// epoch is a time as OCSF writes it, in milliseconds.
func epoch(t time.Time) int64 { return t.UnixMilli() }
