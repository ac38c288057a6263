package story

import (
	"path/filepath"
	"testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestWalkthrough: what people can do once config/samples/chatbot-walkthrough is applied
// and they have done their part of it.
func TestWalkthrough(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(impatient, w.governing)
	sample := w.applySample(filepath.Join(root, "config", "samples", "chatbot-walkthrough"))
	for _, role := range sample.roles {
		readyRole(w, role.Name)
	}
	for _, policy := range sample.policies {
		w.waitReason(policy.Name, policy, v1alpha1.ReasonReady)
	}
	w.must(nil, w.org.CompletePush("ada@example.com"))
	app := ""
	for _, a := range w.org.Snapshot().Apps {
		if a.Label == console {
			app = a.ID
		}
	}
	mac := oktasim.Device{Registered: true, Platform: "MACOS", OSVersion: "15.0", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "PASSCODE"}
	ada := oktasim.Attempt{Login: "ada@example.com", AppID: app, Device: mac, Factors: []string{"password", "push"}}
	bob := oktasim.Attempt{Login: "bob@example.com", AppID: app, Device: mac, Factors: []string{"password", "sms"}}
	eve := bob
	eve.Login = "eve@example.com"
	w.org.AddUser("eve@example.com")
	bare, careless := ada, bob
	bare.Device, careless.Factors = oktasim.Device{Platform: "MACOS"}, []string{"password"}
	for name, sign := range map[string]struct {
		attempt oktasim.Attempt
		rule    string
		allowed bool
	}{
		"an administrator with push":              {ada, "administrators", true},
		"a user with a text message":              {bob, "users", true},
		"an administrator on a device of her own": {bare, "Catch-all Rule", false},
		"a user without a second factor":          {careless, "users", false},
	} {
		if got := w.org.SignIn(sign.attempt); got.Allowed != sign.allowed || got.RuleName != sign.rule {
			t.Errorf("%s: allowed %v by %q (%s), want %v by %q", name, got.Allowed, got.RuleName, got.Why, sign.allowed, sign.rule)
		}
	}
	if got := w.org.SignIn(eve); got.Allowed {
		t.Error("somebody without a role is let in")
	}
}
