// Package agents knows whom an event concerns: which AgentAPIKey or AIAgentRole the ids in
// it belong to. It is told of the objects by the cluster's cache, and holds what an event is
// to say of each, ready made, for there may be thousands of events a second.
//
// It refuses to know what becomes of events.
package agents

import (
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// recent is how many objects are remembered that are gone: the directory may tell of their
// end, and of what came before, when they are.
const recent = 1000

// Index finds objects by what the directory calls them. It is safe for concurrent use.
type Index struct {
	cluster string
	clock   clock.PassiveClock

	mu     sync.RWMutex
	agents map[string]*event.Agent
	roles  map[string]*event.Object
	// named are the names that an object is known by; gone are objects that do not exist
	// any more, oldest first.
	named map[types.UID][]string
	gone  []types.UID
	// since is when an object was made.
	since map[string]time.Time
	// keys are what there is to know of keys besides.
	keys map[types.UID]Key
}

// Key is what the cluster says of an AgentAPIKey now.
type Key struct {
	Namespace, Name, Secret string
	Role                    types.NamespacedName
	// CutOff is when it was first seen here that Okta issues it no token, because it is
	// suspended, quarantined or expired; zero while it does.
	CutOff time.Time
}

// Key gives what there is to know of a key; false when it is gone.
func (x *Index) Key(uid string) (Key, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	key, known := x.keys[types.UID(uid)]
	return key, known
}

// Known tells that the id is that of something in the directory that belongs to an object.
func (x *Index) Known(id string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return id != "" && (x.agents[id] != nil || x.roles[id] != nil)
}

// cutOff tells a key to which Okta issues no token.
func cutOff(key *v1alpha1.AgentAPIKey) bool {
	ready := meta.FindStatusCondition(key.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionFalse && ready.ObservedGeneration == key.Generation &&
		slices.Contains([]string{v1alpha1.ReasonSuspended, v1alpha1.ReasonExpired, v1alpha1.ReasonQuarantined}, ready.Reason)
}

// New makes an empty index of the cluster's objects.
func New(cluster string, c clock.PassiveClock) *Index {
	return &Index{
		cluster: cluster, clock: c, keys: map[types.UID]Key{}, since: map[string]time.Time{},
		agents: map[string]*event.Agent{}, roles: map[string]*event.Object{}, named: map[types.UID][]string{},
	}
}

// Handler keeps the index up to date when it is added to the informers of both kinds.
func (x *Index) Handler() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    x.put,
		UpdateFunc: func(_, now any) { x.put(now) },
		DeleteFunc: func(obj any) {
			if unknown, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
				obj = unknown.Obj
			}
			x.remove(obj)
		},
	}
}

func (x *Index) put(obj any) {
	switch o := obj.(type) {
	case *v1alpha1.AgentAPIKey:
		x.putKey(o)
	case *v1alpha1.AIAgentRole:
		x.putRole(o)
	}
}

