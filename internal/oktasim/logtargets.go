package oktasim

import "github.com/agentidentity/agent-identity-operator/internal/oktasim/eventlog"

// subject is what an event can be about, or come from.
type subject interface{ party() eventlog.Party }

// party is a subject that is no object of the org.
type party eventlog.Party

func (p party) party() eventlog.Party { return eventlog.Party(p) }

func (a *app) party() eventlog.Party {
	return eventlog.Party{ID: a.id, Type: "AppInstance", AlternateID: a.label(), DisplayName: "OpenID Connect Client"}
}

// client is the app as the one who asks for tokens.
func (a *app) client() eventlog.Party {
	return eventlog.Party{ID: a.id, Type: "PublicClientApp", AlternateID: a.clientID(), DisplayName: a.label()}
}

func (s *serviceClient) party() eventlog.Party {
	return eventlog.Party{ID: s.id, Type: "PublicClientApp", AlternateID: s.id, DisplayName: s.id}
}

func (s *clientSecret) party() eventlog.Party {
	return eventlog.Party{ID: s.id, Type: "OAuth2ClientSecret", AlternateID: s.hash(), DisplayName: "Client Secret"}
}

func (k *clientKey) party() eventlog.Party {
	return eventlog.Party{ID: k.id, Type: "OAuth2ClientJsonWebKey", AlternateID: k.text("kid"), DisplayName: "JSON Web Key"}
}

func (u *user) party() eventlog.Party {
	return eventlog.Party{ID: u.id, Type: "User", AlternateID: u.login, DisplayName: u.firstName + " " + u.lastName}
}

// party is without the phone number and the address.
func (f *factor) party() eventlog.Party {
	name := f.kind.name + " " + f.kind.provider
	return eventlog.Party{ID: f.id, Type: "AuthenticatorEnrollment", AlternateID: unknownText, DisplayName: name}
}

func (g *group) party() eventlog.Party {
	return eventlog.Party{ID: g.id, Type: "UserGroup", AlternateID: unknownText, DisplayName: g.name}
}

func (s *server) party() eventlog.Party {
	return eventlog.Party{ID: s.id, Type: "AuthorizationServer", AlternateID: unknownText, DisplayName: s.name()}
}

func (sc *scope) party() eventlog.Party {
	return eventlog.Party{ID: sc.id, Type: "Scope", AlternateID: unknownText, DisplayName: sc.name()}
}

func policyParty(id, name, kind string) eventlog.Party {
	return eventlog.Party{
		ID: id, Type: "PolicyEntity", AlternateID: unknownText, DisplayName: name, DetailEntry: map[string]any{"policyType": kind},
	}
}

func ruleParty(id, name string) eventlog.Party {
	return eventlog.Party{ID: id, Type: "PolicyRule", AlternateID: unknownText, DisplayName: name}
}

func (p *policy) party() eventlog.Party {
	return policyParty(p.id, p.name, "OAUTH_AUTHORIZATION_POLICY")
}

func (r *rule) party() eventlog.Party { return ruleParty(r.id, r.name()) }

func (p *orgPolicy) party() eventlog.Party { return policyParty(p.id, p.name(), p.kind.name) }

func (r *orgRule) party() eventlog.Party { return ruleParty(r.id, r.name()) }

func (z *zone) party() eventlog.Party {
	return eventlog.Party{ID: z.id, Type: "NetworkZone", AlternateID: unknownText, DisplayName: z.name()}
}

func (a *assurance) party() eventlog.Party {
	return eventlog.Party{ID: a.id, Type: "DeviceAssurancePolicy", AlternateID: unknownText, DisplayName: a.doc.text("name")}
}

func (a *authenticator) party() eventlog.Party {
	return eventlog.Party{ID: a.id, Type: "Authenticator", AlternateID: a.key, DisplayName: a.name}
}

// unknownText is what Okta writes where there is nothing to say.
const unknownText = "unknown"

// listedSubject also is an object with an id.
type listedSubject interface {
	entity
	subject
}

func among[T listedSubject](all []T, id string) (subject, bool) {
	for _, each := range all {
		if each.base().id == id {
			return each, true
		}
	}
	return nil, false
}

func held[T listedSubject](all *collection[T], id string) (subject, bool) {
	return all.get(id)
}

// within finds what a part of a path names, below what the part before it names.
func (o *Org) within(parent subject, id string) (subject, bool) {
	found, exists := subject(nil), false
	switch p := parent.(type) {
	case *app:
		if found, exists = among(p.secrets, id); !exists {
			found, exists = among(p.keys, id)
		}
	case *user:
		found, exists = among(p.factors, id)
	case *server:
		if found, exists = held(&p.scopes, id); !exists {
			found, exists = among(p.policies, id)
		}
	case *policy:
		found, exists = among(p.rules, id)
	case *orgPolicy:
		found, exists = among(p.rules, id)
	}
	if exists {
		return found, true
	}
	return o.anywhere(id)
}

func (o *Org) anywhere(id string) (subject, bool) {
	if s, found := o.findServer(id); found {
		return s, true
	}
	finders := []func() (subject, bool){
		func() (subject, bool) { return held(&o.apps, id) },
		func() (subject, bool) { return held(&o.groups, id) },
		func() (subject, bool) { return held(&o.users, id) },
		func() (subject, bool) { return among(o.policies, id) },
		func() (subject, bool) { return held(&o.zones, id) },
		func() (subject, bool) { return held(&o.assurances, id) },
	}
	for _, find := range finders {
		if found, exists := find(); exists {
			return found, true
		}
	}
	return nil, false
}
