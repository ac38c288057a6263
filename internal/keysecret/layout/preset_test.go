package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPresets(t *testing.T) {
	type words = map[string]string
	for name, test := range map[string]struct {
		reason   string
		preset   Preset
		delivery Delivery
		want     words
	}{
		"default": {"a shape that says nothing is Files", "", ClientSecret, words{
			"client_id": "cid-7301", "client_secret": "secret-7309",
			"token_url": "https://idp-7302/token", "issuer": "https://idp-7302", "audience": "aud-7303", "scopes": "scope-7304 scope-7305",
		}},
		"files of a key": {"all that signs an assertion, each in a file", Files, PrivateKeyJWT, words{
			"client_id": "cid-7301", "private_key.pem": "pem-7306\nsecond line\n", "key_id": "kid-7307", "jwk": `{"jwk":"7308"}`,
			"token_url": "https://idp-7302/token", "issuer": "https://idp-7302", "audience": "aud-7303", "scopes": "scope-7304 scope-7305",
		}},
		"files of a secret": {"no file of a key that is not there", Files, ClientSecret, words{
			"client_id": "cid-7301", "client_secret": "secret-7309",
			"token_url": "https://idp-7302/token", "issuer": "https://idp-7302", "audience": "aud-7303", "scopes": "scope-7304 scope-7305",
		}},
		"files of a token": {"a token says when it ends, in UTC", Files, AccessToken, words{
			"client_id": "cid-7301", "access_token": "token-7310", "expires_at": "2027-05-01T12:30:00Z",
			"token_url": "https://idp-7302/token", "issuer": "https://idp-7302", "audience": "aud-7303", "scopes": "scope-7304 scope-7305",
		}},
		"environment of a key": {"names that Okta's management SDKs do not read", Environment, PrivateKeyJWT, words{
			"OKTA_OAUTH2_CLIENT_ID": "cid-7301", "OKTA_OAUTH2_PRIVATE_KEY": "pem-7306\nsecond line\n",
			"OKTA_OAUTH2_KEY_ID": "kid-7307", "OKTA_OAUTH2_JWK": `{"jwk":"7308"}`,
			"OKTA_OAUTH2_TOKEN_URL": "https://idp-7302/token", "OKTA_OAUTH2_ISSUER": "https://idp-7302",
			"OKTA_OAUTH2_AUDIENCE": "aud-7303", "OKTA_OAUTH2_SCOPES": "scope-7304 scope-7305",
		}},
		"environment of a secret": {"what Okta's Spring starter reads", Environment, ClientSecret, words{
			"OKTA_OAUTH2_CLIENT_ID": "cid-7301", "OKTA_OAUTH2_CLIENT_SECRET": "secret-7309",
			"OKTA_OAUTH2_TOKEN_URL": "https://idp-7302/token", "OKTA_OAUTH2_ISSUER": "https://idp-7302",
			"OKTA_OAUTH2_AUDIENCE": "aud-7303", "OKTA_OAUTH2_SCOPES": "scope-7304 scope-7305",
		}},
		"environment of a token": {"not OKTA_ACCESS_TOKEN, which is Terraform's", Environment, AccessToken, words{
			"OKTA_OAUTH2_CLIENT_ID": "cid-7301", "OKTA_OAUTH2_ACCESS_TOKEN": "token-7310",
			"OKTA_OAUTH2_EXPIRES_AT": "2027-05-01T12:30:00Z",
			"OKTA_OAUTH2_TOKEN_URL":  "https://idp-7302/token", "OKTA_OAUTH2_ISSUER": "https://idp-7302",
			"OKTA_OAUTH2_AUDIENCE": "aud-7303", "OKTA_OAUTH2_SCOPES": "scope-7304 scope-7305",
		}},
		"binding of a key": {"private-key is the specification's own entry", ServiceBinding, PrivateKeyJWT, words{
			"type": "oauth2", "provider": "okta",
			"authorization-grant-type": "client_credentials", "client-authentication-method": "private_key_jwt",
			"client-id": "cid-7301", "private-key": "pem-7306\nsecond line\n", "key-id": "kid-7307", "jwk": `{"jwk":"7308"}`,
			"token-uri": "https://idp-7302/token", "issuer-uri": "https://idp-7302", "audience": "aud-7303", "scope": "scope-7304 scope-7305",
		}},
		"binding of a secret": {"what Spring Cloud Bindings reads", ServiceBinding, ClientSecret, words{
			"type": "oauth2", "provider": "okta",
			"authorization-grant-type": "client_credentials", "client-authentication-method": "client_secret_basic",
			"client-id": "cid-7301", "client-secret": "secret-7309",
			"token-uri": "https://idp-7302/token", "issuer-uri": "https://idp-7302", "audience": "aud-7303", "scope": "scope-7304 scope-7305",
		}},
		"binding of a token": {"who is given tokens is not told how to ask for one", ServiceBinding, AccessToken, words{
			"type": "oauth2", "provider": "okta",
			"client-id": "cid-7301", "access-token": "token-7310", "expires-at": "2027-05-01T12:30:00Z",
			"token-uri": "https://idp-7302/token", "issuer-uri": "https://idp-7302", "audience": "aud-7303", "scope": "scope-7304 scope-7305",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			shape := Shape{Preset: test.preset}
			if err := Check(shape, test.delivery); err != nil {
				t.Errorf("%s: Check: %v", test.reason, err)
			}
			got, err := Render(shape, made(test.delivery))
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if diff := cmp.Diff(test.want, readable(got)); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", test.reason, diff)
			}
		})
	}
}

