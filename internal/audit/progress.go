package audit

import "time"

// patience is how old what is outstanding may be at a receiver that has caught up.
const patience = 5 * time.Minute

// Progress is how far a receiver is, for people.
type Progress struct {
	Position
	// Failure is why nothing goes on; nil while all goes well. It is an *output.Error or
	// an *identity.Error.
	Failure error
	// UpTo is the time up to which the receiver has all that the directory had written down
	// then; zero while older events are read.
	UpTo time.Time
}

// Progress tells how far the receiver is.
func (f *Follower) Progress() Progress {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.progress
}

// CaughtUp tells that nothing is outstanding that the directory showed five minutes ago.
func (p Progress) CaughtUp(now time.Time) bool {
	return !p.UpTo.IsZero() && now.Sub(p.UpTo) <= patience
}

// reached notes that the receiver has all that was there when the page was read.
func (f *Follower) reached(page *Page) {
	f.mu.Lock()
	f.progress.UpTo = page.begun
	f.mu.Unlock()
	f.note(nil)
}

// note keeps what people are to know, and says so where it has changed.
func (f *Follower) note(failure error) {
	f.mu.Lock()
	before := f.progress
	f.progress.Position, f.progress.Failure = f.position, failure
	changed := !sameFailure(before.Failure, failure) || len(before.Gaps) != len(f.position.Gaps) || before.SetAside != f.position.SetAside ||
		before.UpTo.IsZero() != f.progress.UpTo.IsZero() || !before.Last.Truncate(time.Minute).Equal(f.position.Last.Truncate(time.Minute))
	f.mu.Unlock()
	if changed {
		f.Changed(f.sink.ID)
	}
}

func sameFailure(a, b error) bool {
	if a == nil || b == nil {
		return (a == nil) == (b == nil)
	}
	return a.Error() == b.Error()
}
