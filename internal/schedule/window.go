package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// minDuration is the granularity of cron: a shorter window could open and close
// between two looks.
const minDuration = time.Minute

// Window is a recurring stretch of time, as people write it down.
type Window struct {
	// Start is a cron expression of five fields, as in a CronJob.
	Start string
	// Duration is how long the window stays open, at least a minute of elapsed time.
	Duration time.Duration
	// TimeZone is a name of the IANA time zone database; UTC when empty.
	TimeZone string
}

// Windows are times at which something may start. The zero value has no windows
// and is always open.
//
// A window opens at every minute at which a clock on the wall of its time zone shows
// what the expression says, and closes after its duration has elapsed. So a start
// that is skipped when clocks are set forward does not happen that day, as with a
// CronJob, one that comes twice when they are set back happens twice, and a window
// over either change is as long as ever.
type Windows struct {
	windows []window
}

// window is a Window understood.
type window struct {
	start    recurrence
	duration time.Duration
}

// Parse reads windows. An error names the field below spec and says what to write
// instead. Time zones come from the system or from time/tzdata, which the program
// must import where the system has none.
func Parse(windows []Window) (Windows, error) {
	var parsed Windows
	for i, w := range windows {
		understood, field, err := parse(w)
		if err != nil {
			return Windows{}, fmt.Errorf("spec.rotation.windows[%d].%s: %w", i, field, err)
		}
		parsed.windows = append(parsed.windows, understood)
	}
	return parsed, nil
}

// parse reads one window, or names the field that is wrong.
func parse(w Window) (parsed window, field string, err error) {
	spec, err := expression(w.Start)
	if err != nil {
		return window{}, "start", err
	}
	zone, err := location(w.TimeZone)
	if err != nil {
		return window{}, "timeZone", err
	}
	if w.Duration < minDuration {
		return window{}, "duration", fmt.Errorf("%s is too short; write at least %s", w.Duration, minDuration)
	}
	return window{start: recurrence{spec: spec, zone: zone}, duration: w.Duration}, "", nil
}

// expression reads a cron expression. What the parser would accept beyond five
// fields is refused before it sees it: a time zone has a field of its own, and
// a malformed one makes this version of the parser panic.
func expression(text string) (*cron.SpecSchedule, error) {
	switch {
	case strings.Contains(text, "TZ="):
		return nil, fmt.Errorf("%q names a time zone; write five fields such as \"0 2 * * 6\" and put the zone in timeZone", text)
	case strings.HasPrefix(strings.TrimSpace(text), "@"):
		return nil, fmt.Errorf("%q is a descriptor; write five fields such as \"0 2 * * 6\" instead", text)
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a cron expression; write minute, hour, day of the month, month and day of the week, "+
			"such as \"0 2 * * 6\": %w", text, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("%q is not a cron expression of five fields, such as \"0 2 * * 6\"", text)
	}
	if !everFires(spec) {
		return nil, fmt.Errorf("%q never happens; write a day that exists in the months named", text)
	}
	return spec, nil
}

func location(name string) (*time.Location, error) {
	// To the standard library Local is the zone of whatever machine this runs on.
	if name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone; write a name of the IANA database, such as Europe/Berlin", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a known time zone; write a name of the IANA database, such as Europe/Berlin: %w", name, err)
	}
	return zone, nil
}

// Open tells whether t is within a window; always when there are none.
func (w Windows) Open(t time.Time) bool {
	if len(w.windows) == 0 {
		return true
	}
	for _, one := range w.windows {
		if one.open(t) {
			return true
		}
	}
	return false
}

// open tells whether a start lies in (t - duration, t]. One of several is enough,
// so windows longer than their period need no care.
func (w window) open(t time.Time) bool {
	_, found := w.start.between(t.Add(-w.duration), t)
	return found
}

// Next is the earliest time from t on that is within a window: t itself when it is,
// or when there are no windows. It looks nine years ahead; there is always a start
// in them, and if there were none, the end of them would be given.
func (w Windows) Next(t time.Time) time.Time {
	if w.Open(t) {
		return t
	}
	next := t.AddDate(horizonYears, 0, 0)
	for _, one := range w.windows {
		if start, found := one.start.between(t, next); found {
			next = start
		}
	}
	return next.In(t.Location())
}
