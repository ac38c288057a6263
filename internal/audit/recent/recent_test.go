package recent

import "testing"

func TestSet(t *testing.T) {
	s := New[int](3)
	for i, step := range []struct {
		add    int
		added  bool
		has    []int
		lacks  []int
		reason string
	}{
		{1, true, []int{1}, []int{2}, "it was empty"},
		{2, true, []int{1, 2}, nil, "there is room"},
		{1, false, []int{1, 2}, nil, "it is there already"},
		{3, true, []int{1, 2, 3}, nil, "there is room for one more"},
		{4, true, []int{2, 3, 4}, []int{1}, "the oldest makes room, though it was put in again since"},
		{1, true, []int{3, 4, 1}, []int{2}, "what had to go is new again"},
		{5, true, []int{4, 1, 5}, []int{3}, "round and round"},
		{6, true, []int{1, 5, 6}, []int{4}, "round and round"},
	} {
		if got := s.Add(step.add); got != step.added {
			t.Errorf("step %d: adding %d: %t, want %t: %s", i, step.add, got, step.added, step.reason)
		}
		for _, member := range step.has {
			if !s.Has(member) {
				t.Errorf("step %d: %d is not there: %s", i, member, step.reason)
			}
		}
		for _, member := range step.lacks {
			if s.Has(member) {
				t.Errorf("step %d: %d is there: %s", i, member, step.reason)
			}
		}
	}
}
