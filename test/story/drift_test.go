package story

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestDrift changes every field of the app that the operator keeps, as a person would:
// Enforce puts it back, and Report says which it is, touches nothing, and puts it back
// once it is asked to.
func TestDrift(t *testing.T) {
	for name, tc := range map[string]struct {
		path  string
		value any
		says  string
	}{
		"Label":         {"label", "Customer chatbot", "label"},
		"Note":          {"settings.notes.admin", "Ask Eve.", "note"},
		"KeyRotation":   {"credentials.oauthClient.autoKeyRotation", false, "autoKeyRotation"},
		"GrantTypes":    {"settings.oauthClient.grant_types", []any{"client_credentials", "implicit"}, "grant_types"},
		"ResponseTypes": {"settings.oauthClient.response_types", []any{"token", "code"}, "response_types"},
		"DPoP":          {"settings.oauthClient.dpop_bound_access_tokens", true, "dpop_bound_access_tokens"},
		"ShownOnWeb":    {"visibility.hide.web", false, "visibility"},
		"ShownOnIOS":    {"visibility.hide.iOS", false, "visibility"},
	} {
		for _, policy := range []v1alpha1.DriftPolicy{v1alpha1.DriftEnforce, v1alpha1.DriftReport} {
			t.Run(name+string(policy), func(t *testing.T) {
				t.Parallel()
				w := newStandingWorld(t, time.Now(), oktasim.Options{})
				w.start(impatient)
				key := w.key("bot", "chat", "")
				key.Spec.DriftPolicy = policy
				w.create(w.role("chat", "a"), key)
				key = readyKey(w, "bot")
				w.quiet()
				before, calls := w.appBody(key.Status.AppID), len(w.org.Operations())
				w.editApp(key.Status.AppID, tc.path, tc.value)
				harmed := w.appBody(key.Status.AppID)
				w.pass(12 * time.Hour) // to the next resync
				w.quiet()
				w.pass(2 * time.Minute) // a renamed app is not listed, and looked for then
				if policy == v1alpha1.DriftReport {
					w.waitReason("bot", key, v1alpha1.ReasonDrifted)
					w.quiet()
					if message := messageOfReady(key); !strings.Contains(message, tc.says) {
						t.Errorf("the message does not name %s: %s", tc.says, message)
					}
					if writes := w.writesBy("SSWS", calls); writes != 1 { // the person's
						t.Errorf("%d writes, want one, by the person", writes)
					}
					if diff := cmp.Diff(harmed, w.appBody(key.Status.AppID)); diff != "" {
						t.Errorf("the app has changed:\n%s", diff)
					}
					w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { s.DriftPolicy = v1alpha1.DriftEnforce })
				}
				w.mended(func() string { return cmp.Diff(before, w.appBody(key.Status.AppID)) })
				readyKey(w, "bot")
				w.waitEvent("Updated")
				w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
			})
		}
	}
}

// writesBy counts the writes since, by principals of a kind.
func (w *world) writesBy(principal string, since int) int {
	writes := 0
	for _, op := range w.org.Operations()[since:] {
		if op.Write && strings.HasPrefix(op.Principal, principal) {
			writes++
		}
	}
	return writes
}

// appBody is the app as a person sees it, but for what changes by itself.
func (w *world) appBody(id string) map[string]any {
	w.Helper()
	body := w.askAsPerson(http.MethodGet, "/api/v1/apps/"+id, nil)
	for _, name := range []string{"lastUpdated", "_links"} {
		delete(body, name)
	}
	return body
}

// editApp sets one value of an app.
func (w *world) editApp(id, path string, value any) {
	w.Helper()
	body := w.appBody(id)
	for _, name := range []string{"id", "orn", "status", "created", "features", "accessibility"} {
		delete(body, name)
	}
	object := body
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		object = object[name].(map[string]any)
	}
	object[names[len(names)-1]] = value
	w.askAsPerson(http.MethodPut, "/api/v1/apps/"+id, body)
}

// askAsPerson calls Okta with somebody else's API token and gives the answer.
func (w *world) askAsPerson(method, path string, body map[string]any) map[string]any {
	w.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	if body == nil {
		text = nil
	}
	request, err := http.NewRequest(method, w.orgURL+path, bytes.NewReader(text))
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
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		w.Fatalf("%s %s: %s: %s %v", method, path, response.Status, answer, err)
	}
	decoded := map[string]any{}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		w.Fatal(err)
	}
	return decoded
}

