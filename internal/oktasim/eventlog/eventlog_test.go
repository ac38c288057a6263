package eventlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func epoch() time.Time { return time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC) }

// desk is a journal, a clock, and somebody who reads.
type desk struct {
	t   *testing.T
	j   *Journal
	now time.Time
}

func newDesk(t *testing.T, trouble Trouble) *desk {
	j := New(1)
	j.SetTrouble(trouble)
	return &desk{t, j, epoch()}
}

func (d *desk) add(names ...string) {
	for _, name := range names {
		d.j.Add(&Event{Type: name, Result: "SUCCESS", Targets: []Party{{ID: "id-" + name}}}, d.now)
	}
}

func (d *desk) wait(by time.Duration) { d.now = d.now.Add(by) }

func (d *desk) try(query, after string) ([]string, string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		d.t.Fatal(err)
	}
	if after != "" {
		values.Set("after", after)
	}
	q, err := ReadQuery(values, d.now)
	if err != nil {
		return nil, "", err
	}
	page, err := d.j.Read(q, d.now)
	names := []string{}
	for _, e := range page.Events {
		names = append(names, e.(wire).EventType)
	}
	return names, page.Next, err
}

func (d *desk) read(query, after string) ([]string, string) {
	d.t.Helper()
	names, next, err := d.try(query, after)
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return names, next
}

// expect reads a page and gives its cursor.
func (d *desk) expect(query, after, want string) string {
	d.t.Helper()
	names, next := d.read(query, after)
	if got := strings.Join(names, " "); got != want {
		d.t.Errorf("%s: got %q, want %q", query, got, want)
	}
	return next
}

func TestPollingGoesOnForEver(t *testing.T) {
	d := newDesk(t, Trouble{})
	next := d.expect("limit=2", "", "")
	d.add("a", "b", "c")
	next = d.expect("limit=2", next, "a b")
	next = d.expect("limit=2", next, "c")
	for range 3 {
		if next = d.expect("limit=2", next, ""); next == "" {
			t.Fatal("a poll without events must have a next page")
		}
	}
	d.add("d")
	d.expect("limit=2", next, "d")
	d.expect("limit=2", next, "d")
}

func TestPollingOfNothingStaysWhereItIs(t *testing.T) {
	d := newDesk(t, Trouble{})
	d.add("a")
	next := d.expect("limit=0", "", "")
	d.expect("limit=0", next, "")
	if d.expect("limit=0&sortOrder=DESCENDING", "", "") != "" {
		t.Error("a bounded request for nothing has no next page")
	}
}

func TestBoundedRequestsEnd(t *testing.T) {
	d := newDesk(t, Trouble{})
	for _, name := range []string{"a", "b", "c", "d"} {
		d.add(name)
		d.wait(time.Minute)
	}
	until := "until=" + url.QueryEscape(epoch().Add(2*time.Minute).Format(time.RFC3339))
	next := d.expect(until+"&limit=2", "", "a b")
	if next = d.expect(until+"&limit=2", next, "c"); next != "" {
		t.Error("the last page must have no next one")
	}
	if d.expect(until+"&limit=3", "", "a b c") != "" {
		t.Error("a page that is full and the last must have no next one")
	}
	next = d.expect("sortOrder=DESCENDING&limit=3", "", "d c b")
	d.add("e")
	if d.expect("sortOrder=DESCENDING&limit=3", next, "a") != "" {
		t.Error("descending pages end, whatever happens meanwhile")
	}
	since := "since=" + url.QueryEscape(epoch().Add(time.Minute).Format(time.RFC3339))
	d.expect(since+"&"+until, "", "b c")
}

func TestLateEventsComeToPollers(t *testing.T) {
	d := newDesk(t, Trouble{LateEvery: 2, LateBy: time.Hour})
	d.add("a", "late", "b")
	d.expect("limit=10&sortOrder=DESCENDING", "", "b a")
	next := d.expect("limit=10", "", "a b")
	d.wait(time.Hour - time.Millisecond)
	d.add("c")
	next = d.expect("limit=10", next, "")
	d.wait(time.Millisecond)
	d.add("d")
	next = d.expect("limit=10", next, "late d")
	d.expect("limit=10", next, "")
	d.wait(time.Hour)
	d.expect("limit=10&sortOrder=DESCENDING", "", "d c late b a")
	if got := d.j.Ledger(d.now, 1, 2); len(got) != 2 || got[0].Seq != 2 || got[1].EventType != "late" || !got[1].Published.Equal(epoch()) {
		t.Errorf("the ledger must be in the order of persistence, got %+v", got)
	}
}

