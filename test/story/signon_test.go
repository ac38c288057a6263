package story

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// signOns are sign-ins to an org of the Classic Engine: who, from where, with which factors,
// and what decides. The last two columns were written from Okta's documentation of sign-on
// policies before they were run: policies are asked by priority; one applies to whom it is
// for when one of its rules matches, and else the next is asked; a policy without rules
// never applies; the default is the last, for everybody
// (https://help.okta.com/en/prod/Content/Topics/Security/policies/about-signon-policies.htm).
// The password comes first, and "MFA required" asks for a factor besides
// (https://support.okta.com/help/s/article/How-to-manage-the-Okta-session-for-end-users).
const signOns = `
ada office password+push allow  office
ada office password+sms  allow  office
ada office password      refuse office
ada office push          refuse office
ada branch password      allow  branch
ada branch password+push allow  branch
ada home   password+push refuse Nobody else
ada home   password      refuse Nobody else
ada barred password+push refuse Nobody else
gus office password+push allow  office
gus home   password+push refuse Nobody else
bob home   password      allow  Default Rule
bob office password      allow  Default Rule
eve home   password+push refuse -
`

// atTheOperators has the story play in the operator's own namespace.
func (w *world) atTheOperators(o *operator.Options) {
	o.Config.Manager.LeaderElectionNamespace = w.namespace
}

// newClassicWorld is an org of the Classic Engine with a console, which it gives as it was
// made, Ada, Bob and Gus, who have all factors, and Eve, who has none.
func newClassicWorld(t *testing.T, from ...time.Time) (*world, map[string]any) {
	t.Helper()
	var w *world
	if len(from) > 0 {
		w = newStandingWorld(t, from[0], oktasim.Options{Classic: true})
	} else {
		w = newWorld(t, oktasim.Options{Classic: true})
	}
	app := w.makeApp(console)
	w.must(nil, w.org.SetAuthenticators("okta_password", "okta_email", "okta_verify", "phone_number", "webauthn"))
	for i, who := range []string{"ada", "gus", "bob"} {
		w.equip(who+"@example.com", fmt.Sprintf("+491511234567%d", i))
	}
	w.org.AddUser("eve@example.com")
	w.zone("Office", "203.0.113.0/24")
	w.zone("Branch", "198.51.100.128/25")
	return w, app
}

// sessions lets the people of the two roles in from two places.
func (w *world) sessions() *v1alpha1.AccessPolicy {
	from := func(zone v1alpha1.NetworkZoneName) *v1alpha1.SignInConditions {
		return &v1alpha1.SignInConditions{NetworkZones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{zone}}}
	}
	return w.conditional("console", v1alpha1.SignInPolicy{
		Apps: []v1alpha1.AppReference{{Label: console}},
		Rules: []v1alpha1.SignInRule{
			{Name: "office", When: from("Office"), With: &v1alpha1.SignInProof{ReauthenticateAfter: &metav1.Duration{Duration: 8 * time.Hour}}},
			{Name: "branch", When: from("Branch"), With: &v1alpha1.SignInProof{FactorMode: v1alpha1.FactorModeOne}},
		},
	}, "admins", "users")
}

// mustDecide holds a sign-in to the rule that decides, and what it says.
func (w *world) mustDecide(who, ip, factors string, allowed bool, rule string) {
	w.Helper()
	app := ""
	for _, a := range w.org.Snapshot().Apps {
		if a.Label == console {
			app = a.ID
		}
	}
	got := w.org.SignIn(oktasim.Attempt{Login: who + "@example.com", AppID: app, IP: ip, Factors: strings.Split(factors, "+")})
	if got.Allowed != allowed || got.RuleName != rule {
		w.Errorf("%s from %s with %s: allowed %v by rule %q (%s), want %v by %q", who, ip, factors, got.Allowed, got.RuleName, got.Why, allowed, rule)
	}
}

// signOnPolicies are the sign-on policies that somebody made, by name.
func (w *world) signOnPolicies() map[string]oktasim.OrgPolicy {
	made := map[string]oktasim.OrgPolicy{}
	for _, p := range w.org.Snapshot().OrgPolicies {
		if p.Type == "OKTA_SIGN_ON" && !p.System {
			made[p.Name] = p
		}
	}
	return made
}

