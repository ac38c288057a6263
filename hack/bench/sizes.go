package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// size is what a fleet of one size costs.
type size struct {
	Keys  int `json:"keys"`
	Roles int `json:"roles"`
	// Calls are management calls to converge, Writes those to the cluster, events included.
	Calls  int `json:"calls"`
	Writes int `json:"writes"`
	// Seconds until all keys are Ready; Bound is what the rate limit allows, and a little.
	Seconds float64 `json:"seconds"`
	Bound   float64 `json:"bound"`
	// CPU is the operator's processor time until then, in seconds.
	CPU float64 `json:"cpu"`
	// MiB is the operator's memory at its highest, Empty that with nothing to do.
	MiB   float64 `json:"mib"`
	Empty float64 `json:"empty"`
	// Restart is the seconds from a restart until the operator is quiet.
	Restart float64 `json:"restart"`
	// Sweep is the calls of a look at everything.
	Sweep int `json:"sweep"`
}

// slope is the exponent by which each cost grows from one size to the next: 1 is in proportion to the
// keys. It is 0 where one of the two costs is nothing.
type slope struct {
	From    int     `json:"from"`
	To      int     `json:"to"`
	Calls   float64 `json:"calls"`
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"`
	Memory  float64 `json:"memory"`
	Writes  float64 `json:"writes"`
	Restart float64 `json:"restart"`
	Sweep   float64 `json:"sweep"`
}

// exponent is e in: what is n times as many costs n to the e times as much.
func exponent(few, many, less, more float64) float64 {
	if few <= 0 || many <= few || less <= 0 || more <= 0 {
		return 0
	}
	return math.Log(more/less) / math.Log(many/few)
}

// slopesOf compares each size with the one before.
func slopesOf(sizes []size) []slope {
	var all []slope
	for i := 1; i < len(sizes); i++ {
		a, b := sizes[i-1], sizes[i]
		grows := func(less, more float64) float64 { return exponent(float64(a.Keys), float64(b.Keys), less, more) }
		all = append(all, slope{
			From: a.Keys, To: b.Keys,
			Calls: grows(float64(a.Calls), float64(b.Calls)), Seconds: grows(a.Seconds, b.Seconds), CPU: grows(a.CPU, b.CPU),
			Memory: grows(a.MiB-a.Empty, b.MiB-b.Empty), Writes: grows(float64(a.Writes), float64(b.Writes)),
			Restart: grows(a.Restart, b.Restart), Sweep: grows(float64(a.Sweep), float64(b.Sweep)),
		})
	}
	return all
}

// bySize is the table of the sizes, with the slopes below.
func bySize(sizes []size, slopes []slope) string {
	var out strings.Builder
	line := func(cells ...string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	out.WriteString("\n")
	line("keys", "calls", "calls a key", "time, s", "time to its bound", "processor a key, ms", "memory, MiB", "memory a key, KiB",
		"writes a key", "restart, s", "calls of a look")
	out.WriteString("|" + strings.Repeat("---:|", 11) + "\n")
	for _, s := range sizes {
		keys := float64(s.Keys)
		line(strconv.Itoa(s.Keys), strconv.Itoa(s.Calls), number(float64(s.Calls)/keys), number(s.Seconds), number(s.Seconds/s.Bound),
			number(s.CPU*1000/keys), number(s.MiB), number((s.MiB-s.Empty)*1024/keys), number(float64(s.Writes)/keys),
			number(s.Restart), strconv.Itoa(s.Sweep))
	}
	if len(slopes) == 0 {
		return out.String()
	}
	out.WriteString("\nHow it grows from one size to the next; 1 is in proportion to the keys.\n\n")
	line("keys", "calls", "time", "processor", "memory above empty", "writes", "restart", "calls of a look")
	out.WriteString("|" + strings.Repeat("---:|", 8) + "\n")
	for _, s := range slopes {
		line(fmt.Sprintf("%d to %d", s.From, s.To), number(s.Calls), number(s.Seconds), number(s.CPU), number(s.Memory), number(s.Writes),
			number(s.Restart), number(s.Sweep))
	}
	return out.String()
}

// parseSizes reads "100,1000".
func parseSizes(text string) ([]int, error) {
	var sizes []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || len(sizes) > 0 && n <= sizes[len(sizes)-1] {
			return nil, fmt.Errorf("reading -sizes %q: want numbers of keys, each more than the one before", text)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// compare measures fleets of these sizes, with a role for each hundred keys.
func compare(ctx context.Context, o options, sizes []int, t *table) error {
	for _, n := range sizes {
		o.keys, o.roles = n, max(1, n/100)
		say("%d keys …", n)
		one, err := weigh(ctx, o)
		if err != nil {
			return fmt.Errorf("measuring %d keys: %w", n, err)
		}
		t.Sizes = append(t.Sizes, one)
		t.Slopes = slopesOf(t.Sizes)
	}
	return nil
}

// weigh measures a fleet of one size.
func weigh(ctx context.Context, o options) (size, error) {
	s, err := newStage(o)
	if err != nil {
		return size{}, err
	}
	defer s.close()
	if err := s.follow(ctx); err != nil {
		return size{}, err
	}
	c, err := s.converge(ctx)
	if err != nil {
		return size{}, fmt.Errorf("%w; the operator's log ends\n%s", err, s.logTail())
	}
	_, _, took, err := s.restart(ctx)
	if err != nil {
		return size{}, err
	}
	look, _, err := s.sweep(ctx)
	if err != nil {
		return size{}, err
	}
	return size{
		Keys: o.keys, Roles: o.roles, Calls: c.management, Writes: c.changes + c.events, Seconds: c.took, Bound: 1.05*c.bound + 10,
		CPU: c.cpu.Seconds(), MiB: c.peak, Empty: c.empty, Restart: took.Seconds(), Sweep: look.management,
	}, nil
}