func TestLagKeepsTheOrder(t *testing.T) {
	d := newDesk(t, Trouble{Lag: time.Second})
	d.add("a", "b", "c")
	next := d.expect("", "", "")
	d.wait(time.Second)
	d.expect("", next, "a b c")
}

// batch adds one event that was published a while ago, and persisted late after that.
func (d *desk) batch(name string, ago, late time.Duration) {
	d.t.Helper()
	if err := d.j.AddBatch(1, Batch{Event: Event{Type: name}, First: d.now.Add(-ago), Late: late}, d.now); err != nil {
		d.t.Fatal(err)
	}
}

func TestNothingGetsInBetweenWhatWasRead(t *testing.T) {
	d := newDesk(t, Trouble{})
	d.batch("history", time.Hour, 0)
	d.add("now")
	next := d.expect("", "", "history now")
	d.batch("old", time.Hour, time.Minute)
	d.batch("soon", time.Minute, 2*time.Minute)
	d.expect("", next, "old")
	since := "since=" + url.QueryEscape(d.now.Add(-time.Second).Format(time.RFC3339))
	d.expect(since, "", "now old")
	if got := d.j.Ledger(d.now, 2, 0); len(got) != 1 || !got[0].Persisted.Equal(d.now) || !got[0].Published.Equal(d.now.Add(-time.Hour)) {
		t.Errorf("what comes after now is persisted no earlier, got %+v", got)
	}
	d.wait(time.Minute)
	d.expect("", next, "old soon")
}

func TestEventsAreShownTwice(t *testing.T) {
	d := newDesk(t, Trouble{TwiceEvery: 3, TwiceAfter: time.Minute})
	d.add("a", "b", "c")
	next := d.expect("limit=10", "", "a b c")
	d.wait(time.Minute)
	d.add("d")
	d.expect("limit=10", next, "c d")
	entries := d.j.Ledger(d.now, 0, 0)
	got := []string{}
	for _, e := range entries {
		got = append(got, fmt.Sprint(e.EventType, e.Again, e.UUID == entries[2].UUID))
	}
	want := []string{"a false false", "b false false", "c false true", "c true true", "d false false"}
	for i := range want {
		want[i] = strings.Replace(want[i], " ", "", 1)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the ledger differs (-want +got):\n%s", diff)
	}
}

func TestPublicationIsOutOfOrder(t *testing.T) {
	d := newDesk(t, Trouble{Disorder: time.Minute})
	for i := range 100 {
		d.add(strconv.Itoa(i))
		d.wait(time.Second)
	}
	backwards := 0
	entries := d.j.Ledger(d.now, 0, 0)
	for i, e := range entries {
		if e.EventType != strconv.Itoa(i) {
			t.Fatalf("the order of persistence must stay, got %s at %d", e.EventType, i)
		}
		if i > 0 && e.Published.Before(entries[i-1].Published) {
			backwards++
		}
	}
	if backwards < 10 {
		t.Errorf("only %d of 100 events were published before the one persisted before them", backwards)
	}
	q, err := ReadQuery(url.Values{"limit": {"1000"}, "sortOrder": {"DESCENDING"}}, d.now)
	if err != nil {
		t.Fatal(err)
	}
	page, err := d.j.Read(q, d.now)
	if err != nil || len(page.Events) != 100 {
		t.Fatalf("got %d events, %v", len(page.Events), err)
	}
	for i := 1; i < 100; i++ {
		if page.Events[i].(wire).Published > page.Events[i-1].(wire).Published {
			t.Fatal("bounded requests must be in the order of publication")
		}
	}
}

func TestCursorsAreRefused(t *testing.T) {
	d := newDesk(t, Trouble{CursorLifetime: time.Hour})
	d.add("a", "b", "c")
	_, next := d.read("limit=1&filter="+url.QueryEscape(`eventType pr`), "")
	good := "limit=1&filter=" + url.QueryEscape(`eventType pr`)
	raw, err := base64.RawURLEncoding.DecodeString(next)
	if err != nil {
		t.Fatal(err)
	}
	raw[7]++
	tests := map[string]struct{ reason, query, after string }{
		"another filter": {"it is bound to the query", "limit=1&filter=" + url.QueryEscape(`actor.id pr`), next},
		"no filter":      {"it is bound to the query", "limit=1", next},
		"another limit":  {"links are to be followed as they are", strings.Replace(good, "1", "2", 1), next},
		"another order":  {"it is bound to the query", good + "&sortOrder=DESCENDING", next},
		"changed":        {"nobody may move it", good, base64.RawURLEncoding.EncodeToString(raw)},
		"shortened":      {"it is opaque", good, next[:len(next)-2]},
		"made up":        {"it is opaque", good, "1627500044869_1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := d.try(test.query, test.after)
			if bad, is := errors.AsType[*Refusal](err); !is || bad.Kind != BadParameter || bad.Field != "after" {
				t.Errorf("%s: got %v", test.reason, err)
			}
		})
	}
	d.expect(good, next, "b")
	other := newDesk(t, Trouble{})
	if _, _, err := other.try(good, next); err == nil {
		t.Error("a cursor of another journal must be refused")
	}
	d.wait(time.Hour)
	d.expect(good, next, "b")
	d.wait(time.Millisecond)
	if _, _, err := d.try(good, next); err == nil {
		t.Error("the cursor has expired")
	}
}

