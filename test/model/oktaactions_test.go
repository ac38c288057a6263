package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/desired"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// oktaActions are what a person does in the org's console, or with its API, to what
// the operator made, or in its way.
func oktaActions() []action {
	return []action{
		{"RenameApp", 3, onApp(renameApp)},
		{"DeactivateApp", 5, onApp(deactivateApp)},
		{"ActivateApp", 4, onApp(activateApp)},
		{"DeleteApp", 3, onApp(deleteApp)},
		{"StripApp", 3, onApp(stripApp)},
		{"DisownApp", 2, onApp(disownApp)},
		{"EditGroup", 3, editGroup},
		{"EditPolicy", 6, editPolicy},
		{"EditRule", 5, editRule},
		{"DeleteScope", 2, deleteScope},
		{"MakeScope", 1, makeScope},
		{"MakeGroup", 1, makeGroup},
		{"MakeApp", 1, makeApp},
	}
}

// onApp does something to one of the operator's apps.
func onApp(do func(w *world, app oktasim.App, m *appMemory) (string, error)) func(*world, args) string {
	return func(w *world, a args) string {
		apps := kept(w.org.Snapshot().Apps, func(app oktasim.App) bool { return w.memory.apps[app.ID] != nil })
		if len(apps) == 0 {
			return ""
		}
		app := apps[a.of(0, len(apps))]
		m := w.memory.apps[app.ID]
		text, err := do(w, app, m)
		w.memory.stale = true
		return said(err, "a person in Okta %s %s", text, w.memory.nameOf(m.owner))
	}
}

func renameApp(w *world, app oktasim.App, m *appMemory) (string, error) {
	m.renamed = true
	return "renames the app of", w.org.AdminUpdateApp(app.ID, func(a *oktasim.App) { a.Label = "renamed " + app.ID[len(app.ID)-4:] })
}

func deactivateApp(w *world, app oktasim.App, m *appMemory) (string, error) {
	m.deactivated = true
	return "deactivates the app of", w.org.AdminDeactivateApp(app.ID)
}

func activateApp(w *world, app oktasim.App, m *appMemory) (string, error) {
	m.deactivated, m.activated = false, true
	return "activates the app of", w.org.AdminActivateApp(app.ID)
}

func deleteApp(w *world, app oktasim.App, m *appMemory) (string, error) {
	m.deleted = true
	return "deletes the app of", w.org.AdminDeleteApp(app.ID)
}

// stripApp removes what the app authenticates with. Of secrets that cannot be seen in
// any list, so it is left out here (docs/adr/0012).
func stripApp(w *world, app oktasim.App, m *appMemory) (string, error) {
	if app.AuthMethod != "private_key_jwt" {
		return "thinks of removing the credentials of the app of", nil
	}
	m.stripped = true
	if key := w.memory.keys[m.owner]; key != nil {
		key.mayRotate = true
	}
	return "removes the credentials of the app of", w.org.AdminUpdateApp(app.ID, func(a *oktasim.App) { a.Keys, a.Secrets = nil, nil })
}

func disownApp(w *world, app oktasim.App, m *appMemory) (string, error) {
	m.disowned = true
	return "takes the mark off the app of", w.org.AdminUpdateApp(app.ID, func(a *oktasim.App) { a.Profile = nil })
}

// ownServer is the id of the operator's authorization server.
func ownServer(state oktasim.State) string {
	for _, s := range state.Servers {
		if s.Name == "agentid-"+cluster {
			return s.ID
		}
	}
	return ""
}

func editGroup(w *world, a args) string {
	groups := kept(w.org.Snapshot().Groups, func(g oktasim.Group) bool { return strings.Contains(g.Description, "cluster="+cluster+";") })
	if len(groups) == 0 {
		return ""
	}
	g := groups[a.of(0, len(groups))]
	w.memory.stale = true
	switch a.of(1, 4) {
	case 0:
		return said(w.org.AdminDeleteGroup(g.ID), "a person in Okta deletes group %s", g.Name)
	case 1:
		err := w.org.AdminUpdateGroup(g.ID, func(g *oktasim.Group) { g.Name += " (renamed)" })
		return said(err, "a person in Okta renames group %s", g.Name)
	case 2:
		w.memory.names[g.Name] = true
		err := w.org.AdminUpdateGroup(g.ID, func(g *oktasim.Group) { g.Description = "ours now" })
		return said(err, "a person in Okta takes the mark off group %s", g.Name)
	}
	err := w.org.AdminUpdateGroup(g.ID, func(g *oktasim.Group) { g.Description = "words\n" + g.Description })
	return said(err, "a person in Okta describes group %s otherwise", g.Name)
}