// TestOtherFieldsStayOut holds that what a delivery does not have is not laid out,
// although the caller knows it.
func TestOtherFieldsStayOut(t *testing.T) {
	fields := made(ClientSecret)
	fields.KeyID, fields.JWK, fields.Audience, fields.Scopes = "sec-1", made(PrivateKeyJWT).JWK, "", nil
	got, err := Render(Shape{}, fields)
	want := map[string]string{
		"client_id": "cid-7301", "client_secret": "secret-7309", "token_url": "https://idp-7302/token", "issuer": "https://idp-7302",
	}
	if diff := cmp.Diff(want, readable(got)); err != nil || diff != "" {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
}

func TestMaterial(t *testing.T) {
	for _, preset := range append(presets(), "") {
		for delivery, want := range map[Delivery]string{PrivateKeyJWT: "pem-7306\nsecond line\n", ClientSecret: "secret-7309", AccessToken: ""} {
			shape := Shape{Preset: preset}
			data, err := Render(shape, made(delivery))
			if err != nil {
				t.Fatal(err)
			}
			material, ok := Material(shape, delivery, data)
			if string(material) != want || ok != (want != "") {
				t.Errorf("%s %s: found %q, %v, want %q", preset, delivery, material, ok, want)
			}
		}
	}
	none := map[string][]byte{"client_id": []byte("c"), "client_secret": {}}
	for name, test := range map[string]struct {
		reason   string
		shape    Shape
		delivery Delivery
		data     map[string][]byte
	}{
		"template":         {"a template may have turned it into anything", Shape{Template: map[string]string{"client_secret": "x"}}, ClientSecret, map[string][]byte{"client_secret": []byte("x")}},
		"emptied":          {"an empty value is no credential", Shape{}, ClientSecret, none},
		"other delivery":   {"a secret is no private key", Shape{}, PrivateKeyJWT, map[string][]byte{"client_secret": []byte("x")}},
		"other preset":     {"the shape was changed since", Shape{Preset: Environment}, ClientSecret, map[string][]byte{"client_secret": []byte("x")}},
		"unknown preset":   {"there is no such key", Shape{Preset: "Clay"}, ClientSecret, map[string][]byte{"": []byte("x")}},
		"unknown delivery": {"there is no such credential", Shape{}, "Pigeon", map[string][]byte{"": []byte("x")}},
		"no data":          {"a Secret may be empty", Shape{}, ClientSecret, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if material, ok := Material(test.shape, test.delivery, test.data); ok || len(material) > 0 {
				t.Errorf("%s: found %q", test.reason, material)
			}
		})
	}
}

func TestSecretType(t *testing.T) {
	for _, test := range []struct {
		shape Shape
		want  string
	}{
		{Shape{}, "Opaque"},
		{Shape{Preset: Environment}, "Opaque"},
		{Shape{Preset: ServiceBinding}, "servicebinding.io/oauth2"},
		{Shape{Template: map[string]string{"type": "oauth2"}}, "Opaque"},
	} {
		if got := SecretType(test.shape); got != test.want {
			t.Errorf("SecretType(%+v) = %s, want %s", test.shape, got, test.want)
		}
	}
}
