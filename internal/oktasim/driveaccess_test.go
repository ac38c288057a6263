package oktasim_test

import (
	"net/url"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const policies = "/api/v1/policies"

// driveAccess uses every operation on what decides who may sign in.
func (w *world) driveAccess() {
	zone := w.driveZones()
	assurance := w.driveAssurances()
	w.driveAccessPolicies(zone, assurance)
	w.driveSessionPolicies()
}

func (w *world) driveZones() (id string) {
	body := zoneBody("office", "203.0.113.0/24")
	id = w.do(200, "POST", "/api/v1/zones", body).text("id")
	zone := "/api/v1/zones/" + id
	w.do(200, "GET", zone, nil)
	w.do(200, "PUT", zone, body)
	w.do(200, "GET", "/api/v1/zones?limit=10&filter="+url.QueryEscape(`id eq "`+id+`"`), nil)
	client := serviceApp("agent-zoned", "zoned")
	client["settings"].(object)["oauthClient"].(object)["network"] = object{"connection": "ZONE", "include": []string{id}}
	w.do(200, "POST", "/api/v1/apps", client)
	other := "/api/v1/zones/" + w.do(200, "POST", "/api/v1/zones", zoneBody("other", "198.51.100.0/24")).text("id")
	w.do(200, "POST", other+"/lifecycle/deactivate", nil)
	w.do(200, "POST", other+"/lifecycle/activate", nil)
	w.do(200, "POST", other+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", other, nil)
	return id
}

func (w *world) driveAssurances() (id string) {
	const all = "/api/v1/device-assurances"
	for _, body := range []object{
		{"platform": "MACOS", "secureHardwarePresent": true},
		{"platform": "WINDOWS", "osVersion": object{"minimum": "10.0.19045.1"}},
		{"platform": "IOS", "jailbreak": false},
		{"platform": "ANDROID", "diskEncryptionType": object{"include": []string{"FULL"}}},
		{"platform": "CHROMEOS", "thirdPartySignalProviders": object{"dtc": object{"allowScreenLock": true}}},
	} {
		body["name"] = "driven " + body["platform"].(string)
		one := all + "/" + w.do(200, "POST", all, body).text("id")
		w.do(200, "GET", one, nil)
		w.do(200, "PUT", one, body)
		w.do(204, "DELETE", one, nil)
	}
	w.do(200, "GET", all, nil)
	return w.do(200, "POST", all, object{
		"name": "laptop", "platform": "MACOS", "osVersion": object{"minimum": "14.1"},
		"diskEncryptionType": object{"include": []string{"ALL_INTERNAL_VOLUMES"}},
		"screenLockType":     object{"include": []string{"BIOMETRIC", "PASSCODE"}},
	}).text("id")
}

func (w *world) driveAccessPolicies(zone, assurance string) {
	body := object{"type": "ACCESS_POLICY", "name": "driven", "description": "for a test"}
	policy := policies + "/" + w.do(200, "POST", policies, body).text("id")
	w.do(200, "GET", policy, nil)
	w.do(200, "PUT", policy, body)
	w.do(200, "GET", policies+"?type=ACCESS_POLICY&q=dri&status=ACTIVE&limit=5", nil)
	w.do(204, "POST", policy+"/lifecycle/deactivate", nil)
	w.do(204, "POST", policy+"/lifecycle/activate", nil)

	user := w.org.AddUser("driver@example.com")
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "drivers"}}).text("id")
	rule := accessRule("all of it", "2FA")
	rule["priority"] = 0
	rule["conditions"] = object{
		"people":    object{"groups": object{"include": []string{group}}, "users": object{"exclude": []string{user}}},
		"network":   object{"connection": "ZONE", "include": []string{zone}},
		"device":    object{"registered": true, "managed": true, "assurance": object{"include": []string{assurance}}},
		"riskScore": object{"level": "LOW"},
		"platform":  object{"include": []object{{"type": "DESKTOP", "os": object{"type": "MACOS"}}}},
	}
	method := rule["actions"].(object)["appSignOn"].(object)["verificationMethod"].(object)
	method["inactivityPeriod"], method["reauthenticateIn"] = "PT1H", "PT2H"
	method["constraints"] = []object{{
		"knowledge":  object{"types": []string{"PASSWORD"}},
		"possession": object{"deviceBound": "REQUIRED", "phishingResistant": "REQUIRED"},
	}}
	rules := policy + "/rules"
	one := rules + "/" + w.do(200, "POST", rules+"?activate=true", rule).text("id")
	w.do(200, "GET", one, nil)
	w.do(200, "PUT", one, rule)
	w.do(204, "POST", one+"/lifecycle/deactivate", nil)
	w.do(204, "POST", one+"/lifecycle/activate", nil)
	w.do(200, "GET", rules, nil)
	w.do(204, "DELETE", one, nil)

	app := w.do(200, "POST", "/api/v1/apps", webApp("agent-web")).text("id")
	w.do(204, "PUT", "/api/v1/apps/"+app+strings.TrimPrefix(policy, "/api/v1"), nil)
	w.driveCodes()
	mapping := w.do(200, "GET", policy+"/mappings", nil).List[0]["id"].(string)
	w.do(200, "GET", policy+"/mappings/"+mapping, nil)
	w.do(200, "GET", policy+"/app", nil)
	w.do(200, "POST", "/api/v1/apps/"+app+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", "/api/v1/apps/"+app, nil)
	w.do(204, "DELETE", policy, nil)
}

