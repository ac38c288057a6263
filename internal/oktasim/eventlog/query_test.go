package eventlog

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestFilters(t *testing.T) {
	d := newDesk(t, Trouble{})
	d.j.Add(&Event{
		Type: "app.create", Message: "Create application", Result: "SUCCESS", Actor: Party{ID: "one", Type: "User", DisplayName: "Jane Doe"},
		Targets: []Party{{ID: "t1", Type: "AppInstance"}, {ID: "t2", Type: "User"}}, TokenID: "00T1",
	}, d.now)
	d.j.Add(&Event{Type: "app.delete", Message: `say "no"`, Result: "FAILURE", Reason: "why", Actor: Party{ID: "two"}}, d.now)
	const both = "app.create app.delete"
	tests := map[string]struct {
		filter, want string
		refused      RefusalKind
	}{
		"eq":               {filter: `eventType eq "app.create"`, want: "app.create"},
		"ne":               {filter: `actor.id ne "one"`, want: "app.delete"},
		"ne of nothing":    {filter: `outcome.reason ne "why"`, want: "app.create"},
		"co":               {filter: `eventType co "p.d"`, want: "app.delete"},
		"sw":               {filter: `eventType sw "app."`, want: both},
		"ew":               {filter: `eventType ew "create"`, want: "app.create"},
		"pr":               {filter: `outcome.reason pr`, want: "app.delete"},
		"one of targets":   {filter: `target.id eq "t2"`, want: "app.create"},
		"token":            {filter: `transaction.detail.requestApiTokenId eq "00T1"`, want: "app.create"},
		"escaped":          {filter: `displayMessage eq "say \"no\""`, want: "app.delete"},
		"case":             {filter: `eventType eq "APP.create"`, want: ""},
		"and before or":    {filter: `actor.id eq "one" or actor.id eq "two" and outcome.result eq "SUCCESS"`, want: "app.create"},
		"parentheses":      {filter: `(actor.id eq "one" or actor.id eq "two") and outcome.result eq "FAILURE"`, want: "app.delete"},
		"not":              {filter: `not (target.id pr)`, want: "app.delete"},
		"published":        {filter: `published gt "2026-01-01T00:00:00Z"`, refused: BadFilter},
		"unknown":          {filter: `actor.age eq "1"`, refused: BadFilter},
		"no value":         {filter: `actor.id eq`, refused: BadFilter},
		"no quotes":        {filter: `actor.id eq one`, refused: BadFilter},
		"no operator":      {filter: `actor.id is "one"`, refused: BadFilter},
		"rest":             {filter: `actor.id eq "one" "two"`, refused: BadFilter},
		"open quote":       {filter: `actor.id eq "one`, refused: BadFilter},
		"open parenthesis": {filter: `(actor.id eq "one"`, refused: BadFilter},
		"bracket":          {filter: `target[type eq "User"]`, refused: BadFilter},
		"bare not":         {filter: `not actor.id pr`, refused: BadFilter},
		"deep":             {filter: strings.Repeat("(", 40) + `actor.id pr` + strings.Repeat(")", 40), refused: BadFilter},
		"long":             {filter: `actor.id eq "` + strings.Repeat("x", 5000) + `"`, refused: BadFilter},
		"greater":          {filter: `actor.id gt "one"`, refused: BadComparison},
		"ne of many":       {filter: `target.id ne "t1"`, refused: BadComparison},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			names, _, err := d.try("filter="+url.QueryEscape(test.filter), "")
			if test.refused != BadParameter {
				if bad, is := errors.AsType[*Refusal](err); !is || bad.Kind != test.refused {
					t.Errorf("%s: got %v, want a refusal of kind %d", test.filter, err, test.refused)
				}
				return
			}
			if got := strings.Join(names, " "); err != nil || got != test.want {
				t.Errorf("%s: got %q, %v, want %q", test.filter, got, err, test.want)
			}
		})
	}
}

func TestQueriesAreRefused(t *testing.T) {
	at := func(d time.Duration) string { return url.QueryEscape(epoch().Add(d).Format(time.RFC3339)) }
	const day = 24 * time.Hour
	tests := map[string]struct {
		reason, query string
		kind          RefusalKind
		good          bool
	}{
		"limit":           {"1000 is the most", "limit=1000", 0, true},
		"large limit":     {"1000 is the most", "limit=1001", BadParameter, false},
		"negative limit":  {"it is a count", "limit=-1", BadParameter, false},
		"limit of words":  {"it is a count", "limit=many", BadParameter, false},
		"order":           {"there are two", "sortOrder=asc", BadParameter, false},
		"time":            {"it must be a time", "since=yesterday", BadDate, false},
		"empty":           {"a parameter says something", "since=", BadParameter, false},
		"old since":       {"180 days are the bound", "since=" + at(-180*day), 0, true},
		"too old since":   {"180 days are the bound", "since=" + at(-180*day-time.Second), BadFilter, false},
		"future since":    {"nothing has happened then", "since=" + at(time.Second), BadParameter, false},
		"until too early": {"there is nothing between", "since=" + at(-day) + "&until=" + at(-2*day), BadParameter, false},
		"ten keywords":    {"ten are the bound", "q=1+2+3+4+5+6+7+8+9+10", 0, true},
		"eleven keywords": {"ten are the bound", "q=1+2+3+4+5+6+7+8+9+10+11", BadParameter, false},
		"long keyword":    {"40 are the bound", "q=" + strings.Repeat("ä", 41), BadParameter, false},
		"longest keyword": {"40 are the bound", "q=" + strings.Repeat("ä", 40), 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := newDesk(t, Trouble{}).try(test.query, "")
			bad, is := errors.AsType[*Refusal](err)
			if test.good && err != nil || !test.good && (!is || bad.Kind != test.kind) {
				t.Errorf("%s: got %v", test.reason, err)
			}
		})
	}
}
