// Package recent is a set that holds the latest of what was put into it: memory that does
// not grow, of events, requests or whatever else has a name. It refuses to know what.
package recent

// Set holds the latest members, up to a limit. It is not safe for concurrent use.
type Set[K comparable] struct {
	limit int
	known map[K]struct{}
	// ring are the members in the order of their coming; next is the oldest once it is full.
	ring []K
	next int
}

// New makes an empty set of at most limit members, which must be 1 or more.
func New[K comparable](limit int) *Set[K] { return &Set[K]{limit: limit, known: map[K]struct{}{}} }

// Has tells whether the member is there.
func (s *Set[K]) Has(member K) bool {
	_, known := s.known[member]
	return known
}

// Add puts a member in, in the place of the oldest if there is no room, and tells whether it
// was not there. One that was keeps its age.
func (s *Set[K]) Add(member K) bool {
	if s.Has(member) {
		return false
	}
	s.known[member] = struct{}{}
	if len(s.ring) < s.limit {
		s.ring = append(s.ring, member)
		return true
	}
	delete(s.known, s.ring[s.next])
	s.ring[s.next] = member
	s.next = (s.next + 1) % s.limit
	return true
}
