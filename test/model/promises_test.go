package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// promise is one thing that must hold whenever the operator has come to rest.
type promise struct {
	name string
	// seen tells that it holds only once the operator has seen what persons did in Okta.
	seen bool
	held func(v *view) error
}

// promises are those of the design, under "What must always hold", by its numbers.
// To add one, write a function and a line here.
func promises() []promise {
	return []promise{
		{"1. nothing has a twin in Okta", false, noTwins},
		{"1. a key has one app, and few credentials", false, fewCredentials},
		{"1. a working credential is not churned", true, credentialsStay},
		{"2. nothing foreign is changed", false, nothingForeignChanged},
		{"3. deletion ends", true, deletionEnds},
		{"3. nothing live is left behind", true, nothingLeftBehind},
		{"6. Ready tells the truth of a key", true, keysAreReadyWhenTheyWork},
		{"6. Ready tells the truth of a role", true, rolesAreReadyWhenTheyStand},
		{"6. a status is one that kstatus reads alike", false, statusesAgree},
		{"8. only who may has access", true, accessIsDeserved},
		{"8. a quarantine cuts off for good", true, cutOffForGood},
		{"8. only who is named is a member", true, membersAreThoseNamed},
		{"8. factors are asked for where a role does", true, factorsAreAskedFor},
		{"8. people administer what their role says", true, administeringAsNamed},
		{"8. people sign in as a policy says", true, consoleIsGoverned},
		{"2. what a person switched off stays so", true, switchedOffStays},
		{"the rate limits' share is kept", false, shareIsKept},
		{"nothing fails at rest", false, nothingFails},
	}
}

// keepsPromises holds all promises of a world at rest; that nothing is written any
// more comes first, for it may yet change something.
func (w *world) keepsPromises() {
	w.Helper()
	w.restWritesNothing()
	v := w.look()
	w.noteStolen(v)
	for _, p := range promises() {
		if p.seen && w.memory.stale {
			continue
		}
		if err := p.held(v); err != nil {
			w.broken(p.name, "%v", err)
		}
	}
	w.noteReady(v)
}

// keepsFinalPromises are those that are dear, or only mean something at the end.
func (w *world) keepsFinalPromises() {
	w.Helper()
	if leak := w.leaks(); leak != "" {
		w.broken("4. no secret is shown", "%s", leak)
	}
	if unknown := w.org.Unknown(); len(unknown) > 0 {
		w.broken("Okta is asked for what it has", "%v", unknown)
	}
}

// restWritesNothing is promise 7: another look at everything writes nothing anywhere.
func (w *world) restWritesNothing() {
	w.Helper()
	w.calm = true
	defer func() { w.calm = false }()
	w.takeDueTurns()
	before := w.writes
	for _, r := range w.kube.sorted() {
		if w.process.reconcilers[r.kind] == nil {
			continue
		}
		w.process.reconcile(r)
		if w.writes != before && !w.memory.stale {
			w.broken("7. an unchanged world is not written to", "another look at %s writes", r)
		}
	}
}

// takeDueTurns lets the operator do what is due just now, such as at an expiry.
func (w *world) takeDueTurns() {
	for range livelock {
		r, due := w.process.next(func(_ ref, due time.Time) bool { return !due.After(w.clock.Now()) })
		if due.IsZero() {
			return
		}
		w.process.reconcile(r)
	}
}

// noTwins holds that there is one server, and one group and one policy for a role.
// That a key has one app is watched all the time.
func noTwins(v *view) error {
	seen := map[string]bool{}
	for _, s := range kept(v.state.Servers, func(s oktasim.Server) bool { return !v.foreign.ids[s.ID] }) {
		if seen["server "+s.Name] {
			return fmt.Errorf("there are two servers %s", s.Name)
		}
		seen["server "+s.Name] = true
	}
	for _, p := range v.ownPolicies(v.state) {
		if seen["policy "+p.Description] {
			return fmt.Errorf("there are two policies %s", p.Name)
		}
		seen["policy "+p.Description] = true
	}
	for _, p := range v.ownOrgPolicies(v.state) {
		if seen["org policy "+p.Type+p.Description] {
			return fmt.Errorf("there are two %s policies %s", p.Type, p.Name)
		}
		seen["org policy "+p.Type+p.Description] = true
	}
	for _, g := range kept(v.state.Groups, func(g oktasim.Group) bool { return strings.Contains(g.Description, "uid=") }) {
		if seen["group "+g.Description] {
			return fmt.Errorf("there are two groups %s", g.Name)
		}
		seen["group "+g.Description] = true
	}
	return nil
}

func fewCredentials(v *view) error {
	for _, key := range v.keys {
		app, found := v.app(key)
		if !found {
			continue
		}
		n := live(app)
		if ready, _ := readiness(key.Status.Conditions); n > 1 && ready && len(key.Status.RetiringKeyIDs) == 0 {
			return fmt.Errorf("the app of %s/%s has %d live credentials, and none is being retired", key.Namespace, key.Name, n)
		}
		if n == 0 && !v.memory.apps[app.ID].stripped {
			return fmt.Errorf("the app of %s/%s has no credential, and no person took it", key.Namespace, key.Name)
		}
		if err := v.noneUnknown(key, app); err != nil {
			return err
		}
	}
	return nil
}

// noneUnknown holds that the staging Secret knows every key that the app takes, but
// those that persons added.
func (v *view) noneUnknown(key *v1alpha1.AgentAPIKey, app oktasim.App) error {
	staged := v.staged(key)
	if ready, _ := readiness(key.Status.Conditions); !ready || staged == nil {
		return nil
	}
	known := append(strings.Fields(staged.Annotations["agentidentity.dev/retiring-key-ids"]), staged.Annotations["agentidentity.dev/key-id"])
	for _, k := range app.Keys {
		if k.Status == "ACTIVE" && !strings.HasPrefix(k.KID, "planted-") && !slices.Contains(known, k.KID) {
			return fmt.Errorf("the app of %s/%s takes a credential that nobody knows", key.Namespace, key.Name)
		}
	}
	return nil
}

