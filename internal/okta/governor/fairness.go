package governor

import "time"

// fairness shares a bucket between namespaces. There is no queue to order, since
// nobody waits here; so it is remembered who was refused, and in the next window
// that much, up to an equal part, is held back for each of them.
type fairness struct {
	// spent counts this window's calls, refused this window's refusals, and owed
	// the refusals of the window before, each by namespace.
	spent, refused, owed map[string]int
}

func (f *fairness) roll() {
	f.owed, f.spent, f.refused = f.refused, nil, nil
}

func (f *fairness) spend(c Caller) {
	if f.spent == nil {
		f.spent = map[string]int{}
	}
	f.spent[c.Namespace]++
}

func (f *fairness) ask(c Caller) {
	if c.Urgent {
		return
	}
	if f.refused == nil {
		f.refused = map[string]int{}
	}
	f.refused[c.Namespace]++
}

// admits tells whether the caller may take one of what is free. It always may
// when nobody else was left waiting.
func (f *fairness) admits(now time.Time, b *bucket, c Caller) bool {
	if c.Urgent || len(f.owed) == 0 {
		return true
	}
	claimants := len(f.owed)
	if _, claims := f.owed[c.Namespace]; !claims {
		claimants++
	}
	part := max(1, (b.budget()-b.lane())/claimants)
	if f.spent[c.Namespace] < min(f.owed[c.Namespace], part) {
		return true
	}
	// Those who were told to come back have come by the middle of the window; what
	// they leave is free for all.
	if !b.ends.IsZero() && b.ends.Sub(now) < window/2 {
		return true
	}
	held := 0
	for namespace, owed := range f.owed {
		if namespace != c.Namespace {
			held += max(0, min(owed, part)-f.spent[namespace])
		}
	}
	return b.free() > held
}
