package oktasim

import (
	"slices"
	"time"
)

// State is everything the org holds, without key material and phone numbers. Objects stand in the
// order of their creation, policies and rules in the order of their priority.
type State struct {
	Apps     []App    `json:"apps"`
	Users    []User   `json:"users"`
	Groups   []Group  `json:"groups"`
	Servers  []Server `json:"servers"`
	Scopes   []Scope  `json:"scopes"`
	Policies []Policy `json:"policies"`
	Rules    []Rule   `json:"rules"`

	OrgPolicies []OrgPolicy `json:"orgPolicies"`
	OrgRules    []OrgRule   `json:"orgRules"`
	Zones       []Zone      `json:"zones"`
	Assurances  []Assurance `json:"assurances"`

	AdminRoles   []AdminRole   `json:"adminRoles"`
	ResourceSets []ResourceSet `json:"resourceSets"`
}

// App is an OIDC app.
type App struct {
	ID         string         `json:"id"`
	ClientID   string         `json:"clientID"`
	Label      string         `json:"label"`
	Status     string         `json:"status"`
	Profile    map[string]any `json:"profile,omitempty"`
	Note       string         `json:"note,omitempty"`
	AuthMethod string         `json:"authMethod"`
	// Kind is service, web, browser or native.
	Kind       string   `json:"kind"`
	GrantTypes []string `json:"grantTypes"`
	Keys       []Key    `json:"keys,omitempty"`
	Secrets    []Secret `json:"secrets,omitempty"`
	// AccessPolicyID is the policy the app is under; services are under none.
	AccessPolicyID string    `json:"accessPolicyID,omitempty"`
	Created        time.Time `json:"created"`
}

// Key is a public key of an app.
type Key struct {
	ID     string `json:"id"`
	KID    string `json:"kid"`
	Status string `json:"status"`
}

// Secret is a client secret of an app, without its value.
type Secret struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	// Hash is Okta's own digest of the value, by which equal ones are told.
	Hash string `json:"secretHash,omitempty"`
}

// User is a person.
type User struct {
	ID     string `json:"id"`
	Login  string `json:"login"`
	Status string `json:"status"`
	// Factors are those enrolled, whether their authenticator is on or off.
	Factors []Factor `json:"factors,omitempty"`
}

// Factor is a user's enrolment, without the phone number and the address.
type Factor struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Provider string `json:"provider"`
	// Status is ACTIVE or PENDING_ACTIVATION.
	Status string `json:"status"`
	// Mails counts the messages to the person with the link to set up a push.
	Mails int `json:"mails,omitempty"`
}

// Group is a group of users.
type Group struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// Type is OKTA_GROUP or BUILT_IN.
	Type string `json:"type"`
	// Members are user ids; those of Everyone are not listed.
	Members []string `json:"members,omitempty"`
}

// Server is a custom authorization server.
type Server struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Audience    string `json:"audience"`
	Issuer      string `json:"issuer"`
	Status      string `json:"status"`
	// Default tells the server every org comes with.
	Default bool `json:"default,omitempty"`
}

// Scope is a scope of an authorization server.
type Scope struct {
	ID          string `json:"id"`
	ServerID    string `json:"serverID"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	Description string `json:"description,omitempty"`
	// System tells the scopes every server comes with.
	System bool `json:"system,omitempty"`
}

// Policy is an access policy of an authorization server.
type Policy struct {
	ID          string   `json:"id"`
	ServerID    string   `json:"serverID"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Priority    int      `json:"priority"`
	Status      string   `json:"status"`
	Clients     []string `json:"clients"`
}

// Rule is a rule of an access policy.
type Rule struct {
	ID              string   `json:"id"`
	ServerID        string   `json:"serverID"`
	PolicyID        string   `json:"policyID"`
	Name            string   `json:"name"`
	Priority        int      `json:"priority"`
	Status          string   `json:"status"`
	Scopes          []string `json:"scopes"`
	GrantTypes      []string `json:"grantTypes"`
	Groups          []string `json:"groups"`
	LifetimeMinutes int      `json:"lifetimeMinutes"`
}

