package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	// churnRate is how many keys a second come, and go.
	churnRate = 20
	// churnLife is how many keys are there before the first goes.
	churnLife = 10 * churnRate
	// churnWarm is the part of the time in which everything finds its size.
	churnWarm = 0.4
)

const (
	goroutines = "go_goroutines"
	nextGC     = "go_memstats_next_gc_bytes"
)

// sample is what the operator has at a moment.
type sample struct {
	hours float64
	// live is what the last collection of garbage has left, in MiB, and resident what the kernel counts.
	live, resident, goroutines, files, threads float64
}

// churn has keys come and go, and looks for what grows.
func churn(ctx context.Context, s *stage, t *table) error {
	metrics, err := s.scraper(ctx)
	if err != nil {
		return err
	}
	serving := fmt.Sprintf(`deletionBrake: {keysPerHour: 0}
manager: {healthProbeBindAddress: "0", metricsBindAddress: %q, leaderElection: Disabled, leaderElectionNamespace: home}
`, metrics.address)
	if err := s.anew(serving); err != nil {
		return err
	}
	p, err := s.settled(ctx)
	if err != nil {
		return err
	}
	churning, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	var made int
	go func() {
		var err error
		made, err = s.comeAndGo(churning)
		ended <- err
	}()
	samples, err := p.watch(ctx, metrics, s.churn)
	stop()
	if err := errors.Join(err, <-ended); err != nil {
		return err
	}
	addGrowth(t, made, samples[int(float64(len(samples))*churnWarm):])
	return until(ctx, 10*time.Minute, time.Second, func() (bool, error) { return s.knows("comer-") == 0, nil })
}

// addGrowth notes what has grown, once all was warm. Where the time was too short to tell as little as
// the goal allows, the figure stands without it.
func addGrowth(t *table, made int, warm []sample) {
	t.tell("keys that came and went", float64(made), "keys")
	live, unsure := slopeOf(warm, func(s sample) float64 { return s.live })
	bound := 1.0
	if unsure > bound {
		bound = -1
	}
	t.add("P18", "growth of the memory in use after a collection of garbage, an hour", live, bound, "MiB")
	t.tell("standard error of that", unsure, "MiB")
	for _, of := range []struct {
		what, unit string
		figure     func(sample) float64
	}{
		{"memory that the kernel counts", "MiB", func(s sample) float64 { return s.resident }},
		{"goroutines", "", func(s sample) float64 { return s.goroutines }},
		{"open files", "", func(s sample) float64 { return s.files }},
		{"threads", "", func(s sample) float64 { return s.threads }},
	} {
		t.tell(of.what+", on average in the last quarter, less those in the first", gain(warm, of.figure), of.unit)
	}
}

func comer(i int) string { return fmt.Sprintf("comer-%07d", i) }

// comeAndGo makes keys and deletes them until ctx ends, and then those that are left.
func (s *stage) comeAndGo(ctx context.Context) (made int, err error) {
	tick := time.NewTicker(time.Second / churnRate)
	defer tick.Stop()
	gone := 0
	for ctx.Err() == nil {
		if err := s.kube.Create(context.WithoutCancel(ctx), s.key(comer(made), made)); err != nil {
			return made, err
		}
		made++
		if made-gone > churnLife {
			if err := s.kube.Delete(context.WithoutCancel(ctx), s.key(comer(gone), gone)); err != nil {
				return made, err
			}
			gone++
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	for ; gone < made; gone++ {
		if err := s.kube.Delete(context.WithoutCancel(ctx), s.key(comer(gone), gone)); err != nil {
			return made, err
		}
	}
	return made, nil
}

// watch takes samples for so long.
func (p *process) watch(ctx context.Context, metrics *scraper, long time.Duration) ([]sample, error) {
	var samples []sample
	for began := time.Now(); time.Since(began) < long; {
		values, err := metrics.read(ctx, goroutines, nextGC)
		if err != nil {
			return nil, err
		}
		_, resident, err := p.memory()
		if err != nil {
			return nil, err
		}
		files, threads, err := p.handles()
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{
			hours: time.Since(began).Hours(),
			// Garbage is collected when there is twice as much as was left the last time.
			live: values[nextGC] / 2 / (1 << 20), resident: resident,
			goroutines: values[goroutines], files: float64(files), threads: float64(threads),
		})
		if err := wait(ctx, 2*time.Second); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// slopeOf is by how much a figure grows in an hour: that of the straight line that is nearest to
// all samples, with its standard error.
func slopeOf(samples []sample, of func(sample) float64) (slope, unsure float64) {
	n := float64(len(samples))
	var sumX, sumY, sumXX, sumXY float64
	for _, s := range samples {
		x, y := s.hours, of(s)
		sumX, sumY, sumXX, sumXY = sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	spread := n*sumXX - sumX*sumX
	if n < 3 || spread <= 0 {
		return 0, math.Inf(1)
	}
	slope = (n*sumXY - sumX*sumY) / spread
	var off float64
	for _, s := range samples {
		d := of(s) - sumY/n - slope*(s.hours-sumX/n)
		off += d * d
	}
	return slope, math.Sqrt(off / (n - 2) * n / spread)
}

// gain is the average of the last quarter of the samples, less that of the first.
func gain(samples []sample, of func(sample) float64) float64 {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 0
	}
	var sum float64
	for i := range quarter {
		sum += of(samples[len(samples)-1-i]) - of(samples[i])
	}
	return sum / float64(quarter)
}