// TestForeignCredential: a key that somebody added is told of, and left to them.
func TestForeignCredential(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	w.create(w.role("chat", "a"), w.key("bot", "chat", ""))
	key := readyKey(w, "bot")
	w.quiet()
	calls := count(w.org.Operations())
	w.must(w.org.AdminAddKey(key.Status.AppID, foreignKey(w)))
	w.pass(12 * time.Hour)
	w.waitFor("bot", key, "ready, with a foreign credential", func() bool {
		return ready(key) && strings.Contains(messageOf(key, v1alpha1.ConditionForeignCredential), foreignKeyID)
	})
	w.waitEvent("AddedBySomebodyElse")
	w.quiet()
	if after := count(w.org.Operations()); after.writes != calls.writes || len(w.ours().Apps[0].Keys) != 2 {
		t.Errorf("%d writes, and the app has %d keys; want none and 2", after.writes-calls.writes, len(w.ours().Apps[0].Keys))
	}
	w.must(nil, w.org.AdminUpdateApp(key.Status.AppID, func(a *oktasim.App) { a.Keys = a.Keys[:1] }))
	w.pass(12 * time.Hour)
	w.waitFor("bot", key, "ready, without a foreign credential", func() bool {
		return ready(key) && messageOf(key, v1alpha1.ConditionForeignCredential) == ""
	})
	w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
}

// TestShadowed: a policy of a person that lets every client in, and is asked first, makes
// the role's worth nothing. That is said, and is the person's to mend.
func TestShadowed(t *testing.T) {
	w := newStandingWorld(t, time.Now(), oktasim.Options{})
	w.start(impatient)
	role := w.role("chat", "a")
	w.create(role, w.key("bot", "chat", ""))
	readyKey(w, "bot")
	role = readyRole(w, "chat")
	w.quiet()
	calls := count(w.org.Operations())
	policy, err := w.org.AdminAddPolicy(oktasim.Policy{
		ServerID: w.ours().Servers[0].ID, Name: "Let all in", Description: "For a test.", Priority: 1, Status: "ACTIVE", Clients: []string{"ALL_CLIENTS"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.standing.Step(12 * time.Hour)
	w.nudge(role)
	w.waitReason("chat", role, v1alpha1.ReasonShadowed)
	if message := messageOfReady(role); !strings.Contains(message, "Let all in") {
		t.Errorf("the message does not name the policy: %s", message)
	}
	w.quiet()
	if after := count(w.org.Operations()); after.writes != calls.writes {
		t.Errorf("%d writes to Okta", after.writes-calls.writes)
	}
	w.must(nil, w.org.AdminDeletePolicy(policy.ID))
	w.standing.Step(5 * time.Minute)
	w.nudge(role)
	readyRole(w, "chat")
	readyKey(w, "bot")
	w.mustWork(w.agent("bot-okta"), []string{"a"}, "b")
}

// TestAgentEdited: what Okta shows of the agent follows the key, by whichever driftPolicy.
func TestAgentEdited(t *testing.T) {
	for _, policy := range []v1alpha1.DriftPolicy{v1alpha1.DriftEnforce, v1alpha1.DriftReport} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, oktasim.Options{})
			w.start(impatient)
			key := w.key("bot", "chat", "")
			key.Spec.DriftPolicy = policy
			w.create(w.role("chat", "a"), key)
			readyKey(w, "bot")
			before := w.secretBytes()
			w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) {
				s.Agent = v1alpha1.Agent{Name: "chatbot", Owners: []string{"eve@example.com", "team-ai"}, Purpose: "Answers customers."}
			})
			readyKey(w, "bot")
			want := fmt.Sprintf("Agent chatbot, managed by AgentAPIKey %s/bot.\nPurpose: Answers customers.\nOwners: eve@example.com, team-ai", w.namespace)
			w.mended(func() string { return cmp.Diff(want, w.ours().Apps[0].Note) })
			if diff := cmp.Diff(before, w.secretBytes()); diff != "" {
				t.Error("the Secrets have changed")
			}
		})
	}
}
