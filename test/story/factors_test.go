package story

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// staffed is a role with two members, of whom one has a phone, and which factors they need.
func (w *world) staffed(mfa *v1alpha1.MFA) *v1alpha1.AIAgentRole {
	w.Helper()
	for _, user := range []oktasim.NewUser{{Login: "ada@example.com", MobilePhone: "+4915112345678"}, {Login: "bob@example.com"}} {
		_, err := w.org.CreateUser(user)
		w.must(nil, err)
	}
	role := w.role("chat", "a")
	role.Spec.Members = &v1alpha1.Members{Users: []v1alpha1.Login{"ada@example.com", "bob@example.com"}}
	role.Spec.MFA = mfa
	return role
}

// TestFactors: what members lack is started where the role asks for it, once and not over
// and over, told of everybody by name, and finished by the people themselves.
func TestFactors(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	role := w.staffed(&v1alpha1.MFA{Factors: []v1alpha1.Factor{v1alpha1.FactorPush, v1alpha1.FactorSMS}, Enroll: v1alpha1.EnrollStart})
	w.create(role)
	readyRole(w, "chat")
	w.waitFactors(role, "ada@example.com Push Pending, ada@example.com SMS Active, bob@example.com Push Pending, bob@example.com SMS NotEnrolled")
	condition := meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionFactorsEnrolled)
	for _, says := range []string{"ada@example.com has not finished enrolling Push", "bob@example.com has not enrolled SMS", "no mobile phone number"} {
		if condition == nil || condition.Status != "False" || !strings.Contains(condition.Message, says) {
			t.Errorf("the condition does not say that %s: %v", says, condition)
		}
	}
	if strings.Contains(string(w.objectsText()), "4915112345678") {
		t.Error("a phone number stands in an object")
	}
	w.mustRequire("okta_password REQUIRED, okta_verify REQUIRED, phone_number REQUIRED")
	w.mustHaveMailed(1)
	w.passRole(role, time.Hour)
	w.mustHaveMailed(1)
	w.passRole(role, 24*time.Hour)
	w.mustHaveMailed(2)

	for _, login := range []string{"ada@example.com", "bob@example.com"} {
		w.must(nil, w.org.CompletePush(login))
	}
	w.must(nil, w.org.SetUserPhone("bob@example.com", "+4915187654321"))
	w.passRole(role, 2*time.Hour)
	w.waitFactors(role, "ada@example.com Push Active, ada@example.com SMS Active, bob@example.com Push Active, bob@example.com SMS Active")
	if !meta.IsStatusConditionTrue(role.Status.Conditions, v1alpha1.ConditionFactorsEnrolled) {
		t.Errorf("everybody has everything, and the condition says %v", role.Status.Conditions)
	}
	w.get("chat", role)
	role.Spec.MFA.Enroll = v1alpha1.EnrollWatch
	w.update(role)
	readyRole(w, "chat")
	w.mustRequire("")
	w.get("chat", role)
	role.Spec.MFA.Enroll = v1alpha1.EnrollStart
	w.update(role)
	readyRole(w, "chat")
	w.mustRequire("okta_password REQUIRED, okta_verify REQUIRED, phone_number REQUIRED")
	w.deleteAndWait(role)
	w.mustRequire("")
}

// mustRequire holds what the enrolment policy of the role asks its members for.
func (w *world) mustRequire(want string) {
	w.Helper()
	var asked []string
	for _, p := range w.org.Snapshot().OrgPolicies {
		if p.Type != "MFA_ENROLL" || p.System {
			continue
		}
		authenticators, _ := p.Settings["authenticators"].([]any)
		for _, each := range authenticators {
			authenticator, _ := each.(map[string]any)
			if enroll, _ := authenticator["enroll"].(map[string]any); enroll["self"] == "REQUIRED" {
				asked = append(asked, fmt.Sprint(authenticator["key"], " REQUIRED"))
			}
		}
	}
	slices.Sort(asked)
	if got := strings.Join(asked, ", "); got != want {
		w.Errorf("the members are asked for %q, want %q", got, want)
	}
}

// TestFactorsWatched: a role that only watches starts nothing, and sees what people do.
func TestFactorsWatched(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	role := w.staffed(&v1alpha1.MFA{Factors: []v1alpha1.Factor{v1alpha1.FactorPush, v1alpha1.FactorTOTP}, Enroll: v1alpha1.EnrollWatch})
	w.create(role)
	readyRole(w, "chat")
	w.waitFactors(role, "ada@example.com Push NotEnrolled, ada@example.com TOTP NotEnrolled, bob@example.com Push NotEnrolled, bob@example.com TOTP NotEnrolled")
	for _, user := range w.org.Snapshot().Users {
		if len(user.Factors) > 0 {
			t.Errorf("an enrolment of %s was started: %v", user.Login, user.Factors)
		}
	}
	w.asPerson("POST", "/api/v1/users/"+w.org.AddUser("ada@example.com")+"/factors", `{"factorType":"push","provider":"OKTA"}`)
	w.must(nil, w.org.CompletePush("ada@example.com"))
	w.passRole(role, 2*time.Hour)
	w.waitFactors(role, "ada@example.com Push Active, ada@example.com TOTP Active, bob@example.com Push NotEnrolled, bob@example.com TOTP NotEnrolled")
	w.get("chat", role)
	role.Spec.MFA = nil
	w.update(role)
	w.waitFactors(role, "")
	if meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionFactorsEnrolled) != nil {
		t.Error("a role that asks for no factors has a condition about them")
	}
}

func factorsOf(role *v1alpha1.AIAgentRole) string {
	var all []string
	for _, member := range role.Status.Members {
		for _, f := range member.Factors {
			all = append(all, string(member.Login)+" "+string(f.Factor)+" "+string(f.State))
		}
	}
	return strings.Join(all, ", ")
}

func (w *world) waitFactors(role *v1alpha1.AIAgentRole, want string) {
	w.Helper()
	w.waitFor(role.Name, role, "with the factors "+want, func() bool { return factorsOf(role) == want })
}

// passRole lets time pass, and waits until the operator has looked at the role after it.
func (w *world) passRole(role *v1alpha1.AIAgentRole, d time.Duration) {
	w.Helper()
	w.pass(d)
	w.nudge(role)
	w.quiet()
}

// mustHaveMailed holds how often each of the two was sent the link to set a push up.
func (w *world) mustHaveMailed(times int) {
	w.Helper()
	got, want := map[string]int{}, map[string]int{}
	for _, user := range w.org.Snapshot().Users {
		want[user.ID] = times
	}
	for _, op := range w.org.Operations() {
		if rest, is := strings.CutSuffix(op.Path, "/lifecycle/activate/email"); is && op.Status == http.StatusNoContent {
			got[strings.Split(rest, "/")[4]]++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("messages with the link (-want +got):\n%s", diff)
	}
}
