package oktasim

// renderApp writes an app the way Okta does. The secret is told only where Okta
// tells it: in the answers to create and replace.
func (o *Org) renderApp(a *app, withSecret bool) map[string]any {
	credentials := document{
		"userNameTemplate": a.doc.at("credentials", "userNameTemplate"),
		"signing":          map[string]any{"kid": a.signer},
	}
	client := document(a.doc.object("credentials", "oauthClient")).over(nil)
	if secret := a.activeSecret(); withSecret && secret != nil {
		client["client_secret"] = secret.value
	}
	credentials["oauthClient"] = map[string]any(client)

	settings := withNulls(a.doc.object("settings"))
	settings["emOptInStatus"] = "NONE"
	oauth := withNulls(a.settings())
	if len(a.keys) > 0 {
		keys := []any{}
		for _, key := range a.keys {
			keys = append(keys, key.inApp())
		}
		oauth["jwks"] = map[string]any{"keys": keys}
	}
	settings["oauthClient"] = map[string]any(oauth)

	rendered := map[string]any{
		"id": a.id, "orn": "orn:okta:idp:" + o.id + ":apps:oidc_client:" + a.id,
		"name": "oidc_client", "label": a.label(), "status": a.status(),
		"created": stamp(a.created), "lastUpdated": stamp(a.updated),
		"accessibility": a.doc.at("accessibility"), "visibility": a.doc.at("visibility"),
		"features": []any{}, "signOnMode": "OPENID_CONNECT", "universalLogout": nil,
		"credentials": map[string]any(credentials), "settings": map[string]any(settings),
		"_links": o.appLinks(a),
	}
	if profile := a.doc.at("profile"); profile != nil {
		rendered["profile"] = profile
	}
	return rendered
}

// withNulls copies one level, nulls included.
func withNulls(d document) document {
	copied := document{}
	for name, value := range d {
		copied[name] = value
	}
	return copied
}

func (o *Org) appLinks(a *app) map[string]any {
	self := "/api/v1/apps/" + a.id
	links := map[string]any{
		"uploadLogo": o.link(self+"/logo", "POST"),
		"appLinks": []any{map[string]any{
			"name": "oidc_client_link", "href": o.url("/home/oidc_client/" + a.id + "/aln177a159h7Zf52X0g8"), "type": "text/html",
		}},
		"groups": o.link(self + "/groups"),
		"logo": []any{map[string]any{
			"name": "medium", "href": o.url("/assets/img/logos/default.png"), "type": "image/png",
		}},
		"clientCredentials": []any{map[string]any{"name": "secrets", "href": o.url(self + "/credentials/secrets")}},
		"users":             o.link(self + "/users"),
	}
	if !o.options.Classic {
		links["policies"] = o.link(self+"/policies", "PUT")
		links["accessPolicy"] = o.link("/api/v1/policies/" + o.accessPolicyOf(a).id)
		links["profileEnrollment"] = o.link("/api/v1/policies/rse" + o.id[3:])
	}
	if a.active {
		links["deactivate"] = o.link(self + "/lifecycle/deactivate")
	} else {
		links["activate"] = o.link(self + "/lifecycle/activate")
	}
	return links
}