// TestSignOn: real sign-ins to an org without Identity Engine are decided by the policy, for
// whom it is, and by Okta's own for everybody else; whoever leaves the role is free of it,
// and so is everybody when it is deleted.
func TestSignOn(t *testing.T) {
	w, _ := newClassicWorld(t)
	w.signInWithKey(slices.Concat(okta.RequiredScopes(), okta.PeopleScopes(), okta.SignInScopes())...)
	w.start(impatient, w.atTheOperators)
	policy, admins := w.sessions(), w.staffedWith("admins", "ada")
	w.create(policy, admins, w.staffedWith("users", "gus"))
	readyRole(w, "admins")
	readyRole(w, "users")
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	ips := map[string]string{"office": "203.0.113.7", "branch": "198.51.100.200", "home": "198.51.100.7", "barred": "192.0.2.7"}
	for line := range strings.Lines(strings.TrimSpace(signOns)) {
		fields := strings.Fields(line)
		rule := strings.TrimPrefix(strings.Join(fields[4:], " "), "-")
		w.mustDecide(fields[0], ips[fields[1]], fields[2], fields[3] == "allow", rule)
	}
	if made := w.signOnPolicies(); len(made) != 1 || policy.Status.Conditional.SignOnPolicyID == "" {
		t.Errorf("the status tells of %+v, and there are %+v", policy.Status.Conditional, made)
	}
	since := len(w.org.Operations())
	w.nudge(policy)
	w.quiet()
	for _, op := range w.org.Operations()[since:] {
		if op.Write {
			t.Errorf("nothing was to be done, and %s %s was called", op.Method, op.Path)
		}
	}
	w.get("admins", admins)
	admins.Spec.Members.Users = []v1alpha1.Login{"bob@example.com"}
	w.update(admins)
	readyRole(w, "admins")
	w.mustDecide("ada", ips["home"], "password", true, "Default Rule")
	w.mustDecide("bob", ips["home"], "password", false, "Nobody else")
	w.get("console", policy)
	w.deleteAndWait(policy)
	w.mustDecide("bob", ips["home"], "password", true, "Default Rule")
	if left := w.signOnPolicies(); len(left) != 0 {
		t.Errorf("sign-on policies are left: %+v", left)
	}
}

// TestSignOnCannot: what an org without Identity Engine cannot ask for is refused by the name
// of the field, and no part of it is written, neither at first nor over what was there.
func TestSignOnCannot(t *testing.T) {
	w, app := newClassicWorld(t)
	w.start(impatient, w.atTheOperators)
	policy := w.sessions()
	office := &policy.Spec.Conditional.SignIn.Rules[0]
	office.When.Device, office.When.Platforms = compliantMac(), []v1alpha1.Platform{v1alpha1.PlatformMacOS}
	office.When.RiskLevels = []v1alpha1.RiskLevel{v1alpha1.RiskLow}
	office.With = &v1alpha1.SignInProof{
		FactorMode: v1alpha1.FactorModeTwo, Factors: []v1alpha1.Factor{v1alpha1.FactorPush},
		Properties: []v1alpha1.FactorProperty{v1alpha1.FactorDeviceBound}, ReauthenticateAfter: &metav1.Duration{},
	}
	office.RoleRefs = policy.Spec.Conditional.RoleRefs[:1]
	w.create(policy, w.staffedWith("admins", "ada"), w.staffedWith("users", "gus"))
	w.mustRefuse(policy, "roleRefs", "when.device", "when.platforms", "when.riskLevels", "with.factors", "with.properties", "with.reauthenticateAfter")
	if made := w.signOnPolicies(); len(made) != 0 {
		t.Errorf("some of it is written: %+v", made)
	}
	w.mustDecide("ada", "198.51.100.7", "password", true, "Default Rule")

	policy.Spec.Conditional.SignIn.Rules = []v1alpha1.SignInRule{{Name: "two"}}
	w.update(policy)
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	if got := w.scopesOf(app, "ada", "admins"); got != "admins" {
		t.Errorf("Ada signs in, and gets %q", got)
	}
	before := w.org.Snapshot()
	policy.Spec.Conditional.SignIn.Rules[0].When = &v1alpha1.SignInConditions{Device: compliantMac()}
	w.update(policy)
	w.mustRefuse(policy, "when.device")
	if got := w.scopesOf(app, "ada", "admins"); got != "" {
		t.Errorf("Ada shows no device, and gets %q", got)
	}
	if after := w.org.Snapshot(); fmt.Sprint(after.OrgPolicies, after.OrgRules) != fmt.Sprint(before.OrgPolicies, before.OrgRules) {
		t.Errorf("what stood before is changed: %+v", after.OrgPolicies)
	}
	w.mustDecide("ada", "198.51.100.7", "password", false, "two")
	w.deleteAndWait(policy)
	if left := w.signOnPolicies(); len(left) != 0 {
		t.Errorf("sign-on policies are left: %+v", left)
	}
}

