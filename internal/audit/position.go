package audit

import (
	"context"
	"slices"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// Position is how far a receiver has come. It is written down after each page that the
// receiver has acknowledged, and nothing else is remembered from one process to the next.
type Position struct {
	// Place is where to go on.
	Place identity.LogPlace
	// Began is the time from which on events were read.
	Began time.Time
	// Last is the latest publication among what has been read; zero before the first event.
	Last time.Time
	// Gaps are the latest stretches of which events may be missing, at most MaxGaps.
	Gaps []Gap
	// SetAside counts the events that the receiver refused.
	SetAside int64
}

// MaxGaps is how many gaps are remembered.
const MaxGaps = 10

// Gap is a stretch of time of which events may be missing at the receiver.
type Gap struct {
	From, To time.Time
	Reason   GapReason
}

// GapReason says why.
type GapReason string

// The reasons, as the API has them.
const (
	// RetentionExceeded: the directory keeps no events that old.
	RetentionExceeded GapReason = "RetentionExceeded"
	// CursorRejected: the directory did not know the place; events that it had written down
	// late may be missing.
	CursorRejected GapReason = "CursorRejected"
	// SinkRejected: the receiver refuses what an event says.
	SinkRejected GapReason = "SinkRejected"
	// OperatorEventsDropped: the receiver was so far behind that there was no room for what the
	// operator did itself.
	OperatorEventsDropped GapReason = "OperatorEventsDropped"
)

// back is that long before the last event, but no earlier than reading began.
func (p Position) back(d time.Duration) time.Time {
	if at := p.Last.Add(-d); !p.Last.IsZero() && at.After(p.Began) {
		return at
	}
	return p.Began
}

// withGap gives the position with one more gap. One that goes on with another is the same;
// when there are too many, two of them become one that spans both: a stretch is never forgotten.
func (p Position) withGap(g Gap) Position {
	gaps := slices.Clone(p.Gaps)
	for i, known := range gaps {
		if known.Reason == g.Reason && !g.From.After(known.To) && !g.To.Before(known.From) {
			gaps[i] = known.with(g)
			p.Gaps = gaps
			return p
		}
	}
	gaps = append(gaps, g)
	if len(gaps) > MaxGaps {
		gaps = mergeOne(gaps)
	}
	p.Gaps = gaps
	return p
}

// with spans both.
func (g Gap) with(o Gap) Gap {
	if o.From.Before(g.From) {
		g.From = o.From
	}
	if o.To.After(g.To) {
		g.To = o.To
	}
	return g
}

// mergeOne makes one of the oldest two of one reason. Of more gaps than there are reasons two
// have the same.
func mergeOne(gaps []Gap) []Gap {
	for i := range gaps {
		for j := i + 1; j < len(gaps); j++ {
			if gaps[i].Reason == gaps[j].Reason {
				gaps[i] = gaps[i].with(gaps[j])
				return slices.Delete(gaps, j, j+1)
			}
		}
	}
	return gaps
}

// Positions keeps positions, by the id of the receiver. Whoever implements it promises
// that what was written is read again, whole, or not at all: half of one is none.
type Positions interface {
	// Load gives the position; false when there is none that can be read.
	Load(ctx context.Context, id string) (Position, bool, error)
	Save(ctx context.Context, id string, p Position) error
	// Forget removes what is kept of the receiver; gone already is success.
	Forget(ctx context.Context, id string) error
}
