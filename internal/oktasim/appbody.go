package oktasim

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// appShape is what an app may be created or replaced with.
func appShape() shape.Shape {
	return shape.Object{
		"id": shape.ReadOnly{}, "orn": shape.ReadOnly{}, "status": shape.ReadOnly{}, "created": shape.ReadOnly{},
		"lastUpdated": shape.ReadOnly{}, "features": shape.ReadOnly{}, "_links": shape.ReadOnly{}, "_embedded": shape.ReadOnly{},
		"name":       shape.Enum{"oidc_client"},
		"label":      shape.Text{Min: 1, Max: 100},
		"signOnMode": shape.Enum{"OPENID_CONNECT"},
		"profile":    shape.Map{},
		"accessibility": shape.Object{
			"selfService": shape.Bool{}, "errorRedirectUrl": shape.Text{}, "loginRedirectUrl": shape.Text{},
		},
		"visibility": shape.Object{
			"appLinks": shape.Map{}, "autoLaunch": shape.Bool{}, "autoSubmitToolbar": shape.Bool{},
			"hide": shape.Object{"iOS": shape.Bool{}, "web": shape.Bool{}},
		},
		"universalLogout": shape.ReadOnly{},
		"credentials": shape.Object{
			"signing":          shape.ReadOnly{},
			"userNameTemplate": shape.Object{"template": shape.Text{}, "type": shape.Enum{"NONE", "BUILT_IN", "CUSTOM"}, "userSuffix": shape.Text{}},
			"oauthClient": shape.Object{
				"autoKeyRotation": shape.Bool{}, "client_id": shape.Text{}, "client_secret": shape.Text{}, "pkce_required": shape.Bool{},
				"token_endpoint_auth_method": shape.Enum{
					"client_secret_basic", "client_secret_post", "client_secret_jwt", privateKeyJWT, "none",
				},
			},
		},
		"settings": shape.Object{
			// Okta's own answers hold app and manualProvisioning, which its OpenAPI
			// description does not know; its Terraform provider sends them back.
			"app": shape.Map{}, "manualProvisioning": shape.Bool{},
			"emOptInStatus": shape.ReadOnly{}, "implicitAssignment": shape.Bool{}, "identityStoreId": shape.Text{}, "inlineHookId": shape.Text{},
			"notes":         shape.Object{"admin": shape.Text{}, "enduser": shape.Text{}},
			"notifications": shape.Map{},
			"oauthClient":   clientShape(),
		},
	}
}

func clientShape() shape.Shape {
	return shape.Object{
		"application_type":                    shape.Enum{"browser", "native", "service", "web"},
		"backchannel_custom_authenticator_id": shape.Text{}, "backchannel_token_delivery_mode": shape.Enum{"poll", "ping", "push"},
		"client_uri": shape.Text{Max: 1024}, "consent_method": shape.Enum{"REQUIRED", "TRUSTED"},
		"dpop_bound_access_tokens": shape.Bool{}, "frontchannel_logout_session_required": shape.Bool{},
		"frontchannel_logout_uri": shape.Text{Max: 1024},
		"grant_types": shape.List{Of: shape.Enum{
			"authorization_code", clientCredentials, "implicit", "interaction_code", "password", "refresh_token",
			"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
			"urn:ietf:params:oauth:grant-type:saml2-bearer", "urn:ietf:params:oauth:grant-type:token-exchange",
			"urn:openid:params:grant-type:ciba",
		}},
		"idp_initiated_login": shape.Object{
			"mode": shape.Enum{"DISABLED", "SPEC", "OKTA"}, "default_scope": shape.List{Of: shape.Text{}},
		},
		"initiate_login_uri": shape.Text{}, "issuer_mode": shape.Enum{"CUSTOM_URL", "DYNAMIC", "ORG_URL"},
		"jwks":     shape.Object{"keys": shape.List{Of: keyShape()}},
		"jwks_uri": shape.Text{}, "logo_uri": shape.Text{Max: 1024},
		"network":         networkShape(),
		"participate_slo": shape.Bool{}, "policy_uri": shape.Text{}, "post_logout_redirect_uris": shape.List{Of: shape.Text{}},
		"redirect_uris": shape.List{Of: shape.Text{}},
		"refresh_token": shape.Object{"rotation_type": shape.Enum{"ROTATE", "STATIC"}, "leeway": shape.Int{Max: 60}},
		"response_types": shape.List{Of: shape.Enum{
			"code", "id_token", "token",
		}},
		"subject_type": shape.Enum{"public", "pairwise"}, "tos_uri": shape.Text{}, "wildcard_redirect": shape.Enum{"DISABLED", "SUBDOMAIN"},
	}
}

