package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// MaxSize bounds an event; Okta's have a few kilobytes.
const MaxSize = 8 << 20

// Decode reads an event of the System Log. The event keeps raw, which must not be changed
// afterwards. An error is what is no JSON object, is larger than MaxSize or nested more
// than 10,000 deep, and what has no uuid, eventType or published. Nothing else is: where
// something is of another type than Okta says, the event is read as if it were absent.
func Decode(raw []byte) (Event, error) {
	if len(raw) > MaxSize {
		return Event{}, fmt.Errorf("reading an event: it is larger than %d bytes", MaxSize)
	}
	if !json.Valid(raw) {
		return Event{}, errors.New("reading an event: it is no JSON, or is nested too deep")
	}
	e := Event{Raw: raw}
	members(raw, func(name, value []byte) { e.read(string(name), value) })
	if e.ID == "" || e.Type == "" || e.Published.IsZero() {
		return Event{}, errors.New("reading an event: it has no uuid, eventType or published")
	}
	return e, nil
}

// read takes a member of the event.
func (e *Event) read(name string, value []byte) {
	switch name {
	case "uuid":
		e.ID = text(value)
	case "eventType":
		e.Type = text(value)
	case "published":
		e.Published, _ = time.Parse(time.RFC3339Nano, text(value))
	case "severity":
		e.Severity = text(value)
	case "displayMessage":
		e.Message = text(value)
	case "actor":
		e.Actor = party(value)
	case "target":
		e.Targets = nil
		elements(value, func(target []byte) { e.Targets = append(e.Targets, party(target)) })
	case "client":
		e.Client = client(value)
	default:
		e.readContext(name, value)
	}
}

// readContext takes a member that tells of what went on around the event.
func (e *Event) readContext(name string, value []byte) {
	switch name {
	case "outcome":
		e.Outcome = Outcome{}
		take(value, map[string]*string{"result": &e.Outcome.Result, "reason": &e.Outcome.Reason})
	case "transaction":
		e.Transaction = Fields(value).Text("id")
	case "authenticationContext":
		e.Session = Fields(value).Text("externalSessionId")
	case "securityContext":
		e.Network = Network{}
		take(value, map[string]*string{"asNumber": &e.Network.Number, "asOrg": &e.Network.Organization, "isp": &e.Network.Provider})
	case "debugContext":
		e.Debug = Fields(value).Object("debugData")
	}
}

func party(raw []byte) Party {
	var p Party
	take(raw, map[string]*string{"id": &p.ID, "type": &p.Type, "alternateId": &p.AlternateID, "displayName": &p.DisplayName})
	p.Detail = Fields(raw).Object("detailEntry")
	return p
}

func client(raw []byte) Client {
	var c Client
	take(raw, map[string]*string{"id": &c.ID, "ipAddress": &c.IP, "zone": &c.Zone, "device": &c.Device})
	members(raw, func(name, value []byte) {
		switch string(name) {
		case "userAgent":
			c.UserAgent.Raw = Fields(value).Text("rawUserAgent")
		case "geographicalContext":
			take(value, map[string]*string{"city": &c.Place.City, "state": &c.Place.State, "country": &c.Place.Country})
		}
	})
	return c
}

// take reads members of an object that are strings.
func take(raw []byte, into map[string]*string) {
	members(raw, func(name, value []byte) {
		if s, wanted := into[string(name)]; wanted {
			*s = text(value)
		}
	})
}

// Fields is an object whose members Okta may change from one day to the next. It is read
// only where somebody asks, for most events are sent without a look at it.
type Fields []byte

// Text is the member of that name: a string, or a number or bool as it is written;
// "" when it is absent, null, an object or a list.
func (f Fields) Text(name string) string {
	var found string
	members(f, func(n, value []byte) {
		if string(n) == name {
			found = text(value)
		}
	})
	return found
}

// Texts are the strings of the member of that name that is a list.
func (f Fields) Texts(name string) []string {
	var found []string
	members(f, func(n, value []byte) {
		if string(n) != name {
			return
		}
		found = nil
		elements(value, func(element []byte) { found = append(found, text(element)) })
	})
	return found
}

// Object is the member of that name if it is an object; empty otherwise.
func (f Fields) Object(name string) Fields {
	var found Fields
	members(f, func(n, value []byte) {
		if string(n) != name {
			return
		}
		if found = nil; value[0] == '{' {
			found = value
		}
	})
	return found
}
