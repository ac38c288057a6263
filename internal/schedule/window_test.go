package schedule

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests need zones on machines without them too

	"github.com/google/go-cmp/cmp"
)

func TestParseRefuses(t *testing.T) {
	hour := time.Hour
	tests := map[string]struct {
		reason string
		window Window
		want   []string
	}{
		"TimeZonePrefix": {
			reason: "a zone has a field of its own, where an unknown one is told",
			window: Window{Start: "CRON_TZ=Europe/Berlin 0 2 * * 6", Duration: hour},
			want:   []string{"spec.rotation.windows[1].start: ", "names a time zone", "timeZone"},
		},
		"TimeZonePrefixAlone": {
			reason: "the parser would panic",
			window: Window{Start: "TZ=0", Duration: hour},
			want:   []string{"windows[1].start: "},
		},
		"Descriptor": {
			reason: "@every has no fixed times, and the others hide theirs",
			window: Window{Start: "@weekly", Duration: hour},
			want:   []string{"windows[1].start: ", "descriptor", "five fields"},
		},
		"Seconds": {
			reason: "six fields would be read otherwise by who wrote them",
			window: Window{Start: "0 0 2 * * 6", Duration: hour},
			want:   []string{"windows[1].start: ", "day of the week"},
		},
		"Sunday7": {
			reason: "a CronJob refuses it too",
			window: Window{Start: "0 2 * * 7", Duration: hour},
			want:   []string{"windows[1].start: ", "above maximum (6)"},
		},
		"Empty": {
			reason: "admission may be older than the field",
			window: Window{Duration: hour},
			want:   []string{"windows[1].start: ", "such as"},
		},
		"NeverInTheYear": {
			reason: "a credential would never be replaced, and nobody would hear of it",
			window: Window{Start: "0 2 31 2,4 *", Duration: hour},
			want:   []string{"windows[1].start: ", "never happens"},
		},
		"NoMinute": {
			reason: "the parser takes a list of nothing",
			window: Window{Start: ", 2 * * *", Duration: hour},
			want:   []string{"windows[1].start: ", "never happens"},
		},
		"UnknownZone": {
			reason: "another zone than meant is a window at another time than meant",
			window: Window{Start: "0 2 * * 6", Duration: hour, TimeZone: "Europe/Berlim"},
			want:   []string{"windows[1].timeZone: ", "Europe/Berlin"},
		},
		"LocalZone": {
			reason: "Local is whatever the node has",
			window: Window{Start: "0 2 * * 6", Duration: hour, TimeZone: "Local"},
			want:   []string{"windows[1].timeZone: "},
		},
		"TooShort": {
			reason: "a window shorter than cron's granularity could pass unseen",
			window: Window{Start: "0 2 * * 6", Duration: 59 * time.Second},
			want:   []string{"windows[1].duration: ", "at least 1m0s"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]Window{{Start: "0 2 * * *", Duration: hour}, tc.window})
			if err == nil {
				t.Fatalf("%s: no error", tc.reason)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: error %q lacks %q", tc.reason, err, want)
				}
			}
		})
	}
}

