package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/agents"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// followEvery is how often new events are asked for.
	followEvery = 30 * time.Second
	// patient is how long nothing is said while events are read.
	patient = 5 * time.Second
	// slack is how exactly the directory's clock is known.
	slack = 2 * time.Second
)

// concerned knows whom events concern.
type concerned struct {
	p     *plugin
	c     client.Reader
	agent string

	index *agents.Index
	roles []v1alpha1.AIAgentRole
	// objects is how many the index knows.
	objects int
}

// refresh reads the objects: those of the scope, or the one agent. Roles are listed in any
// case where that is allowed, for they say which org it is.
func (w *concerned) refresh(ctx context.Context) error {
	var err error
	var keys []v1alpha1.AgentAPIKey
	namespace := ""
	if w.agent == "" {
		if keys, namespace, err = w.p.listKeys(ctx, w.c); err != nil {
			return err
		}
		if w.index == nil && len(keys) == 0 {
			w.p.say("%s", none("AgentAPIKeys", namespace))
		}
	} else {
		at, err := w.p.keyNamed(w.agent)
		if err != nil {
			return err
		}
		key, err := w.p.getKey(ctx, w.c, at)
		if err != nil {
			return err
		}
		keys, namespace = []v1alpha1.AgentAPIKey{*key}, at.Namespace
	}
	var roles v1alpha1.AIAgentRoleList
	if err := w.c.List(ctx, &roles, client.InNamespace(namespace)); err != nil {
		return explain(err, "AIAgentRole", types.NamespacedName{Namespace: namespace})
	}
	w.fill(keys, roles.Items)
	return nil
}

// nobody tells that no event could concern them.
func (w *concerned) nobody() bool { return w.agent == "" && w.objects == 0 }

// fill makes the index. It is empty of the clusterID, which stands in the operator's
// configuration: objects are found by the ids in their status.
func (w *concerned) fill(keys []v1alpha1.AgentAPIKey, roles []v1alpha1.AIAgentRole) {
	w.index, w.roles, w.objects = agents.New("", clock.RealClock{}), roles, len(keys)+len(roles)
	handler := w.index.Handler()
	for i := range keys {
		handler.OnAdd(&keys[i], true)
	}
	if w.agent != "" {
		return
	}
	for i := range roles {
		handler.OnAdd(&roles[i], true)
	}
}

// reading is one reading of the log, from some time until it has been read, or for ever.
type reading struct {
	p     *plugin
	log   identity.SystemLog
	who   *concerned
	query logQuery
	// show is handed the events that are wanted.
	show func([]event.Event) error

	// begun is the directory's clock when the reading began.
	begun time.Time
	// latest is when the last event happened that was read, of any kind.
	latest time.Time
	read   int
	shown  int
	said   time.Time
}

// run reads until there is nothing left, and on with --follow.
func (r *reading) run(ctx context.Context, at identity.LogPlace) error {
	r.said = r.p.Clock.Now()
	for {
		page, err := r.log.ReadLog(ctx, at)
		if err != nil {
			if at, err = r.wait(ctx, at, err); err != nil {
				return err
			}
			continue
		}
		at = page.Next
		ended, err := r.take(page)
		if err != nil {
			return err
		}
		if !ended {
			continue
		}
		if !r.query.follow {
			return r.end()
		}
		if err := r.pause(ctx, followEvery); err != nil {
			return err
		}
		if err := r.who.refresh(ctx); err != nil {
			r.p.say("the agents that were known before are used: %v", err)
		}
	}
}

// take shows a page, and tells whether all has been read that there was at the beginning:
// what is written down meanwhile would keep us for ever.
func (r *reading) take(page identity.LogPage) (ended bool, err error) {
	if r.begun.IsZero() {
		r.begun = page.Now
	}
	ended = len(page.Events) == 0
	var found []event.Event
	for _, raw := range page.Events {
		e := event.Read(raw, page.Now)
		r.latest = e.Published
		ended = ended || !r.query.follow && e.Published.After(r.begun.Add(slack))
		r.who.index.Identify(&e)
		if r.wanted(&e) {
			found = append(found, e)
		}
	}
	r.read += len(page.Events)
	r.shown += len(found)
	if now := r.p.Clock.Now(); !ended && now.Sub(r.said) >= patient {
		r.said = now
		r.p.say("… %d events read, up to %s; %d concern agents", r.read, r.latest.UTC().Format(time.RFC3339), r.shown)
	}
	if len(found) == 0 {
		return ended, nil
	}
	return ended, r.show(found)
}

func (r *reading) wanted(e *event.Event) bool {
	if e.Agent == nil && e.Role == nil {
		return false
	}
	return len(r.query.types) == 0 || slices.ContainsFunc(r.query.types, func(t string) bool {
		return e.Type == t || strings.HasPrefix(e.Type, strings.TrimSuffix(t, ".")+".")
	})
}

// end says what there was when nothing was shown: silence could mean anything.
func (r *reading) end() error {
	if r.shown == 0 {
		r.p.say("none of the %d events that Okta shows concerns these agents", r.read)
	}
	return nil
}

// wait gives the place at which to go on after an error, or the error.
func (r *reading) wait(ctx context.Context, at identity.LogPlace, err error) (identity.LogPlace, error) {
	fault, typed := errors.AsType[*identity.Error](err)
	switch {
	case !typed:
		return at, err
	case fault.Kind == identity.Throttled && fault.RetryAfter > 0:
		r.p.say("Okta's rate limit is used up; it goes on in %s", fault.RetryAfter.Round(time.Second))
		return at, r.pause(ctx, fault.RetryAfter)
	case identity.PlaceLost(err) && r.query.follow:
		r.p.say("Okta has forgotten where the reading stood: it begins again a little earlier, and may show events twice")
		return identity.LogPlace{Since: r.again()}, nil
	case r.query.follow && fault.Kind == identity.Unavailable:
		r.p.say("Okta does not answer: %s; it is asked again in %s", fault.Message, followEvery)
		return at, r.pause(ctx, followEvery)
	}
	return at, asPerson(fault)
}

// again is where a reading begins anew: a little before the last event.
func (r *reading) again() time.Time {
	from := r.latest
	if from.IsZero() {
		from = r.begun
	}
	return from.Add(-time.Minute)
}

// asPerson says it to a person what the directory says to the operator.
func asPerson(fault *identity.Error) error {
	switch fault.Reason {
	case identity.ReasonAuthenticationFailed:
		return errors.New("the API token is refused by Okta: it may be revoked, or be of another org; " +
			"you make one in Okta's console under Security > API > Tokens")
	case identity.ReasonPermissionDenied:
		return errors.New("the owner of the API token may not read the System Log of Okta; a read-only or report administrator may")
	case identity.ReasonUnreachable:
		// What follows is what an operator's administrator should check.
		what, _, _ := strings.Cut(fault.Message, ";")
		return fmt.Errorf("%s; check the org's address, your network and proxy; SSL_CERT_FILE names certificate authorities of your own", what)
	}
	return fmt.Errorf("reading the System Log: %w", fault)
}

func (r *reading) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.p.Clock.After(d):
		return nil
	}
}
