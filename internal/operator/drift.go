package operator

import (
	"cmp"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlevent "sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/drift"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/audit/self"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

const (
	// drifts is how many objects can be waiting to be looked at; what has no room is doubted all
	// the same, and looked at with the next regular look.
	drifts = 1000
	// outdated is how long ago something may have been changed: history that a receiver asks for
	// was seen when it came, or with the next regular look.
	outdated = time.Hour
	// contests is how often an hour the same object is looked at for that: who changes back
	// whatever the operator puts right is not fought once a poll. The regular look goes on.
	contests = 20
)

// lookout has objects looked at whose part of the directory somebody has changed.
type lookout struct {
	self    *self.Self
	clock   clock.PassiveClock
	cluster string
	// directory is set before anything is read.
	directory identity.Doubter

	keys, roles chan ctrlevent.GenericEvent

	mu sync.Mutex
	// seen counts, by the uid of an object, what was heard of it since then.
	seen  map[string]int
	since time.Time
}

func newLookout(o Options, s *self.Self) *lookout {
	return &lookout{
		self: s, clock: o.Clock, cluster: o.Config.ClusterID,
		keys: make(chan ctrlevent.GenericEvent, drifts), roles: make(chan ctrlevent.GenericEvent, drifts),
	}
}

// see looks at an event of which it is known whom it concerns. What the operator did itself is as
// it remembers it.
func (l *lookout) see(e *event.Event) {
	part := drift.Of(e)
	if part == drift.Nothing || l.clock.Since(e.Published).Abs() > outdated {
		return
	}
	if did, _ := l.self.Did(e); did || l.contested(e) {
		return
	}
	switch part {
	case drift.Client:
		l.directory.DoubtClient(cmp.Or(e.Agent.ClientID, desired.ClientID(l.cluster, e.Agent.Namespace, e.Agent.Name)))
		send(l.keys, &v1alpha1.AgentAPIKey{ObjectMeta: named(e.Agent.Object)})
	case drift.Group:
		l.directory.DoubtGroup(desired.GroupName(l.mark(e.Role)))
		send(l.roles, &v1alpha1.AIAgentRole{ObjectMeta: named(*e.Role)})
	case drift.Grant:
		l.directory.DoubtGrant(l.mark(e.Role))
		send(l.roles, &v1alpha1.AIAgentRole{ObjectMeta: named(*e.Role)})
	case drift.Nothing:
	}
}

// contested tells that the object was changed too often within the hour.
func (l *lookout) contested(e *event.Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.clock.Now(); l.seen == nil || now.Sub(l.since) > time.Hour {
		l.seen, l.since = map[string]int{}, now
	}
	uid := ""
	if e.Agent != nil {
		uid = e.Agent.UID
	} else if e.Role != nil {
		uid = e.Role.UID
	}
	l.seen[uid]++
	return l.seen[uid] > contests
}

func (l *lookout) mark(role *event.Object) identity.Mark {
	return identity.Mark{Cluster: l.cluster, Kind: "AIAgentRole", Namespace: role.Namespace, Name: role.Name, UID: role.UID}
}

func named(o event.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name}
}

// send never waits: the reader of the log must not.
func send(to chan ctrlevent.GenericEvent, o client.Object) {
	select {
	case to <- ctrlevent.GenericEvent{Object: o}:
	default:
	}
}