func TestNext(t *testing.T) {
	berlin := "Europe/Berlin"
	tests := map[string]struct {
		reason  string
		windows []Window
		at      string
		want    string
	}{
		"NoWindows": {
			reason: "without windows any time will do",
			at:     "2026-05-01T10:00:30Z", want: "2026-05-01T10:00:30Z",
		},
		"Open": {
			reason:  "within a window there is nothing to wait for",
			windows: []Window{{Start: "0 2 * * 6", Duration: 2 * time.Hour}},
			at:      "2026-05-02T03:59:59.5Z", want: "2026-05-02T03:59:59.5Z",
		},
		"AtItsEnd": {
			reason:  "a window ends when its duration has elapsed, not later",
			windows: []Window{{Start: "0 2 * * 6", Duration: 2 * time.Hour}},
			at:      "2026-05-02T04:00:00Z", want: "2026-05-09T02:00:00Z",
		},
		"JustBefore": {
			reason:  "a second before is not within",
			windows: []Window{{Start: "0 2 * * 6", Duration: 2 * time.Hour}},
			at:      "2026-05-02T01:59:59Z", want: "2026-05-02T02:00:00Z",
		},
		"Earliest": {
			reason: "the first of several windows counts",
			windows: []Window{
				{Start: "0 2 * * 6", Duration: time.Hour},
				{Start: "30 22 * * 1-5", Duration: time.Hour, TimeZone: "America/New_York"},
			},
			at: "2026-05-01T10:00:00Z", want: "2026-05-02T02:00:00Z",
		},
		"ZoneInSummer": {
			reason:  "a window keeps the wall clock's time: 02:00 in Berlin is midnight UTC in summer",
			windows: []Window{{Start: "0 2 * * *", Duration: time.Hour, TimeZone: berlin}},
			at:      "2026-07-01T12:00:00Z", want: "2026-07-02T00:00:00Z",
		},
		"ZoneInWinter": {
			reason:  "and one o'clock in winter",
			windows: []Window{{Start: "0 2 * * *", Duration: time.Hour, TimeZone: berlin}},
			at:      "2026-12-01T12:00:00Z", want: "2026-12-02T01:00:00Z",
		},
		"SpringGap": {
			reason:  "02:30 does not exist on 29 March 2026; as with a CronJob the window opens the day after",
			windows: []Window{{Start: "30 2 * * *", Duration: time.Hour, TimeZone: berlin}},
			at:      "2026-03-28T12:00:00Z", want: "2026-03-30T00:30:00Z",
		},
		"OpenOverTheGap": {
			reason:  "two hours from 01:30 are over at 04:30 on that day's clock",
			windows: []Window{{Start: "30 1 * * *", Duration: 2 * time.Hour, TimeZone: berlin}},
			at:      "2026-03-29T04:29:59+02:00", want: "2026-03-29T02:29:59Z",
		},
		"ClosedAfterTheGap": {
			reason:  "and not before or after",
			windows: []Window{{Start: "30 1 * * *", Duration: 2 * time.Hour, TimeZone: berlin}},
			at:      "2026-03-29T04:30:00+02:00", want: "2026-03-29T23:30:00Z",
		},
		"AutumnFirst": {
			reason:  "02:30 comes twice on 25 October 2026: first in summer time",
			windows: []Window{{Start: "30 2 * * *", Duration: 10 * time.Minute, TimeZone: berlin}},
			at:      "2026-10-24T12:00:00Z", want: "2026-10-25T00:30:00Z",
		},
		"AutumnSecond": {
			reason:  "then in winter time, an hour later",
			windows: []Window{{Start: "30 2 * * *", Duration: 10 * time.Minute, TimeZone: berlin}},
			at:      "2026-10-25T00:40:00Z", want: "2026-10-25T01:30:00Z",
		},
		"DayWithoutMidnight": {
			reason:  "in Beirut 29 March 2026 begins at 01:00; the parser's own Next leaves that day out",
			windows: []Window{{Start: "0 3 * * 0", Duration: time.Hour, TimeZone: "Asia/Beirut"}},
			at:      "2026-03-27T12:00:00Z", want: "2026-03-29T00:00:00Z",
		},
		"HalfAnHour": {
			reason:  "Lord Howe's clocks change by half an hour; the parser's own Next misses 05:00 that day",
			windows: []Window{{Start: "0 5 * * *", Duration: time.Hour, TimeZone: "Australia/Lord_Howe"}},
			at:      "2026-10-03T14:00:00Z", want: "2026-10-03T18:00:00Z",
		},
		"LongerThanItsPeriod": {
			reason:  "windows that run into each other are always open",
			windows: []Window{{Start: "0 2 * * *", Duration: 25 * time.Hour}},
			at:      "2026-05-01T01:59:00Z", want: "2026-05-01T01:59:00Z",
		},
		"LongOpenForMonths": {
			reason:  "a window may have opened long ago",
			windows: []Window{{Start: "0 0 1 1 *", Duration: 200 * 24 * time.Hour}},
			at:      "2026-07-01T00:00:00Z", want: "2026-07-01T00:00:00Z",
		},
		"LeapDayAcross2100": {
			reason:  "2100 is no leap year: eight years are the longest wait",
			windows: []Window{{Start: "0 0 29 2 *", Duration: time.Hour}},
			at:      "2096-03-01T00:00:00Z", want: "2104-02-29T00:00:00Z",
		},
		"LastDayOfAFarLeapYear": {
			reason:  "Go's zone rules are a day short there, and the search must go on all the same",
			windows: []Window{{Start: "0 3 * * 3", Duration: time.Hour, TimeZone: berlin}},
			at:      "2040-12-31T00:00:00Z", want: "2041-01-02T02:00:00Z",
		},
		"EitherDay": {
			reason:  "of two restricted day fields one is enough, as crontab(5) has it",
			windows: []Window{{Start: "0 0 13 * 5", Duration: time.Hour}},
			at:      "2026-05-02T00:00:00Z", want: "2026-05-08T00:00:00Z",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			windows, err := Parse(tc.windows)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			got := windows.Next(at)
			if diff := cmp.Diff(tc.want, got.UTC().Format(time.RFC3339Nano)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if open := windows.Open(at); open != got.Equal(at) {
				t.Errorf("%s: Open is %t, and Next is %s", tc.reason, open, got)
			}
		})
	}
}

