package story

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestBadInput: whatever is wrong becomes a condition that says what and what to
// do; nothing is made in Okta, and nothing is asked in a hot loop.
func TestBadInput(t *testing.T) {
	role := func(w *world) settled { return w.role("chat", "a") }
	key := func(w *world) settled { return w.key("bot", "chat", "") }
	tests := map[string]struct {
		reason  string
		options oktasim.Options
		before  func(w *world)           // before the operator starts
		running func(w *world)           // while it runs
		apply   []func(w *world) settled // the last is looked at
		want    string                   // reason of Ready
		says    []string                 // words of the message
		stalled bool
		mute    bool // Okta does not answer the operator, so a deletion must wait
	}{
		"UnknownRole": {
			reason: "a role may be applied later, so the key waits",
			apply:  []func(w *world) settled{key},
			want:   v1alpha1.ReasonRoleNotFound, says: []string{"chat", "create it", "spec.roleRef"},
		},
		"RoleNotReady": {
			reason: "a role that cannot be completed holds its keys back",
			before: func(w *world) { w.somebodysGroup("k8s/" + w.namespace + "/" + w.namespace + "/chat") },
			apply:  []func(w *world) settled{role, key},
			want:   v1alpha1.ReasonRoleNotReady, says: []string{"chat", "not Ready", "conditions of the role"},
		},
		"GroupTaken": {
			reason: "a group somebody else made is not taken over",
			before: func(w *world) { w.somebodysGroup("k8s/" + w.namespace + "/" + w.namespace + "/chat") },
			apply:  []func(w *world) settled{role},
			want:   v1alpha1.ReasonDirectoryConflict, says: []string{"group", "delete or rename"}, stalled: true,
		},
		"SecretTaken": {
			reason: "a Secret of that name that is not ours is not touched, and no client is made for it",
			running: func(w *world) {
				w.create(w.role("chat", "a"))
				readyRole(w, "chat")
				w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "bot-okta"}})
			},
			apply: []func(w *world) settled{key},
			want:  v1alpha1.ReasonSecretConflict, says: []string{`"bot-okta"`, "move the Secret away"}, stalled: true,
		},
		"Unreachable": {
			reason: "no answer comes from the org",
			before: func(w *world) {
				server := httptest.NewServer(http.NotFoundHandler())
				server.Close()
				w.orgURL = server.URL
			},
			apply: []func(w *world) settled{role},
			want:  v1alpha1.ReasonDirectoryUnreachable, says: []string{"okta.orgURL"}, mute: true,
		},
		"CredentialsRefused": {
			reason: "the operator's own credentials are refused",
			before: func(w *world) { w.credential("api_token", "00unknown-token") },
			apply:  []func(w *world) settled{role},
			want:   v1alpha1.ReasonAuthenticationFailed, says: []string{"credential"}, stalled: true, mute: true,
		},
		"CredentialsMissing": {
			reason: "the operator has no credentials",
			before: func(w *world) { w.secrets = w.TempDir() },
			apply:  []func(w *world) settled{role},
			want:   v1alpha1.ReasonAuthenticationFailed, says: []string{"api_token", "private_key.pem"}, stalled: true, mute: true,
		},
		"FeatureNotLicensed": {
			reason:  "401 E0000015: the org has no API Access Management",
			options: oktasim.Options{NoAPIAccessManagement: true},
			apply:   []func(w *world) settled{role},
			want:    v1alpha1.ReasonFeatureUnavailable, says: []string{"API Access Management"}, stalled: true,
		},
		"ClientsGetSuperAdmin": {
			reason:  "a setting of the org would make every agent a super administrator",
			options: oktasim.Options{ClientsGetSuperAdmin: true},
			apply:   []func(w *world) settled{role},
			want:    v1alpha1.ReasonUnsafeOrganizationSetting, says: []string{"uper"}, stalled: true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.options)
			if tc.before != nil {
				tc.before(w)
			}
			watched := newSeam(point{})
			w.start(watched.into)
			if tc.running != nil {
				tc.running(w)
			}
			w.quiet()
			before, calls := count(w.org.Operations()), watched.toOkta()
			var last settled
			for _, make := range tc.apply {
				last = make(w)
				w.create(last)
			}
			w.waitReason(last.GetName(), last, tc.want)
			conditions := *last.StatusConditions()
			for _, word := range tc.says {
				if message := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady).Message; !strings.Contains(message, word) {
					w.Errorf("%s: the message does not say %q: %s", tc.reason, word, message)
				}
			}
			if got := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled); got != tc.stalled {
				w.Errorf("%s: Stalled is %v, want %v: %s", tc.reason, got, tc.stalled, conditionsOf(last))
			}
			w.quiet()
			after := count(w.org.Operations())
			if after.writes != before.writes {
				w.Errorf("%s: %d writes to Okta: %s", tc.reason, after.writes-before.writes, after.summary())
			}
			if calls := watched.toOkta() - calls; calls > 8 {
				w.Errorf("%s: %d tries of calls to Okta without being able to get on: %s", tc.reason, calls, after.summary())
			}
			w.mustHaveNoSecrets("bot-okta")
			if !tc.mute {
				w.deleteAndWait(last)
			}
		})
	}
}

// somebodysGroup makes a group as a person would in Okta's console.
func (w *world) somebodysGroup(name string) {
	w.Helper()
	w.asPerson(http.MethodPost, "/api/v1/groups", fmt.Sprintf(`{"profile":{"name":%q,"description":"Somebody's."}}`, name))
}

// asPerson calls Okta with somebody else's API token.
func (w *world) asPerson(method, path, body string) {
	w.Helper()
	request, err := http.NewRequest(method, w.orgURL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Authorization", "SSWS "+w.org.AddAPIToken())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusMultipleChoices {
		w.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

// TestReservedPermissions: admission refuses the names with a message that helps.
func TestReservedPermissions(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	for permission, says := range map[v1alpha1.PermissionName]string{
		"openid": "reserved by OpenID Connect", "offline_access": "reserved by OpenID Connect",
		"okta.users.manage": "administer the Okta org",
	} {
		err := cluster.admin.Create(context.Background(), w.role("chat", permission))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "spec.permissions[0].name") {
			t.Errorf("creating a role with %q gives %v; want a refusal that names the field and says %q", permission, err, says)
		}
	}
	if n := len(w.org.Operations()); n != 0 {
		t.Errorf("%d calls to Okta", n)
	}
}
