package story

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// places are where people sign in from.
var places = map[string]string{"office": "203.0.113.7", "home": "198.51.100.7", "barred": "192.0.2.7"}

// machines are what they sign in with.
var machines = map[string]oktasim.Device{
	"mac":        {Registered: true, Platform: "MACOS", OSVersion: "15.0", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "PASSCODE"},
	"mac-14.6.1": {Registered: true, Platform: "MACOS", OSVersion: "14.6.1", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "BIOMETRIC"},
	"mac-14.6":   {Registered: true, Platform: "MACOS", OSVersion: "14.6", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "PASSCODE"},
	"mac-open":   {Registered: true, Platform: "MACOS", OSVersion: "15.0", DiskEncryption: "NONE", ScreenLock: "PASSCODE"},
	"mac-ajar":   {Registered: true, Platform: "MACOS", OSVersion: "15.0", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "NONE"},
	"mac-own":    {Platform: "MACOS", OSVersion: "15.0", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "PASSCODE"},
	"mac-fleet":  {Registered: true, Managed: true, Platform: "MACOS", OSVersion: "15.0", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "PASSCODE"},
	"win":        {Registered: true, Platform: "WINDOWS", OSVersion: "10.0.22631", DiskEncryption: "ALL_INTERNAL_VOLUMES", ScreenLock: "PASSCODE"},
	"win-open":   {Registered: true, Platform: "WINDOWS", OSVersion: "10.0.22631", DiskEncryption: "NONE", ScreenLock: "PASSCODE"},
	"linux":      {Registered: true, Platform: "LINUX"},
	"linux-own":  {Platform: "LINUX"},
	"fleet":      {Registered: true, Managed: true, Platform: "LINUX"},
	"ios":        {Registered: true, Platform: "IOS", OSVersion: "18.0"},
	"ios-own":    {Platform: "IOS", OSVersion: "18.0"},
	"droid-own":  {Platform: "ANDROID", OSVersion: "15"},
}

// attempts are sign-ins: who, from where, on what, at which risk, with which factors, and
// what decides. The last two columns were written from Okta's documentation of app sign-in
// policies before they were run: rules are tried by priority, the first whose conditions
// all hold decides, and a proof that does not suffice is a refusal by that rule
// (https://help.okta.com/oie/en-us/content/topics/identity-engine/policies/about-app-sign-on-policies.htm).
const attempts = `
ada  office mac        LOW    password+push      allow  admins-office-low
ada  office mac        MEDIUM password+push      allow  admins-office-medium
ada  office mac        HIGH   password+push      refuse Catch-all Rule
ada  office mac-14.6.1 LOW    password+push      allow  admins-office-low
ada  office mac-14.6   LOW    password+push      refuse Catch-all Rule
ada  office mac-open   LOW    password+push      refuse Catch-all Rule
ada  office mac-ajar   LOW    password+push      refuse Catch-all Rule
ada  office mac-own    LOW    password+push      refuse Catch-all Rule
ada  office win        LOW    password+push      allow  admins-office-low
ada  office win-open   LOW    password+push      refuse Catch-all Rule
ada  office linux      LOW    password+push      refuse Catch-all Rule
ada  office ios        LOW    password+push      refuse Catch-all Rule
ada  home   mac        LOW    password+push      refuse Catch-all Rule
ada  barred mac        LOW    password+push      refuse Catch-all Rule
ada  office mac        LOW    password           refuse admins-office-low
ada  office mac        LOW    push               refuse admins-office-low
ada  office mac        LOW    password+sms       refuse admins-office-low
ada  office mac        LOW    password+totp      refuse admins-office-low
ada  office mac        LOW    password+email     refuse admins-office-low
ada  office mac        LOW    password+webauthn  allow  admins-office-low
ada  office mac        MEDIUM password+sms       refuse admins-office-medium
ada  home   fleet      LOW    password+webauthn  allow  admins-fleet
ada  home   fleet      LOW    password+push      refuse admins-fleet
ada  home   fleet      LOW    password+sms       refuse admins-fleet
ada  home   fleet      HIGH   password+webauthn  allow  admins-fleet
ada  barred fleet      LOW    password+webauthn  allow  admins-fleet
ada  office fleet      LOW    password+webauthn  allow  admins-fleet
ada  office mac-fleet  LOW    password+push      allow  admins-office-low
ada  office mac-fleet  HIGH   password+push      refuse admins-fleet
ada  home   mac-fleet  LOW    password+webauthn  allow  admins-fleet
bob  home   linux      LOW    password+push      allow  users-registered
bob  home   linux      LOW    password+sms       allow  users-registered
bob  home   linux      HIGH   password+push      allow  users-registered
bob  office linux      LOW    password+push      allow  users-registered
bob  home   linux      LOW    password+email     refuse users-registered
bob  home   linux      LOW    password+webauthn  refuse users-registered
bob  home   linux      LOW    password           refuse users-registered
bob  home   linux      LOW    sms                refuse users-registered
bob  barred linux      LOW    password+push      refuse Catch-all Rule
bob  home   linux-own  LOW    password+push      refuse Catch-all Rule
bob  home   mac-own    LOW    password+push      refuse Catch-all Rule
bob  office mac        LOW    password+push      allow  users-registered
bob  home   ios        LOW    password+push      allow  users-registered
bob  barred ios        LOW    password+push      allow  users-phone
bob  home   ios-own    LOW    password+push      allow  users-phone
bob  home   ios-own    LOW    password+sms       refuse users-phone
bob  barred ios-own    LOW    password+push      allow  users-phone
bob  home   droid-own  LOW    password+push      allow  users-phone
bob  home   droid-own  HIGH   password+push      allow  users-phone
bob  home   droid-own  LOW    password           refuse users-phone
bob  home   fleet      LOW    password+webauthn  refuse users-registered
eve  office mac-own    LOW    password           allow  contractors
eve  office linux-own  LOW    push               allow  contractors
eve  office linux-own  LOW    webauthn           allow  contractors
eve  office mac-own    HIGH   password           allow  contractors
eve  home   mac-own    LOW    password           refuse Catch-all Rule
eve  home   mac        LOW    password+push      refuse Catch-all Rule
eve  barred mac-own    LOW    password+push      refuse Catch-all Rule
carl home   linux      LOW    password+push      refuse Catch-all Rule
carl home   ios-own    LOW    password+push      refuse Catch-all Rule
dan  office mac        LOW    password+push      refuse Catch-all Rule
dan  office mac-own    LOW    password           refuse Catch-all Rule
gus  home   linux      LOW    password+push      allow  users-registered
gus  office mac        LOW    password+push      allow  admins-office-low
gus  office mac        LOW    password+sms       refuse admins-office-low
gus  home   fleet      LOW    password+push      refuse admins-fleet
gus  home   ios-own    LOW    password+push      allow  users-phone
sue  home   linux      LOW    password+push      refuse -
`

