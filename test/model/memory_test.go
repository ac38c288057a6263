package model

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// memory is the model: what persons did that explains how the world is, and what
// the operator has promised to keep.
type memory struct {
	// stale tells that a person changed something in Okta that the operator need not
	// have seen yet.
	stale bool
	keys  map[types.UID]*keyMemory
	roles map[types.UID]*roleMemory
	// apps are those that the operator made, by id.
	apps map[string]*appMemory
	// scopes are the names of scopes on the operator's server that a person made.
	scopes map[string]bool
	// names are names, in Okta, of what a person made or took from the operator, so
	// that what it wants to make of that name is somebody else's.
	names map[string]bool
	// switchedOff are the ids of the org's policies that a person has deactivated.
	switchedOff map[string]bool
}

func newMemory() memory {
	return memory{
		keys: map[types.UID]*keyMemory{}, roles: map[types.UID]*roleMemory{},
		apps: map[string]*appMemory{}, scopes: map[string]bool{}, names: map[string]bool{}, switchedOff: map[string]bool{},
	}
}

// keyMemory is one AgentAPIKey, also after it is gone.
type keyMemory struct {
	ref  ref
	gone bool
	// credential names what the published Secret held when the key was Ready last.
	credential string
	// mayRotate tells that something happened since that lets it be another one.
	mayRotate bool
	// policy is the key's deletion policy, as it was last.
	policy v1alpha1.DeletionPolicy
	// lost tells that it went with its cluster, and that nobody released it;
	// restoredFrom are the uids it had before, in clusters that were lost.
	lost         bool
	restoredFrom []types.UID
	// stagedHurt and publishedHurt tell that a person edited or deleted the Secret
	// since the key was Ready last.
	stagedHurt, publishedHurt bool
	// last is what the published Secret held when the key was Ready last; stolen is what
	// it held before a quarantine.
	last, stolen files
}

// roleMemory is one AIAgentRole.
type roleMemory struct {
	ref  ref
	gone bool
	// lost tells that it went with its cluster, and that nobody released it.
	lost bool
}

// appMemory is one app of a key, and what persons did to it.
type appMemory struct {
	owner types.UID
	// deactivated, deleted, stripped (of a credential) and disowned (its mark taken
	// off) are final but for the first.
	deactivated, deleted, stripped, disowned bool
	renamed, altered                         bool
	// activated tells that a person let it in again, whoever had taken that away.
	activated bool
	// planted counts the credentials that persons added.
	planted int
}

// learn hears of every write in Kubernetes.
func (m *memory) learn(c change) {
	known := c.new
	if known == nil {
		known = c.old
	}
	switch obj := known.(type) {
	case *v1alpha1.AgentAPIKey:
		if m.keys[obj.UID] == nil {
			m.keys[obj.UID] = &keyMemory{ref: c.ref}
		}
		m.keys[obj.UID].gone = c.new == nil
		m.keys[obj.UID].policy = obj.Spec.DeletionPolicy
	case *v1alpha1.AIAgentRole:
		if m.roles[obj.UID] == nil {
			m.roles[obj.UID] = &roleMemory{ref: c.ref}
		}
		m.roles[obj.UID].gone = c.new == nil
	}
}

// ownerOf is the uid in an app's mark.
func ownerOf(app oktasim.App) types.UID {
	ownership, _ := app.Profile["agentidentity.dev"].(map[string]any)
	if ownership["cluster"] != cluster {
		return ""
	}
	uid, _ := ownership["uid"].(string)
	return types.UID(uid)
}

// watchApps looks after every write in Okta at whose apps there are, and holds that
// no key ever has two.
func (w *world) watchApps() {
	w.Helper()
	appOf := map[types.UID]string{}
	for _, app := range w.org.Snapshot().Apps {
		owner := ownerOf(app)
		if owner == "" {
			continue
		}
		if other := appOf[owner]; other != "" {
			w.broken("one app per key", "%s has two", w.memory.nameOf(owner))
		}
		appOf[owner] = app.ID
		if w.memory.apps[app.ID] == nil {
			w.memory.apps[app.ID] = &appMemory{}
		}
		w.memory.apps[app.ID].owner = owner
		if n := live(app); n > 2 {
			w.broken("never more than two credentials", "the app of %s has %d", w.memory.nameOf(owner), n)
		}
	}
}

func (m *memory) nameOf(uid types.UID) string {
	if key := m.keys[uid]; key != nil {
		return key.ref.String()
	}
	return "an object that never was"
}

// deeds are what persons did to any app the key ever had.
func (m *memory) deeds(uid types.UID) appMemory {
	var all appMemory
	for _, app := range m.apps {
		if app.owner != uid && (m.keys[uid] == nil || !slices.Contains(m.keys[uid].restoredFrom, app.owner)) {
			continue
		}
		all.deactivated = all.deactivated || app.deactivated
		all.deleted = all.deleted || app.deleted
		all.stripped = all.stripped || app.stripped
		all.disowned = all.disowned || app.disowned
		all.renamed = all.renamed || app.renamed
		all.altered = all.altered || app.altered
	}
	return all
}
