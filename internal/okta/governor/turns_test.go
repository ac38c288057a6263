package governor

import (
	"container/heap"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// waiter is an object that wants one call of the org, and asks again when it is told to.
type waiter struct {
	namespace string
	came, at  time.Time
}

type waiters []waiter

func (w waiters) Len() int           { return len(w) }
func (w waiters) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w waiters) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *waiters) Push(x any)        { *w = append(*w, x.(waiter)) }
func (w *waiters) Pop() any {
	last := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return last
}

// TestTurns lets thousands of one namespace wait, and now and then one of another come. Each asks
// when it was told to, 2 ms after the one before at the earliest, which is what a look costs.
func TestTurns(t *testing.T) {
	const (
		many  = 4000
		steps = 20
	)
	random := rand.New(rand.NewPCG(1, 1))
	server, g := newServer(random), New(Options{Share: 50, MaxInFlight: 8})
	start := noon().Add(time.Minute)
	var waiting waiters
	for range many {
		waiting = append(waiting, waiter{"many", start, start})
	}
	for i := range steps * 3 {
		at := start.Add(time.Minute + time.Duration(i)*20*time.Second)
		waiting = append(waiting, waiter{"new-" + strconv.Itoa(i), at, at})
	}
	heap.Init(&waiting)
	asked, sent := map[int64]int{}, map[int64]int{}
	now, slowest := start, time.Duration(0)
	for now.Before(start.Add(steps * time.Minute)) {
		next := heap.Pop(&waiting).(waiter)
		if now = now.Add(2 * time.Millisecond); now.Before(next.at) {
			now = next.at
		}
		index := int64(now.Add(-server.phase).Sub(noon()) / window)
		asked[index]++
		ticket, refusal := g.Reserve(now, apps(), Caller{Namespace: next.namespace})
		if refusal != nil {
			next.at = now.Add(refusal.Wait)
			heap.Push(&waiting, next)
			continue
		}
		g.Settle(now, ticket, server.call(now, true))
		sent[index]++
		if next.namespace != "many" {
			slowest = max(slowest, now.Sub(next.came))
		}
	}
	if slowest > 65*time.Second {
		t.Errorf("one of another namespace waited %s, want a window", slowest)
	}
	first := int64(start.Add(-server.phase).Sub(noon()) / window)
	for index := first + 1; index < first+steps; index++ {
		if sent[index] < 45 || asked[index] > many/4 {
			t.Errorf("in window %d were %d asked for and %d sent, want all that is not kept, and few who ask in vain", index-first, asked[index], sent[index])
		}
	}
}

// TestLastTurns holds that those who wait are served as fast as the share allows to the last one,
// also when half of them have gone meanwhile.
func TestLastTurns(t *testing.T) {
	for name, gone := range map[string]float64{"all stay": 0, "half go": 0.5} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(2, 2))
			server, g := newServer(random), New(Options{Share: 50, MaxInFlight: 8})
			now := noon().Add(time.Minute)
			var waiting waiters
			for range 900 {
				waiting = append(waiting, waiter{"a", now, now})
			}
			sent := 0
			for len(waiting) > 0 {
				next := heap.Pop(&waiting).(waiter)
				if now = now.Add(2 * time.Millisecond); now.Before(next.at) {
					now = next.at
				}
				ticket, refusal := g.Reserve(now, apps(), Caller{Namespace: next.namespace})
				if refusal == nil {
					g.Settle(now, ticket, server.call(now, true))
					sent++
					continue
				}
				if next.at = now.Add(refusal.Wait); next.came.Equal(noon().Add(time.Minute)) && random.Float64() < gone {
					continue
				}
				next.came = now
				heap.Push(&waiting, next)
			}
			took := now.Sub(noon().Add(time.Minute))
			if most := time.Duration(sent/45+2) * time.Minute; took > most {
				t.Errorf("%d calls took %s, want %s at most", sent, took, most)
			}
		})
	}
}
