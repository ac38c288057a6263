package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

const (
	// queuedKeys at most wait for Okta's own limits: 45 of them are served in a minute.
	queuedKeys = 10_000
	// taken is how many keys are cut off, and wished how many new ones come elsewhere.
	taken  = 16
	wished = 12
	// apartBy is the time between two keys that are cut off. What is kept of the limit for that is
	// five calls a minute, and each takes one.
	apartBy = 15 * time.Second
)

// waiting is the configuration of an operator behind whose back a queue grows. The brake is not what is
// measured.
const waiting = "incidentNamespace: " + home + "\ndeletionBrake: {keysPerHour: 0}\n" + alone

// queue makes a few keys that work, and then thousands that wait for the rate limit.
func queue(ctx context.Context, s *stage, _ *table) error {
	if err := s.configure(waiting); err != nil {
		return err
	}
	if err := s.create(ctx, s.roles, roleNamed); err != nil {
		return err
	}
	for _, namespace := range []string{beside, small} {
		if err := s.kube.Create(ctx, roleIn(namespace, 0)); err != nil {
			return err
		}
	}
	if err := s.create(ctx, taken, func(i int) client.Object { return s.key(victim(i), i) }); err != nil {
		return err
	}
	if _, err := s.operate(); err != nil {
		return err
	}
	if err := s.awaitReady(ctx, taken, 3*time.Minute); err != nil {
		return err
	}
	if err := s.create(ctx, s.keys, s.keyNamed); err != nil {
		return err
	}
	return until(ctx, 5*time.Minute, 100*time.Millisecond, func() (bool, error) {
		_, waiting := s.counts()
		return waiting > s.keys/2, nil
	})
}

func victim(i int) string { return fmt.Sprintf("victim-%02d", i) }

// backlog takes access away, and has keys made in another namespace, while thousands wait.
func backlog(ctx context.Context, s *stage, t *table) error {
	asked, apps, err := s.press(ctx)
	if err != nil {
		return err
	}
	cut, started, err := s.answered(ctx, asked, apps)
	if err != nil {
		return err
	}
	_, waiting := s.counts()
	t.tell("keys that still wait for the rate limit", float64(waiting), "keys")
	for way, lags := range cut {
		slices.Sort(lags)
		t.tell("from "+way+" until Okta has deactivated the app, half of them", at(lags, 0.5), "s")
	}
	all := slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(cut))...)))
	t.add("P10", "from taking access away until Okta has deactivated the app, 99 of 100", at(all, 0.99), 10, "s")
	slices.Sort(started)
	t.tell("from a new key elsewhere until its app is made, half of them", at(started, 0.5), "s")
	t.add("P10", "the same, 99 of 100", at(started, 0.99), 65, "s")
	return nil
}

// press cuts a key off every now and then, and makes one elsewhere. It gives when each was asked
// for, and the apps of those that are cut off.
func (s *stage) press(ctx context.Context) (asked map[string]time.Time, apps map[string]string, err error) {
	asked, apps = map[string]time.Time{}, map[string]string{}
	const beat = apartBy / 3
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for i := range taken * 3 {
		if i%3 == 0 {
			name := victim(i / 3)
			apps[name], asked[name] = s.of(name).app, time.Now()
			if err := s.takeAway(ctx, i/3); err != nil {
				return nil, nil, err
			}
		}
		if i%4 == 1 {
			name := wish(i / 4)
			asked[name] = time.Now()
			if err := s.kube.Create(ctx, keyIn(beside, name, 0)); err != nil {
				return nil, nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-tick.C:
		}
	}
	return asked, apps, nil
}

func wish(i int) string { return fmt.Sprintf("wish-%02d", i) }

// The ways in which access is taken away.
const (
	deletion   = "the deletion of a key"
	quarantine = "a quarantine of a key"
)

func way(i int) string {
	if i%2 == 0 {
		return deletion
	}
	return quarantine
}

func (s *stage) takeAway(ctx context.Context, i int) error {
	if way(i) == deletion {
		return s.kube.Delete(ctx, s.key(victim(i), i))
	}
	return s.kube.Create(ctx, &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: victim(i)},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyQuarantine, Quarantine: &v1alpha1.QuarantinePolicy{
			Reason:  "bench",
			Targets: v1alpha1.QuarantineTargets{Keys: []v1alpha1.KeyReference{{Namespace: fleet, Name: v1alpha1.ObjectName(victim(i))}}},
		}},
	})
}

// answered waits until Okta has done all that was asked for, and gives how long each took.
func (s *stage) answered(ctx context.Context, asked map[string]time.Time, apps map[string]string) (
	cut map[string][]time.Duration, started []time.Duration, err error,
) {
	off, made := map[string]time.Time{}, map[string]time.Time{}
	err = until(ctx, 5*time.Minute, time.Second, func() (bool, error) {
		off, made = s.deactivated(), s.registered()
		for i := range taken {
			if off[apps[victim(i)]].IsZero() {
				return false, nil
			}
		}
		for i := range wished {
			if made[wish(i)].IsZero() {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("waiting for %d that are cut off and %d that are made", taken, wished), err)
	}
	cut = map[string][]time.Duration{}
	for i := range taken {
		cut[way(i)] = append(cut[way(i)], off[apps[victim(i)]].Sub(asked[victim(i)]))
	}
	for i := range wished {
		started = append(started, made[wish(i)].Sub(asked[wish(i)]))
	}
	say("  new keys elsewhere, one after another: %v", started)
	return cut, started, nil
}

// deactivated gives when Okta deactivated each app, by its id.
func (s *stage) deactivated() map[string]time.Time {
	off := map[string]time.Time{}
	for _, op := range s.org.OperationsSince(0) {
		if app, is := strings.CutSuffix(op.Path, "/lifecycle/deactivate"); is && op.Status < 300 {
			off[path.Base(app)] = op.Time
		}
	}
	return off
}