func (w *world) driveSessionPolicies() {
	group := w.do(200, "POST", "/api/v1/groups", object{"profile": object{"name": "sessions"}}).text("id")
	session := policies + "/" + w.do(200, "POST", policies, groupPolicy("OKTA_SIGN_ON", "driven", group)).text("id")
	w.do(200, "GET", policies+"?type=OKTA_SIGN_ON", nil)
	rule := signOnRule("factor", object{
		"access": "ALLOW", "requireFactor": true, "factorPromptMode": "SESSION", "factorLifetime": 15,
		"session": object{"maxSessionIdleMinutes": 30, "maxSessionLifetimeMinutes": 60, "usePersistentCookie": false},
	})
	one := session + "/rules/" + w.do(200, "POST", session+"/rules", rule).text("id")
	w.do(200, "PUT", one, rule)
	w.do(200, "GET", session+"/rules", nil)

	w.must(w.org.SetAuthenticators(everyAuthenticator().Authenticators...))
	enroll := groupPolicy("MFA_ENROLL", "driven", group)
	enroll["settings"] = object{
		"type": "AUTHENTICATORS", "authenticators": []object{{"key": "webauthn", "enroll": object{"self": "REQUIRED"}}},
	}
	policy := policies + "/" + w.do(200, "POST", policies, enroll).text("id")
	w.do(200, "PUT", policy, enroll)
	w.do(200, "GET", policies+"?type=MFA_ENROLL", nil)
	w.do(200, "POST", policy+"/rules", enrollRule("challenge", "CHALLENGE"))
	w.do(200, "GET", policy+"/rules", nil)
}

// driveCodes signs a person in to the app and redeems the code.
func (w *world) driveCodes() {
	w.enrolPush("driver@example.com")
	server, id := w.newServer("read")
	policy, _ := w.newPolicy(server, "codes", []string{"agent-web"}, nil)
	rule := ruleBody("people", "read")
	rule["conditions"].(object)["grantTypes"] = object{"include": []string{"authorization_code"}}
	w.do(201, "POST", policy+"/rules", rule)
	d := w.org.SignIn(oktasim.Attempt{
		Login: "driver@example.com", ClientID: "agent-web", Factors: []string{"password", "push"},
		Server: id, Scopes: []string{"read"}, RedirectURI: "https://example.com/callback", CodeChallenge: challenge(),
	})
	r := w.post("/oauth2/"+id+"/v1/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {d.Code}, "code_verifier": {verifier},
		"redirect_uri": {"https://example.com/callback"},
		"client_id":    {"agent-web"}, "client_secret": {"the secret of agent-web"},
	})
	if r.Status != 200 {
		w.t.Fatalf("%s, and the code: got %d %s", d.Why, r.Status, r.Raw)
	}
}

// zoneBody is a zone of the addresses of one network.
func zoneBody(name, cidr string) object {
	return object{"type": "IP", "name": name, "usage": "POLICY", "gateways": []object{{"type": "CIDR", "value": cidr}}}
}

// accessRule is a rule that lets in whoever shows as many factors as mode says.
func accessRule(name, mode string) object {
	return object{
		"type": "ACCESS_POLICY", "name": name, "conditions": object{},
		"actions": object{"appSignOn": object{
			"access": "ALLOW", "verificationMethod": object{"type": "ASSURANCE", "factorMode": mode},
		}},
	}
}

func signOnRule(name string, signon object) object {
	return object{"type": "SIGN_ON", "name": name, "actions": object{"signon": signon}}
}

func enrollRule(name, self string) object {
	return object{"type": "MFA_ENROLL", "name": name, "actions": object{"enroll": object{"self": self}}}
}

func groupPolicy(kind, name, group string) object {
	return object{
		"type": kind, "name": name, "description": "for a test",
		"conditions": object{"people": object{"groups": object{"include": []string{group}}}},
	}
}

// webApp is an app that people sign in to.
func webApp(clientID string) object {
	return object{
		"name": "oidc_client", "label": clientID, "signOnMode": "OPENID_CONNECT",
		"credentials": object{"oauthClient": object{
			"client_id": clientID, "client_secret": "the secret of " + clientID, "token_endpoint_auth_method": "client_secret_post",
		}},
		"settings": object{"oauthClient": object{
			"application_type": "web", "grant_types": []string{"authorization_code"}, "response_types": []string{"code"},
			"redirect_uris": []string{"https://example.com/callback"},
		}},
	}
}
