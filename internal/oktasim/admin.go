package oktasim

import (
	"fmt"
	"slices"
)

// The Admin methods do what a person would do in the console: no call is counted,
// nothing is asked of the caller's scopes, and the operator has to find out.

// adminApp finds an app by its id or by its client id.
func (o *Org) adminApp(id string) (*app, error) {
	if a, found := o.apps.get(id); found {
		return a, nil
	}
	if a, found := o.byClientID[id]; found {
		return a, nil
	}
	return nil, fmt.Errorf("finding app %s: there is none", id)
}

// AdminActivateApp activates an app, found by its id or client id.
func (o *Org) AdminActivateApp(id string) error {
	return o.AdminUpdateApp(id, func(a *App) { a.Status = statusOf(true) })
}

// AdminDeactivateApp deactivates an app, found by its id or client id.
func (o *Org) AdminDeactivateApp(id string) error {
	return o.AdminUpdateApp(id, func(a *App) { a.Status = statusOf(false) })
}

// AdminDeleteApp deactivates and deletes an app, found by its id or client id.
func (o *Org) AdminDeleteApp(id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, err := o.adminApp(id)
	if err != nil {
		return err
	}
	o.dropApp(a)
	o.logAppGone(a)
	return nil
}

// AdminUpdateApp changes an app's Label, Status, Profile, Note and GrantTypes, and the
// Status of its Keys and Secrets; keys and secrets that change leaves out are deleted.
func (o *Org) AdminUpdateApp(id string, change func(*App)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, err := o.adminApp(id)
	if err != nil {
		return err
	}
	before, wish := a.snapshot(), a.snapshot()
	change(&wish)
	a.active = wish.Status == statusOf(true)
	a.doc["label"] = wish.Label
	delete(a.doc, "profile")
	if wish.Profile != nil {
		a.doc["profile"] = wish.Profile
	}
	a.doc.object("settings", "notes")["admin"] = wish.Note
	a.settings()["grant_types"] = list(wish.GrantTypes)
	a.adminKeys(wish.Keys)
	a.adminSecrets(wish.Secrets)
	a.touch(o.clock.Now())
	o.logApp(a, before)
	return nil
}

func (a *app) adminKeys(wish []Key) {
	a.keys = slices.DeleteFunc(a.keys, func(k *clientKey) bool {
		at := slices.IndexFunc(wish, func(kept Key) bool { return kept.ID == k.id })
		if at >= 0 {
			k.active = wish[at].Status == statusOf(true)
		}
		return at < 0
	})
}

func (a *app) adminSecrets(wish []Secret) {
	a.secrets = slices.DeleteFunc(a.secrets, func(s *clientSecret) bool {
		at := slices.IndexFunc(wish, func(kept Secret) bool { return kept.ID == s.id })
		if at >= 0 {
			s.active = wish[at].Status == statusOf(true)
		}
		return at < 0
	})
}

// AdminUpdateGroup changes a group's Name, Description and Members.
func (o *Org) AdminUpdateGroup(id string, change func(*Group)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	g, found := o.groups.get(id)
	if !found {
		return fmt.Errorf("finding group %s: there is none", id)
	}
	wish := Group{ID: g.id, Name: g.name, Description: g.description, Type: g.kind(), Members: slices.Clone(g.members)}
	change(&wish)
	if !slices.Equal(g.members, wish.Members) {
		g.membership = o.clock.Now()
	}
	before := g.members
	if g.name != wish.Name || g.description != wish.Description {
		o.log(o.console(), groupUpdated, g)
	}
	g.name, g.description, g.members = wish.Name, wish.Description, wish.Members
	o.logMembers(g, before)
	g.touch(o.clock.Now())
	return nil
}

// AdminDeleteGroup deletes a group.
func (o *Org) AdminDeleteGroup(id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	g, found := o.groups.get(id)
	if !found {
		return fmt.Errorf("finding group %s: there is none", id)
	}
	o.groups.remove(id)
	o.log(o.console(), groupDeleted, g)
	return nil
}

// adminPolicy finds a policy on whatever server it is.
func (o *Org) adminPolicy(id string) (*server, *policy, error) {
	for _, s := range o.servers.order {
		for _, p := range s.policies {
			if p.id == id {
				return s, p, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("finding policy %s: there is none", id)
}

// AdminUpdatePolicy changes a policy's Name, Description, Priority, Status and
// Clients.
func (o *Org) AdminUpdatePolicy(id string, change func(*Policy)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, p, err := o.adminPolicy(id)
	if err != nil {
		return err
	}
	wish := p.snapshot(s, slices.Index(s.policies, p)+1)
	change(&wish)
	p.name, p.description, p.clients = wish.Name, wish.Description, wish.Clients
	was := p.active
	p.active = wish.Status == statusOf(true)
	o.logSwitched(was, p.active, policyUpdated, policyActivated, policyDeactivated, p, s)
	s.policies = place(s.policies, p, wish.Priority, true)
	p.touch(o.clock.Now())
	return nil
}

// AdminDeletePolicy deletes a policy with its rules.
func (o *Org) AdminDeletePolicy(id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, p, err := o.adminPolicy(id)
	if err != nil {
		return err
	}
	s.policies = slices.DeleteFunc(s.policies, func(other *policy) bool { return other == p })
	o.log(o.console(), policyDeleted, p, s)
	return nil
}

// AdminUpdateRule changes a rule's Status, Scopes, GrantTypes, Groups and
// LifetimeMinutes.
func (o *Org) AdminUpdateRule(id string, change func(*Rule)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.servers.order {
		for _, p := range s.policies {
			for i, r := range p.rules {
				if r.id != id {
					continue
				}
				wish := r.snapshot(s, p, i+1)
				change(&wish)
				was := r.active
				r.active = wish.Status == statusOf(true)
				o.logSwitched(was, r.active, ruleUpdated, ruleActivated, ruleDeactivated, r, p, s)
				r.doc.object("conditions", "scopes")["include"] = list(wish.Scopes)
				r.doc.object("conditions", "grantTypes")["include"] = list(wish.GrantTypes)
				r.doc.object("conditions", "people")["groups"] = map[string]any{"include": list(wish.Groups)}
				r.doc.object("actions", "token")["accessTokenLifetimeMinutes"] = float64(wish.LifetimeMinutes)
				r.touch(o.clock.Now())
				return nil
			}
		}
	}
	return fmt.Errorf("finding rule %s: there is none", id)
}
