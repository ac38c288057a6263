package story

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// phoneSecret is a Secret that people wrote, by the first part of logins. It has no label:
// nobody has to know of one.
func (w *world) phoneSecret(numbers map[string]string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "phones"}, StringData: map[string]string{}}
	for who, number := range numbers {
		secret.StringData[who+"_example.com"] = number
	}
	return secret
}

// texted is a role whose members need text messages, with the numbers of their profiles, or
// without one.
func (w *world) texted(profiles map[string]string, names ...string) *v1alpha1.AIAgentRole {
	w.Helper()
	for _, name := range names {
		_, err := w.org.CreateUser(oktasim.NewUser{Login: name + "@example.com", MobilePhone: profiles[name]})
		w.must(nil, err)
	}
	role := w.staffedWith("chat", names...)
	role.Spec.MFA = &v1alpha1.MFA{
		Factors: []v1alpha1.Factor{v1alpha1.FactorSMS}, Enroll: v1alpha1.EnrollStart,
		PhoneNumbersSecretRef: &v1alpha1.SecretReference{Name: "phones"},
	}
	return role
}

// waitText waits for what the members have of text messages.
func (w *world) waitText(role *v1alpha1.AIAgentRole, want string) {
	w.Helper()
	var states []string
	for _, each := range strings.Split(want, ", ") {
		who, state, _ := strings.Cut(each, " ")
		states = append(states, who+"@example.com SMS "+state)
	}
	w.waitFactors(role, strings.Join(states, ", "))
}

// smsOf gives the path of somebody's text message factor, and its number.
func (w *world) smsOf(who string) (path, number string) {
	w.Helper()
	for _, user := range w.org.Snapshot().Users {
		for _, f := range user.Factors {
			if user.Login == who+"@example.com" && f.Type == "sms" {
				path = "/api/v1/users/" + user.ID + "/factors/" + f.ID
				return path, w.askAsPerson("GET", path, nil)["profile"].(map[string]any)["phoneNumber"].(string)
			}
		}
	}
	w.Fatalf("%s has no text messages", who)
	return "", ""
}

// mustMiss holds what the condition says of members, and that it says none of the numbers.
func (w *world) mustMiss(role *v1alpha1.AIAgentRole, says ...string) {
	w.Helper()
	condition := meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionFactorsEnrolled)
	for _, each := range says {
		if condition == nil || condition.Status != metav1.ConditionFalse || !strings.Contains(condition.Message, each) {
			w.Errorf("the condition does not say %q: %v", each, condition)
		}
	}
	if strings.Contains(string(w.objectsText()), "491510") {
		w.Errorf("a number stands in an object")
	}
}

// TestPhoneNumbersFromSecret: whose number stands in the role's Secret gets a code there, and
// has the factor when it was entered; who has none there is enrolled with that of the
// profile; what is wrong is told of the person; and a Secret that is corrected is noticed.
func TestPhoneNumbersFromSecret(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	role := w.texted(map[string]string{
		"ada": "+4915100000001", "carl": "+4915100000003", "fay": "+49 151 0000-0006",
	}, "ada", "bob", "carl", "dan", "eve", "fay")
	w.create(role)
	readyRole(w, "chat")
	w.waitText(role, "ada NotEnrolled, bob NotEnrolled, carl NotEnrolled, dan NotEnrolled, eve NotEnrolled, fay NotEnrolled")
	w.mustMiss(role, "ada@example.com has not enrolled SMS (there is no Secret phones")

	secret := w.phoneSecret(map[string]string{
		"bob": "+4915100000002\n", "carl": "+4915100000033", "dan": "0151 00000004", "fay": "+4915100000006", "nobody": "+4915100000099",
	})
	w.create(secret)
	w.passRole(role, 5*time.Minute)
	w.waitText(role, "ada Active, bob Pending, carl Pending, dan NotEnrolled, eve NotEnrolled, fay Active")
	w.mustMiss(role, "bob@example.com has not finished enrolling SMS", "(of Secret phones, key dan_example.com has no number in E.164 form",
		"no mobile phone number, and Secret phones has none at the key eve_example.com")
	if _, number := w.smsOf("carl"); number != "+4915100000033" {
		t.Errorf("the number of the profile is enrolled, not that of the Secret: %s", number)
	}
	bobs, _ := w.smsOf("bob")
	code, err := w.org.LastSMSCode("bob@example.com")
	w.must(nil, err)
	w.askAsPerson("POST", bobs+"/lifecycle/activate", map[string]any{"passCode": code})

	corrected := w.phoneSecret(map[string]string{
		"bob": "+4915100000002", "carl": "+4915100000003", "dan": "+4915100000004", "eve": "+4915100000005",
	})
	corrected.ResourceVersion = secret.ResourceVersion
	w.update(corrected)
	w.passRole(role, 5*time.Minute)
	w.waitText(role, "ada Active, bob Active, carl Active, dan Pending, eve Pending, fay Active")
}

