package main

import (
	"context"
	"errors"
	"path"
	"slices"
	"time"
)

// cost is what a fleet took to converge.
type cost struct {
	spent
	// empty is the operator's memory with nothing to do, peak and after that with the fleet, in MiB.
	empty, peak, after float64
	// took is the time until all keys were Ready, and bound what the rate limit allows, in seconds.
	took, bound float64
	cpu         time.Duration
	// others is the processor time of everybody else.
	others map[string]time.Duration
}

// converge makes all objects first and starts the operator then.
func converge(ctx context.Context, s *stage, t *table) error {
	c, err := s.converge(ctx)
	if err != nil {
		return err
	}
	keys := float64(s.keys)
	t.add("P15", "memory with nothing to do", c.empty, 60, "MiB")
	// An app for each key; for each role a group, a policy and its rule; a server and a scope.
	least := float64(s.keys + 3*s.roles + 2)
	t.add("P1", "management calls to converge, to the fewest there can be", float64(c.management)/least, 1.02, "")
	t.add("P2", "reads for a key to converge", float64(c.of("GET /api/v1/apps/{appId}")), 0, "calls")
	t.tell("reads in all, which list what there is", float64(c.reads), "calls")
	t.add("P6", "time to converge", c.took, 1.05*c.bound+10, "s")
	t.add("P7", "calls refused by the rate limit", float64(c.refused), 0, "calls")
	if err := s.addShare(t, "while they converge", c.calls); err != nil {
		return err
	}
	t.add("P12", "writes to the cluster a key", float64(c.changes)/keys, 3, "")
	t.add("P12", "events a key", float64(c.events)/keys, 1, "")
	t.add("P14", "processor time a key", c.cpu.Seconds()*1000/keys, 3, "ms")
	for _, who := range []string{"kube-apiserver", "etcd", "the org and this program"} {
		t.tell("processor time a key of "+who, c.others[who].Seconds()*1000/keys, "ms")
	}
	lag := s.fromOkta()
	t.tell("from Okta's answer to Ready, half of them", at(lag, 0.5), "s")
	t.tell("the same, 99 of 100", at(lag, 0.99), "s")
	t.add("P15", "memory at its highest while it converges", c.peak, 60+keys*10/1024, "MiB")
	t.tell("memory afterwards", c.after, "MiB")
	return nil
}

// converge makes the stage's fleet.
func (s *stage) converge(ctx context.Context) (cost, error) {
	var c cost
	var err error
	if c.empty, err = s.empty(ctx); err != nil {
		return c, err
	}
	if err := errors.Join(s.create(ctx, s.roles, roleNamed), s.create(ctx, s.keys, s.keyNamed)); err != nil {
		return c, err
	}
	say("  all objects are made")
	others, err := apart()
	if err != nil {
		return c, err
	}
	counted, err := s.begin(ctx)
	if err != nil {
		return c, err
	}
	p, err := s.operate()
	if err != nil {
		return c, err
	}
	c.bound = float64(s.keys) / s.appLimit() * 60
	if err := s.awaitReady(ctx, s.keys, time.Duration(3*c.bound)*time.Second+s.patience()); err != nil {
		return c, err
	}
	c.took = time.Since(counted.began).Seconds()
	if _, err := p.quiet(ctx, 3*time.Second, time.Minute); err != nil {
		return c, err
	}
	if c.spent, err = counted.end(ctx); err != nil {
		return c, err
	}
	if c.others, err = apart(); err != nil {
		return c, err
	}
	for who, before := range others {
		c.others[who] -= before
	}
	var failed error
	c.cpu, err = p.cpu()
	c.peak, c.after, failed = p.memory()
	return c, errors.Join(err, failed)
}

// patience is how long the API server may take beside what the rate limit allows.
func (s *stage) patience() time.Duration {
	return 5*time.Minute + time.Duration(s.keys)*100*time.Millisecond
}

// empty weighs an operator that has nothing to do.
func (s *stage) empty(ctx context.Context) (float64, error) {
	if err := s.configure(alone); err != nil {
		return 0, err
	}
	p, err := s.operate()
	if err != nil {
		return 0, err
	}
	if _, err := p.quiet(ctx, 3*time.Second, time.Minute); err != nil {
		return 0, err
	}
	_, now, err := p.memory()
	s.end()
	return now, err
}

// fromOkta gives, sorted, how long after Okta made each key's app the key was Ready.
func (s *stage) fromOkta() []time.Duration {
	var lags []time.Duration
	ready := s.sinces()
	for name, made := range s.registered() {
		if since, is := ready[name]; is {
			lags = append(lags, since.Sub(made))
		}
	}
	slices.Sort(lags)
	return lags
}

// registered gives when Okta made the app of each key. An app's label ends with the key's name.
func (s *stage) registered() map[string]time.Time {
	made := map[string]time.Time{}
	for _, app := range s.org.Snapshot().Apps {
		made[path.Base(app.Label)] = app.Created
	}
	return made
}
