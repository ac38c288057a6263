package oktasim_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestZoneAddresses(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	body := func(kind, value string) object {
		zone := zoneBody(value, "")
		zone["gateways"] = []object{{"type": kind, "value": value}}
		return zone
	}
	tests := map[string]struct {
		reason, kind, value, want string
	}{
		"network":       {"as it is", "CIDR", "192.0.2.0/24", "192.0.2.0/24"},
		"in the middle": {"as recorded", "CIDR", "1.2.3.4/24", "1.2.3.4/24"},
		"range":         {"as it is", "RANGE", "192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9"},
		"one address":   {"a range of one", "RANGE", "192.0.2.1", "192.0.2.1-192.0.2.1"},
		"IPv6":          {"also", "CIDR", "2001:db8::/32", "2001:db8::/32"},
		"backwards":     {"no range", "RANGE", "192.0.2.9-192.0.2.1", ""},
		"mixed":         {"no range", "RANGE", "192.0.2.9-2001:db8::1", ""},
		"wrong type":    {"no network", "CIDR", "192.0.2.1-192.0.2.9", ""},
		"no address":    {"no network", "CIDR", "example.com", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			r, err := w.try("POST", "/api/v1/zones", body(test.kind, test.value))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if gateways, _ := r.Object["gateways"].([]any); r.Status == 200 && len(gateways) == 1 {
				got = gateways[0].(object)["value"].(string)
			}
			if got != test.want {
				t.Errorf("%s: got %q, want %q: %s", test.reason, got, test.want, r.Raw)
			}
		})
	}
	w.t = t
	empty := zoneBody("empty", "")
	delete(empty, "gateways")
	w.do(400, "POST", "/api/v1/zones", empty)
	w.do(400, "POST", "/api/v1/zones", object{"type": "DYNAMIC", "name": "by place"})
}

func TestZones(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	id := w.do(200, "POST", "/api/v1/zones", zoneBody("office", "203.0.113.0/24")).text("id")
	zone := "/api/v1/zones/" + id
	w.do(400, "POST", "/api/v1/zones", zoneBody("office", "198.51.100.0/24"))
	w.do(404, "GET", "/api/v1/zones/nzoNone", nil)
	if diff := cmp.Diff([][]string{{"LegacyIpZone", "BlockedIpZone"}, {"office"}}, w.walk("/api/v1/zones?limit=2", "name")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	filter := url.QueryEscape(`usage eq "POLICY" and system eq "false"`)
	if diff := cmp.Diff([][]string{{"office"}}, w.walk("/api/v1/zones?filter="+filter, "name")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	policy := w.newAccessPolicy("p")
	rule := accessRule("r", "2FA")
	rule["conditions"] = object{"network": object{"connection": "ZONE", "exclude": []string{id}}}
	one := policy + "/rules/" + w.do(200, "POST", policy+"/rules", rule).text("id")
	blocking := zoneBody("office", "203.0.113.0/24")
	blocking["usage"] = "BLOCKLIST"
	w.do(403, "PUT", zone, blocking)
	w.do(200, "POST", zone+"/lifecycle/deactivate", nil)
	w.do(403, "DELETE", zone, nil)
	w.do(204, "DELETE", one, nil)
	active := zoneBody("office", "203.0.113.0/24")
	active["status"] = "ACTIVE"
	w.do(400, "PUT", zone, active)
	w.do(200, "POST", zone+"/lifecycle/activate", nil)
	w.do(403, "DELETE", zone, nil)
	w.do(200, "POST", zone+"/lifecycle/deactivate", nil)
	w.do(204, "DELETE", zone, nil)
	for _, system := range w.do(200, "GET", "/api/v1/zones", nil).List {
		w.do(403, "DELETE", "/api/v1/zones/"+system["id"].(string), nil)
	}
}

func TestZoneOfAClientStays(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	zone := w.do(200, "POST", "/api/v1/zones", zoneBody("office", "203.0.113.0/24")).text("id")
	body := serviceApp("agent-one", "one")
	network := object{"connection": "ZONE", "include": []string{"nzoNone"}}
	body["settings"].(object)["oauthClient"].(object)["network"] = network
	w.do(400, "POST", "/api/v1/apps", body)
	network["include"] = []string{zone}
	w.do(200, "POST", "/api/v1/apps", body)
	w.do(200, "POST", "/api/v1/zones/"+zone+"/lifecycle/deactivate", nil)
	w.do(403, "DELETE", "/api/v1/zones/"+zone, nil)
}

func TestAssurances(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	const all = "/api/v1/device-assurances"
	body := func(platform string, more object) object {
		return over(more, object{"name": "a " + platform, "platform": platform})
	}
	tests := map[string]struct {
		reason string
		body   object
	}{
		"nothing asked":  {"an assurance of nothing", body("IOS", nil)},
		"no platform":    {"no device", object{"name": "a", "jailbreak": false}},
		"other platform": {"an attribute of phones", body("MACOS", object{"jailbreak": false})},
		"jailbroken":     {"no assurance", body("IOS", object{"jailbreak": true})},
		"version":        {"too many numbers", body("IOS", object{"osVersion": object{"minimum": "1.2.3.4"}})},
		"no version":     {"no number", body("IOS", object{"osVersion": object{"minimum": "latest"}})},
		"encryption":     {"a word of phones", body("MACOS", object{"diskEncryptionType": object{"include": []string{"FULL"}}})},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			if r := w.do(400, "POST", all, test.body); r.text("errorCode") != "E0000001" {
				t.Errorf("%s: got %s", test.reason, r.Raw)
			}
		})
	}
	w.t = t
	id := w.do(200, "POST", all, body("IOS", object{"jailbreak": false})).text("id")
	w.do(400, "POST", all, body("IOS", object{"jailbreak": false}))
	w.do(400, "PUT", all+"/"+id, object{"name": "a IOS", "platform": "ANDROID", "jailbreak": false})
	policy := w.newAccessPolicy("p")
	rule := accessRule("r", "2FA")
	rule["conditions"] = object{"device": object{"registered": true, "assurance": object{"include": []string{id}}}}
	one := policy + "/rules/" + w.do(200, "POST", policy+"/rules", rule).text("id")
	w.do(409, "DELETE", all+"/"+id, nil)
	w.do(204, "DELETE", one, nil)
	w.do(204, "DELETE", all+"/"+id, nil)
}