func TestKeywordsMatchWholeWords(t *testing.T) {
	d := newDesk(t, Trouble{})
	d.j.Add(&Event{Type: "a", Actor: Party{ID: "2JI-x", DisplayName: "Jane Doe"}, Result: "SUCCESS"}, d.now)
	d.expect("q=JANE+success", "", "a")
	d.expect("q=2ji", "", "a")
	d.expect("q=2ji-x", "", "a")
	d.expect("q=jan", "", "")
	d.expect("q=jane+failure", "", "")
}

func TestEventsAreForgotten(t *testing.T) {
	d := newDesk(t, Trouble{})
	d.add("old")
	d.wait(Retention)
	since := "since=" + url.QueryEscape(epoch().Format(time.RFC3339))
	d.expect(since, "", "old")
	d.wait(time.Millisecond)
	d.expect(since, "", "")
	d.expect(since+"&sortOrder=DESCENDING", "", "")
	late := newDesk(t, Trouble{})
	late.batch("late", Retention+time.Hour, 2*time.Hour)
	late.batch("in time", Retention-time.Hour, 2*time.Hour)
	late.expect("since="+url.QueryEscape(epoch().Add(-Retention-2*time.Hour).Format(time.RFC3339)), "", "in time")
}

func TestSinceIsSevenDays(t *testing.T) {
	d := newDesk(t, Trouble{})
	d.add("old")
	d.wait(7 * 24 * time.Hour)
	d.add("new")
	d.expect("", "", "old new")
	d.wait(time.Millisecond)
	d.expect("", "", "new")
	d.expect("sortOrder=DESCENDING", "", "new")
}

// TestAMillionEventsAreSmall also reads them all.
func TestAMillionEventsAreSmall(t *testing.T) {
	const count = 1_000_000
	d := newDesk(t, Trouble{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	batch := Batch{Event: Event{Type: "a", Targets: []Party{{ID: "t"}}}, First: d.now.Add(-count * time.Millisecond), Step: time.Millisecond}
	if err := d.j.AddBatch(count, batch, d.now); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if taken := int64(after.HeapAlloc) - int64(before.HeapAlloc); taken > 48<<20 {
		t.Errorf("a million events take %d bytes", taken)
	}
	seen, next := 0, ""
	for range 10 {
		names, following := d.read("limit=1000", next)
		seen, next = seen+len(names), following
	}
	if seen != 10_000 {
		t.Errorf("read %d events in ten pages of a thousand", seen)
	}
	if names, _ := d.read("sortOrder=DESCENDING&limit=1000", ""); len(names) != 1000 {
		t.Errorf("read %d events backwards", len(names))
	}
	if got := d.j.Ledger(d.now, count-1, 0); len(got) != 1 || got[0].Seq != count || cmp.Diff([]string{"t"}, got[0].Targets) != "" {
		t.Errorf("the last entry of the ledger is %+v", got)
	}
	if err := d.j.AddBatch(-1, batch, d.now); err == nil {
		t.Error("fewer than no events must be refused")
	}
}

func TestUUIDsDiffer(t *testing.T) {
	d := newDesk(t, Trouble{})
	seen := map[string]bool{}
	for range 1000 {
		d.add("a")
	}
	for _, e := range d.j.Ledger(d.now, 0, 0) {
		seen[e.UUID] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 events have %d uuids", len(seen))
	}
}

func BenchmarkPoll(b *testing.B) {
	j, now := New(1), epoch()
	if err := j.AddBatch(1_000_000, Batch{Event: Event{Type: "a"}, First: now}, now); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		q, err := ReadQuery(url.Values{"limit": {"1000"}}, now)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := j.Read(q, now); err != nil {
			b.Fatal(err)
		}
	}
}
