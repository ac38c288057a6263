package eventlog

import (
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Retention is how long events can be read.
const Retention = 90 * 24 * time.Hour

// Trouble is what makes a log hard to read without losing anything. The zero value is
// a log that shows every event at once, in order, and once.
type Trouble struct {
	// Lag is how long after its publication an event is persisted.
	Lag time.Duration `json:"lag"`
	// Every LateEvery-th event is later by LateBy; 0 is none.
	LateEvery int           `json:"lateEvery"`
	LateBy    time.Duration `json:"lateBy"`
	// Every TwiceEvery-th event is shown a second time, TwiceAfter its first; 0 is none.
	TwiceEvery int           `json:"twiceEvery"`
	TwiceAfter time.Duration `json:"twiceAfter"`
	// Disorder is the most by which what an event says of its publication is earlier
	// than it was. How much is drawn for each.
	Disorder time.Duration `json:"disorder"`
	// CursorLifetime is how long a cursor is good; 0 is for ever.
	CursorLifetime time.Duration `json:"cursorLifetime"`
}

// Batch is many events that say the same.
type Batch struct {
	Event Event
	// The first is published at First, every other one Step after the one before it.
	First time.Time
	Step  time.Duration
	// Late is how long after its publication each is persisted, besides the Trouble.
	Late time.Duration
}

// Entry is one showing of an event: what a reader of all pages must have got.
type Entry struct {
	// Seq is the place in the order of persistence, which begins with 1.
	Seq       int       `json:"seq"`
	UUID      string    `json:"uuid"`
	Published time.Time `json:"published"`
	Persisted time.Time `json:"persisted"`
	EventType string    `json:"eventType"`
	Targets   []string  `json:"targets,omitempty"`
	// Again tells that the event has been shown before.
	Again bool `json:"again,omitempty"`
}

// Journal keeps events. It is not safe for concurrent use: its owner has a lock.
type Journal struct {
	random  *rand.Rand
	trouble Trouble
	// key proves that a cursor is the journal's own.
	key []byte
	// made counts the events, to find every nth.
	made int

	// shown is in the order of persistence. It only ever grows at its end, so that a
	// place in it is a cursor. coming is sorted by when it will be persisted.
	shown, coming []record
	// byPublished has places in shown, sorted by publication, as far as it goes.
	byPublished []int32
}

// record is small, for there may be millions. Times are in milliseconds.
type record struct {
	event     *Event
	uuid      uuid
	published int64
	// persisted is when it can be seen; a second showing is marked in its lowest bit.
	persisted int64
}

func (r *record) persistedAt() int64 { return r.persisted >> 1 }
func (r *record) again() bool        { return r.persisted&1 == 1 }

type uuid [16]byte

func (u uuid) plain() string { return hex.EncodeToString(u[:]) }

func (u uuid) String() string {
	text := u.plain()
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// New makes an empty journal; seed draws uuids and disorder. Cursors are random all the
// same: those of another run are of another journal.
func New(seed int64) *Journal {
	random := rand.New(rand.NewPCG(uint64(seed), 0x6c6f6773))
	return &Journal{random: random, key: []byte(crand.Text())}
}

// SetTrouble is for the events and the cursors to come.
func (j *Journal) SetTrouble(t Trouble) { j.trouble = t }

// Text draws letters and figures, for ids of what only the log knows.
func (j *Journal) Text(length int) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	text := make([]byte, length)
	for i := range text {
		text[i] = alphabet[j.random.IntN(len(alphabet))]
	}
	return string(text)
}

// Add writes down what happens now.
func (j *Journal) Add(e *Event, now time.Time) { j.add(e, now, 0, now) }

// AddBatch writes n events. What is to be persisted before what is there already is
// persisted after it: nothing gets in between what readers may have read. What is to be
// persisted in the future can be seen from then on.
func (j *Journal) AddBatch(n int, b Batch, now time.Time) error {
	if n < 0 || n > 10_000_000 || b.Step < 0 || b.Late < 0 || b.Event.Type == "" {
		return fmt.Errorf("adding %d events: there must be a type, no negative duration, and at most ten million", n)
	}
	event := b.Event
	j.shown = slices.Grow(j.shown, n)
	for i := range n {
		j.add(&event, b.First.Add(time.Duration(i)*b.Step), b.Late, now)
	}
	return nil
}

func (j *Journal) add(e *Event, published time.Time, late time.Duration, now time.Time) {
	j.settle(now)
	j.made++
	persisted := published.Add(late + j.trouble.Lag)
	if nth(j.made, j.trouble.LateEvery) {
		persisted = persisted.Add(j.trouble.LateBy)
	}
	if j.trouble.Disorder > 0 {
		published = published.Add(-time.Duration(j.random.Int64N(int64(j.trouble.Disorder) + 1)))
	}
	r := record{event: e, uuid: j.newUUID(), published: published.UnixMilli(), persisted: persisted.UnixMilli() << 1}
	j.place(r, now)
	if nth(j.made, j.trouble.TwiceEvery) {
		r.persisted = persisted.Add(j.trouble.TwiceAfter).UnixMilli()<<1 | 1
		j.place(r, now)
	}
}

func nth(count, every int) bool { return every > 0 && count%every == 0 }

func (j *Journal) newUUID() uuid {
	var u uuid
	high, low := j.random.Uint64(), j.random.Uint64()
	for i := range 8 {
		u[i], u[8+i] = byte(high>>(8*i)), byte(low>>(8*i))
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

// place shows a record, or has it come.
func (j *Journal) place(r record, now time.Time) {
	if r.persistedAt() <= now.UnixMilli() {
		j.show(r)
		return
	}
	at, _ := slices.BinarySearchFunc(j.coming, r.persistedAt(), func(other record, when int64) int {
		if other.persistedAt() <= when {
			return -1
		}
		return 1
	})
	j.coming = slices.Insert(j.coming, at, r)
}

func (j *Journal) show(r record) {
	if n := len(j.shown); n > 0 && j.shown[n-1].persistedAt() > r.persistedAt() {
		r.persisted = j.shown[n-1].persistedAt()<<1 | r.persisted&1
	}
	j.shown = append(j.shown, r)
}

// settle shows what has come by now.
func (j *Journal) settle(now time.Time) {
	due := 0
	for due < len(j.coming) && j.coming[due].persistedAt() <= now.UnixMilli() {
		j.show(j.coming[due])
		due++
	}
	j.coming = j.coming[due:]
	if len(j.coming) == 0 {
		j.coming = nil
	}
}

// Ledger gives what has been persisted by now after the place seq, at most limit of it;
// limit 0 is everything.
func (j *Journal) Ledger(now time.Time, seq, limit int) []Entry {
	j.settle(now)
	from := min(max(seq, 0), len(j.shown))
	to := len(j.shown)
	if limit > 0 {
		to = min(to, from+limit)
	}
	entries := make([]Entry, 0, to-from)
	var last *Event
	var targets []string
	for i := from; i < to; i++ {
		r := &j.shown[i]
		if r.event != last {
			last, targets = r.event, nil
			for _, t := range r.event.Targets {
				targets = append(targets, t.ID)
			}
		}
		entries = append(entries, Entry{
			Seq: i + 1, UUID: r.uuid.String(), Published: moment(r.published), Persisted: moment(r.persistedAt()),
			EventType: r.event.Type, Targets: targets, Again: r.again(),
		})
	}
	return entries
}

func moment(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

func stamp(milliseconds int64) string { return moment(milliseconds).Format("2006-01-02T15:04:05.000Z") }
