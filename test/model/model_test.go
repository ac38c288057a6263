package model

import (
	"flag"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	// length is how many steps a sequence has.
	length = 40
	// shares is into how many parts the sequences are split, each with a seed of its
	// own: a seed means the same sequences however many cores there are.
	shares = 4
)

var (
	seedFlag     = flag.Uint64("model.seed", 1, "where the random sequences begin; 0 for somewhere new")
	sequenceFlag = flag.String("model.sequence", "", "a file with one sequence to play, as it was printed")
)

// bit is drawn evenly, as no other number of rapid's is.
var bit = rapid.Bool()

// number draws an even number of that many bits.
func number(t *rapid.T, bits int) int {
	n := 0
	for range bits {
		n <<= 1
		if bit.Draw(t, "bit") {
			n++
		}
	}
	return n
}

// steps draws a step: nothing at all when all bits are 0, so that what is not needed
// for a failure falls away when rapid makes it smaller.
func steps() *rapid.Generator[step] {
	var wheel []string
	for _, a := range actions() {
		for range a.weight {
			wheel = append(wheel, a.name)
		}
	}
	return rapid.Custom(func(t *rapid.T) step {
		n := number(t, 12)
		if n == 0 {
			return step{}
		}
		s := step{name: wheel[n%len(wheel)]}
		for i := range s.args {
			s.args[i] = number(t, 4)
		}
		return s
	})
}

func drawConditions(t *rapid.T) conditions {
	lags := []time.Duration{0, 0, 2 * time.Second, 20 * time.Second}
	limits := []oktasim.Limits{oktasim.LimitsWorkforce, oktasim.LimitsEnterprise, oktasim.LimitsWorkforce, oktasim.LimitsIntegratorFree}
	return conditions{
		listLag: lags[number(t, 2)], getLag: []time.Duration{0, 0, 0, 3 * time.Second}[number(t, 2)],
		limits: limits[number(t, 2)], lastFirst: number(t, 1) == 1,
	}
}

// TestModel plays random sequences. See the package's comment.
func TestModel(t *testing.T) {
	if *sequenceFlag != "" {
		t.Skip("one sequence was asked for")
	}
	workers, each := shares, 0
	switch given, asked := checksAsked(); {
	case asked:
		workers, each = min(workers, given), max(1, given/min(workers, given))
	case flag.Lookup("rapid.seed").Value.String() != "0":
		workers, each = 1, 1
	default:
		each = (sequences + workers - 1) / workers
	}
	t.Logf("%d sequences of %d steps each", workers*each, length)
	if err := flag.Set("rapid.checks", strconv.Itoa(each)); err != nil {
		t.Fatal(err)
	}
	one := steps()
	var starting sync.Mutex
	for worker := range workers {
		t.Run(fmt.Sprintf("worker%d", worker), func(t *testing.T) {
			t.Parallel()
			starting.Lock()
			if *seedFlag != 0 {
				if err := flag.Set("rapid.seed", fmt.Sprint(*seedFlag+uint64(worker)<<32)); err != nil {
					t.Error(err)
				}
			}
			started := sync.OnceFunc(starting.Unlock)
			defer started()
			rapid.Check(t, func(t *rapid.T) {
				started()
				w := newWorld(t, drawConditions(t))
				for range length {
					w.play(one.Draw(t, "step"))
				}
				w.finish()
			})
		})
	}
}

// checksAsked is the number of sequences given on the command line.
func checksAsked() (int, bool) {
	given := 0
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "rapid.checks" {
			given, _ = strconv.Atoi(f.Value.String())
		}
	})
	return given, given > 0
}
