package oktasim

import (
	"net/netip"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/eventlog"
)

// source is who does what an event tells, and from where.
type source struct {
	actor       eventlog.Party
	client      eventlog.Client
	transaction string
	tokenID     string
	session     string
	uri         string
	credential  string
}

// outcome is what came of it. The zero value is success.
type outcome struct {
	result, reason string
	debug          map[string]any
}

func failure(reason string) outcome { return outcome{result: "FAILURE", reason: reason} }

// caller is who sends a request.
func (o *Org) caller(c *call) source {
	ip := clientIP(c)
	from := source{
		client: eventlog.Client{
			IP: addressText(ip), UserAgent: c.request.UserAgent(), Zone: o.zoneOf(ip), Device: "Unknown",
		},
		transaction: c.requestID, uri: c.request.URL.Path, actor: nobody("PublicClientApp"),
	}
	if id, is := tokenOf(c.principal); is {
		from.actor, from.tokenID = eventlog.Party(o.administrator), id
		return from
	}
	if client, known := o.clients[c.principal]; known {
		from.actor, from.client.ID = client.party(), client.id
	} else if a, known := o.byClientID[c.principal]; known {
		from.actor, from.client.ID = a.client(), a.clientID()
	}
	return from
}

// console is an admin who does it in the console, where no request is counted.
func (o *Org) console() source {
	return source{actor: eventlog.Party(o.administrator), transaction: o.journal.Text(32)}
}

// person is somebody who does it with their own phone or key.
func (o *Org) person(u *user) source {
	return source{actor: u.party(), transaction: o.journal.Text(32)}
}

func nobody(kind string) eventlog.Party {
	return eventlog.Party{ID: unknownText, Type: kind, AlternateID: unknownText, DisplayName: unknownText}
}

func addressText(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

// zoneOf names the first zone an address is in.
func (o *Org) zoneOf(ip netip.Addr) string {
	for _, z := range o.zones.order {
		if ip.IsValid() && z.usage() == "POLICY" && z.holds(ip) {
			return z.name()
		}
	}
	return ""
}

// log writes down what has been done to targets.
func (o *Org) log(by source, kind string, targets ...subject) {
	o.logOutcome(by, kind, outcome{}, targets...)
}

func (o *Org) logOutcome(by source, kind string, came outcome, targets ...subject) {
	message, known := o.eventKinds[kind]
	if !known {
		panic("writing an event of type " + kind + ": eventKinds does not have it")
	}
	if came.result == "" {
		came.result = "SUCCESS"
	}
	e := &eventlog.Event{
		Type: kind, Message: message, Severity: severity(kind, came.result), Result: came.result, Reason: bounded(came.reason),
		Actor: by.actor, Client: by.client, Transaction: by.transaction, TokenID: by.tokenID, Session: by.session, URI: by.uri,
		Credential: by.credential, Debug: came.debug,
	}
	for _, t := range targets {
		e.Targets = append(e.Targets, t.party())
	}
	o.journal.Add(e, o.clock.Now())
}

// severity is a guess: Okta's catalogue does not tell it.
func severity(kind, result string) string {
	switch {
	case result == "FAILURE" || result == "DENY" || kind == limitWarned || kind == limitViolated || kind == concurrencyLimit:
		return "WARN"
	}
	return "INFO"
}

// bounded keeps a reason within what Okta's description allows.
func bounded(reason string) string {
	const longest = 255
	if runes := []rune(reason); len(runes) > longest {
		return string(runes[:longest])
	}
	return reason
}