// TestSignInTable plays the attempts against the policy that the operator makes. Carl was
// a user until a moment ago, Dan never was anything, Gus is both, Sue is suspended.
func TestSignInTable(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	app := w.peopleApp(console)
	w.zone("Office", "203.0.113.0/24")
	w.zone("Barred", "192.0.2.0/24")
	w.must(nil, w.org.SetAuthenticators("okta_password", "okta_email", "okta_verify", "phone_number", "webauthn"))
	for i, name := range []string{"ada", "bob", "eve", "carl", "dan", "gus", "sue"} {
		w.equip(name+"@example.com", fmt.Sprintf("+491511234567%d", i))
	}
	w.start(impatient, w.governing)
	admins, users, contractors := w.staffedWith("admins", "ada", "gus"), w.staffedWith("users", "bob", "carl", "gus", "sue"), w.staffedWith("contractors", "eve")
	policy := w.conditional("console", signInTablePolicy(), "admins", "users", "contractors")
	w.create(admins, users, contractors, policy)
	for _, name := range []string{"admins", "users", "contractors"} {
		readyRole(w, name)
	}
	w.waitReason("console", policy, v1alpha1.ReasonReady)
	w.must(nil, w.org.SetUserStatus("sue@example.com", "SUSPENDED"))
	w.get("users", users)
	users.Spec.Members.Users = []v1alpha1.Login{"bob@example.com", "gus@example.com", "sue@example.com"}
	w.update(users)
	readyRole(w, "users")
	played := 0
	for line := range strings.Lines(strings.TrimSpace(attempts)) {
		fields := strings.Fields(line)
		who, where, device, risk, factors, verdict := fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]
		rule := strings.Join(fields[6:], " ")
		got := w.org.SignIn(oktasim.Attempt{
			Login: who + "@example.com", AppID: app, IP: places[where], Device: machines[device], Risk: risk, Factors: strings.Split(factors, "+"),
		})
		if rule == "-" {
			rule = ""
		}
		if got.Allowed != (verdict == "allow") || got.RuleName != rule {
			t.Errorf("%s: allowed %v by rule %q (%s)", strings.TrimSpace(line), got.Allowed, got.RuleName, got.Why)
		}
		played++
	}
	if played < 60 {
		t.Errorf("only %d attempts were played", played)
	}
}

