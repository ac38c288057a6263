package governor

import "time"

const (
	unknown = -1
	// window is the length of Okta's windows when an answer does not tell the end.
	window = time.Minute
	// longest bounds what an answer can make us wait.
	longest = 90 * time.Second
	// margin is added to the end of a window: Okta tells it in whole seconds.
	margin = time.Second
	// learning is the pause for all but the first call of a bucket not yet known.
	learning = 300 * time.Millisecond
	// again is the pause after a 429 whose reset lies in the past.
	again = 5 * time.Second
	// lending is how long before its end a window lends what was kept for urgent calls and was
	// not needed: one that comes then waits no longer than that. lendBut are never lent.
	lending = 4 * time.Second
	lendBut = 3
)

// bucket is one rate limit, in its present window.
type bucket struct {
	share int
	limit int
	// known is set once an answer told the limit. Until then one call at a time is
	// let out: a process that was here before us may have used up the share.
	known bool
	// told is set once an answer told it with its numbers; one without may come first.
	told bool
	// ends is the server's end of the present window; zero before its first answer.
	ends time.Time
	// guessed tells that no answer has told the end yet.
	guessed bool
	// last is when a call last ended.
	last time.Time
	// ended is the end of the window before, by which late answers are told, and
	// endedUsed and endedRoutine what was used in it.
	ended                   time.Time
	endedUsed, endedRoutine int
	// used and routine are our answered calls in this window, all and those not urgent.
	used, routine int
	// over and overRoutine are those of them of which it is not known whether Okta counted them in
	// this window or in the next: they ended when it was over, without saying.
	over, overRoutine int
	// flying and flyingRoutine are calls under way; they count as used, for it is
	// not known in which window Okta will count them.
	flying, flyingRoutine int
	// invited counts those who were told to come when the window lends.
	invited int
	// remaining is Okta's own count for all of its callers.
	remaining int
	// closed is until when a 429 has closed the bucket.
	closed time.Time
	// fair shares among namespaces what is not urgent, hurried what is.
	fair, hurried fairness
}

// budget is the part of the limit that is ours; one call at least, or nothing
// would ever be learned.
func (b *bucket) budget() int { return max(1, b.limit*b.share/100) }

// kept is the part of the budget kept for urgent calls: a tenth, three at least,
// but never more than half.
func (b *bucket) kept() int {
	budget := b.budget()
	return min(max((budget+9)/10, lendBut), budget/2)
}

// lane is what is kept now: towards its end a window lends all but three.
func (b *bucket) lane(now time.Time) int {
	if b.lends(now) {
		return min(lendBut, b.budget()/2)
	}
	return b.kept()
}

// lends tells that the window is about to end, as an answer of Okta's said.
func (b *bucket) lends(now time.Time) bool {
	return !b.ends.IsZero() && !b.guessed && !now.Before(b.ends.Add(-lending)) && now.Before(b.ends)
}

// invites tells how long a call that finds nothing free should wait for what the window will
// lend: zero when there is nothing to wait for, or enough others do.
func (b *bucket) invites(now time.Time, caller Caller) time.Duration {
	until := b.ends.Add(-lending).Sub(now)
	if caller.Urgent || b.ends.IsZero() || b.guessed || until <= 0 {
		return 0
	}
	lent := b.left() - lendBut
	if b.remaining != unknown {
		lent = min(lent, b.remaining-b.flying)
	}
	if b.invited >= lent {
		return 0
	}
	b.invited++
	return until
}

// newcomers is the part of the lane kept in each window for namespaces that have sent
// nothing urgent in it: a fourth, one at least, but never all of it.
func (b *bucket) newcomers(now time.Time) int { return min(max(b.lane(now)/4, 1), b.lane(now)/2) }

// roll closes a window that is over.
func (b *bucket) roll(now time.Time) {
	if !b.ends.IsZero() && !now.Before(b.ends.Add(margin)) {
		b.open(now, time.Time{})
	}
}

