package format

import (
	"net/netip"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
)

// OCSF's types of users.
const (
	typeUser    = 1
	typeSystem  = 3
	typeService = 4
)

func actorOf(e event.Event) *actor {
	a := actor{User: userOf(e.Actor)}
	if e.Session != "" {
		a.Session = &session{UID: e.Session}
	}
	return &a
}

func userOf(p event.Party) *user {
	u := user{UID: p.ID, Name: orElse(p.AlternateID, p.DisplayName), FullName: p.DisplayName, Type: p.Type}
	if u.UID == "" && u.Name == "" {
		u.Name = "unknown"
	}
	if strings.Contains(p.AlternateID, "@") && isMail(p.AlternateID) {
		u.Email = p.AlternateID
	}
	switch p.Type {
	case "User":
		u.TypeID = typeUser
	case "PublicClientApp", "PublicClientAppEntity", "OAuthClient", "AppInstance":
		u.TypeID = typeService
	case "SystemPrincipal":
		u.TypeID = typeSystem
	case "":
		u.TypeID = unknown
	default:
		u.TypeID = other
	}
	return &u
}

// isMail holds for what the schema takes for an address.
func isMail(s string) bool {
	local, domain, _ := strings.Cut(s, "@")
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
	return local != "" && strings.Contains(strings.Trim(domain, "."), ".") &&
		!strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),:;<>@[\]`, r) }) &&
		!strings.ContainsFunc(domain, func(r rune) bool { return !strings.ContainsRune(allowed, r) })
}

func isPerson(p event.Party) bool {
	return p.Type == "User" || p.Type == "AppUser" || strings.HasPrefix(p.Type, "PublicClientApp") || p.Type == "OAuthClient"
}

// target is the first that is of the kind.
func target(e event.Event, is func(event.Party) bool) (event.Party, bool) {
	for _, t := range e.Targets {
		if is(t) {
			return t, true
		}
	}
	return event.Party{}, false
}

// subject is whom an event is about: the person or client it is done to, or who did it.
func subject(e event.Event) event.Party {
	if p, found := target(e, isPerson); found {
		return p
	}
	return e.Actor
}

func serviceOf(e event.Event) *service {
	p, found := target(e, func(p event.Party) bool { return p.Type == "AppInstance" })
	if !found || p.ID == "" && p.DisplayName == "" {
		return &service{Name: "Okta"}
	}
	return &service{UID: p.ID, Name: p.DisplayName}
}

func groupOf(e event.Event) *group {
	p, _ := target(e, func(p event.Party) bool { return p.Type == "UserGroup" })
	if p.ID == "" && p.DisplayName == "" {
		return &group{Name: "unknown"}
	}
	return &group{UID: p.ID, Name: p.DisplayName}
}

func entityOf(e event.Event) *entity {
	p, found := target(e, func(p event.Party) bool { return p.ID != "" || p.DisplayName != "" })
	if !found {
		return &entity{Name: "unknown"}
	}
	return &entity{UID: p.ID, Name: p.DisplayName, Type: p.Type}
}

func resourcesOf(e event.Event) []resource {
	var all []resource
	for _, t := range e.Targets {
		if t.ID != "" || t.DisplayName != "" {
			all = append(all, resource{UID: t.ID, Name: t.DisplayName, Type: t.Type})
		}
	}
	return all
}

// endpointOf is where it was done from; nil when nothing is known.
func endpointOf(e event.Event) *endpoint {
	var from endpoint
	if address, err := netip.ParseAddr(e.Client.IP); err == nil {
		from.IP = address.Unmap().WithZone("").String()
	}
	if from.UID = e.Client.ID; from.IP == "" && from.UID == "" {
		return nil
	}
	from.Zone, from.Provider, from.System, from.Location = e.Client.Zone, e.Network.Provider, networkOf(e.Network), placeOf(e)
	return &from
}

// placeOf is the place. OCSF has countries by two letters, Okta writes their names; those
// stand in the description.
func placeOf(e event.Event) *location {
	p := e.Client.Place
	l := location{City: p.City, Region: p.State}
	if len(p.Country) == 2 {
		l.Country = strings.ToUpper(p.Country)
	} else {
		l.Description = p.Country
	}
	if l.City == "" && l.Region == "" && l.Country == "" {
		return nil
	}
	return &l
}

func requestOf(e event.Event) *httpRequest {
	r := httpRequest{UserAgent: e.Client.UserAgent.Raw}
	if path := e.Debug.Text("requestUri"); strings.HasPrefix(path, "/") {
		r.URL = &address{Path: path}
	}
	if r.UserAgent == "" && r.URL == nil {
		return nil
	}
	return &r
}

// words are the members of a list, or what a text has between commas and spaces.
func words(f event.Fields, name string) []string {
	if list := f.Texts(name); len(list) > 0 {
		return list
	}
	return strings.FieldsFunc(f.Text(name), func(r rune) bool { return r == ',' || r == ' ' || r == '[' || r == ']' })
}

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
