package model

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// String is the first line of a printed sequence.
func (c conditions) String() string {
	return fmt.Sprintf("World %v %v %s %v # list lag, lookup lag, rate limits, last first", c.listLag, c.getLag, c.limits, c.lastFirst)
}

// sequence is a world and what happens in it, as it is printed and kept in testdata.
type sequence struct {
	conditions
	steps []step
}

// parseSequence reads a sequence as it is printed: a step a line, "#" begins a remark.
func parseSequence(text string) (sequence, error) {
	s := sequence{conditions: conditions{limits: oktasim.LimitsWorkforce}}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		rest, world := strings.CutPrefix(line, "World ")
		var err error
		switch {
		case line == "" || strings.HasPrefix(line, "("):
		case world:
			s.conditions, err = parseWorld(rest)
		default:
			var one step
			_, err = fmt.Sscanf(line+" 0 0 0 0", "%s %d %d %d %d", &one.name, &one.args[0], &one.args[1], &one.args[2], &one.args[3])
			s.steps = append(s.steps, one)
		}
		if err != nil {
			return s, fmt.Errorf("reading %q: %w", line, err)
		}
	}
	return s, nil
}

func parseWorld(text string) (conditions, error) {
	var c conditions
	var listLag, getLag string
	if _, err := fmt.Sscanf(text, "%s %s %s %t", &listLag, &getLag, &c.limits, &c.lastFirst); err != nil {
		return c, err
	}
	var err error
	if c.listLag, err = time.ParseDuration(listLag); err != nil {
		return c, err
	}
	c.getLag, err = time.ParseDuration(getLag)
	return c, err
}

// play plays a sequence to its end, or until a promise breaks.
func (s sequence) play(t tester) {
	t.Helper()
	w := newWorld(t, s.conditions)
	for _, one := range s.steps {
		w.play(one)
	}
	w.finish()
	t.Logf("\n\t%s\n\t%s", w.conditions, strings.Join(w.history, "\n\t"))
}

// TestSequences plays what stands in testdata: sequences that once broke a promise,
// and must not any more. With -model.sequence it plays a file instead.
func TestSequences(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if *sequenceFlag != "" {
		names = []string{*sequenceFlag}
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			readSequence(t, name).play(t)
		})
	}
}

func readSequence(t *testing.T, name string) sequence {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSequence(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
