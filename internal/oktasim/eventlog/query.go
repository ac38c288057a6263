package eventlog

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Query is what a reader asks for.
type Query struct {
	since, until time.Time
	// bounded queries are in the order of publication, and end; the others are in the
	// order of persistence, and never do.
	bounded, descending bool
	keep                predicate
	keywords            []string
	limit               int
	after               string
	// identity is a digest of what the reader said, which the cursors are bound to.
	identity [8]byte
}

// Bounds of a query.
const (
	standardLimit   = 100
	mostEvents      = 1000
	standardSince   = 7 * 24 * time.Hour
	longestSince    = 180 * 24 * time.Hour
	mostKeywords    = 10
	longestKeyword  = 40
	ascendingOrder  = "ASCENDING"
	descendingOrder = "DESCENDING"
)

// Parameters are those a query may have.
func Parameters() []string {
	return []string{"since", "until", "after", "filter", "q", "limit", "sortOrder"}
}

// ReadQuery reads the parameters of a query.
func ReadQuery(values url.Values, now time.Time) (Query, error) {
	q := Query{after: values.Get("after"), limit: standardLimit, identity: identify(values)}
	for name := range values {
		if values.Get(name) == "" {
			return q, bad(name, "must not be empty")
		}
	}
	if err := q.readTimes(values, now); err != nil {
		return q, err
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 0 || limit > mostEvents || text != strconv.Itoa(limit) {
			return q, bad("limit", fmt.Sprintf("must be a whole number from 0 to %d", mostEvents))
		}
		q.limit = limit
	}
	if err := q.readWords(values.Get("q")); err != nil {
		return q, err
	}
	if text := values.Get("filter"); text != "" {
		keep, err := readFilter(text)
		if err != nil {
			return q, err
		}
		q.keep = keep
	}
	return q, nil
}

func identify(values url.Values) [8]byte {
	said := url.Values{}
	for name := range values {
		if name != "after" {
			said.Set(name, values.Get(name))
		}
	}
	sum := sha256.Sum256([]byte(said.Encode()))
	return [8]byte(sum[:8])
}

func (q *Query) readTimes(values url.Values, now time.Time) error {
	order := values.Get("sortOrder")
	if order != "" && order != ascendingOrder && order != descendingOrder {
		return bad("sortOrder", "must be ASCENDING or DESCENDING")
	}
	q.descending = order == descendingOrder
	q.bounded = q.descending || values.Get("until") != ""
	q.until = now
	for name, field := range map[string]*time.Time{"until": &q.until, "since": &q.since} {
		if err := readTime(values, name, field); err != nil {
			return err
		}
	}
	if q.since.IsZero() {
		q.since = q.until.Add(-standardSince)
	}
	switch {
	case q.since.After(now):
		return bad("since", "must not be in the future")
	case q.since.After(q.until):
		return bad("since", "must not be after until")
	case values.Get("since") != "" && now.Sub(q.since) > longestSince:
		return &Refusal{
			BadFilter, "since", "Invalid parameter: The since parameter is over 180 days prior to the current day.",
		}
	}
	return nil
}

func readTime(values url.Values, name string, into *time.Time) error {
	text := values.Get(name)
	if text == "" {
		return nil
	}
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return &Refusal{BadDate, name, "must be a time such as 2026-01-02T03:04:05.678Z"}
	}
	*into = when
	return nil
}

func (q *Query) readWords(text string) error {
	q.keywords = strings.Fields(strings.ToLower(text))
	if len(q.keywords) > mostKeywords {
		return bad("q", fmt.Sprintf("must not have more than %d keywords", mostKeywords))
	}
	for _, word := range q.keywords {
		if len([]rune(word)) > longestKeyword {
			return bad("q", fmt.Sprintf("Freeform search cannot contain items longer than %d characters.", longestKeyword))
		}
	}
	return nil
}

// matches holds a record against the filter and the keywords.
func (q *Query) matches(r *record) bool {
	if q.keep != nil && !q.keep(r) {
		return false
	}
	if len(q.keywords) == 0 {
		return true
	}
	words := r.words()
	return !slices.ContainsFunc(q.keywords, func(word string) bool { return !slices.Contains(words, word) })
}

// words are the values of an event that keywords can match, and what stands between
// their spaces and their hyphens, in lower case.
func (r *record) words() []string {
	e := r.event
	values := []string{
		r.uuid.String(), r.transaction(), e.Type, e.Message, e.Severity, e.Result, e.Reason, e.Client.ID, e.Client.IP, e.Client.Zone,
	}
	for _, p := range append([]Party{e.Actor}, e.Targets...) {
		values = append(values, p.ID, p.Type, p.AlternateID, p.DisplayName)
	}
	var all []string
	for _, value := range values {
		value = strings.ToLower(value)
		all = append(append(all, value), strings.Fields(value)...)
		if strings.Contains(value, "-") {
			all = append(all, strings.Split(value, "-")...)
		}
	}
	return all
}
