package okta

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const (
	logPath = "/api/v1/logs"
	// logPage is the most events Okta gives at once.
	logPage = "1000"
	// logTime is how it reads times.
	logTime = "2006-01-02T15:04:05.000Z"
)

var _ identity.SystemLog = (*Directory)(nil)

// ReadLog implements identity.SystemLog. Without "until" Okta gives everything in the
// order in which it was persisted, and there always is a next page, also after an
// empty one (documentation of the System Log API, "Polling requests").
func (d *Directory) ReadLog(ctx context.Context, from identity.LogPlace) (identity.LogPage, error) {
	path := from.Next
	if path == "" {
		path = logPath + "?" + url.Values{
			"since": {from.Since.UTC().Format(logTime)}, "limit": {logPage}, "sortOrder": {"ASCENDING"},
		}.Encode()
	}
	var events []json.RawMessage
	header, err := d.org.call(ctx, http.MethodGet, path, nil, &events)
	if err != nil {
		return identity.LogPage{}, lostPlace(from, err)
	}
	next, more := nextLink(nextOf(header))
	if !more {
		return identity.LogPage{}, fault.Broken("a page of the System Log does not say where it goes on", header)
	}
	page := identity.LogPage{Events: make([][]byte, len(events)), Next: identity.LogPlace{Next: next}, Now: d.logClock(header)}
	for i, event := range events {
		page.Events[i] = event
	}
	return page, nil
}

// logClock is Okta's clock when it answered, or as it was heard last.
func (d *Directory) logClock(header http.Header) time.Time {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		return date.UTC()
	}
	return d.time.Now().UTC()
}

// lostPlace tells a place that Okta does not know, or no longer, from all else that may be
// wrong: what it answers to a link of its own that we followed as it was.
func lostPlace(from identity.LogPlace, err error) error {
	status, answered := fault.StatusOf(err)
	if from.Next == "" || !answered {
		return err
	}
	switch status.HTTP {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone:
	default:
		return err
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonPlaceLost, Err: err,
		Message: "Okta does not know the place any more at which its System Log was being read",
	}
}