// checkApp holds the fields of an app against each other.
func (o *Org) checkApp(body document) error {
	for _, required := range [][]string{
		{"name"},
		{"label"},
		{"signOnMode"},
		{"credentials", "oauthClient"},
		{"settings", "oauthClient", "grant_types"},
		{"settings", "oauthClient", "application_type"},
	} {
		if body.at(required...) == nil {
			field := required[len(required)-1]
			return validation(field, field+": The field cannot be left blank")
		}
	}
	if err := checkGrants(body.object("settings", "oauthClient"), authMethodOf(body)); err != nil {
		return err
	}
	network := o.spelledOut(body.object("settings", "oauthClient", "network"))
	if err := o.checkNetwork("settings.oauthClient.network", network); err != nil {
		return err
	}
	return checkCredentials(body)
}

func checkGrants(settings document, method string) error {
	grants := settings.texts("grant_types")
	service := settings.text("application_type") == "service"
	switch {
	case len(grants) == 0:
		return validation("grant_types", "grant_types: The field cannot be left blank")
	case service && !slices.Contains(grants, clientCredentials):
		return validation("grant_types", "grant_types: 'service' apps must have the grant type 'client_credentials'.")
	case slices.Contains(grants, clientCredentials) && method == "none":
		return validation("token_endpoint_auth_method",
			"token_endpoint_auth_method: 'none' can't be used with the grant type 'client_credentials'.")
	case service && !slices.Contains(settings.texts("response_types"), "token"):
		return validation("response_types", "response_types: must include 'token' for the grant type 'client_credentials'.")
	case slices.Contains(grants, authorizationCode) && !slices.Contains(grants, clientCredentials):
		return checkRedirects(settings)
	}
	return nil
}

// checkRedirects wants to know where codes go. Clients that may act for themselves
// need not say it, Okta says.
func checkRedirects(settings document) error {
	if len(settings.texts("redirect_uris")) == 0 {
		return validation("redirect_uris", "redirect_uris: must not be empty for the grant type 'authorization_code'.")
	}
	if !slices.Contains(settings.texts("response_types"), "code") {
		return validation("response_types", "response_types: must include 'code' for the grant type 'authorization_code'.")
	}
	return nil
}

func checkCredentials(body document) error {
	secret := body.text("credentials", "oauthClient", "client_secret")
	if authMethodOf(body) == privateKeyJWT {
		if secret != "" {
			return validation("client_secret",
				"'client_secret' can't be used when 'token_endpoint_auth_method' is 'private_key_jwt'.")
		}
		keys, _ := body.at("settings", "oauthClient", "jwks", "keys").([]any)
		if len(keys) == 0 && body.text("settings", "oauthClient", "jwks_uri") == "" {
			return validation("jwks", "jwks: 'jwks' or 'jwks_uri' is required when 'token_endpoint_auth_method' is 'private_key_jwt'.")
		}
	}
	if secret != "" {
		return checkSecretValue(secret, authMethodOf(body))
	}
	return nil
}

// appDefaults is what Okta fills in, as its recorded answers show.
func appDefaults(body document) document {
	kind := body.text("settings", "oauthClient", "application_type")
	defaults := document{
		"accessibility": map[string]any{"selfService": false, "errorRedirectUrl": nil, "loginRedirectUrl": nil},
		"visibility": map[string]any{
			"autoLaunch": false, "autoSubmitToolbar": false, "hide": map[string]any{"iOS": false, "web": false},
			"appLinks": map[string]any{"oidc_client_link": true},
		},
		"credentials": map[string]any{
			"userNameTemplate": map[string]any{"template": "${source.login}", "type": "BUILT_IN"},
			"oauthClient": map[string]any{
				"autoKeyRotation": true, "token_endpoint_auth_method": "client_secret_basic",
				"pkce_required": kind == "browser" || kind == "native",
			},
		},
		"settings": map[string]any{
			"app": map[string]any{}, "manualProvisioning": false, "implicitAssignment": false,
			"notes": map[string]any{"admin": nil, "enduser": nil},
			"notifications": map[string]any{"vpn": map[string]any{
				"network": map[string]any{"connection": "DISABLED"}, "message": nil, "helpUrl": nil,
			}},
			"oauthClient": map[string]any{
				"client_uri": nil, "logo_uri": nil, "redirect_uris": []any{}, "response_types": []any{},
				"consent_method": "TRUSTED", "issuer_mode": "ORG_URL", "wildcard_redirect": "DISABLED",
				"idp_initiated_login":      map[string]any{"mode": "DISABLED", "default_scope": []any{}},
				"dpop_bound_access_tokens": false, "participate_slo": false,
			},
		},
	}
	if body.text("settings", "oauthClient", "frontchannel_logout_uri") != "" {
		defaults.object("settings", "oauthClient")["frontchannel_logout_session_required"] = false
	}
	return defaults
}