// open begins a window with the given end, zero if that is not known yet.
func (b *bucket) open(now, ends time.Time) {
	windows := 1
	if !b.ends.IsZero() {
		b.ended, b.endedUsed, b.endedRoutine = b.ends, b.used, b.routine
		windows += int(max(0, now.Sub(b.ends)) / window)
	}
	if b.guessed && now.Sub(b.last) < window {
		// All but the first call may fall into the window that Okta counts now.
		b.over = max(b.over, b.used-1)
		b.overRoutine = max(b.overRoutine, min(b.routine, b.over))
	}
	b.ends, b.guessed = ends, false
	b.used, b.routine, b.remaining = b.over, b.overRoutine, unknown
	b.over, b.overRoutine, b.invited = 0, 0, 0
	b.fair.roll(windows)
	b.hurried.roll(windows)
}

// admit says why a call may not be sent now; nil when it may.
func (b *bucket) admit(now time.Time, caller Caller) *Refusal {
	if now.Before(b.closed) {
		return &Refusal{Wait: b.closed.Sub(now) + b.turn(caller), Why: "Okta has closed the window"}
	}
	if !b.known && b.flying > 0 {
		return &Refusal{Wait: learning, Why: "the limit is being learned"}
	}
	if b.exhausted(now, caller) || !b.shares(now, caller) {
		wait := b.invites(now, caller)
		if wait == 0 {
			wait = b.untilEnd(now) + b.turn(caller)
		}
		return &Refusal{Wait: wait, Why: "the share of the limit is used up"}
	}
	return nil
}

// turn is how long after the next window begins a refused call should come: as many windows as it
// has to wait for others of its namespace. Nothing urgent waits for a later window than the next.
func (b *bucket) turn(caller Caller) time.Duration {
	furthest := horizon
	if caller.Urgent || b.ends.IsZero() {
		furthest = 1
	}
	return time.Duration(b.fairnessOf(caller).turn(caller, b.budget()-b.kept(), furthest)) * window
}

func (b *bucket) exhausted(now time.Time, caller Caller) bool {
	if b.left() <= 0 {
		return true
	}
	if b.remaining != unknown && b.remaining-b.flying <= 0 {
		return true
	}
	return !caller.Urgent && b.free(now) <= 0
}

// free is what is left of the budget for calls that are not urgent, which never take what is
// kept for newcomers.
func (b *bucket) free(now time.Time) int {
	return min(b.budget()-b.lane(now)-b.routine-b.flyingRoutine, b.left()-b.newcomers(now))
}

func (b *bucket) fairnessOf(caller Caller) *fairness {
	if caller.Urgent {
		return &b.hurried
	}
	return &b.fair
}

// shares tells that the caller may take one of what is free, whoever else waits. The
// operator itself, which asks for its tokens in nobody's name, always may.
func (b *bucket) shares(now time.Time, caller Caller) bool {
	switch {
	case caller.Urgent && caller.Namespace == "":
		return true
	case caller.Urgent:
		return b.left() > b.keptFrom(now, caller)
	}
	part := b.fair.part(b.budget()-b.lane(now), caller.Namespace)
	return b.fair.claims(caller, part) || b.free(now) > b.heldIn(&b.fair, now, caller, part)
}

// keptFrom is what urgent calls of a namespace leave to others: those who were refused
// something urgent, those who come only now, and, up to half of the budget, those who were
// refused anything else. A namespace that takes away all day keeps nobody else from it.
func (b *bucket) keptFrom(now time.Time, caller Caller) int {
	part := b.hurried.part(b.lane(now), caller.Namespace)
	if b.hurried.claims(caller, part) {
		return 0
	}
	kept := b.heldIn(&b.hurried, now, caller, part)
	if b.hurried.spent[caller.Namespace] > 0 {
		kept = max(kept, b.newcomers(now))
	}
	others := b.heldIn(&b.fair, now, caller, b.fair.part(b.budget()-b.lane(now), caller.Namespace))
	return kept + min(others, b.budget()/2)
}

// heldIn is what is held back for others. Those who were told to come back have come by
// the middle of the window; what they leave is free for all.
func (b *bucket) heldIn(f *fairness, now time.Time, caller Caller, part int) int {
	if !b.ends.IsZero() && b.ends.Sub(now) < window/2 {
		return 0
	}
	return f.held(caller, part)
}

