package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// newcomer has new keys come just when the operator starts with a whole fleet that is Ready, at Okta's
// own limits: to list the fleet's apps takes most of what it may call in a window.
func newcomer(ctx context.Context, s *stage, t *table) error {
	if err := s.anew(waiting); err != nil {
		return err
	}
	if err := client.IgnoreAlreadyExists(s.kube.Create(ctx, roleIn(beside, 0))); err != nil {
		return err
	}
	if _, err := s.settled(ctx); err != nil {
		return err
	}
	s.end()
	factor := s.factor
	if err := s.limit(ctx, 1); err != nil {
		return err
	}
	// In the present windows more was called than may be from now on.
	if err := wait(ctx, throttle.Window+time.Second); err != nil {
		return err
	}
	first, began := s.org.OperationCount(), time.Now()
	if _, err := s.operate(); err != nil {
		return err
	}
	name := func(i int) string { return fmt.Sprintf("newcomer-%02d", i) }
	if err := s.newcomers(ctx, name); err != nil {
		return err
	}
	what := fmt.Sprintf("from a restart at Okta's own limits until the apps of %d new keys are made", few)
	t.add("P10", what, s.lastMade(name, began), oneWindow, "s")
	c := s.since(first)
	say("  %s", c.most())
	t.add("P7", "calls refused by the rate limit meanwhile", float64(c.refused), 0, "calls")
	return errors.Join(s.addShare(t, "after a restart at Okta's own limits", c), s.limit(ctx, factor))
}

// newcomers makes a few keys in another namespace, and waits until they are Ready.
func (s *stage) newcomers(ctx context.Context, name func(int) string) error {
	if err := s.create(ctx, few, func(i int) client.Object { return keyIn(beside, name(i), 0) }); err != nil {
		return err
	}
	for i := range few {
		if err := s.awaitKey(ctx, name(i), 10*time.Minute); err != nil {
			return err
		}
	}
	return nil
}

// limit gives the org other limits.
func (s *stage) limit(ctx context.Context, factor int) error {
	body := fmt.Appendf(nil, `{"limits":%q}`, oktasim.LimitsWorkforce.Scaled(factor))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.URL+"/_sim/settings", bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("setting the org's limits: HTTP %d", answer.StatusCode)
	}
	s.factor = factor
	return errors.Join(err, answer.Body.Close())
}
