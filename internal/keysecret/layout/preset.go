package layout

import "fmt"

// entry is a field and the key that it has in each preset.
type entry struct{ field, file, variable, binding string }

// entries is the table of all presets.
//
// Variables begin with OKTA_OAUTH2_, as in the .okta.env that Okta's CLI writes and
// Okta's Spring starter reads, where they mean what they mean here. OKTA_CLIENT_*
// configures Okta's management SDKs, and OKTA_API_* and OKTA_ACCESS_TOKEN its Terraform
// provider: an agent that has one of them beside its work would manage the org with a
// credential that is not made for it, or find its own overridden.
//
// The entries of a binding are those that Spring Cloud Bindings reads for type oauth2,
// and private-key of the specification itself; the others have the same manner.
func entries() []entry {
	return []entry{
		{clientID, "client_id", "OKTA_OAUTH2_CLIENT_ID", "client-id"},
		{privateKey, "private_key.pem", "OKTA_OAUTH2_PRIVATE_KEY", "private-key"},
		{keyID, "key_id", "OKTA_OAUTH2_KEY_ID", "key-id"},
		{jwk, "jwk", "OKTA_OAUTH2_JWK", "jwk"},
		{clientSecret, "client_secret", "OKTA_OAUTH2_CLIENT_SECRET", "client-secret"},
		{accessToken, "access_token", "OKTA_OAUTH2_ACCESS_TOKEN", "access-token"},
		{expiresAt, "expires_at", "OKTA_OAUTH2_EXPIRES_AT", "expires-at"},
		{tokenURL, "token_url", "OKTA_OAUTH2_TOKEN_URL", "token-uri"},
		{issuer, "issuer", "OKTA_OAUTH2_ISSUER", "issuer-uri"},
		{audience, "audience", "OKTA_OAUTH2_AUDIENCE", "audience"},
		{scopes, "scopes", "OKTA_OAUTH2_SCOPES", "scope"},
	}
}

// key is the entry's in a preset; empty in a preset there is not.
func (e entry) key(preset Preset) string {
	switch preset {
	case Files:
		return e.file
	case Environment:
		return e.variable
	case ServiceBinding:
		return e.binding
	}
	return ""
}

// fillPreset leaves out what has no value: a file that is there and empty would be read.
func fillPreset(preset Preset, opened opened) (map[string][]byte, error) {
	data := map[string][]byte{}
	for _, entry := range entries() {
		key := entry.key(preset)
		if key == "" {
			return nil, fmt.Errorf("there is no preset %q", preset)
		}
		if value := opened.values[entry.field]; value != "" {
			data[key] = []byte(value)
		}
	}
	if preset == ServiceBinding {
		bind(data, opened.delivery)
	}
	return data, nil
}

// bind adds what a binding says of itself. An agent that is given tokens does not ask
// for any, so it is not told how.
func bind(data map[string][]byte, delivery Delivery) {
	data["type"] = []byte("oauth2")
	data["provider"] = []byte("okta")
	method := map[Delivery]string{PrivateKeyJWT: "private_key_jwt", ClientSecret: "client_secret_basic"}[delivery]
	if method == "" {
		return
	}
	data["authorization-grant-type"] = []byte("client_credentials")
	data["client-authentication-method"] = []byte(method)
}
