package oktasim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// outOfAccess tells what of policies, zones and device assurances is not replayed.
func outOfAccess(p pair) string {
	text := string(mustJSON(p.Request)) + string(mustJSON(p.Answer))
	switch {
	case p.Family == "policy" && p.Status == 200 && !slices.Contains([]string{"ACCESS_POLICY", "MFA_ENROLL", "OKTA_SIGN_ON"}, p.policyType()):
		return "policies of another type than ACCESS_POLICY, MFA_ENROLL, OKTA_SIGN_ON"
	case strings.Contains(text, "AUTH_METHOD_CHAIN"):
		return "chains of authentication methods are not simulated"
	case strings.Contains(text, `"custom_app"`), strings.Contains(text, `"custom_otp"`), strings.Contains(text, `"onprem_mfa"`),
		strings.Contains(text, `"external_idp"`):
		return "authenticators that an org must have been given are not simulated"
	case p.Family == "policy" && strings.Contains(text, `"APP"`) && strings.Contains(text, `"app"`):
		return "enrollment rules for apps are not simulated"
	case p.Family == "zone" && strings.Contains(text, `"DYNAMIC`):
		return "dynamic zones are not simulated"
	case strings.Contains(text, "thirdPartySignalProviders") && !strings.Contains(text, "CHROMEOS"):
		return "signals of third parties are not simulated"
	case strings.HasSuffix(p.Template, "/app"):
		return "policies of another type than ACCESS_POLICY, MFA_ENROLL, OKTA_SIGN_ON"
	}
	return ""
}

func mustJSON(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}

// policyType is the type of the policy a pair is about.
func (p pair) policyType() string {
	kind, _ := p.answer()["type"].(string)
	if kind == "" {
		kind, _ = p.request()["type"].(string)
	}
	if all, _ := p.Answer.([]any); len(all) > 0 {
		kind, _ = asObject(all[0])["type"].(string)
	}
	if _, listed, found := strings.Cut(p.Path, "type="); found {
		kind = listed
	}
	if kind == "SIGN_ON" {
		return "OKTA_SIGN_ON"
	}
	if kind == "" {
		return "ACCESS_POLICY"
	}
	return kind
}

// makeOrgPolicy makes a policy, or finds the system's.
func (s *stage) makeOrgPolicy(id, kind string, like object) error {
	if like["system"] == true {
		if err := s.fillUp(kind, like); err != nil {
			return err
		}
		_, answer := s.send(http.MethodGet, policies+"?type="+kind, nil)
		for _, each := range answer.([]any) {
			if policy := asObject(each); policy["system"] == true {
				s.ids[id], _ = policy["id"].(string)
				return nil
			}
		}
		return fmt.Errorf("there is no system policy of type %s", kind)
	}
	if err := s.makeReferences(like); err != nil {
		return err
	}
	body := object{"type": kind, "name": "policy " + id}
	if kind != "ACCESS_POLICY" {
		body["conditions"] = object{"people": object{"groups": object{"include": []any{s.everyone()}}}}
	}
	if kind == "MFA_ENROLL" {
		body["settings"] = s.enrollment()
	}
	err := s.create(policies, id, over(like, body, "name", "description", "conditions", "settings"))
	return s.switchedOff(policies, id, like, err)
}

// fillUp makes the policies that stand before the system's.
func (s *stage) fillUp(kind string, like object) error {
	priority, _ := like["priority"].(float64)
	for i := 1; i < int(priority); i++ {
		if err := s.makeOrgPolicy(fmt.Sprint("before ", i), kind, nil); err != nil {
			return err
		}
	}
	return nil
}

// switchedOff makes an object INACTIVE that was recorded so.
func (s *stage) switchedOff(path, id string, like object, err error) error {
	if err == nil && like["status"] == "INACTIVE" {
		s.send(http.MethodPost, s.path(path)+"/"+s.ids[id]+"/lifecycle/deactivate", nil)
	}
	return err
}

// enrollment is what an enrollment policy of the org's engine may say.
func (s *stage) enrollment() object {
	enroll := object{"self": "REQUIRED"}
	if s.classic {
		return object{"type": "FACTORS", "factors": object{"okta_otp": object{"enroll": enroll}}}
	}
	return object{"type": "AUTHENTICATORS", "authenticators": []any{object{"key": "okta_password", "enroll": enroll}}}
}