// mustRefuse waits until the policy is refused, and holds that the condition names the fields.
func (w *world) mustRefuse(policy *v1alpha1.AccessPolicy, fields ...string) {
	w.Helper()
	w.waitReason(policy.Name, policy, v1alpha1.ReasonFeatureUnavailable)
	for _, field := range fields {
		if !strings.Contains(messageOf(policy, v1alpha1.ConditionStalled), "."+field) {
			w.Errorf("%s is not named: %s", field, messageOf(policy, v1alpha1.ConditionStalled))
		}
	}
	if c := meta.FindStatusCondition(policy.Status.Conditions, v1alpha1.ConditionEffective); c == nil || c.Reason != v1alpha1.ReasonConditionNotSupported {
		w.Errorf("the condition Effective is %+v", c)
	}
}

// TestSignOnNotAtHome: how people sign in to all apps only an administrator says.
func TestSignOnNotAtHome(t *testing.T) {
	w, _ := newClassicWorld(t)
	team := w.namespace + "-team"
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team}})
	w.start(impatient, w.atTheOperators, w.governing, func(o *operator.Options) {
		o.Config.Namespaces = append(o.Config.Namespaces, team)
		o.Config.GovernedApps[0].Namespaces = []string{team}
	})
	home := w.namespace
	w.namespace = team
	policy := w.sessions()
	w.create(policy, w.staffedWith("admins", "ada"), w.staffedWith("users", "gus"))
	w.waitReason("console", policy, v1alpha1.ReasonNotHonouredHere)
	if message := messageOfReady(policy); !strings.Contains(message, fmt.Sprintf("%q", home)) {
		t.Errorf("the message does not name the namespace: %s", message)
	}
	if made := w.signOnPolicies(); len(made) != 0 {
		t.Errorf("it is written: %+v", made)
	}
	w.deleteAndWait(policy)
}

// TestSignOnShadowed: a policy of a person that is asked first is told of, and left where it
// is; when it is gone, ours decides.
func TestSignOnShadowed(t *testing.T) {
	w, _ := newClassicWorld(t, time.Now())
	w.start(impatient, w.atTheOperators)
	everyone := w.org.Snapshot().Groups[0].ID
	other := w.askAsPerson("POST", "/api/v1/policies", map[string]any{
		"type": "OKTA_SIGN_ON", "name": "Legacy", "conditions": map[string]any{"people": map[string]any{"groups": map[string]any{"include": []string{everyone}}}},
	})
	w.askAsPerson("POST", "/api/v1/policies/"+other["id"].(string)+"/rules", map[string]any{
		"type": "SIGN_ON", "name": "all", "actions": map[string]any{"signon": map[string]any{"access": "ALLOW"}},
	})
	policy := w.sessions()
	w.create(policy, w.staffedWith("admins", "ada"), w.staffedWith("users", "gus"))
	w.waitReason("console", policy, v1alpha1.ReasonShadowed)
	if message := messageOf(policy, v1alpha1.ConditionStalled); !strings.Contains(message, "Legacy") {
		t.Errorf("the message does not name the policy: %s", message)
	}
	w.mustDecide("ada", "198.51.100.7", "password", true, "all")
	made := w.signOnPolicies()
	if len(made) != 2 || made["Legacy"].Priority != 1 {
		t.Errorf("somebody's policy was moved: %+v", made)
	}
	w.asPerson("DELETE", "/api/v1/policies/"+other["id"].(string), "")
	w.standing.Step(5 * time.Minute)
	w.nudge(policy)
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	w.mustDecide("ada", "198.51.100.7", "password", false, "Nobody else")
}

// TestSignOnSwitchedOff: what a person switches off in Okta stays so, whatever of the status
// is lost; the policy says how to have it back, and people get no tokens past it.
func TestSignOnSwitchedOff(t *testing.T) {
	w, app := newClassicWorld(t, time.Now())
	w.start(impatient, w.atTheOperators)
	policy := w.sessions()
	w.create(policy, w.staffedWith("admins", "ada"), w.staffedWith("users", "gus"))
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	path := "/api/v1/policies/" + policy.Status.Conditional.SignOnPolicyID
	w.asPerson("POST", path+"/lifecycle/deactivate", "")
	w.standing.Step(time.Hour)
	w.get("console", policy)
	policy.Status.Conditional = nil
	w.must(nil, cluster.admin.Status().Update(context.Background(), policy))
	w.nudge(policy)
	w.waitReason("console", policy, v1alpha1.ReasonDeactivatedInDirectory)
	if message := messageOf(policy, v1alpha1.ConditionStalled); !strings.Contains(message, "Activate it there") {
		t.Errorf("it does not say how to have it back: %s", message)
	}
	w.mustDecide("ada", "198.51.100.7", "password", true, "Default Rule")
	if got := w.scopesOf(app, "ada", "admins"); got != "" {
		t.Errorf("Ada signs in past the policy, and gets %q", got)
	}
	w.asPerson("POST", path+"/lifecycle/activate", "")
	w.standing.Step(10 * time.Minute)
	w.nudge(policy)
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	w.mustDecide("ada", "198.51.100.7", "password", false, "Nobody else")
}

