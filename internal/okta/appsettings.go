package okta

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// appSetting is a setting every app of ours has.
type appSetting struct {
	// name is Okta's word for it.
	name string
	path []string
	// value is what we write, absent what an app without the setting has.
	value, absent any
}

// appSettings is the one table of what we write into every app: a registration is
// written from it, an app that is seen is held against it, and an update mends it.
func appSettings(conditions identity.TokenConditions) []appSetting {
	credentials, settings := at("credentials", "oauthClient"), at("settings", "oauthClient")
	hide := at("visibility", "hide")
	all := []appSetting{
		{"autoKeyRotation", credentials("autoKeyRotation"), true, true},
		{"pkce_required", credentials("pkce_required"), false, false},
		{"application_type", settings("application_type"), appType, nil},
		{"grant_types", settings("grant_types"), []any{grantType}, nil},
		{"response_types", settings("response_types"), []any{"token"}, nil},
		// An org may turn this on for new apps, whose clients know nothing of it.
		{"dpop_bound_access_tokens", settings("dpop_bound_access_tokens"), conditions.Bound, false},
		{"visibility", hide("iOS"), true, false},
		{"visibility", hide("web"), true, false},
	}
	if conditions.Zoned() {
		// An app without conditions of ours may have some of a person's.
		all = append(all, appSetting{"network", settings("network"), networkOf(conditions), nil})
	}
	return all
}

// networkOf says from where a client may ask for tokens.
func networkOf(conditions identity.TokenConditions) object {
	network := object{"connection": "ANYWHERE"}
	switch {
	case len(conditions.FromZones) > 0:
		network = object{"connection": "ZONE", "include": conditions.FromZones}
	case len(conditions.NotFromZones) > 0:
		network = object{"connection": "ZONE", "exclude": conditions.NotFromZones}
	}
	return plain(network)
}

// at begins a path.
func at(parents ...string) func(name string) []string {
	return func(name string) []string { return append(slices.Clone(parents), name) }
}

// in gives the value an app has; nil when it has none, or null.
func (s appSetting) in(app map[string]any) any {
	var value any = app
	for _, name := range s.path {
		object, is := value.(map[string]any)
		if !is {
			return nil
		}
		value = object[name]
	}
	return value
}

// altered tells that the app has another value than the one we write. What comes
// without it, with null or with an empty list has Okta's default.
func (s appSetting) altered(app map[string]any) bool {
	have := s.in(app)
	list, isList := have.([]any)
	if have == nil || isList && len(list) == 0 {
		have, isList = s.absent, false
	}
	if want, wantList := s.value.([]any); isList && wantList {
		return len(list) != len(want) || slices.ContainsFunc(list, func(v any) bool { return !slices.Contains(want, v) })
	}
	if want, isObject := s.value.(object); isObject {
		return !covers(everyZone(want), have)
	}
	return !reflect.DeepEqual(have, s.value)
}

// everyZone also says of the list of zones that is not there that it must not be.
func everyZone(network object) object {
	return object{"connection": network["connection"], "include": network["include"], "exclude": network["exclude"]}
}

// alteredSettings gives the settings that are not as we write them.
func alteredSettings(app map[string]any, conditions identity.TokenConditions) []appSetting {
	return slices.DeleteFunc(appSettings(conditions), func(s appSetting) bool { return !s.altered(app) })
}

// namesOf names settings, sorted, each name once.
func namesOf(settings []appSetting) []string {
	var names []string
	for _, s := range settings {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// field is a value and where it stands.
type field struct {
	path  []string
	value any
}

// appRequest writes the app for a registration. It is written as text here and
// not handed to the SDK as a value, so that nothing keeps the secret in it.
func appRequest(r identity.Registration) ([]byte, error) {
	app := document{}
	for _, s := range appSettings(r.Conditions) {
		if err := app.set(s.value, s.path...); err != nil {
			return nil, unwritable()
		}
	}
	credentials, settings := at("credentials", "oauthClient"), at("settings", "oauthClient")
	fields := []field{
		{[]string{"name"}, "oidc_client"},
		{[]string{"signOnMode"}, signOnMode},
		{[]string{"label"}, r.Label},
		{notePath(), r.Note},
		{profilePath(), ownershipOf(r)},
		{credentials("client_id"), r.ClientID},
		{credentials("token_endpoint_auth_method"), string(r.Credential.Method)},
	}
	switch r.Credential.Method {
	case identity.PrivateKeyJWT:
		key, err := publicKey(r.Credential)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field{settings("jwks"), map[string]any{"keys": []any{key}}})
	case identity.ClientSecretBasic:
		fields = append(fields, field{credentials("client_secret"), string(r.Credential.Material.Reveal())})
	default:
		return nil, invalid(fmt.Sprintf("a client cannot be registered with the method %q", r.Credential.Method))
	}
	for _, f := range fields {
		if err := app.set(f.value, f.path...); err != nil {
			return nil, unwritable()
		}
	}
	body, err := json.Marshal(app)
	if err != nil {
		return nil, unwritable()
	}
	return body, nil
}

func unwritable() error { return invalid("the app cannot be written as JSON") }
