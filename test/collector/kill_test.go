package collector

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
)

// TestKilled kills the collector between two batches. The next does not count as delivered,
// and is there once when the collector is back.
func TestKilled(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			out := c.open(protocol)
			batch := records(60, 1000)
			for part := range slices.Chunk(batch, 20) {
				c.kill()
				for range 2 {
					mustBe(t, deliver(out, part), output.Unreachable)
				}
				c.start()
				// At once, without a wait for a connection that somebody remembers as broken.
				if err := deliver(out, part); err != nil {
					t.Fatalf("it is back, but %v", err)
				}
			}
			c.mustHave(batch, counted(batch, 1))
		})
	}
}

// TestLostAnswer kills the collector when it has taken a batch and before it says so. The
// batch is sent again and is there twice, with the same ids, and no other is.
func TestLostAnswer(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			c := newCollector(t, "witness: {", "witness: {dies_after: 3, ")
			out := c.open(protocol)
			batch := records(200, 1000)
			times := counted(batch, 1)
			number := 0
			for part := range slices.Chunk(batch, 20) {
				number++
				err := deliver(out, part)
				if number < 3 || number%2 == 0 {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				mustBe(t, err, output.Unreachable)
				for _, r := range part {
					times[r.ID]++
				}
				c.kill()
				c.start()
				if err := deliver(out, part); err != nil {
					t.Fatalf("it is back, but %v", err)
				}
			}
			c.mustHave(batch, times)
		})
	}
}

// mustHave holds how often each event is there, and that they came in order.
func (c *collector) mustHave(batch []output.Record, times map[string]int) {
	c.Helper()
	var sent, came []string
	for _, r := range batch {
		sent = append(sent, r.ID)
	}
	seen := map[string]int{}
	for _, e := range c.events() {
		if seen[e.ID]++; seen[e.ID] == 1 {
			came = append(came, e.ID)
		}
	}
	if diff := cmp.Diff(sent, came); diff != "" {
		c.Errorf("events (-sent +there):\n%s", diff)
	}
	if diff := cmp.Diff(times, seen); diff != "" {
		c.Errorf("how often (-sent +there):\n%s", diff)
	}
}