func signInTablePolicy() v1alpha1.SignInPolicy {
	device := compliantMac()
	device.Assurances = append(device.Assurances, v1alpha1.DeviceAssurance{
		Platform: v1alpha1.DevicePlatformWindows, Requirements: &v1alpha1.DeviceRequirements{DiskEncryption: v1alpha1.RequirementRequired},
	})
	role := func(name v1alpha1.ObjectName) []v1alpha1.RoleReference { return []v1alpha1.RoleReference{{Name: name}} }
	two := func(factors ...v1alpha1.Factor) *v1alpha1.SignInProof {
		return &v1alpha1.SignInProof{FactorMode: v1alpha1.FactorModeTwo, Factors: factors, ReauthenticateAfter: &metav1.Duration{Duration: time.Hour}}
	}
	resistant, bound := two(), two()
	resistant.Properties = []v1alpha1.FactorProperty{v1alpha1.FactorPhishingResistant}
	bound.Properties = []v1alpha1.FactorProperty{v1alpha1.FactorDeviceBound}
	return v1alpha1.SignInPolicy{
		Apps: []v1alpha1.AppReference{{Label: console}},
		Rules: []v1alpha1.SignInRule{
			{
				Name: "admins-office", RoleRefs: role("admins"), With: two(v1alpha1.FactorPush, v1alpha1.FactorWebAuthn),
				When: &v1alpha1.SignInConditions{
					Device: device, NetworkZones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{"Office"}},
					RiskLevels: []v1alpha1.RiskLevel{v1alpha1.RiskLow, v1alpha1.RiskMedium},
					Platforms:  []v1alpha1.Platform{v1alpha1.PlatformMacOS, v1alpha1.PlatformWindows},
				},
			},
			{
				Name: "admins-fleet", RoleRefs: role("admins"), With: resistant,
				When: &v1alpha1.SignInConditions{Device: &v1alpha1.DeviceCondition{Posture: []v1alpha1.DevicePosture{v1alpha1.PostureManaged}}},
			},
			{
				Name: "users-registered", RoleRefs: role("users"), With: two(v1alpha1.FactorSMS, v1alpha1.FactorPush),
				When: &v1alpha1.SignInConditions{
					Device:       &v1alpha1.DeviceCondition{Posture: []v1alpha1.DevicePosture{v1alpha1.PostureRegistered}},
					NetworkZones: &v1alpha1.NetworkZones{Deny: []v1alpha1.NetworkZoneName{"Barred"}},
				},
			},
			{
				Name: "users-phone", RoleRefs: role("users"), With: bound,
				When: &v1alpha1.SignInConditions{Platforms: []v1alpha1.Platform{v1alpha1.PlatformIOS, v1alpha1.PlatformAndroid}},
			},
			{
				Name: "contractors", RoleRefs: role("contractors"), With: &v1alpha1.SignInProof{FactorMode: v1alpha1.FactorModeOne},
				When: &v1alpha1.SignInConditions{NetworkZones: &v1alpha1.NetworkZones{Allow: []v1alpha1.NetworkZoneName{"Office"}}},
			},
		},
	}
}

func (w *world) staffedWith(name string, people ...string) *v1alpha1.AIAgentRole {
	role := w.role(name, v1alpha1.PermissionName(name))
	role.Spec.Members = &v1alpha1.Members{}
	for _, person := range people {
		role.Spec.Members.Users = append(role.Spec.Members.Users, v1alpha1.Login(person+"@example.com"))
	}
	return role
}

// equip makes a person who has set up every factor there is.
func (w *world) equip(login, phone string) {
	w.Helper()
	id, err := w.org.CreateUser(oktasim.NewUser{Login: login, Email: login, MobilePhone: phone})
	w.must(nil, err)
	factors := "/api/v1/users/" + id + "/factors"
	w.asPerson(http.MethodPost, factors, `{"factorType":"push","provider":"OKTA"}`)
	w.must(nil, w.org.CompletePush(login))
	w.asPerson(http.MethodPost, factors+"?activate=true", fmt.Sprintf(`{"factorType":"sms","provider":"OKTA","profile":{"phoneNumber":%q}}`, phone))
	w.asPerson(http.MethodPost, factors+"?activate=true", fmt.Sprintf(`{"factorType":"email","provider":"OKTA","profile":{"email":%q}}`, login))
	key := w.askAsPerson(http.MethodPost, factors, map[string]any{"factorType": "webauthn", "provider": "FIDO"})
	w.must(nil, w.org.CompleteFactor(login, key["id"].(string)))
}