// TestPhoneNumberInUse: a number that the person has proved to be theirs is not replaced; that
// it is another than the Secret says is told.
func TestPhoneNumberInUse(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	role := w.texted(map[string]string{"ada": "+4915100000001"}, "ada")
	secret := w.phoneSecret(map[string]string{"ada": "+4915100000001"})
	w.create(secret, role)
	readyRole(w, "chat")
	w.waitText(role, "ada Active")
	if !meta.IsStatusConditionTrue(role.Status.Conditions, v1alpha1.ConditionFactorsEnrolled) {
		t.Errorf("everybody has everything, and the condition says %v", role.Status.Conditions)
	}
	changed := w.phoneSecret(map[string]string{"ada": "+4915100000011"})
	changed.ResourceVersion = secret.ResourceVersion
	w.update(changed)
	w.passRole(role, time.Hour)
	w.waitText(role, "ada Active")
	w.mustMiss(role, "ada@example.com has enrolled SMS with another number than the Secret has")
	path, number := w.smsOf("ada")
	if number != "+4915100000001" {
		t.Errorf("the number in use was replaced by %s", number)
	}
	w.asPerson("DELETE", path+"?removeRecoveryEnrollment=true", "")
	w.passRole(role, time.Hour)
	w.waitText(role, "ada Pending")
	if _, number := w.smsOf("ada"); number != "+4915100000011" {
		t.Errorf("the number of the Secret is not enrolled, but %s", number)
	}
}

// TestPhoneNumberTwice: two roles with two numbers of one person do not send codes in turns.
func TestPhoneNumberTwice(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	first := w.texted(nil, "ada")
	w.create(w.phoneSecret(map[string]string{"ada": "+4915100000001"}), first)
	w.waitText(first, "ada Pending")
	others := w.phoneSecret(map[string]string{"ada": "+4915100000002"})
	others.Name = "others"
	second := w.staffedWith("second", "ada")
	second.Spec.MFA = first.Spec.MFA.DeepCopy()
	second.Spec.MFA.PhoneNumbersSecretRef.Name = "others"
	w.create(others, second)
	w.waitText(second, "ada Pending")
	for range 3 {
		w.passRole(first, 25*time.Hour)
		w.passRole(second, time.Minute)
		if _, number := w.smsOf("ada"); number != "+4915100000001" {
			t.Fatalf("the code went to %s", number)
		}
	}
	w.get("second", second)
	w.mustMiss(second, "ada@example.com was sent a code at another number")
}

// TestPhoneNumberUncontested: a role that only watches keeps no other from correcting its
// Secret, of which the person is sent one code in five minutes at most.
func TestPhoneNumberUncontested(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	role := w.texted(nil, "ada")
	secret := w.phoneSecret(map[string]string{"ada": "+4915100000001"})
	others := w.phoneSecret(map[string]string{"ada": "+4915100000009"})
	others.Name = "others"
	watching := w.staffedWith("watching", "ada")
	watching.Spec.MFA = role.Spec.MFA.DeepCopy()
	watching.Spec.MFA.PhoneNumbersSecretRef.Name, watching.Spec.MFA.Enroll = "others", v1alpha1.EnrollWatch
	w.create(others, watching, secret, role)
	w.waitText(role, "ada Pending")
	corrected := w.phoneSecret(map[string]string{"ada": "+4915100000002"})
	corrected.ResourceVersion = secret.ResourceVersion
	w.update(corrected)
	w.passRole(role, time.Minute)
	if _, number := w.smsOf("ada"); number != "+4915100000001" {
		t.Errorf("a minute after the first code another went to %s", number)
	}
	w.passRole(role, 5*time.Minute)
	if _, number := w.smsOf("ada"); number != "+4915100000002" {
		t.Errorf("the number was not corrected, but is %s", number)
	}
}

// TestNoPhoneNumberLeaves looks for the numbers of a Secret, good and bad ones, in all that
// the operator says, while Okta repeats in its errors what it was sent.
func TestNoPhoneNumberLeaves(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	logs := &journal{}
	w.logger = zap.New(zap.WriteTo(logs), zap.Level(zapcore.Level(-127)), zap.UseDevMode(true))
	for nth, action := range []oktasim.Action{oktasim.EchoSecrets(400), oktasim.EchoSecrets(500), oktasim.TruncatedBody(), oktasim.HTML502()} {
		w.org.Inject(oktasim.Fault{Method: "POST", Path: `/factors$`, Nth: nth + 1, Action: action})
	}
	w.start(impatient)
	names := []string{"ada", "bob", "carl", "dan", "eve"}
	numbers, profiles := map[string]string{}, map[string]string{}
	w.known = map[string]string{}
	for i, name := range names {
		numbers[name], profiles[name] = fmt.Sprintf("+49151%07d", 7_654_321+i), fmt.Sprintf("+49152%07d", 1_234_567+i)
	}
	numbers["bob"], numbers["eve"] = "0151 76543219", "+4915176543210123"
	delete(numbers, "dan")
	for name, number := range numbers {
		w.known[name+"'s number"], w.known[name+"'s digits"] = number, strings.Trim(number, "+0")
	}
	for name, number := range profiles {
		w.known[name+"'s number in Okta"] = number
	}
	role := w.texted(profiles, names...)
	w.create(w.phoneSecret(numbers), role)
	readyRole(w, "chat")
	for range 3 {
		w.passRole(role, time.Hour)
	}
	w.waitText(role, "ada Pending, bob NotEnrolled, carl Pending, dan Active, eve NotEnrolled")
	w.deleteAndWait(role)
	w.quiet()
	said := map[string][]byte{"logs": logs.bytes(), "metrics": w.metricsText(), "objects and events": w.objectsText()}
	if len(said["logs"]) < 200 {
		t.Errorf("the logs are all but empty (%d bytes): is this test looking at the right thing?", len(said["logs"]))
	}
	w.mustShowNothing(said)
	w.mustDumpNothing(said["logs"])
}