// ownPolicies are the policies on the operator's server that nobody else made.
func (w *world) ownPolicies(state oktasim.State) []oktasim.Policy {
	server := ownServer(state)
	return kept(state.Policies, func(p oktasim.Policy) bool { return p.ServerID == server && !w.foreign.ids[p.ID] })
}

func editPolicy(w *world, a args) string {
	policies := w.ownPolicies(w.org.Snapshot())
	if len(policies) == 0 {
		return ""
	}
	p := policies[a.of(0, len(policies))]
	w.memory.stale = true
	switch a.of(1, 4) {
	case 0:
		return said(w.org.AdminDeletePolicy(p.ID), "a person in Okta deletes policy %s", p.Name)
	case 1:
		err := w.org.AdminUpdatePolicy(p.ID, func(p *oktasim.Policy) { p.Status = "INACTIVE" })
		return said(err, "a person in Okta deactivates policy %s", p.Name)
	case 2:
		err := w.org.AdminUpdatePolicy(p.ID, func(p *oktasim.Policy) { p.Name += " (renamed)" })
		return said(err, "a person in Okta renames policy %s", p.Name)
	}
	err := w.org.AdminUpdatePolicy(p.ID, func(p *oktasim.Policy) { p.Clients = []string{"by-hand-client"} })
	return said(err, "a person in Okta replaces the clients of policy %s", p.Name)
}

func editRule(w *world, a args) string {
	state := w.org.Snapshot()
	own := w.ownPolicies(state)
	rules := kept(state.Rules, func(r oktasim.Rule) bool {
		return slices.ContainsFunc(own, func(p oktasim.Policy) bool { return p.ID == r.PolicyID })
	})
	if len(rules) == 0 {
		return ""
	}
	r := rules[a.of(0, len(rules))]
	w.memory.stale = true
	change := []func(*oktasim.Rule){
		func(r *oktasim.Rule) { r.Status = "INACTIVE" },
		func(r *oktasim.Rule) { r.Scopes = []string{"*"} },
		func(r *oktasim.Rule) { r.LifetimeMinutes = 60 },
		func(r *oktasim.Rule) { r.GrantTypes = []string{"authorization_code"} },
	}[a.of(1, 4)]
	return said(w.org.AdminUpdateRule(r.ID, change), "a person in Okta edits (%d) rule %s", a.of(1, 4), r.Name)
}

func deleteScope(w *world, a args) string {
	state := w.org.Snapshot()
	server := ownServer(state)
	scopes := kept(state.Scopes, func(s oktasim.Scope) bool { return s.ServerID == server && !s.System })
	if len(scopes) == 0 {
		return ""
	}
	s := scopes[a.of(0, len(scopes))]
	_, err := w.person.call("DELETE", "/api/v1/authorizationServers/"+server+"/scopes/"+s.ID, nil)
	if err != nil {
		return ""
	}
	w.memory.stale = true
	delete(w.memory.scopes, s.Name)
	delete(w.foreign.ids, s.ID)
	w.foreign.state = w.foreignNow(w.org.Snapshot())
	return fmt.Sprintf("a person in Okta deletes scope %s", s.Name)
}

func makeScope(w *world, a args) string {
	server, name := ownServer(w.org.Snapshot()), permissions[a.of(0, len(permissions))]
	if server == "" {
		return ""
	}
	id, err := w.person.call("POST", "/api/v1/authorizationServers/"+server+"/scopes", map[string]any{"name": name, "description": "of a person"})
	if err != nil {
		return ""
	}
	w.memory.stale = true
	w.memory.scopes[name] = true
	w.plantedAfter(id)
	return fmt.Sprintf("a person in Okta makes scope %s on the operator's server", name)
}

func makeGroup(w *world, a args) string {
	r := roleNames[a.of(0, len(roleNames))]
	name := "k8s/" + cluster + "/" + r.namespace + "/" + r.name
	id, err := w.person.call("POST", "/api/v1/groups", map[string]any{"profile": map[string]any{"name": name, "description": "of a person"}})
	if err != nil {
		return ""
	}
	w.memory.stale = true
	w.memory.names[name] = true
	w.plantedAfter(id)
	return fmt.Sprintf("a person in Okta makes group %s", name)
}

// makeApp takes the client id that a key will want.
func makeApp(w *world, a args) string {
	key := keyNames[a.of(0, len(keyNames))]
	id := desired.ClientID(cluster, key.namespace, key.name)
	if slices.ContainsFunc(w.org.Snapshot().Apps, func(app oktasim.App) bool { return app.ClientID == id }) {
		return ""
	}
	label := []string{"by hand", "k8s/" + cluster + "/" + key.namespace + "/" + key.name}[a.of(1, 2)]
	w.plantedAfter(w.person.app(label, id, nil))
	w.memory.stale = true
	w.memory.names[id] = true
	return fmt.Sprintf("a person in Okta makes an app %q with the client id of %s", label, key)
}
