package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// converge makes all objects first and starts the operator then.
func converge(ctx context.Context, s *stage, t *table) error {
	if err := s.configure(alone); err != nil {
		return err
	}
	if err := idle(ctx, s, t); err != nil {
		return err
	}
	if err := s.create(ctx, s.roles, roleNamed); err != nil {
		return err
	}
	if err := s.create(ctx, s.keys, s.keyNamed); err != nil {
		return err
	}
	say("  all objects are made")
	before, err := s.writes(ctx)
	if err != nil {
		return err
	}
	first, began := s.now(), time.Now()
	p, err := s.operate()
	if err != nil {
		return err
	}
	bound := float64(s.keys) / s.appLimit() * 60
	if err := s.awaitReady(ctx, s.keys, time.Duration(3*bound)*time.Second+5*time.Minute); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	if _, err := p.quiet(ctx, 3*time.Second, time.Minute); err != nil {
		return err
	}
	c := s.since(first)
	say("  %s", c.most())
	// An app for each key; for each role a group, a policy and its rule; a server and a scope.
	least := float64(s.keys + 3*s.roles + 2)
	t.add("P1", "management calls to converge, to the fewest there can be", float64(c.management)/least, 1.02, "")
	t.add("P2", "reads for a key to converge", float64(c.byTemplate["GET /api/v1/apps/{appId}"]), 0, "calls")
	t.tell("reads in all, which list what there is", float64(c.reads), "calls")
	t.add("P6", "time to converge", took, 1.05*bound+10, "s")
	t.add("P7", "calls refused by the rate limit", float64(c.refused), 0, "calls")
	after, err := s.writes(ctx)
	if err != nil {
		return err
	}
	writes, events, which := more(before, after)
	say("  %s", which)
	t.add("P12", "writes to the cluster a key", float64(writes)/float64(s.keys), 3, "")
	t.add("P12", "events a key", float64(events)/float64(s.keys), 1, "")
	used, err := p.cpu()
	if err != nil {
		return err
	}
	t.add("P14", "processor time a key", used.Seconds()*1000/float64(s.keys), 3, "ms")
	return s.weigh(t, p)
}

// idle weighs an operator that has nothing to do.
func idle(ctx context.Context, s *stage, t *table) error {
	p, err := s.operate()
	if err != nil {
		return err
	}
	if _, err := p.quiet(ctx, 3*time.Second, time.Minute); err != nil {
		return err
	}
	_, empty, err := p.memory()
	if err != nil {
		return err
	}
	t.add("P15", "memory with nothing to do", empty, 60, "MiB")
	s.end()
	return nil
}

// weigh notes the memory of a fleet.
func (s *stage) weigh(t *table, p *process) error {
	most, now, err := p.memory()
	if err != nil {
		return err
	}
	t.add("P15", "memory at its highest while it converges", most, 60+float64(s.keys)*10/1024, "MiB")
	t.tell("memory afterwards", now, "MiB")
	return nil
}

// sweep has the operator list Okta anew, as it does every 12 hours, and compare every object.
func sweep(ctx context.Context, s *stage, t *table) error {
	if err := s.anew("resyncInterval: 1m\n" + alone); err != nil {
		return err
	}
	p, err := s.settled(ctx)
	if err != nil {
		return err
	}
	before, err := s.writes(ctx)
	if err != nil {
		return err
	}
	first := s.now()
	if err := until(ctx, 3*time.Minute, 100*time.Millisecond, func() (bool, error) { return s.since(first).management > 0, nil }); err != nil {
		return err
	}
	began := time.Now()
	quiet, err := p.quiet(ctx, 8*time.Second, 5*time.Minute)
	if err != nil {
		return err
	}
	after, err := s.writes(ctx)
	if err != nil {
		return err
	}
	c := s.since(first)
	say("  %s", c.most())
	writes, events, which := more(before, after)
	say("  %s", which)
	t.add("P3", "calls of a look at everything", float64(c.management), math.Ceil(float64(s.keys)/200)+float64(s.roles)+5, "calls")
	t.add("P3", "writes to Okta by it", float64(c.writes), 0, "calls")
	t.add("P3", "reads of a secret by it", float64(c.secrets), 0, "calls")
	t.add("P3", "writes to the cluster by it", float64(writes+events), 0, "")
	t.add("P3", "time of it", quiet.Sub(began).Seconds(), 90, "s")
	s.end()
	return nil
}