// TestSignOnTwice: of two policies for the same role the one that was there first counts, and
// the other says so; when the first goes, though its status was lost, the other takes over.
func TestSignOnTwice(t *testing.T) {
	w, _ := newClassicWorld(t, time.Now())
	w.start(impatient, w.atTheOperators)
	first := w.sessions()
	w.create(first, w.staffedWith("admins", "ada"), w.staffedWith("users", "gus"))
	w.waitReason("console", first, v1alpha1.ReasonReady)
	second := w.conditional("second", v1alpha1.SignInPolicy{
		Apps: first.Spec.Conditional.SignIn.Apps, Rules: []v1alpha1.SignInRule{{Name: "anywhere"}},
	}, "admins")
	w.create(second)
	w.waitReason("second", second, v1alpha1.ReasonShadowed)
	message := messageOf(second, v1alpha1.ConditionStalled)
	if !strings.Contains(message, "/console") || !strings.Contains(message, "name each role in one of them only") || strings.Contains(message, "in Okta, take") {
		t.Errorf("the message does not name the policy, or says what to do about one of somebody else: %s", message)
	}
	w.mustDecide("ada", "198.51.100.7", "password+push", false, "Nobody else")
	w.get("console", first)
	first.Status.Conditional = nil
	w.must(nil, cluster.admin.Status().Update(context.Background(), first))
	w.deleteAndWait(first)
	w.standing.Step(5 * time.Minute)
	w.nudge(second)
	w.waitReason("second", second, v1alpha1.ReasonReady)
	w.mustDecide("ada", "198.51.100.7", "password+push", true, "anywhere")
	w.mustDecide("gus", "198.51.100.7", "password", true, "Default Rule")
}

// newUpgradedWorld is an org that had a policy for all apps, and has moved to Identity Engine
// since; the operator is about to see that.
func newUpgradedWorld(t *testing.T) (*world, *v1alpha1.AccessPolicy) {
	t.Helper()
	w, _ := newClassicWorld(t, time.Now())
	w.start(impatient, w.atTheOperators)
	policy := w.sessions()
	w.create(policy, w.staffedWith("admins", "ada"), w.staffedWith("users", "gus"))
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	w.asPerson("POST", "/_sim/settings", `{"classic":false}`)
	w.standing.Step(time.Hour)
	return w, policy
}

// TestSignOnUpgraded: an org that moves to Identity Engine gets a policy for the app in place
// of that for all apps.
func TestSignOnUpgraded(t *testing.T) {
	w, policy := newUpgradedWorld(t)
	w.nudge(policy)
	w.eventually("the app is under a policy of its own", func() bool {
		w.get("console", policy)
		return policy.Status.Conditional != nil && policy.Status.Conditional.PolicyID != "" && policy.Status.Conditional.SignOnPolicyID == ""
	})
	if left := w.signOnPolicies(); len(left) != 0 {
		t.Errorf("sign-on policies are left: %+v", left)
	}
	w.mustDecide("ada", "203.0.113.7", "password+push", true, "office")
	w.mustDecide("ada", "198.51.100.7", "password+push", false, "Catch-all Rule")
	w.deleteAndWait(policy)
}

// TestSignOnUpgradedAndWithdrawn: when the app may not be governed any more, the policy for all
// apps goes too, though the org has been upgraded before it was replaced.
func TestSignOnUpgradedAndWithdrawn(t *testing.T) {
	w, policy := newUpgradedWorld(t)
	w.create(&v1alpha1.AccessPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "ceiling"},
		Spec: v1alpha1.AccessPolicySpec{Type: v1alpha1.PolicyCeiling, Ceiling: &v1alpha1.CeilingPolicy{
			NamespaceSelector: &metav1.LabelSelector{}, Apps: []v1alpha1.AppReference{{Label: "another app"}},
		}},
	})
	w.waitReason("console", policy, v1alpha1.ReasonAppNotAllowed)
	if meta.IsStatusConditionTrue(policy.Status.Conditions, v1alpha1.ConditionEffective) {
		t.Error("it is withdrawn, and still Effective")
	}
	w.eventually("the policy for all apps is gone", func() bool { return len(w.signOnPolicies()) == 0 })
	w.get("console", policy)
	w.deleteAndWait(policy)
}