func (s *stage) everyone() string { return s.org.Snapshot().Groups[0].ID }

func (s *stage) makeOrgRule(path, id string, like object) error {
	if like["system"] == true {
		_, answer := s.send(http.MethodGet, s.path(path), nil)
		for _, each := range answer.([]any) {
			if rule := asObject(each); rule["system"] == true {
				s.ids[id], _ = rule["id"].(string)
				like = over(like, object{"type": s.kind, "name": rule["name"]}, "actions")
				s.send(http.MethodPut, s.path(path)+"/"+s.ids[id], s.translate(like))
				return nil
			}
		}
	}
	if err := s.makeReferences(like); err != nil {
		return err
	}
	bodies := map[string]object{
		"OKTA_SIGN_ON":  signOnRule("rule "+id, object{"access": "ALLOW"}),
		"MFA_ENROLL":    enrollRule("rule "+id, "CHALLENGE"),
		"ACCESS_POLICY": accessRule("rule "+id, "2FA"),
	}
	err := s.create(path, id, over(like, bodies[s.kind], "name", "conditions", "actions", "priority"))
	return s.switchedOff(path, id, like, err)
}

// makeReferences makes the groups, users, zones and assurances that a rule or a
// policy names.
func (s *stage) makeReferences(body object) error {
	conditions := asObject(body["conditions"])
	if body["system"] == true {
		for _, id := range textsAt(conditions, "people", "groups", "include") {
			s.ids[id] = s.everyone()
		}
	}
	for _, list := range []string{"include", "exclude"} {
		for _, id := range textsAt(conditions, "people", "groups", list) {
			if err := s.once(id, func() error { return s.makeGroup("/api/v1/groups", id, nil) }); err != nil {
				return err
			}
		}
		for _, id := range textsAt(conditions, "people", "users", list) {
			if s.ids[id] == "" {
				s.ids[id] = s.org.AddUser(id + "@example.com")
			}
		}
		for _, id := range textsAt(conditions, "network", list) {
			make := func() error { return s.create("/api/v1/zones", id, zoneBody("zone "+id, "203.0.113.0/24")) }
			if err := s.once(id, make); err != nil {
				return err
			}
		}
		for _, id := range textsAt(conditions, "userType", list) {
			s.ids[id] = "oty" + s.everyoneType()
		}
	}
	for _, id := range textsAt(conditions, "device", "assurance", "include") {
		body := object{"name": "assurance " + id, "platform": "IOS", "jailbreak": false}
		if err := s.once(id, func() error { return s.create("/api/v1/device-assurances", id, body) }); err != nil {
			return err
		}
	}
	return nil
}

// everyoneType is what follows the prefix in the id of the type all users have.
func (s *stage) everyoneType() string {
	_, answer := s.send(http.MethodGet, "/api/v1/users/"+s.org.AddUser("type@example.com"), nil)
	id, _ := asObject(asObject(answer)["type"])["id"].(string)
	return strings.TrimPrefix(id, "oty")
}

func (s *stage) once(id string, make func() error) error {
	if s.ids[id] != "" {
		return nil
	}
	return make()
}

func textsAt(value object, path ...string) []string {
	for _, name := range path[:len(path)-1] {
		value = asObject(value[name])
	}
	all, _ := value[path[len(path)-1]].([]any)
	var texts []string
	for _, each := range all {
		text, _ := each.(string)
		texts = append(texts, text)
	}
	return texts
}

func (s *stage) makeZone(id string, like object) error {
	err := s.create("/api/v1/zones", id, over(like, zoneBody("zone "+id, "203.0.113.0/24"), "name", "usage", "gateways", "proxies"))
	return s.switchedOff("/api/v1/zones", id, like, err)
}

func (s *stage) makeAssurance(id string, like object) error {
	body := object{"name": "assurance " + id, "platform": "IOS", "jailbreak": false}
	if like["platform"] != nil && like["platform"] != "IOS" {
		delete(body, "jailbreak")
	}
	return s.create("/api/v1/device-assurances", id, over(like, body, "name", "platform", "osVersion", "screenLockType",
		"diskEncryptionType", "secureHardwarePresent", "jailbreak", "displayRemediationMode", "thirdPartySignalProviders"))
}
