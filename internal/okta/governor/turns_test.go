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
	caller   Caller
	came, at time.Time
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

// next takes the one that asks first, and gives when it does: a look after the one before at the earliest.
func (w *waiters) next(before time.Time, look time.Duration) (waiter, time.Time) {
	next := heap.Pop(w).(waiter)
	if now := before.Add(look); now.After(next.at) {
		return next, now
	}
	return next, next.at
}

// TestTurns lets thousands of one namespace wait, now and then one of another come, and access be taken
// away. Each asks when it was told to, 4 ms after the one before at the earliest, which is what a look costs.
func TestTurns(t *testing.T) {
	const (
		many    = 4000
		minutes = 8
	)
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		server, g := newServer(random), New(Options{Share: 50, MaxInFlight: 8})
		start := noon().Add(time.Minute)
		var waiting waiters
		come := func(n int, caller Caller, at func(i int) time.Duration) {
			for i := range n {
				caller.Object = strconv.Itoa(i)
				when := start.Add(at(i))
				waiting = append(waiting, waiter{caller, when, when})
			}
		}
		anywhen := func(int) time.Duration {
			return time.Minute + time.Duration(random.IntN((minutes-3)*60000))*time.Millisecond
		}
		come(many, Caller{Namespace: "many"}, func(i int) time.Duration { return time.Duration(i) * 8 * time.Millisecond })
		come(15, Caller{Namespace: "few"}, anywhen)
		come(15, Caller{Namespace: "one"}, anywhen)
		come(20, Caller{Namespace: "many", Urgent: true}, func(i int) time.Duration { return time.Duration(i) * 15 * time.Second })
		heap.Init(&waiting)
		again, sent, slowest := map[int64]int{}, map[int64]int{}, map[Caller]time.Duration{}
		for now := start; now.Before(start.Add(minutes * time.Minute)); {
			var next waiter
			next, now = waiting.next(now, 4*time.Millisecond)
			index := server.window(now)
			if next.at.After(next.came) {
				again[index]++
			}
			ticket, refusal := g.Reserve(now, apps(), next.caller)
			if refusal != nil {
				next.at = now.Add(refusal.Wait)
				heap.Push(&waiting, next)
				continue
			}
			g.Settle(now, ticket, server.call(now, true))
			sent[index]++
			next.caller.Object = ""
			slowest[next.caller] = max(slowest[next.caller], now.Sub(next.came))
		}
		for caller, most := range map[Caller]time.Duration{
			{Namespace: "few"}: 65 * time.Second, {Namespace: "one"}: 65 * time.Second, {Namespace: "many", Urgent: true}: 10 * time.Second,
		} {
			if took := slowest[caller]; took == 0 || took > most {
				t.Errorf("seed %d: one of %+v waited %s, want %s at most", seed, caller, took, most)
			}
		}
		first := server.window(start)
		for index := first + 1; index < first+minutes; index++ {
			if sent[index] < 45 || again[index] > many/4 {
				t.Errorf("seed %d: in window %d %d were sent and %d asked again, want all that is not kept, and few who ask in vain",
					seed, index-first, sent[index], again[index])
			}
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
			for i := range 900 {
				waiting = append(waiting, waiter{Caller{Namespace: "a", Object: strconv.Itoa(i)}, now, now})
			}
			sent := 0
			for len(waiting) > 0 {
				var next waiter
				next, now = waiting.next(now, 2*time.Millisecond)
				ticket, refusal := g.Reserve(now, apps(), next.caller)
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

// TestEarlyTurn holds that nothing is held back for one that was let out before its turn.
func TestEarlyTurn(t *testing.T) {
	for name, early := range map[string]bool{"waits": false, "was let out": true} {
		t.Run(name, func(t *testing.T) {
			var f fairness
			ahead := 0
			last := Caller{Namespace: "a"}
			for i := range booked + 1 {
				last.Object = strconv.Itoa(i)
				ahead = f.turn(last, 1, horizon)
			}
			if again := f.turn(last, 1, horizon); ahead != 1 || again != 1 {
				t.Fatalf("one of %d is to come %d windows after the next, and %d when it asks again, want 1", booked+1, ahead, again)
			}
			want := 1
			if early {
				f.spend(last)
				want = 0
			}
			f.roll(2)
			if held := f.held(Caller{Namespace: "b"}, 1); held != want {
				t.Errorf("%d are held back, want %d", held, want)
			}
		})
	}
}