// FuzzNext compares Next with a walk over the minutes, in zones whose clocks change
// in every way there is, around the times at which they do.
func FuzzNext(f *testing.F) {
	zones := []string{
		"", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "America/St_Johns", "America/Sao_Paulo",
		"Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca", "Antarctica/Troll",
	}
	starts := []string{
		"30 2 * * *", "0 * * * *", "15 0 * * 0", "*/20 1-3 * * *", "0 3 29 3 *", "59 23 31 * *", "0 0 13 * 5",
		"0 5 * 10 *", "1 0 * * 1-5", "30 23 * * */2",
	}
	for _, at := range []int64{1774746000, 1792889400, 1759588200, 1162695660, 1541300400, 1325239200, 951782400, 4107542400} {
		for i := range starts {
			f.Add(at, uint8(i), uint8(i), uint16(90))
			f.Add(at-4000, uint8(i+3), uint8(i), uint16(1500))
		}
	}
	f.Fuzz(func(t *testing.T, seconds int64, zone, start uint8, minutes uint16) {
		const from, until = 946684800, 4102444800 // 2000 to 2100: before, zones had odd seconds
		at := time.Unix(from+(seconds%(until-from)+until-from)%(until-from), 0).UTC()
		w := Window{
			Start: starts[int(start)%len(starts)], TimeZone: zones[int(zone)%len(zones)],
			Duration: time.Duration(1+minutes%4320) * time.Minute,
		}
		windows, err := Parse([]Window{w})
		if err != nil {
			t.Fatal(err)
		}
		next := windows.Next(at)
		if next.Before(at) || !windows.Open(next) || !windows.Next(next).Equal(next) {
			t.Fatalf("%+v: Next(%s) = %s, which is not open or not its own Next", w, at, next)
		}
		walk(t, windows, w, at, next)
	})
}

// walk holds that between at and next, or the two days before next, no window is open.
func walk(t *testing.T, windows Windows, w Window, at, next time.Time) {
	t.Helper()
	one := windows.windows[0]
	happens := func(minute time.Time) bool { return one.start.miss(minute.In(one.start.zone)) == 0 }
	begin := at
	if early := next.Add(-48 * time.Hour); early.After(begin) {
		begin = early
	}
	var closes time.Time
	for minute := begin.Truncate(time.Minute).Add(-w.Duration - time.Minute); !minute.After(next); minute = minute.Add(time.Minute) {
		if happens(minute) {
			closes = minute.Add(w.Duration)
		}
		if minute.Before(begin) {
			continue
		}
		open := minute.Before(closes)
		if open != windows.Open(minute) || open && minute.After(at) && minute.Before(next) {
			t.Fatalf("%+v: Next(%s) = %s, and at %s open is %t, which Open says is %t",
				w, at, next, minute, open, windows.Open(minute))
		}
	}
	if next.After(at) && !happens(next) {
		t.Fatalf("%+v: Next(%s) = %s is not a start", w, at, next)
	}
}
