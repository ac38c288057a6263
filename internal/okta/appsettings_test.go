package okta

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func TestAltered(t *testing.T) {
	ours, err := appRequest(identity.Registration{
		ClientID: "aik-one", Label: "l",
		Credential: identity.Credential{Method: identity.ClientSecretBasic, Material: identity.NewSecret([]byte("0123456789abcdef"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		reason string
		path   []string
		value  any
		want   []string
	}{
		"as written":       {"what we write is what we want", []string{"label"}, "another", nil},
		"absent, default":  {"a setting Okta leaves out has its default, which is ours", at("settings", "oauthClient")("dpop_bound_access_tokens"), nil, nil},
		"absent, no":       {"where the default is another, leaving it out alters it", []string{"visibility"}, nil, []string{"visibility"}},
		"absent list":      {"no grant type is not ours", at("settings", "oauthClient")("grant_types"), []any{}, []string{"grant_types"}},
		"one more":         {"one more grant type is one too many", at("settings", "oauthClient")("grant_types"), []any{"client_credentials", "implicit"}, []string{"grant_types"}},
		"other value":      {"a client that must prove possession gets no token", at("settings", "oauthClient")("dpop_bound_access_tokens"), true, []string{"dpop_bound_access_tokens"}},
		"other shape":      {"what cannot be compared is altered", at("settings", "oauthClient")("response_types"), "token", []string{"response_types"}},
		"what Okta adds":   {"what we do not write is not ours to judge", at("settings", "oauthClient")("issuer_mode"), "ORG_URL", nil},
		"what people add":  {"nor is what people add", at("settings", "oauthClient")("redirect_uris"), []any{"https://example.com"}, nil},
		"the rotation off": {"autoKeyRotation is written", at("credentials", "oauthClient")("autoKeyRotation"), false, []string{"autoKeyRotation"}},
	} {
		t.Run(name, func(t *testing.T) {
			whole := document{}
			if err := json.Unmarshal(ours, &whole); err != nil {
				t.Fatal(err)
			}
			if err := whole.set(test.value, test.path...); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			var a app
			if err := json.Unmarshal(text, &a); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, a.client().seen.Altered); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