// restart starts the operator where everything is done.
func restart(ctx context.Context, s *stage, t *table) error {
	if err := s.anew(alone); err != nil {
		return err
	}
	before, err := s.writes(ctx)
	if err != nil {
		return err
	}
	first, began := s.now(), time.Now()
	p, err := s.operate()
	if err != nil {
		return err
	}
	quiet, err := p.quiet(ctx, 5*time.Second, 5*time.Minute)
	if err != nil {
		return err
	}
	after, err := s.writes(ctx)
	if err != nil {
		return err
	}
	c := s.since(first)
	say("  %s", c.most())
	writes, events, which := more(before, after)
	say("  %s", which)
	used, err := p.cpu()
	if err != nil {
		return err
	}
	most, _, err := p.memory()
	if err != nil {
		return err
	}
	t.add("P16", "time from a restart until it is quiet", quiet.Sub(began).Seconds(), 10, "s")
	t.add("P16", "writes to Okta by a restart", float64(c.writes), 0, "calls")
	t.add("P16", "writes to the cluster by it", float64(writes+events), 0, "")
	t.add("P16", "reads of Okta by it, beside its lists of apps", float64(c.reads)-math.Ceil(float64(s.keys)/200), float64(s.roles)+5, "calls")
	t.tell("processor time of it", used.Seconds(), "s")
	t.add("P15", "memory of it at its highest", most, 60+float64(s.keys)*10/1024, "MiB")
	return nil
}

// failover ends the one that leads, in both ways; another waits with warm caches.
func failover(ctx context.Context, s *stage, t *table) error {
	if err := s.anew(`manager: {healthProbeBindAddress: "0", leaderElectionNamespace: home}` + "\n"); err != nil {
		return err
	}
	for _, way := range []struct {
		what  string
		end   func(*process)
		bound float64
	}{
		{"from a SIGTERM until a new key is ready", func(p *process) { p.stop() }, 3},
		{"from a kill -9 until a new key is ready", func(p *process) { p.kill() }, 19},
	} {
		leading, err := s.settled(ctx)
		if err != nil {
			return err
		}
		if _, err := s.settled(ctx); err != nil {
			return err
		}
		name := fmt.Sprintf("failover-%d", s.started)
		began := time.Now()
		way.end(leading)
		if err := s.kube.Create(ctx, s.key(name, 0)); err != nil {
			return err
		}
		if err := s.awaitKey(ctx, name, 2*time.Minute); err != nil {
			return err
		}
		t.add("P17", way.what, time.Since(began).Seconds(), way.bound, "s")
		s.end()
	}
	return nil
}

func (s *stage) awaitKey(ctx context.Context, name string, patience time.Duration) error {
	return until(ctx, patience, 5*time.Millisecond, func() (bool, error) { return s.of(name).ready, nil })
}

// overhead makes 20 keys a second and times each until its Secret works; the org answers at once.
func overhead(ctx context.Context, s *stage, t *table) error {
	if err := s.anew(alone); err != nil {
		return err
	}
	if _, err := s.settled(ctx); err != nil {
		return err
	}
	const many = 400
	made := make([]time.Time, many)
	tick := time.NewTicker(time.Second / 20)
	defer tick.Stop()
	for i := range many {
		<-tick.C
		name := fmt.Sprintf("apace-%04d", i)
		made[i] = time.Now()
		if err := s.kube.Create(ctx, s.key(name, i)); err != nil {
			return err
		}
	}
	took := make([]time.Duration, many)
	for i := range many {
		name := fmt.Sprintf("apace-%04d", i)
		if err := s.awaitKey(ctx, name, time.Minute); err != nil {
			return err
		}
		took[i] = s.of(name).since.Sub(made[i])
	}
	slices.Sort(took)
	t.add("P13", "from apply to Ready at 20 keys a second, half of them", at(took, 0.5), 0.030, "s")
	t.add("P13", "the same, 99 of 100", at(took, 0.99), 0.400, "s")
	return nil
}

// rotate asks for new credentials of many keys at once.
func rotate(ctx context.Context, s *stage, t *table) error {
	if err := s.anew(alone); err != nil {
		return err
	}
	if _, err := s.settled(ctx); err != nil {
		return err
	}
	first, began := s.now(), time.Now()
	request := began.UTC().Format(time.RFC3339)
	annotation := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRotate, request)
	patch := client.RawPatch(types.MergePatchType, annotation)
	rotated := min(s.rotated, s.keys)
	for i := range rotated {
		if err := s.kube.Patch(ctx, s.keyNamed(i), patch); err != nil {
			return err
		}
	}
	bound := float64(2*rotated) / s.appLimit() * 60
	done := func() (bool, error) { return s.carriedOut(request) == rotated, nil }
	if err := until(ctx, 10*time.Minute, 100*time.Millisecond, done); err != nil {
		return err
	}
	c := s.since(first)
	say("  %s", c.most())
	t.add("P24", "management calls a rotation, until the new credential is published", float64(c.management)/float64(rotated), 2, "")
	t.add("P24", "calls refused by the rate limit meanwhile", float64(c.refused), 0, "calls")
	t.add("", fmt.Sprintf("time until %d keys have new credentials", rotated), time.Since(began).Seconds(), 1.05*bound+10, "s")
	return nil
}
