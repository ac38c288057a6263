package story

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// callback is where the console takes its codes.
const callback = "https://console.example.com/callback"

// console is the app that the people of these stories sign in to.
const console = "Chatbot console"

// governing lets the story's namespace say who signs in to the console.
func (w *world) governing(o *operator.Options) {
	o.Config.GovernedApps = []configv1alpha1.GovernedApp{{App: console, Namespaces: []string{w.namespace}}}
}

// peopleApp makes an app that people sign in to, and gives its id.
func (w *world) peopleApp(label string) string {
	w.Helper()
	return w.makeApp(label)["id"].(string)
}

func (w *world) makeApp(label string) map[string]any {
	w.Helper()
	return w.askAsPerson("POST", "/api/v1/apps", map[string]any{
		"name": "oidc_client", "label": label, "signOnMode": "OPENID_CONNECT",
		"credentials": map[string]any{"oauthClient": map[string]any{"token_endpoint_auth_method": "client_secret_basic"}},
		"settings": map[string]any{"oauthClient": map[string]any{
			"application_type": "web", "grant_types": []string{"authorization_code"}, "response_types": []string{"code"},
			"redirect_uris": []string{callback},
		}},
	})
}

// zone makes a network zone of the addresses.
func (w *world) zone(name, cidr string) {
	w.Helper()
	w.askAsPerson("POST", "/api/v1/zones", map[string]any{
		"type": "IP", "name": name, "usage": "POLICY", "gateways": []map[string]any{{"type": "CIDR", "value": cidr}},
	})
}

// hire makes a person with a push set up.
func (w *world) hire(login string) {
	w.Helper()
	id := w.org.AddUser(login)
	w.asPerson("POST", "/api/v1/users/"+id+"/factors", `{"factorType":"push","provider":"OKTA"}`)
	w.must(nil, w.org.CompletePush(login))
}

func (w *world) conditional(name string, signIn v1alpha1.SignInPolicy, roles ...v1alpha1.ObjectName) *v1alpha1.AccessPolicy {
	policy := &v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyConditional, Conditional: &v1alpha1.ConditionalPolicy{SignIn: &signIn}},
	}
	for _, role := range roles {
		policy.Spec.Conditional.RoleRefs = append(policy.Spec.Conditional.RoleRefs, v1alpha1.RoleReference{Name: role})
	}
	return policy
}

// compliantMac is what the rules of these stories call a compliant device.
func compliantMac() *v1alpha1.DeviceCondition {
	return &v1alpha1.DeviceCondition{
		Posture: []v1alpha1.DevicePosture{v1alpha1.PostureCompliant},
		Assurances: []v1alpha1.DeviceAssurance{{
			Platform: v1alpha1.DevicePlatformMacOS, Requirements: &v1alpha1.DeviceRequirements{
				MinimumOSVersion: "14.6.1", DiskEncryption: v1alpha1.RequirementRequired, ScreenLock: v1alpha1.ScreenLockPasscode,
			},
		}},
	}
}

// TestSignInConditions: real sign-ins are let in or refused by the policy's rules, and the
// app is under what it was under before when the policy is gone.
func TestSignInConditions(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	app := w.peopleApp(console)
	before := w.governs(app)
	w.hire("ada@example.com")
	w.hire("bob@example.com")
	w.zone("Office", "203.0.113.0/24")
	w.start(impatient, w.governing)
	admins := w.role("admins", "manage")
	admins.Spec.Members = &v1alpha1.Members{Users: []v1alpha1.Login{"ada@example.com"}}
	policy := w.conditional("console", v1alpha1.SignInPolicy{
		Apps: []v1alpha1.AppReference{{Label: console}},
		Rules: []v1alpha1.SignInRule{{
			Name: "compliant",
			When: &v1alpha1.SignInConditions{
				Device: compliantMac(), NetworkZones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{"Office"}},
				RiskLevels: []v1alpha1.RiskLevel{v1alpha1.RiskLow, v1alpha1.RiskMedium},
			},
			With: &v1alpha1.SignInProof{
				FactorMode: v1alpha1.FactorModeTwo, Factors: []v1alpha1.Factor{v1alpha1.FactorPush},
				ReauthenticateAfter: &metav1.Duration{Duration: 2 * time.Hour},
			},
		}},
	}, "admins")
	w.create(policy, admins)
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	readyRole(w, "admins")

	good := oktasim.Attempt{
		Login: "ada@example.com", AppID: app, IP: "203.0.113.7", Factors: []string{"password", "push"},
		Device: oktasim.Device{Registered: true, Platform: "MACOS", OSVersion: "14.7", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "PASSCODE"},
	}
	for name, attempt := range map[string]struct {
		change  func(*oktasim.Attempt)
		allowed bool
		rule    string
	}{
		"as it should be": {func(*oktasim.Attempt) {}, true, "compliant-low"},
		"at medium risk":  {func(a *oktasim.Attempt) { a.Risk = "MEDIUM" }, true, "compliant-medium"},
		"at high risk":    {func(a *oktasim.Attempt) { a.Risk = "HIGH" }, false, "Catch-all Rule"},
		"from elsewhere":  {func(a *oktasim.Attempt) { a.IP = "198.51.100.7" }, false, "Catch-all Rule"},
		"not encrypted":   {func(a *oktasim.Attempt) { a.Device.DiskEncryption = "NONE" }, false, "Catch-all Rule"},
		"not registered":  {func(a *oktasim.Attempt) { a.Device.Registered = false }, false, "Catch-all Rule"},
		"password only":   {func(a *oktasim.Attempt) { a.Factors = []string{"password"} }, false, "compliant-low"},
		"not a member":    {func(a *oktasim.Attempt) { a.Login = "bob@example.com" }, false, "Catch-all Rule"},
	} {
		a := good
		attempt.change(&a)
		got := w.org.SignIn(a)
		if got.Allowed != attempt.allowed || got.RuleName != attempt.rule {
			t.Errorf("%s: allowed %v by rule %q (%s), want %v by %q", name, got.Allowed, got.RuleName, got.Why, attempt.allowed, attempt.rule)
		}
	}
	since := len(w.org.Operations())
	w.nudge(policy)
	w.quiet()
	for _, op := range w.org.Operations()[since:] {
		if op.Write {
			t.Errorf("nothing was to be done, and %s %s was called", op.Method, op.Path)
		}
	}

	w.get("console", policy)
	policy.Spec.Conditional.SignIn.Rules[0].When.Device = nil
	w.update(policy)
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	bare := good
	bare.Device = oktasim.Device{}
	if got := w.org.SignIn(bare); !got.Allowed {
		t.Errorf("without a condition on the device: %s", got.Why)
	}
	if left := w.org.Snapshot().Assurances; len(left) != 0 {
		t.Errorf("device assurances are left: %v", left)
	}

	w.deleteAndWait(policy)
	if after := w.governs(app); after != before {
		t.Errorf("the app is under %s, and was under %s before", after, before)
	}
	for _, p := range w.org.Snapshot().OrgPolicies {
		if p.Name == "k8s/"+w.namespace+"/"+w.namespace+"/console" {
			t.Errorf("policy %s is left", p.ID)
		}
	}
}

// governs gives the policy that the app is under.
func (w *world) governs(app string) string {
	w.Helper()
	for _, a := range w.org.Snapshot().Apps {
		if a.ID == app {
			return a.AccessPolicyID
		}
	}
	w.Fatalf("there is no app %s", app)
	return ""
}
