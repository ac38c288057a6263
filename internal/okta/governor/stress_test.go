package governor

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// window60 is Okta's side: windows of a minute from a random second on, each with
// its count.
type window60 struct {
	mu      sync.Mutex
	phase   time.Duration
	limit   int
	used    map[int64]int
	ours    map[int64]int
	tooMany int
}

// window counts the server's windows.
func (s *window60) window(now time.Time) int64 {
	return int64(now.Add(-s.phase).Sub(noon()) / time.Minute)
}

func (s *window60) call(now time.Time, ours bool) Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	index := s.window(now)
	s.used[index]++
	if ours {
		s.ours[index]++
	}
	r := Reading{
		Answered: true, Limit: s.limit, Remaining: max(0, s.limit-s.used[index]),
		Reset: noon().Add(s.phase + time.Duration(index+1)*time.Minute).Truncate(time.Second),
	}
	if s.used[index] > s.limit {
		r.TooMany = true
		if ours {
			s.tooMany++
		}
	}
	return r
}

// TestStress lets 64 goroutines call for ten minutes of a clock that runs while
// they do, and holds that no window of the server saw more than our share, and no
// call met a 429.
func TestStress(t *testing.T) {
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 1))
		server := newServer(random)
		g := New(Options{Share: 50, MaxInFlight: 8})
		var mu sync.Mutex
		now := noon().Add(time.Minute)
		tick := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(time.Duration(random.IntN(40)) * time.Millisecond)
			return now
		}
		var running sync.WaitGroup
		for worker := range 64 {
			caller := Caller{Namespace: string(rune('a' + worker%7)), Urgent: worker%16 == 0}
			running.Go(func() {
				for {
					asked := tick()
					if asked.Sub(noon()) > 11*time.Minute {
						return
					}
					ticket, refusal := g.Reserve(asked, apps(), caller)
					if refusal != nil {
						continue
					}
					r := server.call(tick(), true)
					g.Settle(tick(), ticket, r)
				}
			})
		}
		running.Wait()
		server.mu.Lock()
		if server.tooMany > 0 {
			t.Errorf("seed %d: %d calls met a 429", seed, server.tooMany)
		}
		for index, used := range server.ours {
			if used > 50 {
				t.Errorf("seed %d: window %d saw %d calls of ours, want 50 at most", seed, index, used)
			}
		}
		server.mu.Unlock()
	}
}

// TestTenMinutes lets calls take their time on one clock, alone and beside other
// users of the org, and holds what is used of the share and how often Okta says no.
func TestTenMinutes(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		share   int
		foreign int
		refused float64
		least   int
	}{
		"alone":           {"the share is used in full, and Okta never says no", 50, 0, 0, 480},
		"alone with all":  {"all of the limit is used, and Okta never says no", 100, 0, 0, 960},
		"beside others":   {"a third of the limit is used by others", 50, 30, 0.01, 400},
		"others are many": {"others use nearly all", 50, 90, 0.05, 60},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := newServer(rand.New(rand.NewPCG(seed, 2)))
				sent := simulate(s, New(Options{Share: test.share, MaxInFlight: 8}), test.foreign, rand.New(rand.NewPCG(seed, 3)))
				if sent < test.least || float64(s.tooMany) > test.refused*float64(sent) {
					t.Errorf("%s: seed %d: %d calls, %d refused, want %d at least", test.reason, seed, sent, s.tooMany, test.least)
				}
				for index, used := range s.ours {
					if used > test.share {
						t.Errorf("%s: seed %d: window %d saw %d calls of ours", test.reason, seed, index, used)
					}
				}
			}
		})
	}
}

func newServer(random *rand.Rand) *window60 {
	return &window60{
		phase: time.Duration(random.IntN(60000)) * time.Millisecond, limit: 100, used: map[int64]int{}, ours: map[int64]int{},
	}
}

// landing is a call under way.
type landing struct {
	at     time.Time
	ticket Ticket
	answer Reading
}

// simulate asks as often as it can for ten minutes, in steps of 20 ms.
func simulate(server *window60, g *Governor, foreign int, random *rand.Rand) (sent int) {
	var flying []landing
	for now := noon().Add(time.Minute); now.Before(noon().Add(11 * time.Minute)); now = now.Add(20 * time.Millisecond) {
		if random.IntN(3000) < foreign {
			server.call(now, false)
		}
		var still []landing
		for _, l := range flying {
			if now.Before(l.at) {
				still = append(still, l)
				continue
			}
			g.Settle(now, l.ticket, l.answer)
		}
		flying = still
		if ticket, refusal := g.Reserve(now, apps(), Caller{Namespace: "a"}); refusal == nil {
			sent++
			answer := server.call(now, true)
			flying = append(flying, landing{now.Add(time.Duration(80+random.IntN(400)) * time.Millisecond), ticket, answer})
		}
	}
	return sent
}

// FuzzShare lets calls be made, answered, lost and answered with garbage in any
// order, and holds that no window of the server sees more than our share.
func FuzzShare(f *testing.F) {
	f.Add(uint8(0), []byte("cccccccccsssssssss+c+c+s"))
	f.Add(uint8(30), []byte("cl++++++ccccscscscscscsccscscscscscscs"))
	f.Add(uint8(59), []byte("cs++cgcgcgcccccsssss+++++++cccccccsssssss"))
	f.Fuzz(func(t *testing.T, phase uint8, script []byte) {
		server := &window60{phase: time.Duration(phase%60) * time.Second, limit: 10, used: map[int64]int{}, ours: map[int64]int{}}
		g := New(Options{Share: 50, MaxInFlight: 8})
		now := noon().Add(time.Minute)
		var flying []landing
		land := func(change func(Reading) Reading) {
			if len(flying) > 0 {
				g.Settle(now, flying[0].ticket, change(flying[0].answer))
				flying = flying[1:]
			}
		}
		for _, op := range script {
			now = now.Add(100 * time.Millisecond)
			switch op {
			case 'c':
				if ticket, refusal := g.Reserve(now, Class{Name: "x", Assumed: 4}, Caller{Urgent: true}); refusal == nil {
					flying = append(flying, landing{now, ticket, server.call(now, true)})
				}
			case 's':
				land(func(r Reading) Reading { return r })
			case 'l':
				land(func(Reading) Reading { return Silent() })
			case 'g':
				land(func(Reading) Reading { return Reading{Answered: true, Limit: unknown, Remaining: unknown} })
			case '+':
				now = now.Add(10 * time.Second)
			}
		}
		for index, used := range server.ours {
			if used > 5 {
				t.Errorf("window %d saw %d calls of ours, want 5 at most", index, used)
			}
		}
	})
}