// credentialsStay holds that the credential an agent has stays the same until there is
// a reason to replace it.
func credentialsStay(v *view) error {
	for _, key := range v.keys {
		m := v.memory.keys[key.UID]
		published := v.published(key)
		if m.credential == "" || published == nil {
			continue
		}
		aging := key.Spec.Rotation != nil && key.Spec.Rotation.Every != nil
		if ready, _ := readiness(key.Status.Conditions); ready && !m.mayRotate && !aging && files(published.Data).credential() != m.credential {
			return fmt.Errorf("%s/%s has another credential, and nobody knows why", key.Namespace, key.Name)
		}
	}
	return nil
}

func nothingForeignChanged(v *view) error {
	if diff := cmp.Diff(v.foreign.state, v.foreignNow(v.state)); diff != "" {
		return fmt.Errorf("in Okta (-before +now): %s", diff)
	}
	for r, planted := range v.foreign.secrets {
		now := v.kube.objects[r]
		if now == nil || now.GetResourceVersion() != planted.ResourceVersion {
			return fmt.Errorf("%s was changed", r)
		}
	}
	return nil
}

func deletionEnds(v *view) error {
	for _, key := range v.keys {
		if key.DeletionTimestamp != nil {
			return fmt.Errorf("AgentAPIKey %s/%s is still being deleted", key.Namespace, key.Name)
		}
	}
	for _, role := range v.roles {
		if role.DeletionTimestamp != nil {
			return fmt.Errorf("AIAgentRole %s/%s is still being deleted", role.Namespace, role.Name)
		}
	}
	return nil
}

// nothingLeftBehind holds that of what is deleted nothing is live in Okta, but what a
// person took from the operator, and that it then said so.
func nothingLeftBehind(v *view) error {
	for _, app := range v.state.Apps {
		m := v.memory.apps[app.ID]
		if m == nil || !v.memory.keys[m.owner].gone {
			continue
		}
		name := v.memory.nameOf(m.owner)
		if left := v.memory.keys[m.owner]; left.lost || left.policy == v1alpha1.DeletionRetain ||
			left.policy == v1alpha1.DeletionDeactivate && (app.Status != "ACTIVE" || m.activated) {
			continue
		}
		if !m.disowned {
			return fmt.Errorf("%s is gone and its app is %s", name, app.Status)
		}
		if !slices.ContainsFunc(v.journal.events, func(e string) bool { return strings.Contains(e, "LeftBehind") }) {
			return fmt.Errorf("%s is gone, its app is %s, and nobody was told", name, app.Status)
		}
	}
	for _, p := range v.ownPolicies(v.state) {
		name := strings.TrimSuffix(p.Name, " (renamed)")
		if v.ofPeople(p) {
			continue
		}
		if !slices.ContainsFunc(v.roles, func(r *v1alpha1.AIAgentRole) bool { return inOkta(r) == name }) {
			if v.memory.lostRole(name) {
				continue
			}
			return fmt.Errorf("policy %s belongs to no role", p.Name)
		}
	}
	return nil
}

// lostRole tells that a role of that name in Okta went with its cluster.
func (m *memory) lostRole(name string) bool {
	for _, r := range m.roles {
		if r.lost && name == "k8s/"+cluster+"/"+r.ref.namespace+"/"+r.ref.name {
			return true
		}
	}
	return false
}

func (m *memory) anyRoleLost() bool {
	for _, r := range m.roles {
		if r.lost {
			return true
		}
	}
	return false
}

// inOkta is the name of a role's group and policy.
func inOkta(role *v1alpha1.AIAgentRole) string {
	return "k8s/" + cluster + "/" + role.Namespace + "/" + role.Name
}

// accessIsDeserved holds that a policy lists no client but those of keys that may use
// the role, and lets them have exactly the role's permissions.
func accessIsDeserved(v *view) error {
	deserved := map[string]map[string]bool{}
	for _, key := range v.keys {
		role, _ := v.role(key)
		app, found := v.app(key)
		if role == nil || !found {
			continue
		}
		name := inOkta(role)
		if deserved[name] == nil {
			deserved[name] = map[string]bool{}
		}
		deserved[name][app.ClientID] = true
	}
	for _, p := range v.ownPolicies(v.state) {
		name := strings.TrimSuffix(p.Name, " (renamed)")
		if v.ofPeople(p) && slices.Equal(p.Clients, []string{v.consoleIn(v.state).ClientID}) {
			continue
		}
		for _, client := range p.Clients {
			if !deserved[name][client] && p.Status == "ACTIVE" && !v.memory.lostRole(name) {
				return fmt.Errorf("policy %s lets in a client that may not use the role", p.Name)
			}
		}
	}
	return nil
}

func shareIsKept(v *view) error {
	type window struct {
		bucket string
		reset  int64
	}
	used := map[window]int{}
	for _, op := range v.org.Operations() {
		r, ours := v.readings[op.RequestID]
		if !ours || r.limit == 0 || !op.Management {
			continue
		}
		at := window{op.Bucket, r.reset}
		if used[at]++; used[at] > r.limit*share/100+v.restarts {
			return fmt.Errorf("%d calls of %d in one window of %s", used[at], r.limit, op.Bucket)
		}
	}
	return nil
}

func nothingFails(v *view) error {
	for _, r := range v.kube.sorted() {
		if o := v.outcomes[r]; o != nil && o.err != nil {
			return fmt.Errorf("reconciling %s fails at rest", r)
		}
	}
	return nil
}
