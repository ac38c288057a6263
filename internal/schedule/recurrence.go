package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// horizonYears is how far a start is looked for. The rarest day is the 29th of
// February, which is eight years away at most (2096 to 2104).
const horizonYears = 9

// either is the bit by which the parser marks a field that says "any"; of two day
// fields without it one is enough, as crontab(5) has it.
const either = 1 << 63

// recurrence is a cron expression in a time zone. Only the parser is borrowed: its
// Next leaves out days that begin at one o'clock, and times after a change by half
// an hour, so what it gives would depend on where the search begins.
type recurrence struct {
	spec *cron.SpecSchedule
	zone *time.Location
}

// everFires tells whether the expression happens at all. A leap year holds every day
// of every month, and the two day fields cannot both restrict a day.
func everFires(spec *cron.SpecSchedule) bool {
	begin := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	_, found := recurrence{spec: spec, zone: time.UTC}.between(begin.Add(-1), begin.AddDate(1, 0, 0))
	return found
}

// between gives the first start after the one time and not after the other.
func (r recurrence) between(after, until time.Time) (time.Time, bool) {
	at := after.Truncate(time.Minute).Add(time.Minute).In(r.zone)
	for !at.After(until) {
		step := r.miss(at)
		if step == 0 {
			return at, true
		}
		at = leap(at, step)
	}
	return time.Time{}, false
}

// miss is how long the expression certainly does not happen from t on while clocks
// are not changed: to the next day, hour or minute; zero when it happens at t.
func (r recurrence) miss(t time.Time) time.Duration {
	hour, minute := t.Hour(), t.Minute()
	untilHour := time.Duration(60-minute) * time.Minute
	switch {
	case !r.onDay(t):
		return time.Duration(23-hour)*time.Hour + untilHour
	case r.spec.Hour&(1<<hour) == 0:
		return untilHour
	case r.spec.Minute&(1<<minute) == 0:
		return time.Minute
	}
	return 0
}

func (r recurrence) onDay(t time.Time) bool {
	if r.spec.Month&(1<<t.Month()) == 0 {
		return false
	}
	ofMonth := r.spec.Dom&(1<<t.Day()) != 0
	ofWeek := r.spec.Dow&(1<<t.Weekday()) != 0
	if (r.spec.Dom|r.spec.Dow)&either != 0 {
		return ofMonth && ofWeek
	}
	return ofMonth || ofWeek
}

// leap goes on by step, but never over a change of the clocks: what they show
// afterwards is looked at anew. Far ahead ZoneBounds takes every year for one of 365
// days and names a change that is over on the last day of a leap year; that day is
// walked through in minutes.
func leap(t time.Time, step time.Duration) time.Time {
	next := t.Add(step)
	_, change := t.ZoneBounds()
	switch {
	case change.IsZero() || !next.After(change):
		return next
	case !change.After(t):
		return t.Add(time.Minute)
	}
	return change.Add(time.Minute - 1).Truncate(time.Minute).In(t.Location())
}
