package eventlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"
)

// Page is an answer to a query.
type Page struct {
	// Events are written as JSON.
	Events []any
	// Next is the cursor of the page after it; empty is the end.
	Next string
}

// cursor is a place in the journal, and what the query took for granted there.
type cursor struct {
	// place counts what was read of a polling query; of a bounded one it is the place in
	// the order of persistence of the last event, whose publication is at.
	place, at    int64
	since, until int64
	issued       int64
}

const (
	macLength    = 16
	cursorLength = 5*8 + macLength
)

// seal writes a cursor so that nobody can read, make up or change it.
func (j *Journal) seal(q *Query, c cursor, now time.Time) string {
	raw := []byte{}
	for _, number := range []int64{c.place, c.at, c.since, c.until, now.UnixMilli()} {
		raw = binary.BigEndian.AppendUint64(raw, uint64(number))
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, j.mac(q, raw)...))
}

func (j *Journal) mac(q *Query, raw []byte) []byte {
	mac := hmac.New(sha256.New, j.key)
	mac.Write(q.identity[:])
	mac.Write(raw)
	return mac.Sum(nil)[:macLength]
}

// open reads a cursor of the same query.
func (j *Journal) open(q *Query, now time.Time) (cursor, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(q.after)
	if err != nil || len(raw) != cursorLength || !hmac.Equal(j.mac(q, raw[:cursorLength-macLength]), raw[cursorLength-macLength:]) {
		return cursor{}, bad("after", "The cursor is invalid.")
	}
	var numbers [5]int64
	for i := range numbers {
		numbers[i] = int64(binary.BigEndian.Uint64(raw[8*i:]))
	}
	c := cursor{place: numbers[0], at: numbers[1], since: numbers[2], until: numbers[3], issued: numbers[4]}
	if life := j.trouble.CursorLifetime; life > 0 && now.UnixMilli()-c.issued > life.Milliseconds() {
		return c, bad("after", "The cursor has expired.")
	}
	return c, nil
}

// Read answers a query.
func (j *Journal) Read(q Query, now time.Time) (Page, error) {
	j.settle(now)
	var from *cursor
	if q.after != "" {
		c, err := j.open(&q, now)
		if err != nil {
			return Page{}, err
		}
		from = &c
	}
	oldest := now.Add(-Retention).UnixMilli()
	if q.bounded {
		return j.bounded(&q, from, oldest, now), nil
	}
	return j.poll(&q, from, oldest, now), nil
}

// poll reads on in the order of persistence. There always is a next page.
func (j *Journal) poll(q *Query, from *cursor, oldest int64, now time.Time) Page {
	var place int
	if from != nil {
		place = int(from.place)
	} else {
		place, _ = slices.BinarySearchFunc(j.shown, q.since.UnixMilli(), func(r record, when int64) int {
			if r.persistedAt() < when {
				return -1
			}
			return 1
		})
	}
	page := Page{Events: []any{}}
	for ; place < len(j.shown) && len(page.Events) < q.limit; place++ {
		if r := &j.shown[place]; r.published >= oldest && q.matches(r) {
			page.Events = append(page.Events, r.render())
		}
	}
	page.Next = j.seal(q, cursor{place: int64(place)}, now)
	return page
}

// bounded reads on in the order of publication, and comes to an end. What is persisted
// after a reader has passed its place is not shown to that reader.
func (j *Journal) bounded(q *Query, from *cursor, oldest int64, now time.Time) Page {
	j.sort()
	c := cursor{since: q.since.UnixMilli(), until: q.until.UnixMilli()}
	if from != nil {
		c = *from
	}
	span := j.span(max(c.since, oldest), c.until)
	if from != nil {
		span = j.beyond(span, c, q.descending)
	}
	page := Page{Events: []any{}}
	for i := range span {
		place := span[i]
		if q.descending {
			place = span[len(span)-1-i]
		}
		r := &j.shown[place]
		if !q.matches(r) {
			continue
		}
		if len(page.Events) == q.limit {
			if q.limit > 0 {
				page.Next = j.seal(q, c, now)
			}
			break
		}
		page.Events = append(page.Events, r.render())
		c.place, c.at = int64(place), r.published
	}
	return page
}

// sort takes what is new into the order of publication.
func (j *Journal) sort() {
	sorted := true
	for place := len(j.byPublished); place < len(j.shown); place++ {
		if place > 0 && sorted {
			sorted = j.shown[j.byPublished[place-1]].published <= j.shown[place].published
		}
		j.byPublished = append(j.byPublished, int32(place))
	}
	if !sorted {
		slices.SortFunc(j.byPublished, j.order)
	}
}

func (j *Journal) order(a, b int32) int {
	return order(j.shown[a].published, int64(a), j.shown[b].published, int64(b))
}

func order(at, place, otherAt, otherPlace int64) int {
	if at != otherAt {
		return sign(at - otherAt)
	}
	return sign(place - otherPlace)
}

func sign(difference int64) int {
	switch {
	case difference < 0:
		return -1
	case difference > 0:
		return 1
	}
	return 0
}

// span gives what was published from since to until, both included.
func (j *Journal) span(since, until int64) []int32 {
	first := j.search(j.byPublished, since, -1)
	end := j.search(j.byPublished, until+1, -1)
	return j.byPublished[first:max(first, end)]
}

// beyond gives what of a span comes after a cursor.
func (j *Journal) beyond(span []int32, c cursor, descending bool) []int32 {
	if descending {
		return span[:j.search(span, c.at, c.place)]
	}
	return span[j.search(span, c.at, c.place+1):]
}

// search finds the first of the places that is not before a publication and a place.
func (j *Journal) search(places []int32, at, place int64) int {
	found, _ := slices.BinarySearchFunc(places, place, func(candidate int32, place int64) int {
		if order(j.shown[candidate].published, int64(candidate), at, place) < 0 {
			return -1
		}
		return 1
	})
	return found
}
