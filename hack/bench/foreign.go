package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// What others leave of the limits is used up on this machine too, and a window or two are enough.
const (
	foreignKeys   = 500
	foreignFactor = 10
)

// undisturbed is the operator with roles, before anybody else comes.
func undisturbed(ctx context.Context, s *stage, _ *table) error {
	if err := s.configure(alone); err != nil {
		return err
	}
	if err := s.create(ctx, s.roles, roleNamed); err != nil {
		return err
	}
	_, err := s.settled(ctx)
	return err
}

// foreign has keys converge while others call the same org.
func foreign(ctx context.Context, s *stage, t *table) error {
	for i, crowd := range []struct {
		who string
		// parts are those of each bucket's limit that a principal calls, one after another.
		parts []float64
		burst bool
		bound float64
	}{
		{"others call 30 % of each limit, evenly", []float64{0.3}, false, 0.01},
		{"others call 30 % of each limit, in one burst a minute", []float64{0.3}, true, 0.01},
		{"others call 70 % in bursts, so that not all of the share is left", []float64{0.35, 0.35}, true, -1},
	} {
		disturbing, stop := context.WithCancel(ctx)
		var working sync.WaitGroup
		var sent tallies
		for _, part := range crowd.parts {
			if err := s.disturb(disturbing, &working, &sent, part, crowd.burst); err != nil {
				stop()
				return err
			}
		}
		c, took, err := s.batch(ctx, i)
		stop()
		working.Wait()
		if err != nil {
			return err
		}
		say("  others called %d times, %d were refused", sent.all, sent.refused)
		goal := "P7"
		if crowd.bound < 0 {
			goal = ""
		}
		t.add(goal, "calls refused while "+crowd.who+", of all", float64(c.refused)/float64(c.management+c.tokens), crowd.bound, "")
		t.tell(fmt.Sprintf("time until %d keys are ready meanwhile", s.keys), took.Seconds(), "s")
	}
	return nil
}

// batch makes one more time as many keys, and waits until they are Ready.
func (s *stage) batch(ctx context.Context, i int) (calls, time.Duration, error) {
	first, began := s.org.OperationCount(), time.Now()
	next := func(k int) client.Object { return s.keyNamed(i*s.keys + k) }
	if err := s.create(ctx, s.keys, next); err != nil {
		return calls{}, 0, err
	}
	if err := s.awaitReady(ctx, (i+1)*s.keys, 15*time.Minute); err != nil {
		return calls{}, 0, err
	}
	return s.since(first), time.Since(began), nil
}

// tallies are what others have called.
type tallies struct {
	mu           sync.Mutex
	all, refused int
}

// disturb has another principal call part of the limit of each bucket that the operator needs, until
// ctx ends: evenly, or a minute's calls at once.
func (s *stage) disturb(ctx context.Context, working *sync.WaitGroup, sent *tallies, part float64, burst bool) error {
	limits, err := s.limits()
	if err != nil {
		return err
	}
	token := s.org.AddAPIToken()
	// By its first call the principal becomes known.
	before := s.org.OperationCount()
	const unheardOf = "/api/v1/groups/00gForeign"
	if _, err := s.ask(ctx, token, unheardOf); err != nil {
		return err
	}
	for _, op := range s.org.OperationsSince(before) {
		if op.Path == unheardOf {
			s.others[op.Principal] = true
		}
	}
	for bucket, path := range map[throttle.Bucket]string{
		throttle.Apps: "/api/v1/apps?limit=1", throttle.App: "/api/v1/apps/0oaForeign",
		throttle.Groups: "/api/v1/groups?limit=1", throttle.Group: unheardOf, throttle.Management: "/api/v1/authorizationServers?limit=1",
	} {
		minute := part * float64(limits.Limit(bucket))
		every, at := time.Duration(float64(time.Minute)/minute), 1
		if burst {
			every, at = time.Minute, int(minute)
		}
		working.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				for range at {
					refused, err := s.ask(ctx, token, path)
					if err != nil {
						return
					}
					sent.add(refused)
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	return nil
}

func (t *tallies) add(refused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all++
	if refused {
		t.refused++
	}
}

// ask calls the org, and tells whether the rate limit refuses it.
func (s *stage) ask(ctx context.Context, token, path string) (refused bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+path, nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "SSWS "+token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode == http.StatusTooManyRequests, errors.Join(err, answer.Body.Close())
}
