package governor

// fairness shares a part of a bucket between namespaces. There is no queue to order,
// since nobody waits here; so it is remembered who was refused, and in the next window
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
	if f.refused == nil {
		f.refused = map[string]int{}
	}
	f.refused[c.Namespace]++
}

// part is an equal part of the whole, for the namespace and all who claim one.
func (f *fairness) part(whole int, namespace string) int {
	claimants := len(f.owed)
	if _, claims := f.owed[namespace]; !claims {
		claimants++
	}
	return max(1, whole/claimants)
}

// claims tells that the namespace was refused, and has not yet had what is held back for it.
func (f *fairness) claims(namespace string, part int) bool {
	return f.spent[namespace] < min(f.owed[namespace], part)
}

// held is what is held back for others than the namespace.
func (f *fairness) held(namespace string, part int) int {
	held := 0
	for other, owed := range f.owed {
		if other != namespace {
			held += max(0, min(owed, part)-f.spent[other])
		}
	}
	return held
}