// Snapshot gives what the org holds now, whatever the lag.
func (o *Org) Snapshot() State {
	o.mu.Lock()
	defer o.mu.Unlock()
	state := State{}
	for _, a := range o.apps.order {
		seen := a.snapshot()
		if p := o.accessPolicyOf(a); p != nil && a.interactive() {
			seen.AccessPolicyID = p.id
		}
		state.Apps = append(state.Apps, seen)
	}
	for _, u := range o.users.order {
		state.Users = append(state.Users, u.snapshot())
	}
	for _, g := range o.groups.order {
		state.Groups = append(state.Groups, Group{
			ID: g.id, Name: g.name, Description: g.description, Type: g.kind(), Members: slices.Clone(g.members),
		})
	}
	for _, s := range o.servers.order {
		o.snapshotServer(&state, s)
	}
	o.snapshotAccess(&state)
	o.snapshotAdmins(&state)
	return state
}

func (a *app) snapshot() App {
	seen := App{
		ID: a.id, ClientID: a.clientID(), Label: a.label(), Status: a.status(), Profile: a.doc.object("profile"),
		Note: a.doc.text("settings", "notes", "admin"), AuthMethod: a.authMethod(), Kind: a.settings().text("application_type"),
		GrantTypes: a.settings().texts("grant_types"), Created: a.created,
	}
	for _, k := range a.keys {
		seen.Keys = append(seen.Keys, k.snapshot())
	}
	for _, s := range a.secrets {
		seen.Secrets = append(seen.Secrets, s.snapshot())
	}
	return seen
}

func (u *user) snapshot() User {
	seen := User{ID: u.id, Login: u.login, Status: u.status}
	for _, f := range u.factors {
		seen.Factors = append(seen.Factors, Factor{ID: f.id, Type: f.kind.name, Provider: f.kind.provider, Status: f.status(), Mails: f.mails})
	}
	return seen
}

func (k *clientKey) snapshot() Key {
	return Key{ID: k.id, KID: k.text("kid"), Status: statusOf(k.active)}
}

func (s *clientSecret) snapshot() Secret {
	return Secret{ID: s.id, Status: statusOf(s.active), Hash: s.hash()}
}

func (o *Org) snapshotServer(state *State, s *server) {
	state.Servers = append(state.Servers, Server{
		ID: s.id, Name: s.name(), Description: s.doc.text("description"), Audience: s.audience(),
		Issuer: o.issuerOf(s), Status: statusOf(s.active), Default: s.isDefault,
	})
	for _, sc := range s.scopes.order {
		state.Scopes = append(state.Scopes, Scope{
			ID: sc.id, ServerID: s.id, Name: sc.name(), DisplayName: sc.doc.text("displayName"),
			Description: sc.doc.text("description"), System: sc.system(),
		})
	}
	for i, p := range s.policies {
		state.Policies = append(state.Policies, p.snapshot(s, i+1))
		for j, r := range p.rules {
			state.Rules = append(state.Rules, r.snapshot(s, p, j+1))
		}
	}
}

func (p *policy) snapshot(s *server, priority int) Policy {
	return Policy{
		ID: p.id, ServerID: s.id, Name: p.name, Description: p.description, Priority: priority,
		Status: statusOf(p.active), Clients: slices.Clone(p.clients),
	}
}

func (r *rule) snapshot(s *server, p *policy, priority int) Rule {
	return Rule{
		ID: r.id, ServerID: s.id, PolicyID: p.id, Name: r.name(), Priority: priority, Status: statusOf(r.active),
		Scopes: r.scopes(), GrantTypes: r.grantTypes(), Groups: r.groups(), LifetimeMinutes: r.lifetimeMinutes(),
	}
}
