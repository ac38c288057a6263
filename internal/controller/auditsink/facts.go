package auditsink

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/agents"
	"github.com/agentidentity/agent-identity-operator/internal/audit/detect"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/self"
	"github.com/agentidentity/agent-identity-operator/internal/restraint"
	"github.com/agentidentity/agent-identity-operator/internal/workload"
)

const (
	// glance is how long a look at the pods of an agent is good for events of the future.
	glance = 15 * time.Second
	// apart is the longest time between two looks at pods of which it is believed that there
	// was none in between, either.
	apart = 10 * time.Minute
	// judged bounds a question to the cluster: events wait for the answer.
	judged = 5 * time.Second
)

// Facts is what detections ask of the cluster.
type Facts struct {
	Index     *agents.Index
	Self      *self.Self
	Directory interface{ Keeps(id string) bool }
	// Restraints read through the cache.
	Restraints restraint.Rules
	Pods       workload.Pods
	Clock      clock.PassiveClock

	mu    sync.Mutex
	looks map[string]looked
}

var _ detect.Facts = (*Facts)(nil)

// looked is when an agent's pods were looked at, and whether there was any: last, and before.
type looked struct {
	at, before     time.Time
	any, anyBefore bool
}

// CutOff implements detect.Facts. What the status says may be from before the agent was let in
// again; so what cut it off must be there still.
func (f *Facts) CutOff(agent string) time.Time {
	known, _ := f.Index.Key(agent)
	if known.CutOff.IsZero() {
		return time.Time{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), judged)
	defer cancel()
	var key v1alpha1.AgentAPIKey
	err := f.Restraints.Reader.Get(ctx, client.ObjectKey{Namespace: known.Namespace, Name: known.Name}, &key)
	if err != nil || string(key.UID) != agent {
		return time.Time{}
	}
	expired := key.Spec.ExpiresAt != nil && !key.Spec.ExpiresAt.After(f.Clock.Now())
	if key.Spec.State == v1alpha1.StateSuspended || expired {
		return known.CutOff
	}
	if policy, err := f.Restraints.Quarantine(ctx, &key, false); err != nil || policy == nil {
		return time.Time{}
	}
	return known.CutOff
}

// Inside implements detect.Facts, by the name of the zone that Okta says the client was in. A
// client in several zones is said to be in one of them; so a zone of another name proves
// nothing but where only one is allowed and the client is in one that is denied, or in none.
func (f *Facts) Inside(e *event.Event) detect.Answer {
	key, known := f.Index.Key(e.Agent.UID)
	if !known {
		return detect.Unknown
	}
	ctx, cancel := context.WithTimeout(context.Background(), judged)
	defer cancel()
	conditions, err := f.Restraints.Agents(ctx, client.ObjectKey(key.Role))
	if err != nil || conditions.Zones == nil {
		return detect.Unknown
	}
	zone := v1alpha1.NetworkZoneName(e.Client.Zone)
	switch {
	case slices.Contains(conditions.Zones.Deny, zone):
		return detect.No
	case slices.Contains(conditions.Zones.Allow, zone):
		return detect.Yes
	case len(conditions.Zones.Allow) > 0 && (zone == "" || zone == "null"):
		return detect.No
	}
	return detect.Unknown
}

// Held implements detect.Facts. It says No when a look before the event and one after it, not
// long apart, both found no pod that has the Secret, ended ones included; a pod that was
// made and deleted in between would be missed. So the first use of an agent that nobody
// had looked at is Unknown.
func (f *Facts) Held(ctx context.Context, agent string, at time.Time) detect.Answer {
	key, known := f.Index.Key(agent)
	if !known {
		return detect.Unknown
	}
	l, err := f.look(ctx, agent, key, at)
	switch {
	case err != nil:
		ctrl.LoggerFrom(ctx).V(1).Info("looking at pods for a detection", "reason", err.Error())
		return detect.Unknown
	case l.any || l.anyBefore && !l.before.Before(at):
		return detect.Yes
	case l.at.Before(at): // by a clock that is ahead of ours
		return detect.Unknown
	case l.before.IsZero() || l.anyBefore || !l.before.Before(at) || l.at.Sub(l.before) > apart:
		return detect.Unknown
	}
	return detect.No
}

// look looks at the agent's pods after the event, unless somebody has done so already.
func (f *Facts) look(ctx context.Context, agent string, key agents.Key, event time.Time) (looked, error) {
	f.mu.Lock()
	l := f.looks[agent]
	f.mu.Unlock()
	now := f.Clock.Now()
	if !l.at.IsZero() && (!l.at.Before(event) || now.Sub(l.at) < glance && event.After(now)) {
		return l, nil
	}
	ctx, cancel := context.WithTimeout(ctx, judged)
	defer cancel()
	found, err := f.Pods.AnyWith(ctx, key.Namespace, key.Secret)
	if err != nil {
		return looked{}, err
	}
	l = looked{at: now, any: found, before: l.at, anyBefore: l.any}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.looks == nil || len(f.looks) > 10_000 {
		f.looks = map[string]looked{}
	}
	f.looks[agent] = l
	return l, nil
}

// Own implements detect.Facts.
func (f *Facts) Own(e *event.Event) detect.Answer { return answer(f.Self.Did(e)) }

// FromHere implements detect.Facts.
func (f *Facts) FromHere(e *event.Event) detect.Answer { return answer(f.Self.Sent(e)) }

// Kept implements detect.Facts.
func (f *Facts) Kept(id string) bool { return f.Index.Known(id) || f.Directory.Keeps(id) }

func answer(yes, sure bool) detect.Answer {
	switch {
	case !sure:
		return detect.Unknown
	case yes:
		return detect.Yes
	}
	return detect.No
}