// left is what is left of the budget for everybody.
func (b *bucket) left() int { return b.budget() - b.used - b.flying }

// untilEnd is the time to the next window; short when all of the budget is under
// way and its answers, which tell the window, are still to come.
func (b *bucket) untilEnd(now time.Time) time.Duration {
	if b.ends.IsZero() {
		return time.Second
	}
	return min(max(b.ends.Add(margin).Sub(now), time.Millisecond), longest)
}

func (b *bucket) take(caller Caller) {
	b.flying++
	if !caller.Urgent {
		b.flyingRoutine++
	}
	b.fairnessOf(caller).spend(caller)
}

// settle counts a call that has ended and learns from its answer.
func (b *bucket) settle(now time.Time, urgent bool, r Reading) {
	b.flying--
	if !urgent {
		b.flyingRoutine--
	}
	if late := b.place(now, r); late {
		return
	}
	b.used++
	b.last = now
	if !urgent {
		b.routine++
	}
	if believable(now, r.Reset).IsZero() && !now.Before(b.ends) {
		b.over++
		if !urgent {
			b.overRoutine++
		}
	}
	b.learn(r)
	if r.TooMany {
		b.close(now, r)
	}
}

// place finds the window in which Okta counted the call, opening it when it is a
// new one. It is late when that window is over, and its count no matter any more.
func (b *bucket) place(now time.Time, r Reading) (late bool) {
	reset := believable(now, r.Reset)
	switch {
	case reset.IsZero() && b.ends.IsZero():
		b.ends, b.guessed = now.Add(window), true
	case reset.IsZero():
		// It is counted where we are.
	case !b.ended.IsZero() && !reset.After(b.ended.Add(margin)):
		return !b.reopen(now)
	case b.ends.IsZero(), b.guessed && now.Before(reset):
		b.ends, b.guessed = reset, false
	case reset.After(b.ends.Add(margin)) && now.Before(b.ends.Add(-margin)):
		// It cannot be a later window of this bucket while this one lasts: Okta counts
		// the call in a bucket we did not tell apart. Here it is counted, too.
	case reset.After(b.ends.Add(margin)):
		b.open(now, reset)
	case reset.Before(b.ends.Add(-margin)):
		return !now.Before(reset)
	}
	return false
}

// believable drops an end that is garbage, or from so long ago that it says nothing.
func believable(now, reset time.Time) time.Time {
	if reset.After(now.Add(longest)) || reset.Before(now.Add(-window)) {
		return time.Time{}
	}
	return reset
}

// reopen goes back to the window before when Okta still counts in it: our clock had
// leapt ahead, and only this answer's date told us so.
func (b *bucket) reopen(now time.Time) bool {
	if !b.ends.IsZero() || !now.Before(b.ended) {
		return false
	}
	b.ends, b.ended = b.ended, time.Time{}
	b.used += b.endedUsed
	b.routine += b.endedRoutine
	return true
}

func (b *bucket) learn(r Reading) {
	if r.Remaining >= 0 && (b.remaining == unknown || r.Remaining < b.remaining) {
		b.remaining = r.Remaining
	}
	if r.Limit <= 0 {
		// An endpoint that tells no limit is taken at the assumed one.
		b.known = b.known || r.Answered && !r.TooMany
		return
	}
	if !b.told && r.Remaining >= 0 && r.Remaining <= r.Limit {
		// What was used before us in this window may have been our predecessor, or ourselves
		// before we knew where the window begins.
		b.used = max(b.used, r.Limit-r.Remaining)
		b.routine = max(b.routine, min(b.used, max(1, r.Limit*b.share/100)))
	}
	b.known, b.told, b.limit = true, true, r.Limit
}

// close keeps everybody out until the window ends, after a 429.
func (b *bucket) close(now time.Time, r Reading) {
	until := r.Reset.Add(margin)
	switch {
	case r.Reset.IsZero():
		until = now.Add(window)
	case until.Before(now.Add(margin)):
		until = now.Add(again)
	case until.After(now.Add(longest)):
		until = now.Add(longest)
	}
	if until.After(b.closed) {
		b.closed = until
	}
}
