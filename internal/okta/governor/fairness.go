package governor

const (
	// horizon is how many windows ahead a refused call may be given its turn.
	horizon = 5
	// booked is how many times its part a namespace is given of a window to come. Some never come,
	// and of those who come too many only ask once more.
	booked = 2
)

// fairness shares a part of a bucket between namespaces. There is no queue to order, since nobody
// waits here; so each that is refused is told in which of the next windows to come again, and
// there that much, up to an equal part, is held back for its namespace.
type fairness struct {
	// spent counts this window's calls, and owed those who were told to come in it, by namespace.
	spent, owed map[string]int
	// turns counts those who were told to come in the windows after it, the next one first.
	turns []map[string]int
}

// roll begins the window that is so many after the present one.
func (f *fairness) roll(windows int) {
	f.owed, f.spent = nil, nil
	if windows <= len(f.turns) {
		f.owed, f.turns = f.turns[windows-1], f.turns[windows:]
		return
	}
	f.turns = nil
}

func (f *fairness) spend(c Caller) {
	if f.spent == nil {
		f.spent = map[string]int{}
	}
	f.spent[c.Namespace]++
}

// turn gives one that is refused the first window with room for its namespace, of the next ones
// up to the furthest; 0 is the next. Who finds none comes where the fewest of its namespace do.
func (f *fairness) turn(namespace string, whole, furthest int) int {
	fewest := 0
	for ahead := range furthest {
		if ahead == len(f.turns) {
			f.turns = append(f.turns, map[string]int{})
		}
		in := f.turns[ahead]
		if in[namespace] < booked*part(whole, in, namespace) {
			fewest = ahead
			break
		}
		if in[namespace] < f.turns[fewest][namespace] {
			fewest = ahead
		}
	}
	f.turns[fewest][namespace]++
	return fewest
}

// part is an equal part of the whole, for the namespace and all who claim one in this window.
func (f *fairness) part(whole int, namespace string) int { return part(whole, f.owed, namespace) }

func part(whole int, owed map[string]int, namespace string) int {
	claimants := len(owed)
	if _, claims := owed[namespace]; !claims {
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
