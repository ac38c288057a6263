package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/orphanlist"
)

// sweep has the operator list Okta anew, as it does every 12 hours, and compare every object.
func sweep(ctx context.Context, s *stage, t *table) error {
	look, took, err := s.sweep(ctx)
	if err != nil {
		return err
	}
	t.add("P3", "calls of a look at everything", float64(look.management), s.pages()+float64(s.roles)+5, "calls")
	t.add("P3", "writes to Okta by it", float64(look.writes), 0, "calls")
	t.add("P3", "reads of a secret by it", float64(look.secrets), 0, "calls")
	t.add("P3", "writes to the cluster by it", float64(look.changes+look.events), 0, "")
	t.add("P3", "time of it", took.Seconds(), 90, "s")
	return nil
}

// sweep counts one look at everything, which comes a while after the start. The search for orphans,
// a minute after the start, writes its list the first time; that is not counted.
func (s *stage) sweep(ctx context.Context) (spent, time.Duration, error) {
	if err := s.anew("resyncInterval: 90s\n" + alone); err != nil {
		return spent{}, 0, err
	}
	p, err := s.settled(ctx)
	if err != nil {
		return spent{}, 0, err
	}
	defer s.end()
	if err := s.awaitOrphans(ctx); err != nil {
		return spent{}, 0, err
	}
	counted, err := s.begin(ctx)
	if err != nil {
		return spent{}, 0, err
	}
	if err := until(ctx, 3*time.Minute, 100*time.Millisecond, counted.asked); err != nil {
		return spent{}, 0, err
	}
	began := time.Now()
	quiet, err := p.quiet(ctx, 8*time.Second, s.patience())
	if err != nil {
		return spent{}, 0, err
	}
	look, err := counted.end(ctx)
	s.looked = look.management
	return look, quiet.Sub(began), err
}

// awaitOrphans waits until a list of orphans is there.
func (s *stage) awaitOrphans(ctx context.Context) error {
	return until(ctx, 90*time.Second, 100*time.Millisecond, func() (bool, error) {
		err := s.kube.Get(ctx, client.ObjectKey{Namespace: home, Name: orphanlist.Name}, &corev1.ConfigMap{})
		return err == nil, client.IgnoreNotFound(err)
	})
}

// pages is how many pages the apps of the fleet are listed in.
func (s *stage) pages() float64 { return math.Ceil(float64(s.keys) / 200) }

// restart starts the operator where everything is done.
func restart(ctx context.Context, s *stage, t *table) error {
	again, p, took, err := s.restart(ctx)
	if err != nil {
		return err
	}
	used, err := p.cpu()
	if err != nil {
		return err
	}
	most, _, err := p.memory()
	if err != nil {
		return err
	}
	t.add("P16", "time from a restart until it is quiet", took.Seconds(), 10, "s")
	t.add("P16", "writes to Okta by a restart", float64(again.writes), 0, "calls")
	t.add("P16", "writes to the cluster by it", float64(again.changes+again.events), 0, "")
	t.add("P16", "reads of Okta by it, beside its lists of apps", float64(again.reads)-s.pages(), float64(s.roles)+5, "calls")
	t.tell("processor time of it", used.Seconds(), "s")
	t.add("P15", "memory of it at its highest", most, 60+float64(s.keys)*10/1024, "MiB")
	return nil
}

// restart starts the operator anew, and gives how long it is until it is quiet.
func (s *stage) restart(ctx context.Context) (spent, *process, time.Duration, error) {
	if err := s.anew(alone); err != nil {
		return spent{}, nil, 0, err
	}
	counted, err := s.begin(ctx)
	if err != nil {
		return spent{}, nil, 0, err
	}
	p, err := s.operate()
	if err != nil {
		return spent{}, nil, 0, err
	}
	quiet, err := p.quiet(ctx, 5*time.Second, s.patience())
	if err != nil {
		return spent{}, nil, 0, err
	}
	again, err := counted.end(ctx)
	return again, p, quiet.Sub(counted.began), err
}

// failover ends the one that leads, in both ways; another waits with warm caches.
func failover(ctx context.Context, s *stage, t *table) error {
	for _, way := range []struct {
		what  string
		lease string
		end   func(*process)
		bound float64
	}{
		{"from a SIGTERM until a new key is ready", "15s", func(p *process) { p.stop() }, 3},
		{"from a kill -9 until a new key is ready", "15s", func(p *process) { p.kill() }, 19},
		{"the same with a leaseDuration of 6s", "6s", func(p *process) { p.kill() }, 8},
	} {
		config := fmt.Sprintf("manager: {healthProbeBindAddress: \"0\", leaderElectionNamespace: home, leaseDuration: %s}\n", way.lease)
		if err := s.anew(config); err != nil {
			return err
		}
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
	first, began := s.org.OperationCount(), time.Now()
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
