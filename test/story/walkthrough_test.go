package story

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestWalkthrough: what people can do once config/samples/chatbot-walkthrough is applied
// and they have done their part of it.
func TestWalkthrough(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.bindRole("audit_role.yaml")
	w.start(impatient, w.governing, w.atHome, listening)
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
	key := readyKey(w, sample.keys[0].Name)
	w.mustWork(w.agent(string(key.Spec.Secret.Name)), []string{"interact_with_chatbot"}, "manage_ai_agents")
	w.waitReason(sample.sinks[0].Name, sample.sinks[0], v1alpha1.ReasonReady)
	for what, is := range map[string]func(sent) bool{
		"the chatbot's token":         func(e sent) bool { return e.Agent != nil && e.Type == "app.oauth2.as.token.grant.access_token" },
		"what the chatbot is refused": func(e sent) bool { return e.Agent != nil && e.Event.Outcome.Result == "FAILURE" && e.Source == "Okta" },
		"who is let in":               func(e sent) bool { return e.Type == "policy.evaluate_sign_on" },
		"what the operator did":       func(e sent) bool { return e.Source == "Operator" },
	} {
		w.eventually("the security team's receiver has "+what, func() bool { return slices.ContainsFunc(sample.collector.all(), is) })
	}
}
