package governor

const (
	// horizon is how many windows ahead a refused call may be given its turn.
	horizon = 5
	// booked is how many times its part a namespace is given of a window to come. Some never come,
	// and of those who come too many only ask once more.
	booked = 2
)

// fairness shares a part of a bucket between namespaces, and in each between the objects that wait.
// There is no queue to order, since nobody waits here; so each that is refused is told in which of
// the next windows to come again, and there its place is held back, up to an equal part for its
// namespace. Nobody who comes first takes it.
type fairness struct {
	// spent counts this window's calls by namespace.
	spent map[string]int
	// due are those who were told to come in this window, and have not yet been let out.
	due turns
	// later are those who were told to come in the windows after it, the next one first.
	later []turns
}

// turns are the objects whose turn it is in one window, by namespace. A namespace stays when all of
// its objects have been let out: it claims a part all the same.
type turns map[string]map[string]bool

func (t turns) has(c Caller) bool { return t[c.Namespace][c.Object] }

func (t turns) add(c Caller) {
	if t[c.Namespace] == nil {
		t[c.Namespace] = map[string]bool{}
	}
	t[c.Namespace][c.Object] = true
}

func (t turns) drop(c Caller) {
	if delete(t[c.Namespace], c.Object); len(t[c.Namespace]) == 0 {
		delete(t, c.Namespace)
	}
}

// roll begins the window that is so many after the present one.
func (f *fairness) roll(windows int) {
	f.due, f.spent = nil, nil
	if windows > len(f.later) {
		f.later = nil
		return
	}
	f.due, f.later = f.later[windows-1], f.later[windows:]
}

func (f *fairness) spend(c Caller) {
	if f.spent == nil {
		f.spent = map[string]int{}
	}
	f.spent[c.Namespace]++
	delete(f.due[c.Namespace], c.Object)
	for _, in := range f.later {
		in.drop(c)
	}
}

// turn gives one that is refused the first window with room for its namespace, of the next ones
// up to the furthest; 0 is the next. Who finds none comes where the fewest of its namespace do. Who
// has a turn keeps it, however often it asks.
func (f *fairness) turn(c Caller, whole, furthest int) int {
	for ahead, in := range f.later {
		if in.has(c) {
			return ahead
		}
	}
	fewest := 0
	for ahead := range furthest {
		if ahead == len(f.later) {
			f.later = append(f.later, turns{})
		}
		in := f.later[ahead]
		told := len(in[c.Namespace])
		if told < booked*partOf(whole, in, c.Namespace) {
			fewest = ahead
			break
		}
		if told < len(f.later[fewest][c.Namespace]) {
			fewest = ahead
		}
	}
	f.later[fewest].add(c)
	return fewest
}

// part is an equal part of the whole, for the namespace and all who claim one in this window.
func (f *fairness) part(whole int, namespace string) int {
	return partOf(whole, f.due, namespace)
}

func partOf(whole int, claim turns, namespace string) int {
	claimants := len(claim)
	if _, claims := claim[namespace]; !claims {
		claimants++
	}
	return max(1, whole/claimants)
}

// claims tells that it is the caller's turn, and its namespace has not yet had its part.
func (f *fairness) claims(c Caller, part int) bool {
	return f.due.has(c) && f.spent[c.Namespace] < part
}

// held is what is held back for others than the caller: those whose turn it is.
func (f *fairness) held(c Caller, part int) int {
	held := 0
	for namespace, due := range f.due {
		waiting := len(due)
		if namespace == c.Namespace && due[c.Object] {
			waiting--
		}
		held += max(0, min(waiting, part-f.spent[namespace]))
	}
	return held
}
