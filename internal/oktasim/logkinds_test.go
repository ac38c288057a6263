package oktasim_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// driveTrouble leaves what no operation that goes well leaves.
func (w *doorWorld) driveTrouble() {
	for _, status := range []string{
		"SUSPENDED", "ACTIVE", "LOCKED_OUT", "ACTIVE", "RECOVERY", "PASSWORD_EXPIRED", "DEPROVISIONED", "ACTIVE",
	} {
		if err := w.org.SetUserStatus(w.jane, status); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.org.SetUserPhone(w.jane, "+15551234567"); err != nil {
		w.t.Fatal(err)
	}
	w.enter(oktasim.Attempt{Factors: []string{"password"}})
	blocking := zoneBody("blocking", "192.0.2.0/24")
	blocking["usage"] = "BLOCKLIST"
	zone := w.do(200, "POST", "/api/v1/zones", blocking).text("id")
	w.enter(oktasim.Attempt{IP: "192.0.2.1"})
	w.do(200, "POST", "/api/v1/zones/"+zone+"/lifecycle/deactivate", nil)
	if err := w.org.DeleteUser(w.jane); err != nil {
		w.t.Fatal(err)
	}
	_, jwk := newKey(w.t, "key")
	if err := w.org.AddServiceClient("trouble", encode(w.t, jwk), "okta.apps.read"); err != nil {
		w.t.Fatal(err)
	}
	w.org.SetScopes("trouble")
	w.post("/oauth2/v1/token", url.Values{"grant_type": {"client_credentials"}})
	w.post("/oauth2/default/v1/token", url.Values{"grant_type": {"client_credentials"}})

	w.do(200, "POST", "/_sim/settings", object{"concurrency": 0})
	w.do(429, "GET", "/api/v1/apps", nil)
	w.do(200, "POST", "/_sim/settings", object{"concurrency": 75, "limits": "integrator-free", "principalShare": 100})
	w.clock.Step(time.Minute)
	for range 20 {
		w.do(200, "GET", logs, nil)
	}
	w.do(429, "GET", logs, nil)
	w.do(200, "POST", "/_sim/settings", object{"limits": "unlimited"})
}

// TestOperationsLeaveEveryTypeOfEvent drives everything: a type that nothing leaves is a
// promise that is not kept, and a happening without a target cannot be looked for.
func TestOperationsLeaveEveryTypeOfEvent(t *testing.T) {
	troubled := newDoorWorld(t)
	troubled.driveTrouble()
	events, _ := troubled.poll(logs + "?limit=1000")

	w := newWorld(t, oktasim.Options{})
	admin := w.auth
	w.driveOrg()
	w.drivePeople()
	w.driveAuthenticators()
	w.driveFactors()
	w.driveGroups()
	w.driveApps()
	w.driveServers()
	w.driveAccess()
	w.driveAdminRoles()
	w.driveTokens()
	w.auth = admin
	more, _ := w.poll(logs + "?limit=1000")

	var seen []string
	for _, e := range append(events, more...) {
		seen = append(seen, e["eventType"].(string))
		if dig(e, "target") == nil && dig(e, "outcome", "result") == "SUCCESS" {
			t.Errorf("an event of type %s has no target", e["eventType"])
		}
	}
	for _, kind := range oktasim.EventKinds() {
		if !slices.Contains(seen, kind) {
			t.Errorf("nothing leaves an event of type %s", kind)
		}
	}
}