func (x *Index) putKey(key *v1alpha1.AgentAPIKey) {
	role := desired.RoleOfRef(key.Spec.RoleRef, key.Namespace)
	agent := &event.Agent{
		Object: event.Object{Namespace: key.Namespace, Name: key.Name, UID: string(key.UID)},
		Agent:  key.Spec.Agent.Name, Owners: key.Spec.Agent.Owners, Purpose: key.Spec.Agent.Purpose,
		ClientID: key.Status.ClientID, AppID: key.Status.AppID, Role: event.Object{Namespace: role.Namespace, Name: role.Name},
		Revision: max(0, key.Status.ObservedGeneration),
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	names := x.rename(key.UID, "AgentAPIKey/"+key.Namespace+"/"+key.Name,
		key.Status.ClientID, desired.ClientID(x.cluster, key.Namespace, key.Name), key.Status.AppID,
		desired.Label(identity.Mark{Cluster: x.cluster, Namespace: key.Namespace, Name: key.Name}))
	for _, name := range names {
		x.agents[name] = agent
	}
	x.since[agent.UID] = key.CreationTimestamp.Time
	now := Key{Namespace: key.Namespace, Name: key.Name, Secret: string(key.Spec.Secret.Name), Role: role}
	if cutOff(key) {
		if now.CutOff = x.keys[key.UID].CutOff; now.CutOff.IsZero() {
			now.CutOff = x.clock.Now()
		}
	}
	x.keys[key.UID] = now
}

func (x *Index) putRole(role *v1alpha1.AIAgentRole) {
	object := &event.Object{Namespace: role.Namespace, Name: role.Name, UID: string(role.UID)}
	x.mu.Lock()
	defer x.mu.Unlock()
	mark := identity.Mark{Cluster: x.cluster, Kind: "AIAgentRole", Namespace: role.Namespace, Name: role.Name}
	x.since[object.UID] = role.CreationTimestamp.Time
	for _, name := range x.rename(role.UID, "AIAgentRole/"+role.Namespace+"/"+role.Name, role.Status.GroupID, desired.GroupName(mark)) {
		x.roles[name] = object
	}
}

// rename gives the names by which an object is known from now on: those it had, too, for
// what is written of them may yet come.
func (x *Index) rename(uid types.UID, now ...string) []string {
	names := x.named[uid]
	for _, name := range now {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	x.named[uid] = names
	return names
}

func (x *Index) remove(obj any) {
	object, ok := obj.(interface{ GetUID() types.UID })
	if !ok {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.keys, object.GetUID())
	x.gone = append(x.gone, object.GetUID())
	for len(x.gone) > recent {
		x.forget(x.gone[0])
		x.gone = x.gone[1:]
	}
}

// forget removes the names that are not those of a later object by now.
func (x *Index) forget(uid types.UID) {
	for _, name := range x.named[uid] {
		if a := x.agents[name]; a != nil && a.UID == string(uid) {
			delete(x.agents, name)
		}
		if r := x.roles[name]; r != nil && r.UID == string(uid) {
			delete(x.roles, name)
		}
	}
	delete(x.named, uid)
	delete(x.since, string(uid))
}

// Identify says whom the event concerns: the agent that acts in it, or that something is
// done to (agentOf), else the role that something is done to. Of several agents it is the first; an
// event about a role names no agent.
func (x *Index) Identify(e *event.Event) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e.Agent = x.agentOf(e)
	if e.Agent != nil {
		e.Role = &e.Agent.Role
		return
	}
	for i := range e.Targets {
		t := &e.Targets[i]
		if e.Role = x.roles[t.ID]; e.Role == nil && isRole(t) {
			e.Role = x.roleNamed(t.DisplayName, e.Published)
		}
		if e.Role != nil {
			return
		}
	}
}

// agentOf goes by the directory's ids first. Names that anybody can choose say whom an event
// concerns only where no id does: a login that is an agent's name must not hide what is done to
// another.
func (x *Index) agentOf(e *event.Event) *event.Agent {
	for _, names := range [][]string{idsOf(e), namesOf(e)} {
		for _, name := range names {
			if a := x.agentCalled(name, e.Published); a != nil {
				return a
			}
		}
	}
	return nil
}

// idsOf are the directory's ids in the event: who acts first, but what is done to a client
// concerns that client, also when another agent does it.
func idsOf(e *event.Event) []string {
	acting, targets := []string{e.Actor.ID, e.Client.ID}, make([]string, 0, len(e.Targets))
	for i := range e.Targets {
		targets = append(targets, e.Targets[i].ID)
	}
	if event.Category(e.Type) == v1alpha1.CategoryClient {
		return append(targets, acting...)
	}
	return append(acting, targets...)
}

// namesOf are the names in it that somebody has chosen.
func namesOf(e *event.Event) []string {
	names := []string{e.Actor.AlternateID}
	for i := range e.Targets {
		if t := &e.Targets[i]; !isRole(t) {
			names = append(names, t.AlternateID, t.DisplayName)
		}
	}
	return names
}

// early is how much earlier than an object, by the cluster's clock, something may have happened
// to it by the directory's.
const early = 5 * time.Minute

// agentCalled is the agent of that name. All names but the id of an app are made of the object's
// own, and may have been those of an earlier object: in a namespace that is another team's by
// now, say. What happened before there was the object is not its.
func (x *Index) agentCalled(name string, when time.Time) *event.Agent {
	a := x.agents[name]
	if a == nil || name != a.AppID && when.Add(early).Before(x.since[a.UID]) {
		return nil
	}
	return a
}

func (x *Index) roleNamed(name string, when time.Time) *event.Object {
	r := x.roles[name]
	if r == nil || when.Add(early).Before(x.since[r.UID]) {
		return nil
	}
	return r
}

// isRole tells the directory's objects of a role, which have the names that a key's would have.
func isRole(t *event.Party) bool { return t.Type == "UserGroup" || strings.Contains(t.Type, "Policy") }
